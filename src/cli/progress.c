#include "oddhost/cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "oddhost/base/clock.h"
#include "oddhost/report/escape.h"

#define FIRST_AFTER_MS 500 /* a run that is done by then shows no progress at all */
#define EVERY_MS 5000      /* without a terminal */

void progress_init(struct progress *progress, bool quiet, unsigned verbose)
{
	*progress = (struct progress){
	    .quiet = quiet,
	    .verbose = verbose,
	    .terminal = isatty(STDERR_FILENO) != 0,
	    .started = clock_ms(),
	};
	progress->printed = progress->started;
}

static void wipe(struct progress *progress)
{
	if (progress->line)
		fputs("\r\033[K", stderr);
	progress->line = false;
}

/*
 * The time left, if the hosts to come take as long as those that are done; -1: not known. The last
 * ones say nothing: they are last because they take longer.
 */
static long seconds_left(const struct progress *progress, const struct runner_progress *now)
{
	int64_t elapsed = clock_ms() - progress->started;

	if (now->done * 5 < now->total || now->running >= now->total - now->done)
		return -1;
	return (
	    long)((double)elapsed / (double)now->done * (double)(now->total - now->done) / 1000);
}

void progress_show(struct progress *progress, const struct runner_progress *now)
{
	int64_t at = clock_ms();
	struct buf slowest = {0};

	if (progress->quiet || at - progress->started < FIRST_AFTER_MS ||
	    (!progress->terminal && at - progress->printed < EVERY_MS) || now->done == now->total)
		return;
	progress->printed = at;
	wipe(progress);
	fprintf(stderr, "%zu of %zu hosts done, %zu failed, %zu running", now->done, now->total,
	    now->failed, now->running);
	if (now->slowest != NULL) {
		escape_plain(&slowest, view_of(now->slowest));
		fprintf(stderr, ", slowest %s %.1f s", buf_str(&slowest), now->slowest_ms / 1000.0);
		buf_free(&slowest);
	}
	long left = seconds_left(progress, now);
	if (left > 0)
		fprintf(stderr, ", about %ld s left", left);
	if (!progress->terminal)
		fputc('\n', stderr);
	progress->line = progress->terminal;
	fflush(stderr);
}

void progress_host(struct progress *progress, const struct host_record *record)
{
	struct buf error = {0};

	if (progress->verbose == 0 || progress->quiet)
		return;
	wipe(progress);
	escape_plain(&error, view_of(record->error));
	fprintf(stderr, "%s: %s in %.1f s%s%s\n", record->name, host_status_name(record->status),
	    record->elapsed_ms / 1000.0, error.n > 0 ? ": " : "", buf_str(&error));
	buf_free(&error);
}

void progress_end(struct progress *progress)
{
	wipe(progress);
	fflush(stderr);
}
