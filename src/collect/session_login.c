/* From a connected transport to an authenticated session: key exchange, host key, login. */
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

/* Is a host key algorithm one for keys that are known? RSA keys have three (RFC 8332). */
static bool serves(const struct known_keys *known, const char *algorithm)
{
	if (strncmp(algorithm, "rsa-sha2-", 9) == 0)
		algorithm = "ssh-rsa";
	return known_keys_have_type(known, view_of(algorithm));
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
			if (serves(&s->known, supported[i]) == (pass == 0))
				buf_printf(&list, "%s%s", list.n > 0 ? "," : "", supported[i]);
		}
	}
	if (list.n > 0 && s->known.n > 0)
		libssh2_session_method_pref(s->ssh, LIBSSH2_METHOD_HOSTKEY, buf_str(&list));
	if (supported != NULL)
		libssh2_free(s->ssh, supported);
	buf_free(&list);
}

enum outcome login_begin(struct session *s)
{
	s->ssh = libssh2_session_init_ex(NULL, NULL, NULL, s);
	if (s->ssh == NULL)
		return session_end(s, HOST_PROTOCOL_ERROR, "libssh2 has no memory for a session");
	libssh2_session_set_blocking(s->ssh, 0);
	libssh2_session_callback_set(s->ssh, LIBSSH2_CALLBACK_SEND, (void *)ssh_send);
	libssh2_session_callback_set(s->ssh, LIBSSH2_CALLBACK_RECV, (void *)ssh_recv);
	s->known = known_store_find(s->shared->known, s->spec, s->record->arena);
	prefer_known_types(s);
	s->step = SESSION_HANDSHAKE;
	return MOVED;
}

/* ---- the host key ---- */

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

static enum outcome judge_key(struct session *s, struct view key)
{
	if (s->spec->host_key == HOST_KEY_OFF)
		return MOVED;
	switch (known_keys_check(&s->known, key)) {
	case KNOWN_HOSTS_MATCH:
		return MOVED;
	case KNOWN_HOSTS_UNKNOWN:
		return meet_unknown(s, key);
	case KNOWN_HOSTS_CHANGED:
		return session_end(s, HOST_HOSTKEY_CHANGED,
		    "known_hosts has another key for %s port %u than the one it offers, %s",
		    s->spec->address, s->record->port, s->record->hostkey);
	case KNOWN_HOSTS_REVOKED:
		return session_end(s, HOST_HOSTKEY_REVOKED,
		    "the key that %s port %u offers is revoked: %s", s->spec->address,
		    s->record->port, s->record->hostkey);
	}
	return ENDED;
}

static void offer(struct session *s, const struct identity *identity)
{
	for (size_t i = 0; i < s->n_offers; i++) {
		if (view_same(s->offers[i]->blob, identity->blob))
			return;
	}
	if (!identity->unusable && s->n_offers < SESSION_OFFERS_MAX)
		s->offers[s->n_offers++] = identity;
}

/*
 * The keys that the inventory or an option names, or else the usual files; then the agent's. An
 * encrypted file whose key the agent holds counts as a file here, so that it does not stand behind
 * other keys of a well-filled agent.
 */
static void choose_offers(struct session *s)
{
	static const char *const usual[] = {"id_ed25519", "id_ecdsa", "id_rsa"};
	struct session_shared *shared = s->shared;
	bool usual_keys =
	    s->spec->n_identities == 0 && !s->spec->no_usual_keys && shared->home != NULL;
	size_t n;

	s->n_offers = s->offer = 0;
	for (size_t i = 0; i < s->spec->n_identities; i++)
		offer(s, identities_file(shared->identities, s->spec->identities[i], s->spec->agent,
			     shared->diags));
	for (size_t i = 0; usual_keys && i < 3; i++) {
		const char *path =
		    arena_printf(s->record->arena, "%s/.ssh/%s", shared->home, usual[i]);
		if (access(path, R_OK) == 0)
			offer(s, identities_file(
				     shared->identities, path, s->spec->agent, shared->diags));
	}
	const struct identity *agent =
	    identities_agent(shared->identities, s->spec->agent, &n, shared->diags);
	for (size_t i = 0; i < n && !s->spec->identities_only; i++)
		offer(s, &agent[i]);
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
	if (judge_key(s, key) == ENDED)
		return ENDED;
	choose_offers(s);
	s->method = LOGIN_KEYS;
	s->step = SESSION_LOGIN;
	return MOVED;
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

/* ---- authentication ---- */

static LIBSSH2_USERAUTH_PUBLICKEY_SIGN_FUNC(sign)
{
	struct session *s = *abstract;
	struct view signature = {0};

	(void)session;
	int code = sign_login(s, (struct view){(const char *)data, data_len}, &signature);
	*sig = (unsigned char *)signature.p; /* libssh2 frees it */
	*sig_len = signature.n;
	return code;
}

/* Every question that does not show what is typed is taken for the password's. */
static LIBSSH2_USERAUTH_KBDINT_RESPONSE_FUNC(answer)
{
	struct session *s = *abstract;

	(void)name, (void)name_len, (void)instruction, (void)instruction_len;
	for (int i = 0; i < num_prompts; i++) {
		const char *text = prompts[i].echo ? "" : s->shared->password;
		responses[i].text = mem_strdup(text); /* libssh2 frees it */
		responses[i].length = (unsigned)strlen(text);
	}
}

static int try_method(struct session *s)
{
	const char *user = s->record->user, *password = s->shared->password;
	unsigned n = (unsigned)strlen(user);

	switch (s->method) {
	case LOGIN_KEYS:
		return libssh2_userauth_publickey(s->ssh, user,
		    (const unsigned char *)s->offers[s->offer]->offer.p,
		    s->offers[s->offer]->offer.n, sign, &s->self);
	case LOGIN_PASSWORD:
		return libssh2_userauth_password_ex(
		    s->ssh, user, n, password, (unsigned)strlen(password), NULL);
	case LOGIN_KEYBOARD:
		return libssh2_userauth_keyboard_interactive_ex(s->ssh, user, n, answer);
	case LOGIN_NONE_LEFT:
		break;
	}
	return LIBSSH2_ERROR_AUTHENTICATION_FAILED;
}

/* The next key, or the next method; a password only where one was given. */
static void next_method(struct session *s)
{
	if (s->method == LOGIN_KEYS && s->offer < s->n_offers)
		return;
	if (s->shared->password == NULL || s->method == LOGIN_KEYBOARD)
		s->method = LOGIN_NONE_LEFT;
	else
		s->method = s->method == LOGIN_KEYS ? LOGIN_PASSWORD : LOGIN_KEYBOARD;
}

/* Which keys were offered, so that the right one can be told from those that were tried. */
static const char *offers_refused(struct session *s)
{
	struct buf text = {0};

	buf_printf(&text, "refused with %s", s->n_offers == 1 ? "the key " : "the keys ");
	for (size_t i = 0; i < s->n_offers; i++)
		buf_printf(&text, "%s%s", i > 0 ? ", " : "", s->offers[i]->source);
	const char *copy = arena_dup(s->record->arena, buf_str(&text));
	buf_free(&text);
	return copy;
}

static enum outcome login_failed(struct session *s)
{
	const char *said = s->sign_error.text;

	for (size_t i = 0; *said == '\0' && i < s->spec->n_identities; i++) {
		const struct identity *named = identities_file(s->shared->identities,
		    s->spec->identities[i], s->spec->agent, s->shared->diags);
		if (named->unusable && named->problem != NULL)
			said = named->problem;
	}
	return session_end(s, HOST_AUTH_FAILED, "login as %s: %s%s%s", s->record->user,
	    s->n_offers == 0 && s->shared->password == NULL ? "there is no key to offer"
	    : s->shared->password == NULL                   ? offers_refused(s)
							    : "keys and password were refused",
	    *said != '\0' ? "; " : "", said);
}

enum outcome login_step(struct session *s)
{
	next_method(s);
	if (s->method == LOGIN_NONE_LEFT)
		return login_failed(s);

	int code = try_method(s);
	if (code == LIBSSH2_ERROR_EAGAIN)
		return WAITING;
	if (code == 0) {
		loop_cancel(s->shared->loop, &s->login_timer);
		return s->carries != NULL ? jump_ready(s->carries) : lanes_begin(s);
	}
	if (s->transport.closed)
		return session_end(s, HOST_AUTH_FAILED,
		    "login as %s: the host hung up during authentication, after %zu key%s: %s",
		    s->record->user, s->offer + 1, s->offer == 0 ? "" : "s", session_error(s));
	if (s->method == LOGIN_KEYS)
		s->offer++;
	else
		next_method(s);
	return MOVED;
}
