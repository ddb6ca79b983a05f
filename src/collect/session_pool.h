/*
 * The jump hosts of a loop: session_pool.c begins their sessions and has the queue of those that
 * wait for a way, session_jump.c carries these. Nobody else includes this header.
 */
#ifndef ODDHOST_COLLECT_SESSION_POOL_H
#define ODDHOST_COLLECT_SESSION_POOL_H

#include "session_state.h"

#define JUMPS_MAX 16 /* of one chain, with those that targets without an answer hold */
#define CHILDREN_MAX 64

struct child {
	struct session *session; /* NULL: it has left, and its channel is being closed */
	LIBSSH2_CHANNEL *channel;
};

struct jump {
	struct jump_pool *pool;
	struct session *session; /* that logs in to the last jump host; NULL: free */
	struct session *opening; /* the child whose channel is being opened */
	int64_t opening_since;
	struct child children[CHILDREN_MAX];
	size_t n;
	bool ready;
	bool stuck;    /* an open was given up: libssh2 would go on with it */
	bool broken;   /* the session is ending: its channels are not touched any more */
	int64_t heard; /* what it said last, when it was looked at */
	bool asked;    /* whether it is there, since it was heard */
	struct timer kick, open_timer, look;
};

struct jump_pool {
	struct jump_pool *next;
	struct session_shared *shared;
	const struct host_spec *chain; /* of whoever asked first */
	size_t n_chain;
	struct host_spec spec; /* of the last jump host, behind those before it */
	struct jump jumps[JUMPS_MAX];
	struct session *waiting, **waiting_end;
	size_t n_waiting;
	struct timer nudge; /* to look whether an open is slow */
	int64_t begin_at;   /* no jump session before */
	int64_t lost_since; /* a jump session, the last one; 0: a way was opened since */
	bool worked;        /* one has logged in */
	bool closing;       /* the run ends: nothing is begun any more */
};

void pool_serve(struct jump_pool *pool); /* give ways to those that wait, as far as may be */
void pool_wait(struct jump_pool *pool, struct session *s); /* its clocks stand meanwhile */
void pool_forget(struct session *s);                       /* it waits no longer */
void pool_end_open(struct jump *jump);                     /* the open is over, however it went */

#endif
