#include "oddhost/cli/gather.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "oddhost/base/clock.h"
#include "oddhost/base/version.h"
#include "oddhost/cli/progress.h"
#include "oddhost/cli/resume.h"
#include "oddhost/cli/scope.h"
#include "oddhost/cli/secret.h"
#include "oddhost/collect/probes.h"
#include "oddhost/collect/runner.h"
#include "oddhost/report/report.h"

#define ONE_WISH_MS 300

/*
 * The signal that asked us to end, and the low bits of when (0: never): lock-free, for its handler
 * (C11 7.14.1.1).
 */
static atomic_int stop;
static atomic_uint stopped_ms;

/* timeout(1) signals its child, and then the child's group: that is one wish, not two. */
static void on_signal(int number)
{
	unsigned before = 0, now = (unsigned)clock_ms() | 1;

	if (atomic_compare_exchange_strong(&stopped_ms, &before, now)) {
		atomic_store(&stop, number);
	} else if ((int)(now - before) >= ONE_WISH_MS) { /* one that was read earlier is less */
		signal(number, SIG_DFL);
		raise(number);
	}
}

static const int ending[] = {SIGINT, SIGTERM, SIGHUP};

#define ENDING (sizeof ending / sizeof *ending)

/*
 * The first signal ends the run with a report; the second one, the program. One that is ignored
 * stays so: nohup(1) and shells see to that. A file that may not grow (ulimit -f) is an error, as a
 * full disk is.
 */
static void catch_signals(struct sigaction before[ENDING])
{
	struct sigaction action = {.sa_handler = on_signal};

	for (size_t i = 0; i < ENDING; i++) {
		sigaction(ending[i], NULL, &before[i]);
		if (before[i].sa_handler != SIG_IGN)
			sigaction(ending[i], &action, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

static void release_signals(const struct sigaction before[ENDING])
{
	for (size_t i = 0; i < ENDING; i++)
		sigaction(ending[i], &before[i], NULL);
}

void gather_default_dir(const char *group, char out[PATH_MAX])
{
	char stamp[CLOCK_UTC_SIZE];

	clock_format_stamp(time(NULL), stamp);
	snprintf(out, PATH_MAX, "reports/%s-%s", stamp, group);
	for (unsigned n = 2; access(out, F_OK) == 0 && n < 1000; n++)
		snprintf(out, PATH_MAX, "reports/%s-%s-%u", stamp, group, n);
}

/* Take the descriptors that the system allows, and say so where they are too few. */
static void fit_descriptors(struct runner_plan *plan)
{
	struct rlimit limit;
	const rlim_t others = 64, each = RUNNER_SESSION_FDS, worker = RUNNER_WORKER_FDS;
	const rlim_t worth = worker + 8 * each; /* a worker, and sessions enough for it */
	unsigned sessions = plan->n_hosts < plan->forks ? (unsigned)plan->n_hosts : plan->forks;
	rlim_t needed = others + runner_workers(plan) * worker + sessions * each;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= needed)
		return;
	limit.rlim_cur = limit.rlim_max < needed ? limit.rlim_max : needed;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur >= needed)
		return;
	rlim_t left = limit.rlim_cur > others + worth ? limit.rlim_cur - others : worth;
	if (runner_workers(plan) > left / worth)
		plan->workers = (unsigned)(left / worth);
	unsigned fits = (unsigned)((left - runner_workers(plan) * worker) / each);
	if (fits >= sessions)
		return;
	cli_warn("%u hosts at once instead of %u: no more descriptors are allowed (ulimit -n)",
	    fits, sessions);
	plan->forks = fits;
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

	g->result->reached += host_record_examined(record);
	g->result->incomplete += !host_is_complete(record);
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

static void print_way(const struct host_spec *host)
{
	cli_say(stdout, "%s%s%s port %d", host->user, host->user ? "@" : "", host->address,
	    host->port ? host->port : 22);
}

/* A host, and the jump hosts on the way to it, the nearest to us first. */
static void print_host(const struct host_spec *host)
{
	cli_say(stdout, "  %s  ", host->name);
	if (host->local)
		printf("this machine, without ssh");
	else
		print_way(host);
	for (size_t i = 0; i < host->n_jumps; i++) {
		fputs(i == 0 ? " via " : ", ", stdout);
		print_way(&host->jumps[i]);
	}
	putchar('\n');
}

/* What single hosts would be asked beside it. */
static void print_questions(
    const struct scope *scope, const struct probe_plan *common, struct arena *arena)
{
	for (size_t h = 0; h < scope->n_hosts; h++) {
		const struct probe_plan *plan = probe_plan_for(common, &scope->hosts[h], arena);
		if (plan->n > common->n)
			cli_say(stdout, "and on %s:\n", scope->hosts[h].name);
		for (size_t i = common->n; i < plan->n; i++)
			cli_say(stdout, "  %s\n", plan->probes[i].name);
	}
}

/* -C: who would be asked what, without a connection. */
static int print_plan(const struct scope *scope)
{
	struct arena *arena = arena_new();
	struct probe_plan plan;
	struct err err;
	int code = EXIT_CLEAN;

	printf("hosts (%zu):\n", scope->n_hosts);
	for (size_t i = 0; i < scope->n_hosts; i++)
		print_host(&scope->hosts[i]);
	if (probe_plan_make(&plan, arena, scope->targets, scope->n_targets, &err)) {
		printf("commands (%zu), on each:\n", plan.n);
		for (size_t i = 0; i < plan.n; i++)
			cli_say(stdout, "  %s: %s\n", plan.probes[i].name, plan.probes[i].command);
		print_questions(scope, &plan, arena);
	} else {
		code = cli_fail(&err);
	}
	arena_free(arena);
	return code;
}

static int print_dry(const struct options *options, const struct scope *scope)
{
	if (options->list_hosts)
		scope_print_hosts(scope);
	return options->check ? print_plan(scope) : EXIT_CLEAN;
}

static unsigned login_seconds(const struct options *options)
{
	return options->connect_timeout == 0 ? 10 : options->connect_timeout;
}

static bool open_run(
    const struct options *options, const struct run_meta *meta, struct gathering *g)
{
	if (options->resume != NULL)
		return run_reopen(g->result->dir, &g->fd, &g->err) &&
		       run_finish(g->result->dir, meta, &g->err);
	return run_create(g->result->dir, meta, &g->fd, &g->err);
}

static int collect(const struct options *options, const struct scope *scope, struct run_meta *meta,
    struct gathered *ret)
{
	struct gathering g = {.result = ret};
	struct diag_list diags = {.arena = scope->arena};
	char now[CLOCK_UTC_SIZE], text[IP_TEXT_SIZE], password[256] = "";
	struct sigaction before[ENDING];
	struct ip address;
	struct runner_plan plan = {
	    .hosts = scope->hosts,
	    .n_hosts = scope->n_hosts,
	    .targets = meta->targets,
	    .n_targets = meta->n_targets,
	    .forks = options->forks,
	    .workers = options->workers,
	    .retries = options->retries,
	    .max_keys = options->max_keys,
	    .password = options->ask_pass ? password : NULL,
	    .ask = secret_ask_passphrase,
	    .login_seconds = login_seconds(options),
	    .host_seconds = options->host_timeout,
	    .deadline_seconds = options->deadline,
	    .stop = &stop,
	};
	struct runner_events events = {.host = take_host, .progress = take_progress, .context = &g};

	if (options->ask_pass && !secret_ask("Login password: ", password, sizeof password)) {
		err_set(&g.err, "-k: no password was typed, or there is no terminal to ask on");
		return cli_fail(&g.err);
	}
	if (!open_run(options, meta, &g)) {
		explicit_bzero(password, sizeof password);
		return cli_fail(&g.err);
	}
	fit_descriptors(&plan);
	catch_signals(before);
	progress_init(&g.progress, options->quiet, options->verbose);
	bool began = runner_run(&plan, &events, &address, &diags, &g.err);
	explicit_bzero(password, sizeof password);
	progress_end(&g.progress);
	release_signals(before);
	close(g.fd);
	cli_print_diags(&diags);
	ret->interrupted = atomic_load(&stop) != 0;
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

static struct run_meta make_meta(const struct options *options, const struct scope *scope)
{
	struct run_meta meta = {
	    .version = ODDHOST_VERSION,
	    .group = scope->group,
	    .limit = options->limit,
	    .targets = scope->targets,
	    .n_targets = scope->n_targets,
	    .reserved = scope->reserved,
	    .n_reserved = scope->n_reserved,
	    .n_hosts = scope->n_hosts,
	};
	char now[CLOCK_UTC_SIZE];

	clock_format_utc(time(NULL), now);
	meta.started = arena_dup(scope->arena, now);
	resume_keep(&meta, options, scope);
	return meta;
}

/* The hosts that a run has not finished, as it would have asked them. */
static int gather_rest(
    const struct command *command, const struct options *options, struct gathered *ret)
{
	struct options as_then = *options;
	struct scope scope = {0};
	struct err err;
	struct run *run = run_load(options->resume, &err);
	int code = EXIT_TROUBLE;

	if (run == NULL)
		return cli_fail(&err);
	resume_options(run, &as_then);
	if (as_then.n_inventories == 0) {
		cli_usage(command, "%s does not say which inventory it is of: name it with -i",
		    options->resume);
		goto out;
	}
	if (!scope_load(command, &as_then, &scope))
		goto out;
	if (scope.n_hosts != run->meta.n_hosts) {
		err_set(&err,
		    "the inventory now gives %zu hosts, the run %s was of %zu: take the inventory and "
		    "limit of then, or make a new run",
		    scope.n_hosts, options->resume, run->meta.n_hosts);
		cli_fail(&err);
		goto out;
	}
	ret->hosts = scope.n_hosts;
	resume_drop_done(run, &scope, ret);
	resume_weaken(&run->meta, &scope);
	snprintf(ret->dir, sizeof ret->dir, "%s", options->resume);
	if (ret->dry)
		code = print_dry(&as_then, &scope);
	else
		code = collect(&as_then, &scope, &run->meta, ret);
out:
	scope_free(&scope);
	run_free(run);
	return code;
}

static bool is_run(const char *dir, struct err *err)
{
	struct run *run = run_load(dir, err);

	run_free(run);
	return run != NULL;
}

int gather(const struct command *command, const struct options *options, struct gathered *ret)
{
	struct scope scope = {0};
	int code = EXIT_TROUBLE;

	struct err err;

	*ret = (struct gathered){.dry = options->check || options->list_hosts};
	if (options->format != NULL && !report_check_formats(options->format, &err))
		return cli_fail(&err); /* before the first connection, not behind the last */
	if (options->baseline != NULL && !is_run(options->baseline, &err))
		return cli_fail(&err);
	if (options->resume != NULL)
		return gather_rest(command, options, ret);
	if (!scope_load(command, options, &scope))
		goto out;
	if (ret->dry) {
		code = print_dry(options, &scope);
		goto out;
	}
	if (scope.n_targets == 0)
		cli_warn("no targets: set oddhost_targets in the inventory, so that reaching them "
			 "can be compared");
	struct run_meta meta = make_meta(options, &scope);
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
