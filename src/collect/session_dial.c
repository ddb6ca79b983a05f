/* A session's way to its host: resolve, then connect to one address after the other. */
#include "session_state.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "oddhost/base/clock.h"

#define DESCRIPTOR_MS 50 /* where there is none: until others may have ended */

static void connect_next(struct session *s);

void dial_cancel(struct session *s)
{
	loop_cancel(s->shared->loop, &s->attempt_timer);
	if (s->request != NULL)
		resolve_cancel(s->request);
	s->request = NULL;
	s->no_descriptor = false;
	loop_unwatch(s->shared->loop, &s->watch);
	if (s->transport.fd >= 0)
		close(s->transport.fd);
	transport_free(&s->transport);
	s->transport = (struct transport){.fd = -1};
}

static enum host_status status_of(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return HOST_CONNECT_REFUSED;
	case ETIMEDOUT:
		return HOST_CONNECT_TIMEOUT;
	default:
		return HOST_UNREACHABLE;
	}
}

/* This address did not work: try the next one, or end with the last one's error. */
static void connect_failed(struct session *s, int error)
{
	dial_cancel(s);
	if (++s->attempt < s->answer.n) {
		connect_next(s);
		return;
	}
	if (error == ECONNRESET && session_retry(s))
		return;
	if (error == ECONNRESET) /* connected, and reset before anybody looked */
		session_no_banner(s, error);
	else
		session_end(s, status_of(error), "%s port %u: %s", s->spec->address,
		    s->record->port, strerror(error));
	session_finish(s);
}

static void attempt_expired(void *context)
{
	connect_failed(context, ETIMEDOUT);
}

/* Which of our addresses do hosts see? A docker network that covers it cuts them off from us. */
static void note_bastion(struct session *s)
{
	struct sockaddr_storage local = {0};
	socklen_t n = sizeof local;
	struct ip ip = {0};

	if (s->shared->bastion.family != IP_NONE ||
	    getsockname(s->transport.fd, (struct sockaddr *)&local, &n) < 0)
		return;
	if (local.ss_family == AF_INET) {
		ip.family = IP_V4;
		memcpy(ip.b, &((struct sockaddr_in *)&local)->sin_addr, 4);
	} else if (local.ss_family == AF_INET6) {
		ip.family = IP_V6;
		memcpy(ip.b, &((struct sockaddr_in6 *)&local)->sin6_addr, 16);
	}
	if (!ip_is_loopback(&ip))
		s->shared->bastion = ip;
}

static void socket_ready(void *context)
{
	struct session *s = context;

	transport_fill(&s->transport);
	session_drive(s);
}

/* ServerAliveInterval: what lies between, and forgets silent connections, sees a packet. */
static void keep_alive(const struct session *s)
{
	int on = 1, seconds = (int)s->spec->alive_seconds;

	if (seconds <= 0 || seconds > 32767) /* Linux's MAX_TCP_KEEPIDLE */
		return;
	setsockopt(s->transport.fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(s->transport.fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);
	setsockopt(s->transport.fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof seconds);
}

static void connect_ready(void *context)
{
	struct session *s = context;
	int error = 0, limit = (int)s->shared->host_ms;
	socklen_t n = sizeof error;

	if (getsockopt(s->transport.fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
		error = errno;
	if (error != 0) {
		connect_failed(s, error);
		return;
	}
	loop_cancel(s->shared->loop, &s->attempt_timer);
	setsockopt(s->transport.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit, sizeof limit);
	keep_alive(s);
	note_bastion(s);
	s->watch.ready = socket_ready;
	if (login_begin(s) == ENDED)
		session_finish(s);
	else
		session_drive(s);
}

/* BindAddress; an address of the other family cannot reach this one. */
static bool bind_local(const struct session *s, int fd, int family)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	const char *text = s->spec->bind_address;

	if (text == NULL)
		return true;
	if (family == AF_INET && inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return bind(fd, (struct sockaddr *)&v4, sizeof v4) == 0;
	if (family == AF_INET6 && inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
		return bind(fd, (struct sockaddr *)&v6, sizeof v6) == 0;
	errno = EADDRNOTAVAIL;
	return false;
}

/* The time for this address: its share of what is left, and no more than ConnectTimeout. */
static int64_t attempt_ms(const struct session *s)
{
	int64_t share = (s->login_timer.at - clock_ms()) / (int64_t)(s->answer.n - s->attempt);
	int64_t most = (int64_t)s->spec->connect_seconds * 1000;

	return most > 0 && most < share ? most : share;
}

static void try_again(void *context)
{
	connect_next(context);
}

static void connect_next(struct session *s)
{
	const struct sockaddr *address = (const struct sockaddr *)&s->answer.addresses[s->attempt];
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct err err;

	s->no_descriptor = fd < 0 && (errno == EMFILE || errno == ENFILE);
	if (s->no_descriptor) {
		loop_timer(s->shared->loop, &s->attempt_timer, DESCRIPTOR_MS, try_again, s);
		return;
	}
	if (fd < 0) {
		connect_failed(s, errno);
		return;
	}
	transport_init(&s->transport, fd);
	if (!bind_local(s, fd, address->sa_family)) {
		connect_failed(s, errno);
		return;
	}
	int code = connect(fd, address, s->answer.lengths[s->attempt]);
	if (code < 0 && errno != EINPROGRESS) {
		connect_failed(s, errno);
		return;
	}
	if (!loop_watch(s->shared->loop, &s->watch, fd, connect_ready, s, &err)) {
		session_end(s, HOST_UNREACHABLE, "%s", err.text);
		session_finish(s);
		return;
	}
	loop_want_write(s->shared->loop, &s->watch, true);
	loop_timer(s->shared->loop, &s->attempt_timer, attempt_ms(s), attempt_expired, s);
}

/* AddressFamily: leave out the other's addresses. */
static void keep_family(struct resolve_answer *answer, enum ip_family family)
{
	size_t n = 0;

	for (size_t i = 0; i < answer->n; i++) {
		int is = answer->addresses[i].ss_family;
		if ((family == IP_V4 && is != AF_INET) || (family == IP_V6 && is != AF_INET6))
			continue;
		answer->addresses[n] = answer->addresses[i];
		answer->lengths[n++] = answer->lengths[i];
	}
	if (n == 0 && answer->n > 0)
		answer->error = "it has no address of the family that AddressFamily asks for";
	answer->n = n;
}

static void resolved(void *context, const struct resolve_answer *answer)
{
	struct session *s = context;

	s->request = NULL;
	session_resume(s);
	s->answer = *answer;
	s->attempt = 0;
	keep_family(&s->answer, s->spec->family);
	if (s->answer.n == 0) {
		session_end(s, HOST_RESOLVE_FAILED, "%s: %s", s->spec->address, s->answer.error);
		session_finish(s);
		return;
	}
	connect_next(s);
}

static void being_resolved(void *context)
{
	session_resume(context);
}

void dial_begin(struct session *s)
{
	s->step = SESSION_DIAL;
	if (s->spec->n_jumps > 0) {
		jump_request(s);
		return;
	}
	session_pause(s);
	s->request = resolve_ask(
	    s->shared->names, s->spec->address, s->record->port, being_resolved, resolved, s);
}
