#include "oddhost/collect/session.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <libssh2.h>
#include <openssl/evp.h>

#include "oddhost/base/clock.h"
#include "oddhost/base/mem.h"
#include "oddhost/base/text.h"
#include "oddhost/collect/lane.h"
#include "oddhost/collect/transport.h"
#include "oddhost/collect/wire.h"

#define OFFERS_MAX 3 /* keys tried on one host: sshd counts failures and punishes them */
#define READ_SIZE 32768

enum step { RESOLVE, CONNECT, HANDSHAKE, LOGIN, LANES };

/* What a step did: it moved on, it needs the peer, or the session is over (end() was called). */
enum outcome { MOVED, WAITING, ENDED };

enum lane_step {
	LANE_WAITING,
	LANE_OPENING,
	LANE_STARTING,
	LANE_SENDING,
	LANE_READING,
	LANE_CLOSING,
	LANE_CLOSED
};

struct session_lane {
	struct lane lane;
	LIBSSH2_CHANNEL *channel;
	enum lane_step step;
	size_t sent;
};

struct session {
	struct session_shared *shared;
	const struct host_spec *spec;
	const struct known_hosts *known_hosts;
	void (*done)(void *context, struct session *session, struct host_record *record);
	void *context;
	void *self; /* libssh2's sign callback gets a pointer to this pointer */

	enum step step;
	struct resolve_request *request;
	struct resolve_answer answer;
	size_t attempt; /* the address being tried */
	struct transport transport;
	struct watch watch;
	struct timer login_timer, host_timer, attempt_timer;
	LIBSSH2_SESSION *ssh;

	const struct identity *offers[OFFERS_MAX];
	size_t n_offers, offer;
	struct err sign_error;

	struct reception *receptions;
	struct session_lane lanes[PLAN_LANES_MAX];
	unsigned channels_max; /* what the server lets us have at once, as far as we know */

	int64_t started;
	struct host_record *record;
	bool over;
	enum host_status status;
};

/* Decide how the session ends; the caller returns ENDED up to where the session is finished. */
static enum outcome end(struct session *s, enum host_status status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static enum outcome end(struct session *s, enum host_status status, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	if (s->over)
		return ENDED;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	s->over = true;
	s->status = status;
	s->record->error = arena_dup(s->record->arena, text);
	return ENDED;
}

static const char *ssh_error(struct session *s)
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

static void close_socket(struct session *s)
{
	loop_unwatch(s->shared->loop, &s->watch);
	if (s->transport.fd >= 0)
		close(s->transport.fd);
	transport_free(&s->transport);
	s->transport.fd = -1;
}

/*
 * Shut the socket down first: libssh2 then frees a session with running commands at once instead
 * of waiting for them.
 */
static void finish(struct session *s)
{
	struct host_record *record = s->record;

	loop_cancel(s->shared->loop, &s->login_timer);
	loop_cancel(s->shared->loop, &s->host_timer);
	loop_cancel(s->shared->loop, &s->attempt_timer);
	if (s->request != NULL)
		resolver_cancel(s->shared->resolver, s->request);
	if (s->ssh != NULL) {
		shutdown(s->transport.fd, SHUT_RDWR);
		s->transport.closed = true;
		libssh2_session_free(s->ssh);
	}
	close_socket(s);
	record->status = s->status;
	record->elapsed_ms = (unsigned)(clock_ms() - s->started);
	if (s->receptions != NULL) {
		for (unsigned i = 0; i < s->shared->plan->lanes; i++) {
			lane_finish(&s->lanes[i].lane);
			lane_free(&s->lanes[i].lane);
		}
		receptions_record(s->receptions, s->shared->plan, record);
		receptions_free(s->receptions, s->shared->plan);
	}
	s->done(s->context, s, record);
	free(s);
}

void session_abort(struct session *s, enum host_status status, const char *why)
{
	end(s, status, "%s", why);
	finish(s);
}

/* ---- lanes ---- */

/* Why a lane that has closed is not complete: most often what a shell or forced command said. */
static const char *lane_complaint(const struct session_lane *l, char out[LANE_GREETING_MAX + 1])
{
	struct view said = view_trim(buf_view(&l->lane.greeting)), line = said;
	size_t n = 0;

	view_next_line(&said, &line);
	for (; n < line.n && n < LANE_GREETING_MAX; n++)
		out[n] = line.p[n] >= ' ' && line.p[n] <= '~' ? line.p[n] : '?';
	out[n] = '\0';
	return n > 0 ? out : "it said nothing";
}

static enum outcome lanes_end(struct session *s)
{
	unsigned complete = 0, broken = 0;
	char said[LANE_GREETING_MAX + 1];
	bool begun = false;

	for (unsigned i = 0; i < s->shared->plan->lanes; i++) {
		if (lane_complete(&s->lanes[i].lane))
			complete++;
		else
			broken = i;
	}
	for (size_t i = 0; i < s->shared->plan->n; i++)
		begun = begun || s->receptions[i].begun;
	if (complete == s->shared->plan->lanes)
		return end(s, HOST_OK, "%s", "");
	if (!begun)
		return end(s, HOST_CHANNEL_FAILED, "'%s' did not run: %s", PLAN_COMMAND,
		    lane_complaint(&s->lanes[broken], said));
	return end(s, HOST_PARTIAL, "the shell ended before all probes had run: %s",
	    lane_complaint(&s->lanes[broken], said));
}

/* One channel is opened at a time: libssh2 keeps the state of an open in the session. */
static enum outcome lane_open(struct session *s, struct session_lane *l)
{
	unsigned open = 0;

	for (unsigned i = 0; i < s->shared->plan->lanes; i++) {
		if (&s->lanes[i] == l)
			continue;
		if (s->lanes[i].step == LANE_OPENING)
			return WAITING;
		open += s->lanes[i].step > LANE_OPENING && s->lanes[i].step < LANE_CLOSED;
	}
	if (l->step == LANE_WAITING && open >= s->channels_max)
		return WAITING;
	l->step = LANE_OPENING;
	l->channel = libssh2_channel_open_session(s->ssh);
	if (l->channel != NULL) {
		l->step = LANE_STARTING;
		return MOVED;
	}
	int code = libssh2_session_last_errno(s->ssh);
	if (code == LIBSSH2_ERROR_EAGAIN)
		return WAITING;
	if (code == LIBSSH2_ERROR_CHANNEL_FAILURE && open > 0) { /* sshd's MaxSessions */
		l->step = LANE_WAITING;
		s->channels_max = open;
		return WAITING;
	}
	return end(s, HOST_CHANNEL_FAILED, "no channel could be opened: %s", ssh_error(s));
}

static enum outcome lane_start(struct session *s, struct session_lane *l)
{
	int code = libssh2_channel_exec(l->channel, PLAN_COMMAND);

	if (code == LIBSSH2_ERROR_EAGAIN)
		return WAITING;
	if (code != 0)
		return end(
		    s, HOST_CHANNEL_FAILED, "'%s' was refused: %s", PLAN_COMMAND, ssh_error(s));
	l->step = LANE_SENDING;
	return MOVED;
}

static enum outcome lane_send(struct session *s, struct session_lane *l)
{
	struct view rest = view_skip(s->shared->plan->scripts[l->lane.number], l->sent);

	if (rest.n > 0) {
		ssize_t n = libssh2_channel_write(l->channel, rest.p, rest.n);
		if (n == LIBSSH2_ERROR_EAGAIN)
			return WAITING;
		if (n < 0) { /* the far side has closed: what it said comes by reading */
			l->step = LANE_READING;
			return MOVED;
		}
		l->sent += (size_t)n;
		return MOVED;
	}
	if (libssh2_channel_send_eof(l->channel) == LIBSSH2_ERROR_EAGAIN)
		return WAITING;
	l->step = LANE_READING;
	return MOVED;
}

/* Both streams share one window: read both always, or one that is full blocks the other. */
static enum outcome lane_read(struct session *s, struct session_lane *l)
{
	char bytes[READ_SIZE];
	enum outcome outcome = WAITING;

	for (int stream = 0; stream < 2; stream++) {
		ssize_t n = libssh2_channel_read_ex(l->channel, stream, bytes, sizeof bytes);
		if (n > 0) {
			lane_receive(&l->lane, stream, (struct view){bytes, (size_t)n}, clock_ms());
			outcome = MOVED;
		} else if (n < 0 && n != LIBSSH2_ERROR_EAGAIN && !s->transport.closed) {
			return end(s, HOST_DISCONNECTED, "reading failed: %s", ssh_error(s));
		}
	}
	if (outcome == WAITING && libssh2_channel_eof(l->channel) == 1) {
		lane_finish(&l->lane);
		l->step = LANE_CLOSING;
		outcome = MOVED;
	}
	return outcome;
}

static enum outcome lane_drive(struct session *s, struct session_lane *l)
{
	switch (l->step) {
	case LANE_WAITING:
	case LANE_OPENING:
		return lane_open(s, l);
	case LANE_STARTING:
		return lane_start(s, l);
	case LANE_SENDING: {
		enum outcome outcome = lane_send(s, l);
		return outcome == WAITING ? lane_read(s, l) : outcome;
	}
	case LANE_READING:
		return lane_read(s, l);
	case LANE_CLOSING:
		if (libssh2_channel_close(l->channel) == LIBSSH2_ERROR_EAGAIN)
			return WAITING;
		l->step = LANE_CLOSED;
		return MOVED;
	case LANE_CLOSED:
		break;
	}
	return WAITING;
}

/* Reading one channel can bring in another's data: go round until a whole pass moves nothing. */
static enum outcome step_lanes(struct session *s)
{
	enum outcome outcome = WAITING;
	bool running = false;

	for (unsigned i = 0; i < s->shared->plan->lanes; i++) {
		enum outcome one = lane_drive(s, &s->lanes[i]);
		if (one == ENDED)
			return ENDED;
		if (one == MOVED)
			outcome = MOVED;
		running = running || (s->lanes[i].step != LANE_CLOSED &&
					 (s->lanes[i].step < LANE_CLOSING ||
					     s->channels_max < s->shared->plan->lanes));
	}
	return running ? outcome : lanes_end(s);
}

static enum outcome lanes_begin(struct session *s)
{
	s->receptions = receptions_new(s->shared->plan);
	for (unsigned i = 0; i < s->shared->plan->lanes; i++)
		lane_init(&s->lanes[i].lane, s->shared->plan, i, s->receptions);
	s->channels_max = s->shared->plan->lanes;
	s->transport.budget = TRANSPORT_HOST_MAX;
	s->step = LANES;
	loop_cancel(s->shared->loop, &s->login_timer);
	return MOVED;
}

/* ---- login ---- */

static LIBSSH2_USERAUTH_PUBLICKEY_SIGN_FUNC(sign)
{
	struct session *s = *abstract;
	struct buf signature = {0};

	(void)session;
	if (!identity_sign(s->shared->identities, s->offers[s->offer],
		(struct view){(const char *)data, data_len}, &signature, &s->sign_error))
		return -1;
	*sig_len = signature.n;
	*sig = (unsigned char *)mem_strndup(signature.p, signature.n); /* libssh2 frees it */
	buf_free(&signature);
	return 0;
}

static void offer(struct session *s, const struct identity *identity)
{
	if (!identity->unusable && s->n_offers < OFFERS_MAX)
		s->offers[s->n_offers++] = identity;
}

/* The keys that the inventory or an option names, or else the usual ones; then the agent's. */
static void choose_offers(struct session *s)
{
	static const char *const usual[] = {"id_ed25519", "id_ecdsa", "id_rsa"};
	struct session_shared *shared = s->shared;
	size_t n;

	for (size_t i = 0; i < s->spec->n_identities; i++)
		offer(
		    s, identities_file(shared->identities, s->spec->identities[i], shared->diags));
	const struct identity *agent = identities_agent(shared->identities, &n, shared->diags);
	for (size_t i = 0; i < n; i++)
		offer(s, &agent[i]);
	for (size_t i = 0; s->spec->n_identities == 0 && shared->home != NULL && i < 3; i++) {
		const char *path =
		    arena_printf(s->record->arena, "%s/.ssh/%s", shared->home, usual[i]);
		if (access(path, R_OK) == 0)
			offer(s, identities_file(shared->identities, path, shared->diags));
	}
}

static enum outcome step_login(struct session *s)
{
	if (s->offer == s->n_offers)
		return end(s, HOST_AUTH_FAILED, "%s: %s%s%s", s->record->user,
		    s->n_offers == 0 ? "there is no key to log in with"
				     : "every key that was offered was refused",
		    s->sign_error.text[0] != '\0' ? "; " : "", s->sign_error.text);

	const struct identity *identity = s->offers[s->offer];
	int code = libssh2_userauth_publickey(s->ssh, s->record->user,
	    (const unsigned char *)identity->offer.p, identity->offer.n, sign, &s->self);
	if (code == LIBSSH2_ERROR_EAGAIN)
		return WAITING;
	if (code == 0)
		return lanes_begin(s);
	if (s->transport.closed)
		return end(s, HOST_AUTH_FAILED, "%s: the host hung up during authentication: %s",
		    s->record->user, ssh_error(s));
	s->offer++;
	return MOVED;
}

/* ---- key exchange and host key ---- */

static const char *fingerprint(struct session *s, struct view key)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	struct view rest = key, type = view_of("?");
	struct buf text = {0};
	unsigned n = 0;

	wire_get_string(&rest, &type);
	EVP_Digest(key.p, key.n, hash, &n, EVP_sha256(), NULL);
	text_base64_encode((struct view){(char *)hash, n}, &text);
	while (text.n > 0 && text.p[text.n - 1] == '=')
		text.n--;
	const char *printed = arena_printf(
	    s->record->arena, "%.*s SHA256:%s", VIEW_ARG(view_left(type, 60)), buf_str(&text));
	buf_free(&text);
	return printed;
}

static enum outcome check_host_key(struct session *s)
{
	size_t n = 0;
	int type;
	const char *bytes = libssh2_session_hostkey(s->ssh, &n, &type);
	struct view key = {bytes, bytes == NULL ? 0 : n};

	s->record->hostkey = fingerprint(s, key);
	s->record->kex = arena_printf(s->record->arena, "%s %s %s",
	    libssh2_session_methods(s->ssh, LIBSSH2_METHOD_KEX),
	    libssh2_session_methods(s->ssh, LIBSSH2_METHOD_CRYPT_CS),
	    libssh2_session_methods(s->ssh, LIBSSH2_METHOD_MAC_CS));
	switch (known_hosts_check(s->known_hosts, s->spec->address, s->record->port, key)) {
	case KNOWN_HOSTS_MATCH:
		break;
	case KNOWN_HOSTS_UNKNOWN:
		return end(s, HOST_HOSTKEY_UNKNOWN,
		    "no known_hosts entry for %s port %u; it offers %s", s->spec->address,
		    s->record->port, s->record->hostkey);
	case KNOWN_HOSTS_CHANGED:
		return end(s, HOST_HOSTKEY_CHANGED,
		    "known_hosts has another key for %s port %u than the one it offers, %s",
		    s->spec->address, s->record->port, s->record->hostkey);
	case KNOWN_HOSTS_REVOKED:
		return end(s, HOST_HOSTKEY_REVOKED, "the key that %s port %u offers is revoked: %s",
		    s->spec->address, s->record->port, s->record->hostkey);
	}
	choose_offers(s);
	s->step = LOGIN;
	return MOVED;
}

static enum outcome step_handshake(struct session *s)
{
	const struct transport *t = &s->transport;

	if (!t->banner_seen && !t->closed)
		return WAITING;
	int code =
	    t->banner_seen ? libssh2_session_handshake(s->ssh, t->fd) : LIBSSH2_ERROR_BANNER_RECV;
	if (code == LIBSSH2_ERROR_EAGAIN)
		return WAITING;
	if (code == 0)
		return check_host_key(s);
	if (t->flooded && !t->banner_seen)
		return end(
		    s, HOST_PROTOCOL_ERROR, "it sent lines without end instead of an SSH banner");
	if (!t->banner_seen && t->said[0] != '\0')
		return end(
		    s, HOST_PROTOCOL_ERROR, "it said '%s' instead of an SSH banner", t->said);
	if (!t->banner_seen)
		return end(s, HOST_PROTOCOL_ERROR,
		    "it closed the connection before its SSH banner%s%s", t->error ? ": " : "",
		    t->error ? strerror(t->error) : "");
	return end(s, HOST_PROTOCOL_ERROR, "key exchange failed: %s (libssh2 %s, error %d)",
	    ssh_error(s), libssh2_version(0), code);
}

static ssize_t ssh_recv(libssh2_socket_t fd, void *bytes, size_t n, int flags, void **abstract)
{
	struct session *s = *abstract;

	(void)fd, (void)flags;
	return transport_recv(&s->transport, bytes, n);
}

static ssize_t ssh_send(
    libssh2_socket_t fd, const void *bytes, size_t n, int flags, void **abstract)
{
	struct session *s = *abstract;

	(void)fd, (void)flags;
	return transport_send(&s->transport, bytes, n);
}

/* Is a host key algorithm one for keys of the types in this list? RSA keys have three (RFC 8332).
 */
static bool serves(const char *types, const char *algorithm)
{
	struct view list = view_of(types), type;

	while (view_next_part(&list, ',', &type)) {
		if (view_eq(type, algorithm) ||
		    (view_eq(type, "ssh-rsa") && strncmp(algorithm, "rsa-sha2-", 9) == 0))
			return true;
	}
	return false;
}

/*
 * Ask for a key of a type that known_hosts has, so that a host with several keys is not called
 * unknown. Only names that libssh2 supports may be given: 1.10 copies over itself when it drops
 * one.
 */
static void prefer_known_types(struct session *s)
{
	const char *known =
	    known_hosts_types(s->known_hosts, s->spec->address, s->record->port, s->record->arena);
	const char **supported = NULL;
	struct buf list = {0};
	int n = libssh2_session_supported_algs(s->ssh, LIBSSH2_METHOD_HOSTKEY, &supported);

	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < n; i++) {
			if (serves(known, supported[i]) == (pass == 0))
				buf_printf(&list, "%s%s", list.n > 0 ? "," : "", supported[i]);
		}
	}
	if (list.n > 0 && *known != '\0')
		libssh2_session_method_pref(s->ssh, LIBSSH2_METHOD_HOSTKEY, buf_str(&list));
	libssh2_free(s->ssh, supported);
	buf_free(&list);
}

static enum outcome handshake_begin(struct session *s)
{
	s->ssh = libssh2_session_init_ex(NULL, NULL, NULL, s);
	if (s->ssh == NULL)
		return end(s, HOST_PROTOCOL_ERROR, "libssh2 has no memory for a session");
	libssh2_session_set_blocking(s->ssh, 0);
	libssh2_session_callback_set(s->ssh, LIBSSH2_CALLBACK_SEND, (void *)ssh_send);
	libssh2_session_callback_set(s->ssh, LIBSSH2_CALLBACK_RECV, (void *)ssh_recv);
	prefer_known_types(s);
	s->step = HANDSHAKE;
	return MOVED;
}

/* ---- the machine ---- */

static enum outcome step(struct session *s)
{
	switch (s->step) {
	case HANDSHAKE:
		return step_handshake(s);
	case LOGIN:
		return step_login(s);
	case LANES:
		return step_lanes(s);
	default:
		return WAITING;
	}
}

static enum outcome flooded(struct session *s)
{
	if (s->step == LANES)
		return end(s, HOST_PARTIAL, "it sent more than %zu MiB", TRANSPORT_HOST_MAX >> 20);
	return end(s, HOST_PROTOCOL_ERROR, "it sent more than %zu MiB before the login",
	    TRANSPORT_LOGIN_MAX >> 20);
}

/* Drive until nothing moves and nothing that has arrived is left, then send what came of it. */
static void drive(struct session *s)
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
		outcome = end(s, HOST_DISCONNECTED, "the host closed the connection%s%s",
		    s->transport.error ? ": " : "",
		    s->transport.error ? strerror(s->transport.error) : "");
	if (outcome == ENDED) {
		finish(s);
		return;
	}
	bool more = transport_flush(&s->transport);
	loop_want_write(s->shared->loop, &s->watch, more);
}

static void socket_ready(void *context)
{
	struct session *s = context;

	transport_fill(&s->transport);
	drive(s);
}

/* ---- connecting ---- */

static void connect_next(struct session *s);

static enum host_status connect_status(int error)
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
	loop_cancel(s->shared->loop, &s->attempt_timer);
	close_socket(s);
	if (++s->attempt < s->answer.n) {
		connect_next(s);
		return;
	}
	end(s, connect_status(error), "%s port %u: %s", s->spec->address, s->record->port,
	    strerror(error));
	finish(s);
}

static void attempt_expired(void *context)
{
	connect_failed(context, ETIMEDOUT);
}

/* Which of our addresses do hosts see? A docker network that covers it cuts them off from us. */
static void note_bastion(struct session *s)
{
	struct sockaddr_storage local = {.ss_family = AF_UNSPEC};
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
	note_bastion(s);
	s->watch.ready = socket_ready;
	if (handshake_begin(s) == ENDED)
		finish(s);
	else
		drive(s);
}

static void connect_next(struct session *s)
{
	const struct sockaddr *address = (const struct sockaddr *)&s->answer.addresses[s->attempt];
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int64_t left = s->login_timer.at - clock_ms();
	struct err err;

	s->step = CONNECT;
	if (fd < 0) {
		connect_failed(s, errno);
		return;
	}
	transport_init(&s->transport, fd);
	int code = connect(fd, address, s->answer.lengths[s->attempt]);
	if (code < 0 && errno != EINPROGRESS) {
		connect_failed(s, errno);
		return;
	}
	if (!loop_watch(s->shared->loop, &s->watch, fd, connect_ready, s, &err)) {
		end(s, HOST_UNREACHABLE, "%s", err.text);
		finish(s);
		return;
	}
	loop_want_write(s->shared->loop, &s->watch, true);
	/* Share what is left of the time among the addresses still to try. */
	loop_timer(s->shared->loop, &s->attempt_timer, left / (int64_t)(s->answer.n - s->attempt),
	    attempt_expired, s);
}

static void resolved(void *context, const struct resolve_answer *answer)
{
	struct session *s = context;

	s->request = NULL;
	s->answer = *answer;
	if (answer->n == 0) {
		end(s, HOST_RESOLVE_FAILED, "%s: %s", s->spec->address, answer->error);
		finish(s);
		return;
	}
	connect_next(s);
}

/* ---- limits ---- */

static void login_expired(void *context)
{
	struct session *s = context;
	double seconds = s->shared->login_ms / 1000.0;

	if (s->step == RESOLVE)
		end(s, HOST_RESOLVE_FAILED, "%s: no answer in %g s", s->spec->address, seconds);
	else if (s->step == CONNECT)
		end(s, HOST_CONNECT_TIMEOUT, "%s port %u: no answer in %g s", s->spec->address,
		    s->record->port, seconds);
	else if (s->step == HANDSHAKE && !s->transport.banner_seen)
		end(s, HOST_BANNER_TIMEOUT,
		    "it accepted the connection but sent no SSH banner in %g s", seconds);
	else if (s->step == HANDSHAKE)
		end(s, HOST_PROTOCOL_ERROR, "it stalled in the key exchange for %g s", seconds);
	else
		end(s, HOST_AUTH_FAILED, "%s: it did not answer the login in %g s", s->record->user,
		    seconds);
	finish(s);
}

static void host_expired(void *context)
{
	struct session *s = context;

	session_abort(s, HOST_DEADLINE,
	    arena_printf(s->record->arena, "not done in %g s", s->shared->host_ms / 1000.0));
}

struct session *session_start(struct session_shared *shared, const struct host_spec *spec,
    const struct known_hosts *known_hosts,
    void (*done)(void *context, struct session *session, struct host_record *record), void *context)
{
	struct session *s = mem_alloc(sizeof *s);

	s->shared = shared;
	s->spec = spec;
	s->known_hosts = known_hosts;
	s->done = done;
	s->context = context;
	s->self = s;
	s->watch.fd = s->transport.fd = -1;
	s->started = clock_ms();
	s->record = session_record(spec, shared->local_user);
	loop_timer(shared->loop, &s->login_timer, shared->login_ms, login_expired, s);
	loop_timer(shared->loop, &s->host_timer, shared->host_ms, host_expired, s);
	s->request = resolver_ask(shared->resolver, spec->address, s->record->port, resolved, s);
	return s;
}
