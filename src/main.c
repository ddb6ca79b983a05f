#include <stdio.h>
#include <string.h>

#include "oddhost/base/version.h"
#include "oddhost/cli/cli.h"
#include "oddhost/cli/completion.h"

#define REACH                                                                                      \
	"i l u private-key known-hosts host-key ssh-config ssh-common-args become become-user T"
#define LOGIN REACH " k max-keys f workers retries host-timeout deadline"

static int complete(const struct command *command, const struct options *options);

static const struct command commands[] = {
    {"run", cli_run, "", LOGIN " o C list-hosts baseline fail-on format q v color", 0, 0,
	"collect from every host over SSH, compare, diagnose, and write the reports",
	"  oddhost run -i inventory/demo.ini -l api\n"},
    {"collect", cli_collect, "", LOGIN " o resume C list-hosts q v color", 0, 0,
	"the SSH part alone: write a run directory", NULL},
    {"report", cli_report, "RUN", "baseline format fail-on q color", 1, 1,
	"diagnose a run directory (again) and write its reports", NULL},
    {"diff", cli_diff, "RUN [HOST_A HOST_B] | RUN0 RUN1", "json color", 1, 3,
	"compare the hosts of a run, two of them, or one group at two times",
	"  oddhost diff RUN host-pre host-02\n"},
    {"import", cli_import, "FILE…", "i l o q", 1, 10000,
	"make a run directory from pasted terminal transcripts, the later answer of a command wins",
	"  oddhost import -i inventory/incident.ini -l api -o RUN before.txt\n"},
    {"inventory", cli_inventory, "", REACH " list hosts list-hosts host", 0, 0,
	"print what an inventory means", NULL},
    {"probes", cli_probes, "", REACH " script", 0, 0,
	"print what would run on a host, all of it read-only", NULL},
    {"parse", cli_parse, "KIND [FILE]", "", 1, 2,
	"run one parser on a file or stdin and print JSON", "  ip route | oddhost parse routes\n"},
    {"lookup", cli_lookup, "(RUN HOST | --routes FILE) ADDRESS…", "routes rules json", 1, 10000,
	"which route wins for an address, and why: `ip route get` without the host",
	"  oddhost lookup RUN host-pre 192.168.0.166\n"
	"  route -n | oddhost lookup --routes - 192.168.0.166\n"},
    {"forecast", cli_forecast, "RUN [HOST]", "json", 1, 2,
	"which subnets docker will hand out next on each host, and when one collides", NULL},
    {"advise", cli_advise, "RUN", "json", 1, 1,
	"address pools for docker that stay clear of what the group needs, and the commands for it",
	NULL},
    {"completion", complete, "", "", 0, 0,
	"print completion for bash: eval \"$(oddhost completion)\"", NULL},
};

#define COMMANDS (sizeof commands / sizeof *commands)

static int complete(const struct command *command, const struct options *options)
{
	(void)command, (void)options;
	completion_print(commands, COMMANDS);
	return EXIT_CLEAN;
}

static void usage(FILE *out)
{
	fputs("oddhost finds the odd host out: the one of many alike that cannot reach its "
	      "database,\n"
	      "and why.\n\nusage: oddhost COMMAND [options]\n\ncommands:\n",
	    out);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
	fputs("\n'oddhost COMMAND --help' lists a command's options.\n\n"
	      "exit codes: 0 clean; 1 findings at or above --fail-on; 2 usage or internal error;\n"
	      "3 incomplete; 4 no host reachable; 130 interrupted\n",
	    out);
}

static const struct command *command_named(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;
	struct options options;
	int code;

	if (name != NULL && strcmp(name, "--version") == 0) {
		puts("oddhost " ODDHOST_VERSION);
		return EXIT_CLEAN;
	}
	if (name != NULL && (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 ||
				(strcmp(name, "help") == 0 && argc == 2))) {
		usage(stdout);
		return EXIT_CLEAN;
	}
	if (name != NULL && strcmp(name, "help") == 0 && command_named(argv[2]) != NULL) {
		options_help(command_named(argv[2]), stdout);
		return EXIT_CLEAN;
	}

	const struct command *command = name == NULL ? NULL : command_named(name);
	if (command == NULL) {
		if (name != NULL)
			cli_warn("'%s' is not a command", name);
		usage(stderr);
		return EXIT_TROUBLE;
	}
	if (options_parse(command, argc - 1, argv + 1, &options, &code))
		code = command->function(command, &options);
	options_free(&options);
	if ((fflush(stdout) != 0 || ferror(stdout)) && code != EXIT_INTERRUPTED) {
		cli_warn("standard output could not be written");
		return EXIT_TROUBLE;
	}
	return code;
}
