#include "oddhost/cli/cli.h"
#include "oddhost/cli/conclude.h"
#include "oddhost/cli/gather.h"

int cli_run(const struct command *command, const struct options *options)
{
	struct gathered gathered;
	int code = gather(command, options, &gathered);

	if (code != EXIT_CLEAN || gathered.dry)
		return code;
	code = conclude(gathered.dir, options);
	return gathered.interrupted ? EXIT_INTERRUPTED : code;
}
