/* From a connected transport to a host that is known: key exchange and host key. */
#include "session_state.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/mem.h"
#include "oddhost/base/text.h"
#include "oddhost/collect/wire.h"

#define BANNER_MAX 253 /* RFC 4253 section 4.2: 255 with the line break */

/* ---- key exchange ---- */

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

/* libssh2 tells callers of a disconnect by the same codes as of a refusal. */
static LIBSSH2_DISCONNECT_FUNC(take_farewell)
{
	struct session *s = *abstract;
	struct buf text = {0};

	(void)session, (void)reason, (void)language, (void)language_len;
	text_mend_utf8(
	    view_left((struct view){message, (size_t)message_len}, COMPLAINT_MAX), &text);
	s->farewell = arena_dup(s->record->arena, buf_str(&text));
	buf_free(&text);
}

/* Is a host key algorithm one for keys that are known? RSA keys have three (RFC 8332). */
static bool serves(const struct known_keys *known, const char *algorithm)
{
	if (strncmp(algorithm, "rsa-sha2-", 9) == 0)
		algorithm = "ssh-rsa";
	return known_keys_have_type(known, view_of(algorithm));
}

/* Plain "ssh-rsa" is SHA-1: servers of today have it switched off, whatever keys they have. */
static bool is_current(const char *algorithm)
{
	return strcmp(algorithm, "ssh-rsa") != 0 && strcmp(algorithm, "ssh-dss") != 0;
}

/*
 * Ask for a key of a type that known_hosts has, so that a host with several keys is not called
 * unknown. Only names that libssh2 supports may be given: 1.10 copies over itself when it drops
 * one.
 */
static void prefer_known_types(struct session *s)
{
	const char **supported = NULL;
	struct buf list = {0};
	int n = libssh2_session_supported_algs(s->ssh, LIBSSH2_METHOD_HOSTKEY, &supported);

	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < n; i++) {
			bool known = serves(&s->known, supported[i]);
			s->known_asked_for =
			    s->known_asked_for || (known && is_current(supported[i]));
			if (known == (pass == 0))
				buf_printf(&list, "%s%s", list.n > 0 ? "," : "", supported[i]);
		}
	}
	if (list.n > 0 && s->known.n > 0)
		libssh2_session_method_pref(s->ssh, LIBSSH2_METHOD_HOSTKEY, buf_str(&list));
	if (supported != NULL)
		libssh2_free(s->ssh, supported);
	buf_free(&list);
}

bool session_wants_known(const struct session_shared *shared, const struct host_spec *spec)
{
	return spec->host_key != HOST_KEY_OFF || shared->password != NULL;
}

enum outcome login_begin(struct session *s)
{
	s->ssh = libssh2_session_init_ex(NULL, NULL, NULL, s);
	if (s->ssh == NULL)
		return session_end(s, HOST_PROTOCOL_ERROR, "libssh2 has no memory for a session");
	libssh2_session_set_blocking(s->ssh, 0);
	libssh2_session_callback_set(s->ssh, LIBSSH2_CALLBACK_SEND, (void *)ssh_send);
	libssh2_session_callback_set(s->ssh, LIBSSH2_CALLBACK_RECV, (void *)ssh_recv);
	libssh2_session_callback_set(s->ssh, LIBSSH2_CALLBACK_DISCONNECT, (void *)take_farewell);
	s->farewell = NULL;
	s->known_asked_for = s->distrusted = false;
	s->known = (struct known_keys){0};
	if (session_wants_known(s->shared, s->spec))
		s->known = known_store_find(s->shared->known, s->spec, s->record->arena);
	prefer_known_types(s);
	s->step = SESSION_HANDSHAKE;
	return MOVED;
}

/* ---- the host key ---- */

const char *session_fingerprint(struct session *s, struct view key)
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

static enum outcome meet_unknown(struct session *s, struct view key)
{
	struct err err;

	if (s->spec->host_key != HOST_KEY_ACCEPT_NEW)
		return session_end(s, HOST_HOSTKEY_UNKNOWN,
		    "no known_hosts entry for %s port %u; it offers %s", s->spec->address,
		    s->record->port, s->record->hostkey);
	if (!known_store_add(s->shared->known, s->spec, key, &err))
		return session_end(s, HOST_HOSTKEY_UNKNOWN,
		    "the new key of %s could not be kept: %s", s->spec->address, err.text);
	return MOVED;
}

/*
 * The key is of a type of which none is known. A server that has a key of a known type would have
 * shown that one, since it was asked for first; unless libssh2 could not ask for it. Neither is
 * accepted as new: the host is no new one.
 */
static enum outcome meet_other_type(struct session *s, struct view key)
{
	struct view type = view_of("?"), known = type;

	if (s->known_asked_for)
		return session_end(s, HOST_HOSTKEY_CHANGED,
		    "known_hosts has keys of other types for %s port %u than the one it offers, %s",
		    s->spec->address, s->record->port, s->record->hostkey);
	wire_get_string(&key, &type);
	for (size_t i = 0; i < s->known.n; i++) {
		if (!s->known.v[i].revoked)
			known = view_left(s->known.v[i].type, 40);
	}
	return session_end(s, HOST_HOSTKEY_UNKNOWN,
	    "known_hosts has only %.*s keys for %s port %u, which libssh2 %s cannot check; it offers "
	    "%s: verify that and add it (ssh-keyscan -t %s -p %u %s)",
	    VIEW_ARG(known), s->spec->address, s->record->port, libssh2_version(0),
	    s->record->hostkey, view_starts(type, "ecdsa-") ? "ecdsa" : "ed25519", s->record->port,
	    s->spec->address);
}

/*
 * As ssh with StrictHostKeyChecking=no: whoever shows another key than the one that is known may be
 * let in, but is given no password.
 */
static enum outcome judge_key(struct session *s, struct view key)
{
	enum known_hosts_result result = known_keys_check(&s->known, key);

	if (s->spec->host_key == HOST_KEY_OFF) {
		s->distrusted = result != KNOWN_HOSTS_MATCH && result != KNOWN_HOSTS_UNKNOWN;
		return MOVED;
	}
	switch (result) {
	case KNOWN_HOSTS_MATCH:
		return MOVED;
	case KNOWN_HOSTS_UNKNOWN:
		return meet_unknown(s, key);
	case KNOWN_HOSTS_CHANGED:
		return session_end(s, HOST_HOSTKEY_CHANGED,
		    "known_hosts has another key of this type for %s port %u than the one it offers, "
		    "%s",
		    s->spec->address, s->record->port, s->record->hostkey);
	case KNOWN_HOSTS_OTHER_TYPE:
		return meet_other_type(s, key);
	case KNOWN_HOSTS_REVOKED:
		return session_end(s, HOST_HOSTKEY_REVOKED,
		    "the key that %s port %u offers is revoked: %s", s->spec->address,
		    s->record->port, s->record->hostkey);
	}
	return ENDED;
}

static enum outcome check_host_key(struct session *s)
{
	size_t n = 0;
	int type;
	const char *bytes = libssh2_session_hostkey(s->ssh, &n, &type);
	struct view key = {bytes, bytes == NULL ? 0 : n};

	s->record->hostkey = session_fingerprint(s, key);
	s->record->kex = arena_printf(s->record->arena, "%s %s %s",
	    libssh2_session_methods(s->ssh, LIBSSH2_METHOD_KEX),
	    libssh2_session_methods(s->ssh, LIBSSH2_METHOD_CRYPT_CS),
	    libssh2_session_methods(s->ssh, LIBSSH2_METHOD_MAC_CS));
	if (judge_key(s, key) == ENDED)
		return ENDED;
	s->step = SESSION_LOGIN;
	return auth_begin(s);
}

/* ssh_error() of an exchange that failed, with what libssh2's bare words leave out. */
static enum outcome exchange_failed(struct session *s, int code)
{
	const struct transport *t = &s->transport;
	bool shut = t->closed && !t->flooded;

	if (t->flooded && !t->banner_seen)
		return session_end(
		    s, HOST_PROTOCOL_ERROR, "it sent lines without end instead of an SSH banner");
	if (shut && session_retry(s))
		return WAITING;
	if (!t->banner_seen && t->said[0] != '\0')
		return session_end(
		    s, HOST_PROTOCOL_ERROR, "it said '%s' instead of an SSH banner", t->said);
	if (!t->banner_seen)
		return session_no_banner(s, t->error);
	return session_end(s, HOST_PROTOCOL_ERROR,
	    "key exchange failed: %s (libssh2 %s, error %d)%s", session_error(s),
	    libssh2_version(0), code,
	    code == LIBSSH2_ERROR_KEX_FAILURE
		? "; a host with an RSA host key only needs libssh2 1.11"
		: "");
}

/* libssh2 fails on these too, but its error then says nothing of the banner. */
static enum outcome judge_banner(struct session *s)
{
	const struct transport *t = &s->transport;
	struct view banner = view_of(t->banner);

	if (t->banner_size > BANNER_MAX)
		return session_end(s, HOST_PROTOCOL_ERROR,
		    "its SSH banner has %zu bytes, %d are allowed: '%.40s…'", t->banner_size,
		    BANNER_MAX, t->banner);
	if (!view_starts(banner, "SSH-2.0-") && !view_starts(banner, "SSH-1.99-"))
		return session_end(
		    s, HOST_PROTOCOL_ERROR, "it does not speak SSH 2: '%.60s'", t->banner);
	return MOVED;
}

/*
 * Our banner goes out at once, as ssh's does: waiting for the server's first would cost a round
 * trip. For a session through a jump host the descriptor is the jump's: libssh2 only wants one
 * that is valid, all bytes go through the callbacks.
 */
enum outcome login_handshake(struct session *s)
{
	const struct session *outer = s;

	if (s->transport.banner_seen && judge_banner(s) == ENDED)
		return ENDED;
	while (outer->via != NULL)
		outer = jump_session(outer->via);
	int code = libssh2_session_handshake(s->ssh, outer->transport.fd);

	if (code == 0)
		return check_host_key(s);
	if (code == LIBSSH2_ERROR_EAGAIN && !s->transport.closed)
		return WAITING;
	return exchange_failed(s, code);
}
