#include "oddhost/cli/progress.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "oddhost/base/clock.h"
#include "oddhost/cli/cli.h"
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
 * The time left, if hosts go on to end as fast as they did; -1: too early to say. Of the very last
 * ones it says nothing (0): they are last because they take longer.
 */
static long seconds_left(const struct progress *progress, const struct runner_progress *now)
{
	double elapsed = (double)(clock_ms() - progress->started) / 1000;

	if (now->done == 0 || now->done * 5 < now->total)
		return -1;
	return (long)(elapsed / (double)now->done * (double)(now->total - now->done));
}

static size_t columns(void)
{
	struct winsize size;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

static void compose(
    const struct progress *progress, const struct runner_progress *now, struct buf *line)
{
	long left = seconds_left(progress, now);

	buf_printf(line, "%zu of %zu hosts done, %zu failed, %zu running", now->done, now->total,
	    now->failed, now->running);
	if (left > 0)
		buf_printf(line, ", about %ld s left", left);
	if (now->slowest != NULL) { /* last: where the line is too long, it is cut off here */
		buf_printf(line, ", slowest %.0f s: ", now->slowest_ms / 1000.0);
		escape_plain(line, view_of(now->slowest));
	}
}

void progress_show(struct progress *progress, const struct runner_progress *now)
{
	int64_t at = clock_ms();
	struct buf line = {0};

	if (progress->quiet || at - progress->started < FIRST_AFTER_MS ||
	    (!progress->terminal && at - progress->printed < EVERY_MS) || now->done == now->total)
		return;
	progress->printed = at;
	compose(progress, now, &line);
	wipe(progress);
	if (progress->terminal)
		line.n = view_left(buf_view(&line), columns() - 1).n; /* one that wraps stays */
	fprintf(stderr, "%.*s", (int)line.n, line.p);
	if (!progress->terminal)
		fputc('\n', stderr);
	progress->line = progress->terminal;
	fflush(stderr);
	buf_free(&line);
}

void progress_host(struct progress *progress, const struct host_record *record)
{
	if (progress->verbose == 0 || progress->quiet)
		return;
	wipe(progress);
	cli_say(stderr, "%s: %s in %.1f s%s%s\n", record->name, host_status_name(record->status),
	    record->elapsed_ms / 1000.0, *record->error ? ": " : "", record->error);
}

void progress_end(struct progress *progress)
{
	wipe(progress);
	fflush(stderr);
}
