#include "oddhost/cli/gather.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "oddhost/base/clock.h"
#include "oddhost/base/version.h"
#include "oddhost/cli/progress.h"
#include "oddhost/cli/scope.h"
#include "oddhost/collect/probes.h"
#include "oddhost/collect/runner.h"

static volatile sig_atomic_t stop; /* the signal that asked us to end */

static void on_signal(int number)
{
	stop = number;
}

/* The first signal ends the run with a report; the second one, the program. */
static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void release_signals(void)
{
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
}

void gather_default_dir(const char *group, char out[PATH_MAX])
{
	char stamp[CLOCK_UTC_SIZE];

	clock_format_stamp(time(NULL), stamp);
	snprintf(out, PATH_MAX, "reports/%s-%s", stamp, group);
	for (unsigned n = 2; access(out, F_OK) == 0 && n < 1000; n++)
		snprintf(out, PATH_MAX, "reports/%s-%s-%u", stamp, group, n);
}

/* A session is one descriptor: take what the system allows, and say so where it is too little. */
static unsigned fit_forks(unsigned forks)
{
	struct rlimit limit;
	const rlim_t others = 64;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= forks + others)
		return forks;
	limit.rlim_cur = limit.rlim_max < forks + others ? limit.rlim_max : forks + others;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur >= forks + others)
		return forks;
	unsigned fits = limit.rlim_cur > 2 * others ? (unsigned)(limit.rlim_cur - others) : 16;
	cli_warn("%u hosts at once instead of %u: no more descriptors are allowed (ulimit -n)",
	    fits, forks);
	return fits;
}

struct gathering {
	int fd; /* hosts.jsonl */
	struct progress progress;
	struct gathered *result;
	struct err err;
	bool failed;
};

static bool take_host(void *context, struct host_record *record)
{
	struct gathering *g = context;

	g->result->reached += host_status_reached(record->status);
	g->result->incomplete += record->status != HOST_OK;
	progress_host(&g->progress, record);
	if (!g->failed && !run_append(g->fd, record, &g->err))
		g->failed = true;
	host_record_free(record);
	return !g->failed;
}

static void take_progress(void *context, const struct runner_progress *now)
{
	struct gathering *g = context;

	progress_show(&g->progress, now);
}

/* -C: who would be asked what, without a connection. */
static int print_plan(const struct scope *scope)
{
	struct arena *arena = arena_new();
	struct probe_plan plan;
	struct err err;
	int code = EXIT_CLEAN;

	printf("hosts (%zu):\n", scope->n_hosts);
	for (size_t i = 0; i < scope->n_hosts; i++) {
		const struct host_spec *host = &scope->hosts[i];
		printf("  %s  %s%s%s port %d\n", host->name, host->user ? host->user : "",
		    host->user ? "@" : "", host->address, host->port ? host->port : 22);
	}
	if (probe_plan_make(&plan, arena, scope->targets, scope->n_targets, &err)) {
		printf("commands (%zu), on each:\n", plan.n);
		for (size_t i = 0; i < plan.n; i++)
			printf("  %s: %s\n", plan.probes[i].name, plan.probes[i].command);
	} else {
		code = cli_fail(&err);
	}
	arena_free(arena);
	return code;
}

static int collect(const struct options *options, const struct scope *scope, struct run_meta *meta,
    struct gathered *ret)
{
	struct gathering g = {.result = ret};
	struct diag_list diags = {.arena = scope->arena};
	char now[CLOCK_UTC_SIZE], text[IP_TEXT_SIZE];
	struct ip address;
	struct runner_plan plan = {
	    .hosts = scope->hosts,
	    .n_hosts = scope->n_hosts,
	    .targets = scope->targets,
	    .n_targets = scope->n_targets,
	    .forks = fit_forks(options->forks),
	    .login_seconds = options->connect_timeout,
	    .host_seconds = options->host_timeout,
	    .deadline_seconds = options->deadline,
	    .stop = &stop,
	};
	struct runner_events events = {.host = take_host, .progress = take_progress, .context = &g};

	if (!run_create(ret->dir, meta, &g.fd, &g.err))
		return cli_fail(&g.err);
	catch_signals();
	progress_init(&g.progress, options->quiet, options->verbose);
	bool began = runner_run(&plan, &events, &address, &diags, &g.err);
	progress_end(&g.progress);
	release_signals();
	close(g.fd);
	cli_print_diags(&diags);
	ret->interrupted = stop != 0;
	if (!began || g.failed)
		return cli_fail(&g.err);
	clock_format_utc(time(NULL), now);
	if (!ret->interrupted)
		meta->finished = arena_dup(scope->arena, now);
	if (address.family != IP_NONE)
		meta->bastion = arena_dup(scope->arena, ip_format(&address, text));
	if (!run_finish(ret->dir, meta, &g.err))
		return cli_fail(&g.err);
	return EXIT_CLEAN;
}

static struct var option(struct arena *arena, const char *name, unsigned value)
{
	return (struct var){name, arena_printf(arena, "%u", value)};
}

int gather(const struct command *command, const struct options *options, struct gathered *ret)
{
	struct scope scope = {0};
	char now[CLOCK_UTC_SIZE];
	int code = EXIT_TROUBLE;

	*ret = (struct gathered){.dry = options->check};
	if (!scope_load(command, options, &scope))
		goto out;
	if (options->check) {
		code = print_plan(&scope);
		goto out;
	}
	if (scope.n_targets == 0)
		cli_warn("no targets: set oddhost_targets in the inventory, so that reaching them "
			 "can be compared");
	clock_format_utc(time(NULL), now);
	struct var settings[] = {option(scope.arena, "forks", options->forks),
	    option(scope.arena, "timeout", options->connect_timeout),
	    option(scope.arena, "host-timeout", options->host_timeout),
	    option(scope.arena, "deadline", options->deadline)};
	struct run_meta meta = {
	    .version = ODDHOST_VERSION,
	    .group = scope.group,
	    .limit = options->limit,
	    .started = now,
	    .targets = scope.targets,
	    .n_targets = scope.n_targets,
	    .reserved = scope.reserved,
	    .n_reserved = scope.n_reserved,
	    .n_hosts = scope.n_hosts,
	    .options = settings,
	    .n_options = sizeof settings / sizeof *settings,
	};
	ret->hosts = scope.n_hosts;
	if (options->out != NULL)
		snprintf(ret->dir, sizeof ret->dir, "%s", options->out);
	else
		gather_default_dir(scope.group, ret->dir);
	code = collect(options, &scope, &meta, ret);
out:
	scope_free(&scope);
	return code;
}
