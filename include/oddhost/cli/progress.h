/*
 * Progress on stderr: on a terminal one line that is rewritten, elsewhere a line every few seconds;
 * with -v a line per host as it ends; with -q nothing.
 */
#ifndef ODDHOST_CLI_PROGRESS_H
#define ODDHOST_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "oddhost/collect/runner.h"

struct progress {
	bool quiet, terminal;
	unsigned verbose;
	int64_t started, printed; /* clock_ms() */
	bool line;                /* a line stands on the terminal */
};

void progress_init(struct progress *progress, bool quiet, unsigned verbose);
void progress_show(struct progress *progress, const struct runner_progress *now);
void progress_host(struct progress *progress, const struct host_record *record);
void progress_end(struct progress *progress); /* wipe the line */

#endif
