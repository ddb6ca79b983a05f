/* Completion for bash: commands, options, their values, kinds, and the names of an inventory. */
#ifndef ODDHOST_CLI_COMPLETION_H
#define ODDHOST_CLI_COMPLETION_H

#include <stddef.h>

#include "oddhost/cli/cli.h"

/* Print the script that `eval "$(oddhost completion)"` takes. */
void completion_print(const struct command *commands, size_t n);

#endif
