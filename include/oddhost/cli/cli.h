/*
 * The command line: what a command is, the options that all commands share, the exit codes. Only
 * this layer prints. A command is one function in a file of its own; main.c holds their table,
 * and usage, --help and the completions are printed from that table and the one of options.
 */
#ifndef ODDHOST_CLI_CLI_H
#define ODDHOST_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "oddhost/base/diag.h"
#include "oddhost/base/err.h"
#include "oddhost/model/diagnosis.h"

enum exit_code {
	EXIT_CLEAN = 0,      /* complete, and nothing at or above --fail-on */
	EXIT_FINDINGS = 1,   /* findings at or above --fail-on */
	EXIT_TROUBLE = 2,    /* usage, inventory or internal error */
	EXIT_INCOMPLETE = 3, /* some host or probe failed, and no such finding */
	EXIT_NO_HOST = 4,    /* no host could be reached */
	EXIT_INTERRUPTED = 130,
};

/* What the command line said; defaults where it said nothing. Strings are argv's. */
struct options {
	const char **inventories;
	size_t n_inventories;
	const char *limit;
	const char *out;         /* -o */
	const char *user;        /* -u */
	const char *private_key; /* --private-key */
	const char *known_hosts; /* --known-hosts */
	const char *host_key;    /* --host-key */
	const char *ssh_config;  /* -F */
	const char *ssh_args;    /* --ssh-common-args */
	const char *become_user; /* --become-user */
	const char *format;      /* --format */
	const char *host;        /* --host */
	const char *routes;      /* --routes */
	const char *rules;       /* --rules */
	const char *resume;      /* --resume */
	const char *baseline;    /* --baseline */
	unsigned workers, retries, max_keys;
	bool ask_pass;                          /* -k */
	unsigned forks, host_timeout, deadline; /* counts and seconds */
	unsigned connect_timeout;               /* -T; 0: not given */
	enum severity fail_on;
	bool list, hosts, list_hosts, json, script, quiet, check, become;
	unsigned verbose;
	bool color;  /* decided: --color, NO_COLOR and whether stdout is a terminal */
	char **args; /* the positional arguments */
	size_t n_args;
};

struct command {
	const char *name;
	int (*function)(const struct command *command, const struct options *options);
	const char *args;    /* "RUN [HOST_A HOST_B]", "" */
	const char *options; /* the options it takes: "i l o" by short name, "json" by long name */
	size_t min_args, max_args;
	const char *summary;  /* one line */
	const char *examples; /* lines, each a whole command; may be NULL */
};

/*
 * Parse argv behind the command's name. Returns false where the command must not run: after a
 * usage error (printed, *ret_exit 2) or --help (printed, *ret_exit 0). options_free() frees.
 */
bool options_parse(
    const struct command *command, int argc, char **argv, struct options *ret, int *ret_exit);
void options_free(struct options *options);
void options_help(const struct command *command, FILE *out);

/* The command's long options, " --NAME" each, for the shell's completion. */
void options_words(const struct command *command, FILE *out);

/* Likewise, for options whose values are a few words: a line of bash's `case` each. */
void options_values(FILE *out);

/*
 * What is printed may come from a host, a file or a script: nothing of it reaches the terminal but
 * through these, where it is escaped. cli_say is escape_printf() with escape_plain().
 */
void cli_say(FILE *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "oddhost: MESSAGE" on stderr; returns EXIT_TROUBLE, so that `return cli_fail(&err)` reads well.
 */
int cli_fail(const struct err *err);
int cli_usage(const struct command *command, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void cli_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Print a diagnostic list on stderr: "oddhost: FILE:LINE: TEXT", each; a count where it was cut. */
void cli_print_diags(const struct diag_list *diags);

int cli_advise(const struct command *command, const struct options *options);
int cli_collect(const struct command *command, const struct options *options);
int cli_diff(const struct command *command, const struct options *options);
int cli_forecast(const struct command *command, const struct options *options);
int cli_import(const struct command *command, const struct options *options);
int cli_inventory(const struct command *command, const struct options *options);
int cli_lookup(const struct command *command, const struct options *options);
int cli_parse(const struct command *command, const struct options *options);
int cli_probes(const struct command *command, const struct options *options);
int cli_report(const struct command *command, const struct options *options);
int cli_run(const struct command *command, const struct options *options);

#endif
