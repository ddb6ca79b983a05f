/* What goes through a jump session: ways are opened in it, and bytes go back and forth. */
#include "session_pool.h"

#include <errno.h>
#include <string.h>

#include "oddhost/base/clock.h"

#define READ_SIZE 32768
#define LOOK_LEAST_MS 500 /* libssh2 sends no two questions within two seconds */

const struct session *jump_session(const struct jump *jump)
{
	return jump->session;
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

/* ---- is it still there? ---- */

/*
 * A jump host that falls silent is no fault of those behind it. One that said nothing for a sixth
 * of the time for a login is asked for a reply, and has as long to give it. The times are the
 * timers', which stand still while this program does.
 */
static int64_t look_ms(const struct jump *jump)
{
	int64_t ms = session_login_ms(jump->session) / 6;

	return ms > LOOK_LEAST_MS ? ms : LOOK_LEAST_MS;
}

const char *jump_behind(struct session *s)
{
	const struct jump *jump = s->via;

	if (s->spec->n_jumps == 0)
		return "";
	const char *address = s->spec->jumps[s->spec->n_jumps - 1].address;
	int64_t quiet = jump == NULL ? 0 : clock_ms() - jump->session->transport.heard;
	if (jump == NULL || quiet < 2 * look_ms(jump))
		return arena_printf(s->record->arena, ", behind jump host %s", address);
	return arena_printf(s->record->arena,
	    ", behind jump host %s, which may be to blame (silent for %.1f s)", address,
	    (double)quiet / 1000.0);
}

/* False: not now, since the last question was within two seconds. */
static bool ask(struct jump *jump)
{
	const int least = 2;
	int next = 0;

	libssh2_keepalive_config(jump->session->ssh, 1, least);
	return libssh2_keepalive_send(jump->session->ssh, &next) == 0 && next == least;
}

/* Begin anew on another way, which is no fault of the host's. */
static bool begin_again(struct session *s)
{
	if (!session_retry(s))
		return false;
	s->fault.text[0] = '\0';
	return true;
}

/* Whoever can takes another way; the others stay, in case it comes back: their limits end them. */
static void avoid(struct jump *jump)
{
	struct session *waits = jump->opening;
	bool needed = false;

	jump->stuck = true;
	if (waits != NULL) {
		pool_end_open(jump);
		pool_wait(jump->pool, waits);
	}
	for (size_t i = 0; i < jump->n; i++) {
		struct session *s = jump->children[i].session;
		if (s != NULL && !begin_again(s))
			needed = true;
	}
	if (!needed) {
		session_end(jump->session, HOST_DISCONNECTED, "it does not answer any more");
		session_finish(jump->session);
	} else
		pool_serve(jump->pool);
}

static void look(void *context)
{
	struct jump *jump = context;
	int64_t heard = jump->session->transport.heard;
	bool silent = heard == jump->heard;

	jump->heard = heard;
	loop_timer(jump->pool->shared->loop, &jump->look, look_ms(jump), look, jump);
	if (silent && jump->asked) {
		avoid(jump);
		return;
	}
	jump->asked = silent && ask(jump);
	if (jump->asked)
		session_drive(jump->session);
}

enum outcome jump_ready(struct jump *jump)
{
	struct transport *t = &jump->session->transport;

	jump->ready = jump->pool->worked = true;
	jump->session->step = SESSION_JUMP;
	t->budget = TRANSPORT_JUMP_MAX;
	jump->heard = t->heard;
	loop_timer(jump->pool->shared->loop, &jump->look, look_ms(jump), look, jump);
	pool_serve(jump->pool);
	return MOVED;
}

/* ---- children ---- */

void jump_leave(struct session *s)
{
	struct jump *jump = s->via;

	if (s->spec->n_jumps == 0)
		return;
	if (jump == NULL) {
		pool_forget(s);
		return;
	}
	if (jump->opening == s) {
		pool_end_open(jump);
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
		pool_end_open(jump);
		pool_wait(pool, s);
	}
	for (size_t i = 0; i < jump->n; i++) {
		struct session *s = jump->children[i].session;
		if (s == NULL || (!pool->closing && begin_again(s)))
			continue;
		session_end(s, s->step >= SESSION_LANES ? HOST_DISCONNECTED : HOST_UNREACHABLE,
		    "jump host %s: %s", pool->spec.address, why);
		session_finish(s);
	}
	loop_cancel(pool->shared->loop, &jump->kick);
	loop_cancel(pool->shared->loop, &jump->look);
	jump->n = 0;
}

/* The channel is there: from here on the child is a session like any other. */
static void adopt(struct jump *jump, LIBSSH2_CHANNEL *channel)
{
	struct session *s = jump->opening;

	pool_end_open(jump);
	s->via = jump;
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
	pool_end_open(jump);
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
	jump->pool->lost_since = 0;
	if (code == 0)
		adopt(jump, channel);
	else
		refuse(jump);
	pool_serve(jump->pool);
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

/*
 * Bytes of a channel were taken, which libssh2 has kept until then: as much may come again, with
 * what packets and their heads add to it. What is for no channel is never taken.
 */
static void took(struct jump *jump, size_t n)
{
	size_t *budget = &jump->session->transport.budget, more = n + n / 4 + 64;

	*budget = more < TRANSPORT_JUMP_MAX - *budget ? *budget + more : TRANSPORT_JUMP_MAX;
}

/* What has come for the child, into its transport; false: nothing new. */
static bool receive(struct jump *jump, struct child *child)
{
	char bytes[READ_SIZE];
	struct transport *t = &child->session->transport;
	ssize_t n = libssh2_channel_read(child->channel, bytes, sizeof bytes);

	if (n > 0) {
		took(jump, (size_t)n);
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
		unsigned long kept = 0;
		if (child->session == NULL)
			libssh2_channel_window_read_ex(child->channel, &kept, NULL);
		if (child->session != NULL ||
		    libssh2_channel_free(child->channel) == LIBSSH2_ERROR_EAGAIN) {
			i++;
			continue;
		}
		took(jump, kept);
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
		pool_serve(jump->pool);
		outcome = MOVED;
	}
	if (is_idle(jump))
		return session_end(jump->session, HOST_OK, "%s", "");
	if (outcome == WAITING) /* all that children had to say is out */
		loop_cancel(jump->pool->shared->loop, &jump->kick);
	return outcome;
}
