#include <stdio.h>

#include "oddhost/cli/cli.h"
#include "oddhost/cli/gather.h"

int cli_collect(const struct command *command, const struct options *options)
{
	struct gathered gathered;
	int code = gather(command, options, &gathered);

	if (code != EXIT_CLEAN || gathered.dry)
		return code;
	if (!options->quiet)
		printf("%zu of %zu hosts answered. Next:\n  oddhost report %s\n", gathered.reached,
		    gathered.hosts, gathered.dir);
	if (gathered.interrupted)
		return EXIT_INTERRUPTED;
	if (gathered.reached == 0)
		return EXIT_NO_HOST;
	return gathered.incomplete > 0 ? EXIT_INCOMPLETE : EXIT_CLEAN;
}
