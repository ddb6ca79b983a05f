/*
 * One host: resolve, connect, key exchange, host key, login, lanes, record. A non-blocking state
 * machine on the loop; it ends by itself, by its own time limits, or by session_abort(), and always
 * with a record of what there is. libssh2's sessions stay with their loop's thread.
 */
#ifndef ODDHOST_COLLECT_SESSION_H
#define ODDHOST_COLLECT_SESSION_H

#include "oddhost/base/diag.h"
#include "oddhost/collect/identity.h"
#include "oddhost/collect/known_store.h"
#include "oddhost/collect/loop.h"
#include "oddhost/collect/probes.h"
#include "oddhost/collect/resolve.h"
#include "oddhost/model/run.h"

struct jump_pool;

/* What all sessions of a loop share; owned by the runner. */
struct session_shared {
	struct loop *loop;
	struct offload *names, *signing; /* off the loop: names are resolved, the agent signs */
	const struct probe_plan *plan;
	struct identities *identities;
	struct known_store *known;
	struct diag_list *diags; /* key files and known_hosts that cannot be read */
	const char *local_user;  /* where neither inventory nor option names one */
	const char *password;    /* tried behind the keys; NULL: none was given */
	unsigned login_ms;       /* from the start to the end of authentication */
	unsigned host_ms;        /* from the start to the end */
	unsigned retries;        /* of connection faults, for each host */
	unsigned max_keys;       /* offered to a host: sshd counts failures and punishes them */
	struct ip bastion;       /* our address on the first connection that is not loopback */
	struct jump_pool *jumps; /* made as they are asked for */
};

struct session;

/* `done` is called once, from the loop, with a record that is the callee's; then the session is
 * gone. */
struct session *session_start(struct session_shared *shared, const struct host_spec *spec,
    void (*done)(void *context, struct session *session, struct host_record *record),
    void *context);

/* End now, with this status; calls `done`. */
void session_abort(struct session *session, enum host_status status, const char *why);

/* Whether what known_hosts says of the host is used: it protects a password with every policy. */
bool session_wants_known(const struct session_shared *shared, const struct host_spec *spec);

/* A record for a host that was never tried. */
struct host_record *session_record(const struct host_spec *spec, const char *local_user);

/* The jump hosts' sessions, behind the last session that needed them. */
void session_free_jumps(struct session_shared *shared);

#endif
