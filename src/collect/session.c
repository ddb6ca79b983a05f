#include "session_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include "oddhost/base/clock.h"
#include "oddhost/base/mem.h"

#define MUCH 16384 /* bytes at once: more are on their way */
#define RETRY_LEAST_MS 150
#define RETRY_SPREAD_MS 900

enum outcome session_end(struct session *s, enum host_status status, const char *fmt, ...)
{
	va_list ap;

	if (s->over)
		return ENDED;
	va_start(ap, fmt);
	s->record->error = arena_vprintf(s->record->arena, fmt, ap);
	va_end(ap);
	s->over = true;
	s->status = status;
	return ENDED;
}

enum outcome session_no_banner(struct session *s, int error)
{
	return session_end(s, HOST_PROTOCOL_ERROR,
	    "it closed the connection before its SSH banner%s%s", error ? ": " : "",
	    error ? strerror(error) : "");
}

const char *session_error(struct session *s)
{
	char *text = NULL;

	libssh2_session_last_error(s->ssh, &text, NULL, 0);
	return text != NULL && *text != '\0' ? text : "no reason given";
}

struct host_record *session_record(const struct host_spec *spec, const char *local_user)
{
	struct host_record *record = host_record_new(spec->name);
	char now[CLOCK_UTC_SIZE];

	clock_format_utc(time(NULL), now);
	record->address = arena_dup(record->arena, spec->address);
	record->port = spec->port ? spec->port : 22;
	record->user = arena_dup(record->arena, spec->user ? spec->user : local_user);
	record->started = arena_dup(record->arena, now);
	record->vars = arena_alloc(record->arena, spec->n_vars * sizeof *record->vars);
	record->n_vars = spec->n_vars;
	for (size_t i = 0; i < spec->n_vars; i++)
		record->vars[i] = (struct var){arena_dup(record->arena, spec->vars[i].name),
		    arena_dup(record->arena, spec->vars[i].value)};
	return record;
}

/*
 * Let go of the connection. The socket is shut down first: libssh2 then frees a session with
 * running commands at once instead of waiting for them.
 */
static void disconnect(struct session *s)
{
	sign_cancel(s);
	if (s->ssh != NULL) {
		if (s->transport.fd >= 0)
			shutdown(s->transport.fd, SHUT_RDWR);
		s->transport.closed = true;
		/* libssh2 frees the keys of an exchange under way only when that fails. */
		if (s->step == SESSION_HANDSHAKE)
			libssh2_session_handshake(s->ssh, s->transport.fd);
		libssh2_session_free(s->ssh);
		s->ssh = NULL;
	}
	jump_leave(s);
	dial_cancel(s);
}

void session_finish(struct session *s)
{
	struct host_record *record = s->record;

	loop_cancel(s->shared->loop, &s->login_timer);
	loop_cancel(s->shared->loop, &s->host_timer);
	if (s->carries != NULL)
		jump_break(s->carries);
	disconnect(s);
	record->status = s->status;
	record->elapsed_ms = (unsigned)(clock_ms() - s->started);
	lanes_record(s);
	s->done(s->context, s, record);
	free(s);
}

void session_abort(struct session *s, enum host_status status, const char *why)
{
	session_end(s, status, "%s", why);
	session_finish(s);
}

static void retry_now(void *context)
{
	dial_begin(context);
}

/*
 * sshd's MaxStartups refuses at random, and says so: that is tried again until the login's time
 * is over. Anything else counts against the retries.
 */
bool session_retry(struct session *s)
{
	session_resume(s);

	bool crowded = strstr(s->transport.said, "MaxStartups") != NULL;
	int64_t left = s->login_timer.at - clock_ms();
	unsigned jitter = 0;

	if (s->over || s->step >= SESSION_LANES || (!crowded && s->retries == 0) ||
	    left < RETRY_LEAST_MS + RETRY_SPREAD_MS)
		return false;
	if (!crowded)
		s->retries--;
	err_set(&s->fault, "%s",
	    s->transport.said[0] != '\0' ? s->transport.said
	    : s->transport.error != 0    ? strerror(s->transport.error)
					 : "it closed the connection");
	disconnect(s);
	s->step = SESSION_DIAL;
	if (getrandom(&jitter, sizeof jitter, GRND_NONBLOCK) < 0)
		jitter = (unsigned)left;
	loop_timer(s->shared->loop, &s->attempt_timer,
	    RETRY_LEAST_MS + (int64_t)(jitter % RETRY_SPREAD_MS), retry_now, s);
	return true;
}

static enum outcome step(struct session *s)
{
	switch (s->step) {
	case SESSION_HANDSHAKE:
		return login_handshake(s);
	case SESSION_LOGIN:
		return auth_step(s);
	case SESSION_LANES:
		return lanes_step(s);
	case SESSION_JUMP:
		return jump_step(s->carries);
	case SESSION_DIAL:
		break;
	}
	return WAITING;
}

static enum outcome flooded(struct session *s)
{
	if (s->step == SESSION_JUMP)
		return session_end(s, HOST_PROTOCOL_ERROR,
		    "it sent more than %zu MiB that was for nobody behind it",
		    TRANSPORT_JUMP_MAX >> 20);
	if (s->step >= SESSION_LANES)
		return session_end(
		    s, HOST_PARTIAL, "it sent more than %zu MiB", TRANSPORT_HOST_MAX >> 20);
	return session_end(s, HOST_PROTOCOL_ERROR, "it sent more than %zu MiB before the login",
	    TRANSPORT_LOGIN_MAX >> 20);
}

static enum outcome closed(struct session *s)
{
	const struct transport *t = &s->transport;

	if (session_retry(s))
		return WAITING;
	return session_end(s, HOST_DISCONNECTED, "the host closed the connection%s%s",
	    t->error ? ": " : "", t->error ? strerror(t->error) : "");
}

/*
 * Drive until nothing moves and nothing that has arrived is left, then send what came of it. A
 * session with nothing to say, to which little comes at a time, may be looked at later: a window or
 * a new key that has been sent wants its answer, and much output wants room.
 */
void session_drive(struct session *s)
{
	enum outcome outcome = WAITING;

	if (s->transport.flooded && s->transport.banner_seen)
		outcome = flooded(s);
	while (outcome != ENDED) {
		size_t before = s->transport.in.n - s->transport.in_done;
		outcome = step(s);
		if (outcome == WAITING && s->transport.in.n - s->transport.in_done < before)
			outcome = MOVED; /* libssh2 took bytes but they did not end the call */
		if (outcome == WAITING)
			break;
	}
	if (outcome != ENDED && s->transport.closed)
		outcome = closed(s);
	if (outcome == ENDED) {
		session_finish(s);
		return;
	}
	if (s->transport.fd >= 0) {
		bool only_listens = s->step == SESSION_LANES && lanes_only_listen(s) &&
				    s->transport.out.n == s->transport.out_done &&
				    s->transport.arrived < MUCH;
		loop_want_write(s->shared->loop, &s->watch, transport_flush(&s->transport));
		loop_be_patient(s->shared->loop, &s->watch, only_listens);
	} else if (s->via != NULL && s->transport.out.n > s->transport.out_done)
		jump_carry(s->via);
}

/* The run's limit, or ConnectTimeout where that is longer: it is not given to be cut short. */
unsigned session_login_ms(const struct session *s)
{
	unsigned seconds = s->spec->connect_seconds;

	return seconds > s->shared->login_ms / 1000 ? seconds * 1000 : s->shared->login_ms;
}

static void login_expired(void *context)
{
	struct session *s = context;
	double seconds = session_login_ms(s) / 1000.0;
	const char *behind = jump_behind(s);

	if (s->fault.text[0] != '\0' && !s->transport.banner_seen)
		session_end(s, HOST_PROTOCOL_ERROR, "it kept refusing for %g s: '%s'%s", seconds,
		    s->fault.text, behind);
	else if (s->step == SESSION_DIAL && s->request != NULL)
		session_end(
		    s, HOST_RESOLVE_FAILED, "%s: no answer in %g s", s->spec->address, seconds);
	else if (s->no_descriptor)
		session_end(s, HOST_DEADLINE,
		    "not tried: no descriptor was free for %g s (ulimit -n, or a smaller -f)",
		    seconds);
	else if (s->step == SESSION_DIAL)
		session_end(s, HOST_CONNECT_TIMEOUT, "%s port %u: no answer in %g s%s",
		    s->spec->address, s->record->port, seconds, behind);
	else if (s->step == SESSION_HANDSHAKE && !s->transport.banner_seen)
		session_end(s, HOST_BANNER_TIMEOUT,
		    "it accepted the connection but sent no SSH banner in %g s%s", seconds, behind);
	else if (s->step == SESSION_HANDSHAKE)
		session_end(s, HOST_PROTOCOL_ERROR, "it stalled in the key exchange for %g s%s",
		    seconds, behind);
	else
		session_end(s, HOST_DEADLINE,
		    "login as %s: it did not answer in %g s%s: a slow name or user directory "
		    "there? -T gives it more time",
		    s->record->user, seconds, behind);
	session_finish(s);
}

static void host_expired(void *context)
{
	struct session *s = context;

	session_end(
	    s, HOST_DEADLINE, "not done in %g s%s", s->shared->host_ms / 1000.0, jump_behind(s));
	session_finish(s);
}

void session_pause(struct session *s)
{
	int64_t now = clock_ms();

	if (s->paused)
		return;
	s->paused = true;
	s->login_left = s->login_timer.at - now;
	s->host_left = s->host_timer.at - now;
	loop_cancel(s->shared->loop, &s->login_timer);
	loop_cancel(s->shared->loop, &s->host_timer);
}

void session_resume(struct session *s)
{
	if (!s->paused)
		return;
	s->paused = false;
	loop_timer(s->shared->loop, &s->login_timer, s->login_left, login_expired, s);
	if (s->carries == NULL) /* it lives as long as those that it carries */
		loop_timer(s->shared->loop, &s->host_timer, s->host_left, host_expired, s);
}

struct session *session_start(struct session_shared *shared, const struct host_spec *spec,
    void (*done)(void *context, struct session *session, struct host_record *record), void *context)
{
	struct session *s = mem_alloc(sizeof *s);

	s->shared = shared;
	s->spec = spec;
	s->done = done;
	s->context = context;
	s->self = s;
	s->retries = shared->retries;
	s->watch.fd = s->transport.fd = -1;
	s->started = clock_ms();
	s->record = session_record(spec, shared->local_user);
	loop_timer(shared->loop, &s->login_timer, session_login_ms(s), login_expired, s);
	loop_timer(shared->loop, &s->host_timer, shared->host_ms, host_expired, s);
	dial_begin(s);
	return s;
}
