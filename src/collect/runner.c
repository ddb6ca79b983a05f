#include "oddhost/collect/runner.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libssh2.h>

#include "oddhost/base/clock.h"
#include "oddhost/base/mem.h"
#include "oddhost/collect/session.h"

#define PROGRESS_MS 200

/* Hosts with the same list of files share one loaded set. */
struct known_set {
	const char **files;
	size_t n;
	struct known_hosts *known_hosts;
};

struct slot {
	struct session *session; /* NULL: free */
	const struct host_spec *spec;
	int64_t started;
};

struct runner {
	const struct runner_plan *plan;
	const struct runner_events *events;
	struct session_shared shared;
	struct arena *arena;
	struct known_set *known;
	size_t n_known, cap_known;
	struct slot *slots;
	size_t n_slots, next, done, failed;
	struct timer deadline, tick;
	bool stopping; /* no further host is begun */
	bool refused;  /* `host` said false: it is not called again */
};

static bool same_files(const struct known_set *set, const struct host_spec *spec)
{
	if (set->n != spec->n_known_hosts)
		return false;
	for (size_t i = 0; i < set->n; i++) {
		if (strcmp(set->files[i], spec->known_hosts[i]) != 0)
			return false;
	}
	return true;
}

static void load_known(struct runner *r, struct known_set *set)
{
	/* In the diagnostics' arena: they keep the name of their source. */
	const char *usual[] = {r->shared.home == NULL ? NULL
						      : arena_printf(r->shared.diags->arena,
							    "%s/.ssh/known_hosts", r->shared.home),
	    "/etc/ssh/ssh_known_hosts"};
	const char **files = set->n > 0 ? set->files : usual;
	size_t n = set->n > 0 ? set->n : 2;
	struct err err;

	set->known_hosts = known_hosts_new();
	for (size_t i = 0; i < n; i++) {
		if (files[i] == NULL)
			continue;
		r->shared.diags->source = files[i];
		if (!known_hosts_load(set->known_hosts, files[i], r->shared.diags, &err))
			diag_add(r->shared.diags, 0, "%s", err.text);
		r->shared.diags->source = NULL;
	}
}

static const struct known_hosts *known_hosts_of(struct runner *r, const struct host_spec *spec)
{
	for (size_t i = 0; i < r->n_known; i++) {
		if (same_files(&r->known[i], spec))
			return r->known[i].known_hosts;
	}
	r->known = mem_grow(r->known, r->n_known, &r->cap_known, sizeof *r->known);
	struct known_set *set = &r->known[r->n_known++];
	*set = (struct known_set){.files = spec->known_hosts, .n = spec->n_known_hosts};
	load_known(r, set);
	return set->known_hosts;
}

static void fill_slots(struct runner *r);

static void deliver(struct runner *r, struct host_record *record)
{
	r->done++;
	r->failed += record->status != HOST_OK;
	if (r->refused) {
		host_record_free(record);
	} else if (!r->events->host(r->events->context, record)) {
		r->refused = r->stopping = true;
		loop_stop(r->shared.loop);
	}
}

static void session_done(void *context, struct session *session, struct host_record *record)
{
	struct runner *r = context;

	for (size_t i = 0; i < r->n_slots; i++) {
		if (r->slots[i].session == session)
			r->slots[i].session = NULL;
	}
	deliver(r, record);
	if (r->stopping)
		return;
	fill_slots(r);
	if (r->done == r->plan->n_hosts)
		loop_stop(r->shared.loop);
}

static void fill_slots(struct runner *r)
{
	for (size_t i = 0; i < r->n_slots && r->next < r->plan->n_hosts; i++) {
		struct slot *slot = &r->slots[i];
		if (slot->session != NULL)
			continue;
		slot->spec = &r->plan->hosts[r->next++];
		slot->started = clock_ms();
		slot->session = session_start(
		    &r->shared, slot->spec, known_hosts_of(r, slot->spec), session_done, r);
	}
}

/* End every session and answer for the hosts that were not begun: no host is left without a record.
 */
static void end_all(struct runner *r, enum host_status status, const char *why)
{
	r->stopping = true;
	for (size_t i = 0; i < r->n_slots; i++) {
		if (r->slots[i].session != NULL)
			session_abort(r->slots[i].session, status, why);
	}
	while (r->next < r->plan->n_hosts) {
		struct host_record *record =
		    session_record(&r->plan->hosts[r->next++], r->shared.local_user);
		record->status = status;
		record->error = arena_printf(record->arena, "not begun: %s", why);
		deliver(r, record);
	}
}

static void deadline_expired(void *context)
{
	struct runner *r = context;
	char why[80];

	snprintf(why, sizeof why, "the run's deadline of %u s was over", r->plan->deadline_seconds);
	end_all(r, HOST_DEADLINE, why);
	loop_stop(r->shared.loop);
}

static void report_progress(void *context)
{
	struct runner *r = context;
	struct runner_progress progress = {
	    .total = r->plan->n_hosts, .done = r->done, .failed = r->failed};
	int64_t now = clock_ms();

	for (size_t i = 0; i < r->n_slots; i++) {
		const struct slot *slot = &r->slots[i];
		if (slot->session == NULL)
			continue;
		progress.running++;
		if (progress.slowest == NULL || now - slot->started > progress.slowest_ms) {
			progress.slowest = slot->spec->name;
			progress.slowest_ms = (unsigned)(now - slot->started);
		}
	}
	r->events->progress(r->events->context, &progress);
	loop_timer(r->shared.loop, &r->tick, PROGRESS_MS, report_progress, r);
}

static bool begin(struct runner *r, struct probe_plan *probes, struct err *err)
{
	struct passwd *user = getpwuid(getuid());
	const char *home = getenv("HOME");

	if (libssh2_init(0) != 0)
		return err_set(err, "libssh2 could not be started");
	r->shared.loop = loop_new(err);
	if (r->shared.loop == NULL)
		return false;
	r->shared.resolver = resolver_new(r->shared.loop, err);
	if (r->shared.resolver == NULL ||
	    !probe_plan_make(probes, r->arena, r->plan->targets, r->plan->n_targets, err))
		return false;
	r->shared.plan = probes;
	r->shared.identities = identities_new();
	r->shared.local_user = arena_dup(r->arena, user != NULL ? user->pw_name : "root");
	r->shared.home = arena_dup(r->arena, home != NULL   ? home
					     : user != NULL ? user->pw_dir
							    : NULL);
	r->shared.login_ms = r->plan->login_seconds * 1000;
	r->shared.host_ms = r->plan->host_seconds * 1000;
	return true;
}

bool runner_run(const struct runner_plan *plan, const struct runner_events *events,
    struct ip *ret_bastion, struct diag_list *diags, struct err *err)
{
	struct runner r = {
	    .plan = plan, .events = events, .shared.diags = diags, .arena = arena_new()};
	struct probe_plan probes;
	bool ok = begin(&r, &probes, err);

	if (ok && plan->n_hosts > 0) {
		r.n_slots = plan->forks < plan->n_hosts ? plan->forks : plan->n_hosts;
		if (r.n_slots == 0)
			r.n_slots = 1;
		r.slots = mem_alloc(r.n_slots * sizeof *r.slots);
		loop_timer(r.shared.loop, &r.deadline, (int64_t)plan->deadline_seconds * 1000,
		    deadline_expired, &r);
		if (events->progress != NULL)
			report_progress(&r);
		fill_slots(&r);
		loop_run(r.shared.loop, plan->stop);
		end_all(&r, HOST_INTERRUPTED, "the run was interrupted");
	}
	*ret_bastion = r.shared.bastion;
	for (size_t i = 0; i < r.n_known; i++)
		known_hosts_free(r.known[i].known_hosts);
	free(r.known);
	free(r.slots);
	identities_free(r.shared.identities);
	resolver_free(r.shared.resolver);
	loop_free(r.shared.loop);
	arena_free(r.arena);
	libssh2_exit();
	return ok;
}
