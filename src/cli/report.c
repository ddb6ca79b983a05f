#include "oddhost/cli/cli.h"
#include "oddhost/cli/conclude.h"

int cli_report(const struct command *command, const struct options *options)
{
	(void)command;
	return conclude(options->args[0], options);
}
