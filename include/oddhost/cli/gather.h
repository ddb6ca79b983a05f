/* From an inventory to a run directory, over SSH, with progress: what `run` and `collect` share. */
#ifndef ODDHOST_CLI_GATHER_H
#define ODDHOST_CLI_GATHER_H

#include <stdbool.h>
#include <limits.h>

#include "oddhost/cli/cli.h"

struct gathered {
	char dir[PATH_MAX]; /* the run directory */
	size_t hosts, reached, incomplete;
	bool interrupted;
	bool dry; /* --check, --list-hosts: nothing was gathered, nothing is to be reported */
};

/* Returns EXIT_CLEAN where a run directory was written (or --check was asked), else what to exit
 * with. */
int gather(const struct command *command, const struct options *options, struct gathered *ret);

/* "reports/20201204T030000Z-api", with "-2" and so on behind it where that is taken. */
void gather_default_dir(const char *group, char out[PATH_MAX]);

#endif
