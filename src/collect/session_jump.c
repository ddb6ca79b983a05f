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
#include "session_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "oddhost/base/clock.h"
#include "oddhost/base/mem.h"
#include "oddhost/model/status.h"

#define JUMPS_MAX 16 /* of one chain, with those that targets without an answer hold */
#define PROMPT_MAX 6 /* of them without */
#define CHILDREN_MAX 64
#define READ_SIZE 32768
#define WAITING_PER_JUMP 8 /* another jump session is worth it for so many that wait */
#define SLOW_OPEN_MS 300   /* or where an open holds up the others for so long */
#define AGAIN_MS 500       /* after a jump session was lost */
#define LOST_MAX 3         /* so many in a row, none of which opened a way: it is no use */

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
	struct timer kick, open_timer;
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
	unsigned lost;      /* in a row */
	bool closing;       /* the run ends: nothing is begun any more */
};

static void serve(struct jump_pool *pool);

const struct session *jump_session(const struct jump *jump)
{
	return jump->session;
}

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

static void push_waiting(struct jump_pool *pool, struct session *s)
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

/*
 * A jump session has ended. One that was lost behind its login is replaced; where the login failed,
 * or that happens again and again, and no other is left, those that wait end with it.
 */
static void jump_done(void *context, struct session *session, struct host_record *record)
{
	struct jump *jump = context;
	struct jump_pool *pool = jump->pool;
	bool logged_in = jump->ready;

	(void)session;
	jump->session = NULL;
	if (record->status != HOST_OK) { /* otherwise we closed it ourselves */
		pool->begin_at = clock_ms() + AGAIN_MS;
		pool->lost++;
		if (!has_usable(pool) && (!logged_in || pool->lost >= LOST_MAX || pool->closing))
			fail_waiting(pool, record);
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
void jump_carry(struct jump *jump)
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
	serve(jump->pool);
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

static void end_open(struct jump *jump)
{
	jump->opening->via = NULL;
	jump->opening = NULL;
	loop_cancel(jump->pool->shared->loop, &jump->open_timer);
}

/* Who waits is opened by a jump session that is free to; more are begun where many wait. */
static void serve(struct jump_pool *pool)
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

	push_waiting(pool, s);
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
	if (jump->opening == s) {
		end_open(jump);
		jump->stuck = true;
	}
	s->via = NULL;
	for (size_t i = 0; i < jump->n; i++) {
		if (jump->children[i].session == s)
			jump->children[i].session = NULL;
	}
	jump_carry(jump);
}

/*
 * The jump session ends, which is no fault of its children's: who waits for a way waits again, who
 * is not logged in yet may begin again.
 */
void jump_break(struct jump *jump)
{
	struct jump_pool *pool = jump->pool;
	const char *why = jump->session->record->error;

	jump->broken = true;
	if (jump->opening != NULL) {
		struct session *s = jump->opening;
		end_open(jump);
		push_waiting(pool, s);
	}
	for (size_t i = 0; i < jump->n; i++) {
		struct session *s = jump->children[i].session;
		if (s == NULL || (!pool->closing && session_retry(s)))
			continue;
		session_end(s, s->step >= SESSION_LANES ? HOST_DISCONNECTED : HOST_UNREACHABLE,
		    "jump host %s: %s", pool->spec.address, why);
		session_finish(s);
	}
	loop_cancel(pool->shared->loop, &jump->kick);
	jump->n = 0;
}

/* The channel is there: from here on the child is a session like any other. */
static void adopt(struct jump *jump, LIBSSH2_CHANNEL *channel)
{
	struct session *s = jump->opening;

	end_open(jump);
	s->via = jump;
	jump->pool->lost = 0;
	jump->children[jump->n++] = (struct child){s, channel};
	transport_init(&s->transport, -1);
	if (login_begin(s) == ENDED)
		session_finish(s);
	else
		session_drive(s);
}

/* The jump host has said no; of its reason libssh2 keeps only the kind. */
static void refuse(struct jump *jump)
{
	struct session *s = jump->opening;
	const char *by = jump->pool->spec.address, *reason = session_error(jump->session);

	if (strstr(reason, "prohibited") != NULL)
		session_end(s, HOST_CHANNEL_FAILED,
		    "jump host %s forbids forwarding to %s port %u: %s", by, s->spec->address,
		    s->record->port, reason);
	else
		session_end(s, HOST_UNREACHABLE,
		    "jump host %s has no way to %s port %u: it is refused, or there is no route: "
		    "%s",
		    by, s->spec->address, s->record->port, reason);
	end_open(jump);
	session_finish(s);
}

static enum outcome open_next(struct jump *jump)
{
	struct session *s = jump->opening;

	if (s == NULL || jump->stuck || jump->n == CHILDREN_MAX)
		return WAITING;
	LIBSSH2_CHANNEL *channel = libssh2_channel_direct_tcpip_ex(
	    jump->session->ssh, s->spec->address, s->record->port, "127.0.0.1", 0);
	int code = channel != NULL ? 0 : libssh2_session_last_errno(jump->session->ssh);

	if (code == LIBSSH2_ERROR_EAGAIN || (code != 0 && jump->session->transport.closed))
		return WAITING;
	if (code != 0 && code != LIBSSH2_ERROR_CHANNEL_FAILURE)
		return session_end(jump->session, HOST_DISCONNECTED, "no way could be opened: %s",
		    session_error(jump->session));
	if (code == 0)
		adopt(jump, channel);
	else
		refuse(jump);
	serve(jump->pool);
	return MOVED;
}

/* Its channel is gone, unless all are: then jump_break() says why. */
static bool cut_off(struct jump *jump, struct child *child, int error)
{
	if (jump->session->transport.closed)
		return false;
	transport_close(&child->session->transport, error);
	return true;
}

/* What has come for the child, into its transport; false: nothing new. */
static bool receive(struct jump *jump, struct child *child)
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
	if (n < 0)
		return cut_off(jump, child, ECONNRESET);
	if (libssh2_channel_eof(child->channel) == 1) {
		transport_close(t, 0);
		return true;
	}
	return false;
}

/* What the child has to say, into the channel; false: nothing moved. */
static bool send_out(struct jump *jump, struct child *child)
{
	struct transport *t = &child->session->transport;
	struct view rest = {t->out.p + t->out_done, t->out.n - t->out_done};

	if (rest.n == 0)
		return false;
	ssize_t n = libssh2_channel_write(child->channel, rest.p, rest.n);
	if (n == LIBSSH2_ERROR_EAGAIN)
		return false;
	if (n < 0)
		return cut_off(jump, child, EPIPE);
	t->out_done += (size_t)n;
	if (t->out_done == t->out.n)
		t->out.n = t->out_done = 0;
	return true;
}

static bool drive_child(struct jump *jump, size_t i)
{
	bool moved = receive(jump, &jump->children[i]);

	if (moved)
		session_drive(jump->children[i].session); /* which may end it */
	if (jump->children[i].session == NULL)
		return true;
	if (send_out(jump, &jump->children[i])) {
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
	enum outcome outcome = open_next(jump);

	if (outcome == ENDED)
		return ENDED;
	for (size_t i = 0; i < jump->n; i++) {
		if (jump->children[i].session != NULL && drive_child(jump, i))
			outcome = MOVED;
	}
	if (sweep(jump)) {
		serve(jump->pool);
		outcome = MOVED;
	}
	if (is_idle(jump))
		return session_end(jump->session, HOST_OK, "%s", "");
	if (outcome == WAITING) /* all that children had to say is out */
		loop_cancel(jump->pool->shared->loop, &jump->kick);
	return outcome;
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
