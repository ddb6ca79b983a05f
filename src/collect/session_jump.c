/*
 * Jump hosts: many sessions through few. The sessions of all hosts behind one chain of jump hosts
 * share a pool of jump sessions; each carries its children in direct-tcpip channels (RFC 4254
 * section 7.2).
 *
 * libssh2 opens one channel at a time in a session, so a target that does not answer blocks the
 * opens behind it until its login time is over. Therefore a pool has several jump sessions, and one
 * that is stuck in an open takes no further child: once its children are done, it is closed. They
 * are begun one after the other, since a jump host's sshd refuses many at once (MaxStartups).
 */
#include "session_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "oddhost/base/clock.h"
#include "oddhost/base/mem.h"

#define JUMPS_MAX 6
#define CHILDREN_MAX 64
#define READ_SIZE 32768
#define WAITING_PER_JUMP 8 /* another jump session is worth it for so many that wait */
#define SLOW_OPEN_MS 500   /* or where an open holds up the others for so long */

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
	bool stuck;  /* an open was given up: libssh2 would go on with it */
	bool broken; /* the session is ending: its channels are not touched any more */
	struct timer kick;
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
};

static void serve(struct jump_pool *pool);

const struct session *jump_session(const struct jump *jump)
{
	return jump->session;
}

/* ---- pools ---- */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_chain(const struct jump_pool *pool, const struct host_spec *spec)
{
	if (pool->n_chain != spec->n_jumps)
		return false;
	for (size_t i = 0; i < spec->n_jumps; i++) {
		const struct host_spec *a = &pool->chain[i], *b = &spec->jumps[i];
		if (!same_text(a->address, b->address) || a->port != b->port ||
		    !same_text(a->user, b->user))
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

static bool remove_waiting(struct jump_pool *pool, struct session *s)
{
	for (struct session **at = &pool->waiting; *at != NULL; at = &(*at)->next_waiting) {
		if (*at != s)
			continue;
		*at = s->next_waiting;
		if (*at == NULL)
			pool->waiting_end = at;
		pool->n_waiting--;
		return true;
	}
	return false;
}

/* ---- jump sessions ---- */

/* A jump session has ended. Who waits, and has no other jump to hope for, ends with it. */
static void jump_done(void *context, struct session *session, struct host_record *record)
{
	struct jump *jump = context;
	struct jump_pool *pool = jump->pool;
	bool others = false;

	(void)session;
	jump->session = NULL;
	jump->ready = jump->stuck = jump->broken = false;
	for (size_t i = 0; i < JUMPS_MAX; i++)
		others = others || pool->jumps[i].session != NULL;
	bool idle = record->status == HOST_OK; /* we closed it ourselves */
	while (!others && !idle && pool->waiting != NULL) {
		struct session *s = pop_waiting(pool);
		session_end(s, HOST_UNREACHABLE, "jump host %s: %s: %s", pool->spec.address,
		    host_status_name(record->status), record->error);
		session_finish(s);
	}
	host_record_free(record);
	serve(pool);
}

static void start_jump(struct jump_pool *pool, struct jump *jump)
{
	*jump = (struct jump){.pool = pool};
	jump->session = session_start(pool->shared, &pool->spec, jump_done, jump);
	jump->session->carries = jump;
	/* It lives as long as those it carries: their own limits end them, and jump_idle() it. */
	loop_cancel(pool->shared->loop, &jump->session->host_timer);
}

static void kicked(void *context)
{
	struct jump *jump = context;

	if (jump->session != NULL && jump->ready)
		session_drive(jump->session);
}

/* Let the jump session look at its children soon, from the loop and not from here. */
static void kick(struct jump *jump)
{
	if (jump->session != NULL && jump->kick.slot == 0)
		loop_timer(jump->pool->shared->loop, &jump->kick, 0, kicked, jump);
}

static bool is_slow(const struct jump *jump)
{
	return jump->opening != NULL && clock_ms() - jump->opening_since >= SLOW_OPEN_MS;
}

static void nudged(void *context)
{
	serve(context);
}

/* Who waits is opened by a jump session that is free to; more are begun where many wait. */
static void serve(struct jump_pool *pool)
{
	struct jump *unused = NULL;
	size_t starting = 0, usable = 0, prompt = 0;

	for (size_t i = 0; i < JUMPS_MAX; i++) {
		struct jump *jump = &pool->jumps[i];
		if (jump->session == NULL) {
			unused = jump;
			continue;
		}
		starting += !jump->ready && !jump->broken;
		usable += jump->ready && !jump->stuck && !jump->broken;
		if (jump->ready && !jump->stuck && !jump->broken && jump->opening == NULL &&
		    jump->n < CHILDREN_MAX && pool->waiting != NULL) {
			jump->opening = pop_waiting(pool);
			jump->opening->via = jump;
			jump->opening_since = clock_ms();
			kick(jump);
		}
		prompt += jump->ready && !jump->stuck && !jump->broken && !is_slow(jump);
	}
	if (pool->waiting == NULL)
		return;
	if (unused != NULL && starting == 0 &&
	    (prompt == 0 || pool->n_waiting > usable * WAITING_PER_JUMP))
		start_jump(pool, unused);
	if (pool->nudge.slot == 0)
		loop_timer(pool->shared->loop, &pool->nudge, SLOW_OPEN_MS, nudged, pool);
}

void jump_request(struct session *s)
{
	struct jump_pool *pool = pool_of(s->shared, s->spec);

	s->next_waiting = NULL;
	*pool->waiting_end = s;
	pool->waiting_end = &s->next_waiting;
	pool->n_waiting++;
	serve(pool);
}

enum outcome jump_ready(struct jump *jump)
{
	jump->ready = true;
	jump->session->step = SESSION_JUMP;
	jump->session->transport.budget = SIZE_MAX; /* its children have their own */
	serve(jump->pool);
	return MOVED;
}

/* ---- children ---- */

void jump_leave(struct session *s)
{
	struct jump *jump = s->via;

	if (s->spec->n_jumps == 0)
		return;
	if (jump == NULL) {
		remove_waiting(pool_of(s->shared, s->spec), s);
		return;
	}
	s->via = NULL;
	if (jump->opening == s) {
		jump->opening = NULL;
		jump->stuck = true;
	}
	for (size_t i = 0; i < jump->n; i++) {
		if (jump->children[i].session == s)
			jump->children[i].session = NULL;
	}
	kick(jump);
}

/* The jump session ends: its children cannot go on. */
void jump_break(struct jump *jump)
{
	const char *why = jump->session->record->error;

	jump->broken = true;
	loop_cancel(jump->pool->shared->loop, &jump->kick);
	if (jump->opening != NULL) {
		struct session *s = jump->opening;
		session_end(s, HOST_UNREACHABLE, "jump host %s: %s", jump->pool->spec.address, why);
		session_finish(s);
	}
	for (size_t i = 0; i < jump->n; i++) {
		struct session *s = jump->children[i].session;
		if (s == NULL)
			continue;
		session_end(
		    s, HOST_DISCONNECTED, "jump host %s: %s", jump->pool->spec.address, why);
		session_finish(s);
	}
	loop_cancel(jump->pool->shared->loop, &jump->kick);
	jump->n = 0;
}

/* The channel is there: from here on the child is a session like any other. */
static void adopt(struct jump *jump, LIBSSH2_CHANNEL *channel)
{
	struct session *s = jump->opening;

	jump->opening = NULL;
	jump->children[jump->n++] = (struct child){s, channel};
	transport_init(&s->transport, -1);
	if (login_begin(s) == ENDED)
		session_finish(s);
	else
		session_drive(s);
}

static bool open_next(struct jump *jump)
{
	struct session *s = jump->opening;

	if (s == NULL || jump->n == CHILDREN_MAX)
		return false;
	LIBSSH2_CHANNEL *channel = libssh2_channel_direct_tcpip_ex(
	    jump->session->ssh, s->spec->address, s->record->port, "127.0.0.1", 0);
	if (channel != NULL) {
		adopt(jump, channel);
	} else if (libssh2_session_last_errno(jump->session->ssh) == LIBSSH2_ERROR_EAGAIN) {
		return false;
	} else {
		session_end(s, HOST_UNREACHABLE,
		    "jump host %s cannot open a way to %s port %u: it is refused, there is no route, "
		    "or the jump host forbids forwarding: %s",
		    jump->pool->spec.address, s->spec->address, s->record->port,
		    session_error(jump->session));
		jump->opening = NULL;
		s->via = NULL;
		session_finish(s);
	}
	serve(jump->pool);
	return true;
}

/* What has come for the child, into its transport; false: nothing new. */
static bool receive(struct child *child)
{
	char bytes[READ_SIZE];
	struct transport *t = &child->session->transport;
	ssize_t n = libssh2_channel_read(child->channel, bytes, sizeof bytes);

	if (n > 0) {
		transport_take(t, (struct view){bytes, (size_t)n});
		return true;
	}
	if (n == LIBSSH2_ERROR_EAGAIN || t->closed)
		return false;
	if (n < 0 || libssh2_channel_eof(child->channel) == 1) {
		transport_close(t, n < 0 ? ECONNRESET : 0);
		return true;
	}
	return false;
}

/* What the child has to say, into the channel; false: nothing moved. */
static bool send_out(struct child *child)
{
	struct transport *t = &child->session->transport;
	struct view rest = {t->out.p + t->out_done, t->out.n - t->out_done};

	if (rest.n == 0)
		return false;
	ssize_t n = libssh2_channel_write(child->channel, rest.p, rest.n);
	if (n == LIBSSH2_ERROR_EAGAIN)
		return false;
	if (n < 0) {
		transport_close(t, EPIPE);
		return true;
	}
	t->out_done += (size_t)n;
	if (t->out_done == t->out.n)
		t->out.n = t->out_done = 0;
	return true;
}

static bool drive_child(struct jump *jump, size_t i)
{
	bool moved = receive(&jump->children[i]);

	if (moved)
		session_drive(jump->children[i].session); /* which may end it */
	if (jump->children[i].session == NULL)
		return true;
	if (send_out(&jump->children[i])) {
		moved = true;
		if (jump->children[i].session->transport.closed)
			session_drive(jump->children[i].session);
	}
	return moved;
}

/* Close the channels of children that have left, and forget them. */
static bool sweep(struct jump *jump)
{
	bool moved = false;

	for (size_t i = 0; i < jump->n;) {
		struct child *child = &jump->children[i];
		if (child->session != NULL ||
		    libssh2_channel_free(child->channel) == LIBSSH2_ERROR_EAGAIN) {
			i++;
			continue;
		}
		*child = jump->children[--jump->n];
		moved = true;
	}
	return moved;
}

static bool is_idle(const struct jump *jump)
{
	return jump->n == 0 && jump->opening == NULL &&
	       (jump->stuck || jump->pool->waiting == NULL);
}

/* Reading one channel can bring in another's data: go round until a whole pass moves nothing. */
enum outcome jump_step(struct jump *jump)
{
	bool moved = false;

	if (!jump->stuck)
		moved = open_next(jump);
	for (size_t i = 0; i < jump->n; i++) {
		if (jump->children[i].session != NULL && drive_child(jump, i))
			moved = true;
	}
	if (sweep(jump)) {
		serve(jump->pool);
		moved = true;
	}
	if (is_idle(jump))
		return session_end(jump->session, HOST_OK, "%s", "");
	return moved ? MOVED : WAITING;
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
	/* A pool behind another one was made after it and stands before it: children end first. */
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
