/*
 * Jump hosts: many sessions through few. The sessions of all hosts behind one chain of jump hosts
 * share a pool of jump sessions; each carries its children in direct-tcpip channels (RFC 4254
 * section 7.2).
 *
 * libssh2 opens one channel at a time in a session and cannot give an open up, so a target that
 * does not answer blocks the opens behind it. Therefore a pool has several jump sessions, an open
 * has a time limit, and a session whose open was given up is stuck: it takes no further child, is
 * closed once its children are done, and another is begun in its place. They are begun one after
 * the other, since a jump host's sshd refuses many at once (MaxStartups).
 */
#include "session_pool.h"

#include <stdlib.h>

#include "oddhost/base/clock.h"
#include "oddhost/base/mem.h"
#include "oddhost/model/status.h"

#define PROMPT_MAX 6       /* jump sessions without those that targets without an answer hold */
#define WAITING_PER_JUMP 8 /* another jump session is worth it for so many that wait */
#define SLOW_OPEN_MS 300   /* or where an open holds up the others for so long */
#define AGAIN_MS 500       /* after a jump session was lost */
#define LOST_MS 10000      /* none for so long, though there was one before: it is no use */

/* ---- pools ---- */

/* Nobody goes through a jump host that was trusted, or logged in to, by another's rules. */
static bool same_chain(const struct jump_pool *pool, const struct host_spec *spec)
{
	if (pool->n_chain != spec->n_jumps)
		return false;
	for (size_t i = 0; i < spec->n_jumps; i++) {
		if (!host_spec_same_way(&pool->chain[i], &spec->jumps[i]))
			return false;
	}
	return true;
}

static struct jump_pool *pool_of(struct session_shared *shared, const struct host_spec *spec)
{
	for (struct jump_pool *pool = shared->jumps; pool != NULL; pool = pool->next) {
		if (same_chain(pool, spec))
			return pool;
	}
	struct jump_pool *pool = mem_alloc(sizeof *pool);
	pool->shared = shared;
	pool->chain = spec->jumps;
	pool->n_chain = spec->n_jumps;
	pool->spec = spec->jumps[spec->n_jumps - 1];
	pool->spec.jumps = spec->jumps;
	pool->spec.n_jumps = spec->n_jumps - 1;
	pool->waiting_end = &pool->waiting;
	for (size_t i = 0; i < JUMPS_MAX; i++)
		pool->jumps[i].pool = pool;
	pool->next = shared->jumps;
	shared->jumps = pool;
	return pool;
}

void pool_wait(struct jump_pool *pool, struct session *s)
{
	session_pause(s);
	s->next_waiting = NULL;
	*pool->waiting_end = s;
	pool->waiting_end = &s->next_waiting;
	pool->n_waiting++;
}

static struct session *pop_waiting(struct jump_pool *pool)
{
	struct session *s = pool->waiting;

	if (s == NULL)
		return NULL;
	pool->waiting = s->next_waiting;
	if (pool->waiting == NULL)
		pool->waiting_end = &pool->waiting;
	pool->n_waiting--;
	s->next_waiting = NULL;
	return s;
}

void pool_forget(struct session *s)
{
	struct jump_pool *pool = pool_of(s->shared, s->spec);

	for (struct session **at = &pool->waiting; *at != NULL; at = &(*at)->next_waiting) {
		if (*at != s)
			continue;
		*at = s->next_waiting;
		if (*at == NULL)
			pool->waiting_end = at;
		pool->n_waiting--;
		return;
	}
}

/* ---- jump sessions ---- */

static bool is_usable(const struct jump *jump)
{
	return jump->session != NULL && jump->ready && !jump->stuck && !jump->broken;
}

static bool has_usable(const struct jump_pool *pool)
{
	for (size_t i = 0; i < JUMPS_MAX; i++) {
		if (is_usable(&pool->jumps[i]))
			return true;
	}
	return false;
}

/* Who waits for a jump host that cannot be had ends as it did, though nobody has reached them. */
static void fail_waiting(struct jump_pool *pool, const struct host_record *record)
{
	enum host_status status =
	    host_status_reached(record->status) ? HOST_UNREACHABLE : record->status;

	for (struct session *s; (s = pop_waiting(pool)) != NULL;) {
		session_end(s, status, "jump host %s: %s", pool->spec.address, record->error);
		session_finish(s);
	}
}

/* Is there no hope of another jump session: not for what this one ended by, or not any more? */
static bool is_given_up(const struct jump_pool *pool, enum host_status status, int64_t lost_ms)
{
	switch (status) {
	case HOST_AUTH_FAILED:
	case HOST_HOSTKEY_UNKNOWN:
	case HOST_HOSTKEY_CHANGED:
	case HOST_HOSTKEY_REVOKED:
		return true;
	default:
		return pool->closing || !pool->worked || lost_ms >= LOST_MS;
	}
}

/*
 * A jump session has ended. Where one of the pool has been ready, another is begun instead, for a
 * while: a jump host that refuses now may be busy, or starting anew. Those that wait end with it
 * only where none is left.
 */
static void jump_done(void *context, struct session *session, struct host_record *record)
{
	struct jump *jump = context;
	struct jump_pool *pool = jump->pool;

	int64_t now = clock_ms();

	(void)session;
	jump->session = NULL;
	if (record->status != HOST_OK) { /* otherwise we closed it ourselves */
		bool usable = has_usable(pool);
		if (!usable && pool->lost_since == 0)
			pool->lost_since = now;
		int64_t lost_ms = pool->lost_since == 0 ? 0 : now - pool->lost_since;
		pool->begin_at = now + AGAIN_MS + lost_ms / 2;
		if (!usable && is_given_up(pool, record->status, lost_ms))
			fail_waiting(pool, record);
	}
	host_record_free(record);
	pool_serve(pool);
}

static void start_jump(struct jump_pool *pool, struct jump *jump)
{
	*jump = (struct jump){.pool = pool};
	jump->session = session_start(pool->shared, &pool->spec, jump_done, jump);
	jump->session->carries = jump;
	/* It lives as long as those it carries: their own limits end them, and jump_idle() it. */
	loop_cancel(pool->shared->loop, &jump->session->host_timer);
}

static bool is_slow(const struct jump *jump)
{
	return jump->opening != NULL && clock_ms() - jump->opening_since >= SLOW_OPEN_MS;
}

static void nudged(void *context)
{
	pool_serve(context);
}

/* Half of the login's time, whose other half is for what comes behind it. */
static unsigned open_ms(const struct session *s)
{
	return session_login_ms(s) / 2;
}

static void open_expired(void *context)
{
	struct jump *jump = context;
	struct session *s = jump->opening;

	session_end(s, HOST_CONNECT_TIMEOUT, "%s port %u: no answer to jump host %s in %g s",
	    s->spec->address, s->record->port, jump->pool->spec.address, open_ms(s) / 1000.0);
	session_finish(s);
	pool_serve(jump->pool);
}

/* The next in the queue: its clocks run from here on. */
static void begin_open(struct jump *jump)
{
	struct session *s = pop_waiting(jump->pool);

	session_resume(s);
	s->via = jump;
	jump->opening = s;
	jump->opening_since = clock_ms();
	loop_timer(s->shared->loop, &jump->open_timer, open_ms(s), open_expired, jump);
	jump_carry(jump);
}

void pool_end_open(struct jump *jump)
{
	jump->opening->via = NULL;
	jump->opening = NULL;
	loop_cancel(jump->pool->shared->loop, &jump->open_timer);
}

/* Who waits is opened by a jump session that is free to; more are begun where many wait. */
void pool_serve(struct jump_pool *pool)
{
	struct jump *unused = NULL;
	size_t starting = 0, prompt = 0;

	if (pool->closing)
		return;
	for (size_t i = 0; i < JUMPS_MAX; i++) {
		struct jump *jump = &pool->jumps[i];
		if (jump->session == NULL) {
			unused = jump;
			continue;
		}
		starting += !jump->ready && !jump->broken;
		if (is_usable(jump) && jump->opening == NULL && jump->n < CHILDREN_MAX &&
		    pool->waiting != NULL)
			begin_open(jump);
		prompt += is_usable(jump) && !is_slow(jump);
	}
	if (pool->waiting == NULL)
		return;
	if (unused != NULL && starting == 0 && prompt < PROMPT_MAX &&
	    clock_ms() >= pool->begin_at &&
	    (prompt == 0 || pool->n_waiting > prompt * WAITING_PER_JUMP))
		start_jump(pool, unused);
	if (pool->nudge.slot == 0)
		loop_timer(pool->shared->loop, &pool->nudge, SLOW_OPEN_MS, nudged, pool);
}

void jump_request(struct session *s)
{
	struct jump_pool *pool = pool_of(s->shared, s->spec);

	pool_wait(pool, s);
	pool_serve(pool);
}

static void free_pool(struct jump_pool *pool)
{
	for (size_t i = 0; i < JUMPS_MAX; i++) {
		struct jump *jump = &pool->jumps[i];
		if (jump->session != NULL)
			session_abort(jump->session, HOST_INTERRUPTED, "the run has ended");
	}
}

void session_free_jumps(struct session_shared *shared)
{
	/* Pools behind other pools stand in any order: none may begin anew what another has ended.
	 */
	for (struct jump_pool *pool = shared->jumps; pool != NULL; pool = pool->next)
		pool->closing = true;
	for (struct jump_pool *pool = shared->jumps; pool != NULL; pool = pool->next)
		free_pool(pool);
	for (struct jump_pool *pool = shared->jumps, *next; pool != NULL; pool = next) {
		next = pool->next;
		for (size_t i = 0; i < JUMPS_MAX; i++)
			loop_cancel(shared->loop, &pool->jumps[i].kick);
		loop_cancel(shared->loop, &pool->nudge);
		free(pool);
	}
	shared->jumps = NULL;
}
