#include "oddhost/cli/cli.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "oddhost/base/mem.h"
#include "oddhost/base/view.h"
#include "oddhost/cli/kinds.h"

enum value_kind { FLAG, COUNT, TEXT, TEXTS, NUMBER, NUMBER_OR_0, SEVERITY, COLOR, HOST_KEY };

/*
 * Every option of every command: one row each, from which getopt's tables and the help are made.
 * `offset` is where the value goes in struct options.
 */
static const struct option_row {
	char letter; /* 0: only a long name */
	const char *name;
	const char *value; /* its placeholder, NULL for a flag */
	enum value_kind kind;
	size_t offset;
	unsigned max; /* NUMBER */
	const char *help;
} rows[] = {
#define AT(member) offsetof(struct options, member)
    {'i', "inventory", "FILE", TEXTS, AT(inventories), 0,
	"inventory, also several: INI, JSON, a program, a directory, HOST,HOST or -"},
    {'l', "limit", "PATTERN", TEXT, AT(limit), 0,
	"hosts to take, as in Ansible, or as a node set: web-[01-03]"},
    {'o', "output", "PATH", TEXT, AT(out), 0, "where to write (default: reports/TIME-GROUP)"},
    {'u', "user", "NAME", TEXT, AT(user), 0, "log in as NAME"},
    {0, "private-key", "FILE", TEXT, AT(private_key), 0, "log in with this key"},
    {0, "known-hosts", "FILE", TEXT, AT(known_hosts), 0,
	"check host keys against this file instead of ~/.ssh/known_hosts"},
    {0, "host-key", "POLICY", HOST_KEY, AT(host_key), 0,
	"a host key that is not known: strict (default), accept-new, or off: check none"},
    {'F', "ssh-config", "FILE", TEXT, AT(ssh_config), 0,
	"ssh's configuration, instead of ~/.ssh/config and the system's; none: read none"},
    {0, "ssh-common-args", "ARGS", TEXT, AT(ssh_args), 0,
	"options of ssh for all hosts: -o -F -J -i -p -l -b -4 -6"},
    {'b', "become", NULL, FLAG, AT(become), 0, "run the probes as root, by sudo -n"},
    {0, "become-user", "NAME", TEXT, AT(become_user), 0, "with -b: as NAME instead of root"},
    {'f', "forks", "N", NUMBER, AT(forks), 100000, "hosts at the same time (default: 256)"},
    {'k', "ask-pass", NULL, FLAG, AT(ask_pass), 0,
	"ask for a login password, tried where no key is accepted"},
    {0, "max-keys", "N", NUMBER, AT(max_keys), 100,
	"offers of keys to a host (default: 3): sshd counts refused ones as failures"},
    {0, "workers", "N", NUMBER, AT(workers), 256, "threads (default: one a core)"},
    {0, "retries", "N", NUMBER_OR_0, AT(retries), 100,
	"tries again where a connection is closed or reset before the login (default: 1); after "
	"'Exceeded MaxStartups' always, until -T"},
    {0, "resume", "RUN", TEXT, AT(resume), 0, "take up the hosts that a run has not finished"},
    {'T', "timeout", "SECONDS", NUMBER, AT(connect_timeout), 3600,
	"limit for connecting and logging in (default: 10)"},
    {0, "host-timeout", "SECONDS", NUMBER, AT(host_timeout), 86400,
	"limit for one host, from its start (default: 60)"},
    {0, "deadline", "SECONDS", NUMBER, AT(deadline), 86400,
	"limit for the whole run; what there is is reported (default: 300)"},
    {'C', "check", NULL, FLAG, AT(check), 0,
	"say which hosts and commands would run; connect to none"},
    {0, "fail-on", "SEVERITY", SEVERITY, AT(fail_on), 0,
	"exit 1 at this severity or above: critical, high (default), medium, low, info, none"},
    {0, "baseline", "RUN", TEXT, AT(baseline), 0,
	"say which findings are new, persist or are resolved since that run"},
    {0, "format", "LIST", TEXT, AT(format), 0, "reports to write (default: html,md,json)"},
    {0, "list", NULL, FLAG, AT(list), 0, "print Ansible's dynamic-inventory JSON"},
    {0, "hosts", NULL, FLAG, AT(hosts), 0, "print the host names, one a line"},
    {0, "list-hosts", NULL, FLAG, AT(list_hosts), 0,
	"print the hosts that would be taken, folded: host-[01-03]"},
    {0, "host", "NAME", TEXT, AT(host), 0, "print one host's variables and connection"},
    {0, "routes", "FILE", TEXT, AT(routes), 0,
	"a route table as ip or route printed it, - for stdin"},
    {0, "rules", "FILE", TEXT, AT(rules), 0,
	"what ip rule (or ip -6 rule) printed beside --routes"},
    {0, "script", NULL, FLAG, AT(script), 0, "print the script that is sent, word for word"},
    {0, "json", NULL, FLAG, AT(json), 0, "print JSON"},
    {'q', "quiet", NULL, FLAG, AT(quiet), 0, "no progress, no verdict"},
    {'v', "verbose", NULL, COUNT, AT(verbose), 0, "a line per host as it ends"},
    {0, "color", "WHEN", COLOR, AT(color), 0,
	"auto (default), always or never; NO_COLOR is heeded"},
#undef AT
};

#define ROWS (sizeof rows / sizeof *rows)
#define HELP_OPTION 1000 /* getopt_long's value for --help; a row's is its index plus 1 */

/* Does the command's option list name this row, by its letter or its long name? */
static bool takes(const struct command *command, const struct option_row *row)
{
	struct view list = view_of(command->options), word;

	while (view_next_word(&list, &word)) {
		if (view_eq(word, row->name) || (word.n == 1 && word.p[0] == row->letter))
			return true;
	}
	return false;
}

void options_help(const struct command *command, FILE *out)
{
	fprintf(out, "usage: oddhost %s%s%s%s\n%s\n", command->name,
	    *command->options ? " [options]" : "", *command->args ? " " : "", command->args,
	    command->summary);
	if (view_starts(view_of(command->args), "KIND")) {
		fputs("\nkinds, and what is read:\n", out);
		kind_list(out);
	}
	if (*command->options)
		fputs("\noptions:\n", out);
	for (size_t i = 0; i < ROWS; i++) {
		char left[64];
		if (!takes(command, &rows[i]))
			continue;
		snprintf(left, sizeof left, "%c%c%s--%s%s%s", rows[i].letter ? '-' : ' ',
		    rows[i].letter ? rows[i].letter : ' ', rows[i].letter ? ", " : "  ",
		    rows[i].name, rows[i].value ? " " : "", rows[i].value ? rows[i].value : "");
		fprintf(out, "  %-26s %s\n", left, rows[i].help);
	}
	if (command->examples != NULL)
		fprintf(out, "\nexamples:\n%s", command->examples);
}

void options_words(const struct command *command, FILE *out)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (takes(command, &rows[i]))
			fprintf(out, " --%s", rows[i].name);
	}
	fputs(" --help", out);
}

void options_values(FILE *out)
{
	static const char *const words[] = {[SEVERITY] = "critical high medium low info none",
	    [COLOR] = "auto always never",
	    [HOST_KEY] = "strict accept-new off"};

	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].kind < sizeof words / sizeof *words && words[rows[i].kind] != NULL)
			fprintf(out, "	--%s) words='%s' ;;\n", rows[i].name, words[rows[i].kind]);
	}
}

static bool decide_color(const char *when, bool *ret)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (strcmp(when, "always") == 0)
		*ret = true;
	else if (strcmp(when, "never") == 0)
		*ret = false;
	else if (strcmp(when, "auto") == 0)
		*ret = isatty(STDOUT_FILENO) && (no_color == NULL || *no_color == '\0') &&
		       (term == NULL || strcmp(term, "dumb") != 0);
	else
		return false;
	return true;
}

static bool store(const struct command *command, const struct option_row *row, const char *text,
    struct options *o)
{
	void *at = (char *)o + row->offset;
	uint64_t number;

	switch (row->kind) {
	case FLAG:
		*(bool *)at = true;
		return true;
	case COUNT:
		++*(unsigned *)at;
		return true;
	case TEXT:
		*(const char **)at = text;
		return true;
	case TEXTS:
		o->inventories =
		    mem_resize(o->inventories, (o->n_inventories + 1) * sizeof *o->inventories);
		o->inventories[o->n_inventories++] = text;
		return true;
	case NUMBER:
	case NUMBER_OR_0:
		if (view_uint(view_of(text), row->kind == NUMBER, row->max, &number)) {
			*(unsigned *)at = (unsigned)number;
			return true;
		}
		cli_usage(command, "--%s: '%s' is not a number from %d to %u", row->name, text,
		    row->kind == NUMBER, row->max);
		return false;
	case SEVERITY:
		if (severity_from_name(text, at))
			return true;
		cli_usage(command, "--%s: '%s' is none of critical, high, medium, low, info, none",
		    row->name, text);
		return false;
	case HOST_KEY:
		*(const char **)at = text;
		if (strcmp(text, "strict") == 0 || strcmp(text, "accept-new") == 0 ||
		    strcmp(text, "off") == 0)
			return true;
		cli_usage(
		    command, "--%s: '%s' is none of strict, accept-new, off", row->name, text);
		return false;
	case COLOR:
		if (decide_color(text, at))
			return true;
		cli_usage(command, "--%s: '%s' is none of auto, always, never", row->name, text);
		return false;
	}
	return false;
}

/* getopt's tables for the rows that the command takes. */
static void make_tables(const struct command *command, char letters[], struct option longs[])
{
	size_t n = 0;

	*letters++ = ':'; /* tell a missing value from an unknown option */
	for (size_t i = 0; i < ROWS; i++) {
		if (!takes(command, &rows[i]))
			continue;
		longs[n++] = (struct option){rows[i].name,
		    rows[i].value ? required_argument : no_argument, NULL, (int)i + 1};
		if (rows[i].letter) {
			*letters++ = rows[i].letter;
			if (rows[i].value)
				*letters++ = ':';
		}
	}
	longs[n] = (struct option){"help", no_argument, NULL, HELP_OPTION};
	*letters++ = 'h';
	*letters = '\0';
}

static const struct option_row *row_of(int value)
{
	if (value >= 1 && value <= (int)ROWS)
		return &rows[value - 1];
	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].letter == value)
			return &rows[i];
	}
	return NULL;
}

bool options_parse(
    const struct command *command, int argc, char **argv, struct options *ret, int *ret_exit)
{
	char letters[2 * ROWS + 3];
	struct option longs[ROWS + 2] = {0};
	int c;

	*ret = (struct options){.forks = 256,
	    .retries = 1,
	    .max_keys = 3,
	    .host_timeout = 60,
	    .deadline = 300,
	    .fail_on = SEVERITY_HIGH};
	decide_color("auto", &ret->color);
	*ret_exit = EXIT_TROUBLE;
	make_tables(command, letters, longs);
	opterr = 0;
	while ((c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (c == HELP_OPTION || c == 'h') {
			options_help(command, stdout);
			*ret_exit = EXIT_CLEAN;
			return false;
		}
		if (c == ':' || c == '?') {
			cli_usage(command,
			    c == ':' ? "%s: a value is missing" : "%s: unknown option",
			    argv[optind - 1]);
			return false;
		}
		if (!store(command, row_of(c), optarg, ret))
			return false;
	}
	ret->args = argv + optind;
	ret->n_args = (size_t)(argc - optind);
	if (ret->n_args < command->min_args || ret->n_args > command->max_args) {
		cli_usage(command, "%s: expected %s", command->name,
		    *command->args ? command->args : "no argument");
		return false;
	}
	return true;
}

void options_free(struct options *options)
{
	free(options->inventories);
}
