/*
 * All hosts of a run: so many sessions at once, a deadline for the whole, and one record for every
 * host, whatever happens to it. Records are handed on as they end; progress can be asked for.
 */
#ifndef ODDHOST_COLLECT_RUNNER_H
#define ODDHOST_COLLECT_RUNNER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "oddhost/base/diag.h"
#include "oddhost/base/err.h"
#include "oddhost/collect/identity.h"
#include "oddhost/model/run.h"

struct runner_plan {
	const struct host_spec *hosts;
	size_t n_hosts;
	const struct target *targets;
	size_t n_targets;
	unsigned forks;       /* sessions at once; 0 counts as 1 */
	unsigned workers;     /* threads; 0: one a core, as far as there are hosts for them */
	unsigned retries;     /* of connection faults, for each host */
	unsigned max_keys;    /* that are offered to a host */
	const char *password; /* tried behind the keys; NULL: none */
	identities_ask *ask;  /* for a key file's passphrase; may be NULL */
	void *ask_context;
	unsigned login_seconds, host_seconds, deadline_seconds;
	const atomic_int *stop; /* becomes non-zero: end now; may be NULL */
};

struct runner_progress {
	size_t total, done, failed, running;
	const char *slowest; /* the host that has been running longest, or NULL */
	unsigned slowest_ms;
};

struct runner_events {
	/* Both are called from any of the threads, one at a time. A host has ended; the record is
	 * the callee's. False ends the run (the disk is full), and it is not called again. */
	bool (*host)(void *context, struct host_record *record);
	/* Several times a second; may be NULL. */
	void (*progress)(void *context, const struct runner_progress *progress);
	void *context;
};

/*
 * Descriptors. A session has its socket, or what looks its name up; a worker its loop's two, and
 * one for each kind of call off the loop.
 */
#define RUNNER_SESSION_FDS 2
#define RUNNER_WORKER_FDS 4
size_t runner_workers(const struct runner_plan *plan); /* how many there will be */

/*
 * Collect from all hosts. Returns false where it could not begin (err), true otherwise: then every
 * host was handed to `host` once, unless that said false. `ret_bastion` gets the local address that
 * hosts see us under, IP_NONE where it was only loopback.
 */
bool runner_run(const struct runner_plan *plan, const struct runner_events *events,
    struct ip *ret_bastion, struct diag_list *diags, struct err *err);

#endif
