#include "oddhost/collect/runner.h"

#include <pthread.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libssh2.h>

#include "oddhost/base/clock.h"
#include "oddhost/base/mem.h"
#include "oddhost/collect/hmac.h"
#include "oddhost/collect/local.h"
#include "oddhost/collect/session.h"

#define PROGRESS_MS 200
#define HOSTS_PER_WORKER 32 /* fewer hosts than this are not worth another thread */
#define RESOLVING_MOST 32   /* threads */
#define RESOLVING_SPARE 224 /* more of them, where names whose server does not answer hold some */
#define SIGNING_MOST 1      /* an agent signs one after the other anyway */

/*
 * Workers take hosts from one queue, which is no more than an index into the plan. Each has a loop
 * and sessions of its own; what they share is read-only or has a lock of its own. Records are
 * handed on one at a time, under the runner's lock.
 */
struct slot {
	struct session *session; /* one of these two; both NULL: free */
	struct local *local;
	const struct host_spec *spec;
	int64_t started;
};

struct worker {
	struct runner *runner;
	pthread_t thread;
	bool started;
	struct session_shared shared;
	struct slot *slots;
	size_t n_slots, busy;
	struct timer deadline, tick;
	bool stopping; /* no further host is begun */
	struct err err;
	/* Under the runner's lock, for the progress: */
	size_t running;
	const char *slowest;
	int64_t slowest_since;
};

struct runner {
	const struct runner_plan *plan;
	const struct runner_events *events;
	struct session_shared shared; /* what is copied into each worker's */
	struct probe_plan probes;
	struct arena *arena;
	struct worker *workers;
	size_t n_workers;
	atomic_size_t next;
	int64_t deadline_at;

	pthread_mutex_t lock;
	pthread_cond_t ended; /* a worker has ended */
	size_t ended_workers, done, failed;
	bool refused; /* `host` said false: it is not called again */
};

static bool deliver(struct runner *r, struct host_record *record)
{
	pthread_mutex_lock(&r->lock);
	r->done++;
	r->failed += record->status != HOST_OK;
	if (r->refused)
		host_record_free(record);
	else if (!r->events->host(r->events->context, record))
		r->refused = true;
	bool refused = r->refused;
	pthread_mutex_unlock(&r->lock);
	return !refused;
}

/* ---- a worker ---- */

static void fill_slots(struct worker *w);

static void slot_done(struct worker *w, struct host_record *record)
{
	w->busy--;
	if (!deliver(w->runner, record)) {
		w->stopping = true;
		loop_stop(w->shared.loop);
	}
	if (w->stopping)
		return;
	fill_slots(w);
	if (w->busy == 0)
		loop_stop(w->shared.loop);
}

static void session_done(void *context, struct session *session, struct host_record *record)
{
	struct worker *w = context;

	for (size_t i = 0; i < w->n_slots; i++) {
		if (w->slots[i].session == session)
			w->slots[i].session = NULL;
	}
	slot_done(w, record);
}

static void local_done(void *context, struct local *local, struct host_record *record)
{
	struct worker *w = context;

	for (size_t i = 0; i < w->n_slots; i++) {
		if (w->slots[i].local == local)
			w->slots[i].local = NULL;
	}
	slot_done(w, record);
}

static void fill_slots(struct worker *w)
{
	const struct runner_plan *plan = w->runner->plan;

	for (size_t i = 0; i < w->n_slots; i++) {
		struct slot *slot = &w->slots[i];
		if (slot->session != NULL || slot->local != NULL)
			continue;
		size_t next = atomic_fetch_add(&w->runner->next, 1);
		if (next >= plan->n_hosts)
			return;
		slot->spec = &plan->hosts[next];
		slot->started = clock_ms();
		w->busy++;
		if (slot->spec->local)
			slot->local = local_start(&w->shared, slot->spec, local_done, w);
		else
			slot->session = session_start(&w->shared, slot->spec, session_done, w);
	}
}

static void abort_all(struct worker *w, enum host_status status, const char *why)
{
	w->stopping = true;
	for (size_t i = 0; i < w->n_slots; i++) {
		if (w->slots[i].session != NULL)
			session_abort(w->slots[i].session, status, why);
		if (w->slots[i].local != NULL)
			local_abort(w->slots[i].local, status, why);
	}
}

static const char *deadline_text(const struct runner *r)
{
	return arena_printf(
	    r->arena, "the run's deadline of %u s was over", r->plan->deadline_seconds);
}

static void deadline_expired(void *context)
{
	struct worker *w = context;
	char why[80];

	snprintf(why, sizeof why, "the run's deadline of %u s was over",
	    w->runner->plan->deadline_seconds);
	abort_all(w, HOST_DEADLINE, why);
	loop_stop(w->shared.loop);
}

/* For the progress, which the main thread puts together. */
static void tick(void *context)
{
	struct worker *w = context;
	const struct slot *slowest = NULL;

	for (size_t i = 0; i < w->n_slots; i++) {
		const struct slot *slot = &w->slots[i];
		if ((slot->session != NULL || slot->local != NULL) &&
		    (slowest == NULL || slot->started < slowest->started))
			slowest = slot;
	}
	pthread_mutex_lock(&w->runner->lock);
	w->running = w->busy;
	w->slowest = slowest == NULL ? NULL : slowest->spec->name;
	w->slowest_since = slowest == NULL ? 0 : slowest->started;
	pthread_mutex_unlock(&w->runner->lock);
	loop_timer(w->shared.loop, &w->tick, PROGRESS_MS, tick, w);
}

static void *worker_main(void *argument)
{
	struct worker *w = argument;
	struct runner *r = w->runner;
	int64_t left = r->deadline_at - clock_ms();

	w->deadline.firm = true;
	loop_timer(w->shared.loop, &w->deadline, left, deadline_expired, w);
	if (r->events->progress != NULL)
		tick(w);
	fill_slots(w);
	if (w->busy > 0)
		loop_run(w->shared.loop, r->plan->stop);
	abort_all(w, HOST_INTERRUPTED, "the run was interrupted");
	session_free_jumps(&w->shared);

	pthread_mutex_lock(&r->lock);
	w->running = 0;
	w->slowest = NULL;
	r->ended_workers++;
	pthread_cond_signal(&r->ended);
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

static bool worker_begin(struct worker *w, struct runner *r, size_t slots, struct err *err)
{
	w->runner = r;
	w->shared = r->shared;
	w->n_slots = slots;
	w->slots = mem_alloc(slots * sizeof *w->slots);
	w->shared.loop = loop_new(err);
	if (w->shared.loop != NULL)
		w->shared.names = offload_new(w->shared.loop, RESOLVING_MOST, RESOLVING_SPARE, err);
	if (w->shared.names != NULL)
		w->shared.signing = offload_new(w->shared.loop, SIGNING_MOST, 0, err);
	return w->shared.signing != NULL;
}

static void worker_free(struct worker *w)
{
	offload_free(w->shared.signing);
	offload_free(w->shared.names);
	loop_free(w->shared.loop);
	free(w->slots);
}

/* ---- the run ---- */

size_t runner_workers(const struct runner_plan *plan)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t n = plan->workers > 0 ? plan->workers : cores > 0 ? (size_t)cores : 1;
	size_t worth = (plan->n_hosts + HOSTS_PER_WORKER - 1) / HOSTS_PER_WORKER;

	if (plan->workers == 0 && n > worth)
		n = worth;
	if (n > plan->forks)
		n = plan->forks;
	return n == 0 ? 1 : n;
}

static bool is_stopped(const struct runner *r)
{
	return r->plan->stop != NULL && atomic_load(r->plan->stop) != 0;
}

static void load_keys_of(struct runner *r, const struct host_spec *spec)
{
	struct identities *ids = r->shared.identities;
	size_t n = 0;

	identities_agent(ids, spec->agent, &n, r->shared.diags);
	for (size_t k = 0; k < spec->n_identities && !is_stopped(r); k++)
		identities_file(ids, spec->identities[k], spec->agent, r->shared.diags);
	for (size_t k = 0;
	     !is_stopped(r) && identities_usual(ids, spec, k, r->shared.diags) != NULL; k++)
		continue;
	if (session_wants_known(&r->shared, spec))
		known_store_load(r->shared.known, spec);
}

/*
 * Keys are loaded before the first connection: a passphrase is asked for while nothing else waits,
 * and the loops do not wait for the agents' lists. Whoever interrupts the question is not asked the
 * next one.
 */
static void load_keys(struct runner *r)
{
	for (size_t i = 0; i < r->plan->n_hosts && !is_stopped(r); i++) {
		const struct host_spec *spec = &r->plan->hosts[i];
		if (spec->local)
			continue;
		load_keys_of(r, spec);
		for (size_t j = 0; j < spec->n_jumps; j++)
			load_keys_of(r, &spec->jumps[j]);
	}
}

static bool begin(struct runner *r, struct err *err)
{
	const struct runner_plan *plan = r->plan;
	struct passwd *user = getpwuid(getuid());
	const char *home = getenv("HOME");

	hmac_fetch();
	if (libssh2_init(0) != 0)
		return err_set(err, "libssh2 could not be started");
	if (!probe_plan_make(&r->probes, r->arena, plan->targets, plan->n_targets, err))
		return false;
	r->shared.plan = &r->probes;
	r->shared.local_user = arena_dup(r->arena, user != NULL ? user->pw_name : "root");
	if (home == NULL && user != NULL)
		home = user->pw_dir;
	r->shared.identities = identities_new(home, plan->ask, plan->ask_context);
	r->shared.known = known_store_new(home, r->shared.diags);
	r->shared.password = plan->password;
	r->shared.login_ms = plan->login_seconds * 1000;
	r->shared.host_ms = plan->host_seconds * 1000;
	r->shared.retries = plan->retries;
	r->shared.max_keys = plan->max_keys;
	load_keys(r);
	r->n_workers = runner_workers(plan);
	r->workers = mem_alloc(r->n_workers * sizeof *r->workers);
	for (size_t i = 0; i < r->n_workers; i++) {
		size_t slots = plan->forks / r->n_workers + (i < plan->forks % r->n_workers);
		if (slots > plan->n_hosts)
			slots = plan->n_hosts;
		if (!worker_begin(&r->workers[i], r, slots == 0 ? 1 : slots, err))
			return false;
	}
	r->deadline_at = clock_ms() + (int64_t)plan->deadline_seconds * 1000;
	return true;
}

static void show_progress(struct runner *r)
{
	struct runner_progress progress = {
	    .total = r->plan->n_hosts, .done = r->done, .failed = r->failed};
	int64_t since = 0;

	for (size_t i = 0; i < r->n_workers; i++) {
		const struct worker *w = &r->workers[i];
		progress.running += w->running;
		if (w->slowest != NULL && (since == 0 || w->slowest_since < since)) {
			since = w->slowest_since;
			progress.slowest = w->slowest;
			progress.slowest_ms = (unsigned)(clock_ms() - since);
		}
	}
	/* Workers count theirs less often than hosts end. */
	if (progress.running > progress.total - progress.done)
		progress.running = progress.total - progress.done;
	if (r->events->progress != NULL)
		r->events->progress(r->events->context, &progress);
}

static void wait_for_workers(struct runner *r, size_t started)
{
	pthread_mutex_lock(&r->lock);
	while (r->ended_workers < started) {
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += PROGRESS_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		pthread_cond_timedwait(&r->ended, &r->lock, &until);
		show_progress(r);
	}
	pthread_mutex_unlock(&r->lock);
}

/* Answer for the hosts that were not begun: no host is left without a record. */
static void answer_for_rest(struct runner *r)
{
	bool late = clock_ms() >= r->deadline_at;
	const char *why = late ? deadline_text(r) : "the run was interrupted";

	for (size_t i = atomic_load(&r->next); i < r->plan->n_hosts; i++) {
		struct host_record *record =
		    session_record(&r->plan->hosts[i], r->shared.local_user);
		record->status = late ? HOST_DEADLINE : HOST_INTERRUPTED;
		record->error = arena_printf(record->arena, "not begun: %s", why);
		deliver(r, record);
	}
}

static bool run(struct runner *r, struct err *err)
{
	size_t started = 0;

	for (size_t i = 0; i < r->n_workers; i++) {
		struct worker *w = &r->workers[i];
		w->started = pthread_create(&w->thread, NULL, worker_main, w) == 0;
		started += w->started;
	}
	if (started == 0)
		return err_set(err, "no thread could be started");
	wait_for_workers(r, started);
	for (size_t i = 0; i < r->n_workers; i++) {
		struct worker *w = &r->workers[i];
		if (w->started)
			pthread_join(w->thread, NULL);
		if (r->shared.bastion.family == IP_NONE)
			r->shared.bastion = w->shared.bastion;
	}
	answer_for_rest(r);
	return true;
}

bool runner_run(const struct runner_plan *plan, const struct runner_events *events,
    struct ip *ret_bastion, struct diag_list *diags, struct err *err)
{
	struct runner r = {
	    .plan = plan, .events = events, .shared.diags = diags, .arena = arena_new()};

	pthread_mutex_init(&r.lock, NULL);
	pthread_cond_init(&r.ended, NULL);
	bool ok = begin(&r, err);
	if (ok && is_stopped(&r))
		answer_for_rest(&r);
	else if (ok && plan->n_hosts > 0)
		ok = run(&r, err);
	*ret_bastion = r.shared.bastion;
	for (size_t i = 0; i < r.n_workers; i++)
		worker_free(&r.workers[i]);
	free(r.workers);
	known_store_free(r.shared.known);
	identities_free(r.shared.identities);
	arena_free(r.arena);
	pthread_cond_destroy(&r.ended);
	pthread_mutex_destroy(&r.lock);
	libssh2_exit();
	return ok;
}
