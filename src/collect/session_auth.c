/*
 * Logging in (RFC 4252): keys, then a password where one was given. One request is under way at a
 * time, and the next one is chosen only when it has been answered. Which methods the server takes
 * is asked where a password may be needed: before the keys, since sshd does not count that first
 * question as a failure, and again where a key or a password may have been one half of the login.
 */
#include "session_state.h"

#include <string.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/mem.h"

/* ---- which keys ---- */

static void offer(struct session *s, const struct identity *identity)
{
	for (size_t i = 0; i < s->n_offers; i++) {
		if (view_same(s->offers[i]->blob, identity->blob))
			return;
	}
	if (identity->unusable)
		return;
	s->offers =
	    arena_grow(s->record->arena, s->offers, s->n_offers, &s->cap_offers, sizeof *s->offers);
	s->offers[s->n_offers++] = identity;
}

static bool is_held(const struct identity *agent, size_t n, const struct identity *identity)
{
	for (size_t i = 0; i < n; i++) {
		if (view_same(agent[i].blob, identity->blob))
			return true;
	}
	return false;
}

/* The usual files whose keys the agent holds, or does not. */
static void offer_usual(struct session *s, const struct identity *agent, size_t n, bool held)
{
	struct session_shared *shared = s->shared;
	const struct identity *usual;

	for (size_t i = 0;
	     (usual = identities_usual(shared->identities, s->spec, i, shared->diags)) != NULL;
	     i++) {
		if (is_held(agent, n, usual) == held)
			offer(s, usual);
	}
}

/*
 * The keys that the inventory or an option names; where it names none, the usual files that the
 * agent holds the keys of, and behind the agent's others the rest of the usual files: as with ssh,
 * files that happen to be there do not stand before a key that was added on purpose.
 */
static void choose_offers(struct session *s)
{
	struct session_shared *shared = s->shared;
	size_t n;
	const struct identity *agent =
	    identities_agent(shared->identities, s->spec->agent, &n, shared->diags);

	s->n_offers = 0;
	for (size_t i = 0; i < s->spec->n_identities; i++)
		offer(s, identities_file(shared->identities, s->spec->identities[i], s->spec->agent,
			     shared->diags));
	offer_usual(s, agent, n, true);
	for (size_t i = 0; i < n && !s->spec->identities_only; i++)
		offer(s, &agent[i]);
	offer_usual(s, agent, n, false);
}

static bool is_openssh(const struct session *s)
{
	return view_starts(view_of(s->transport.banner), "SSH-2.0-OpenSSH_");
}

/* From 8.8 on; its banner is "SSH-2.0-OpenSSH_9.2p1 Debian-2" or "SSH-2.0-OpenSSH_for_Windows_9.5".
 */
static bool is_openssh_without_sha1(const struct session *s)
{
	struct view rest = view_of(s->transport.banner), word, version = {0}, number = {0};
	uint64_t major, minor = 0;

	view_next_word(&rest, &word);
	while (view_next_part(&word, '_', &version))
		continue;
	if (!is_openssh(s) || !view_next_part(&version, '.', &number) ||
	    !view_uint(number, 0, 999, &major))
		return false;
	view_next_part(&version, 'p', &number);
	return major > 8 || (major == 8 && view_uint(number, 0, 999, &minor) && minor >= 8);
}

static bool is_rsa(const struct identity *identity)
{
	return strcmp(identity->type, "ssh-rsa") == 0;
}

static size_t offers_within_limit(const struct session *s)
{
	return s->n_offers < s->shared->max_keys ? s->n_offers : s->shared->max_keys;
}

/*
 * OpenSSH takes an RSA key that names its SHA-2 algorithm as its type, others only the plain one
 * (which libssh2 from 1.11 on signs with SHA-2 itself). The other way is tried behind all keys,
 * where that can help, and as far as the limit goes: a server counts requests, not keys.
 */
static void choose_keys(struct session *s)
{
	size_t n = offers_within_limit(s);
	size_t most = is_openssh_without_sha1(s) ? n : s->shared->max_keys;
	bool named_first = is_openssh(s);

	s->keys = arena_alloc(s->record->arena, (2 * n + 1) * sizeof *s->keys);
	s->n_keys = s->key = 0;
	for (size_t i = 0; i < n; i++)
		s->keys[s->n_keys++] = (struct login_key){
		    s->offers[i], named_first ? s->offers[i]->offer : s->offers[i]->blob};
	for (size_t i = 0; i < n && s->n_keys < most; i++) {
		if (is_rsa(s->offers[i]))
			s->keys[s->n_keys++] = (struct login_key){
			    s->offers[i], named_first ? s->offers[i]->blob : s->offers[i]->offer};
	}
}

/* ---- one request ---- */

/* The password, where there is one and the host may have it. */
static const char *password_for(const struct session *s)
{
	return s->distrusted ? NULL : s->shared->password;
}

static LIBSSH2_USERAUTH_PUBLICKEY_SIGN_FUNC(sign)
{
	struct session *s = *abstract;
	struct view signature = {0};

	(void)session;
	int code = sign_login(s, (struct view){(const char *)data, data_len}, &signature);
	*sig = (unsigned char *)signature.p; /* libssh2 frees it */
	*sig_len = signature.n;
	s->signature_sent = code == 0;
	return code;
}

/*
 * The first question that does not show what is typed is taken for the password's; what is asked
 * behind it, as for a code, gets no answer.
 */
static LIBSSH2_USERAUTH_KBDINT_RESPONSE_FUNC(answer)
{
	struct session *s = *abstract;

	(void)name, (void)name_len, (void)instruction, (void)instruction_len;
	for (int i = 0; i < num_prompts; i++) {
		bool asked = !prompts[i].echo && !s->password_used;
		const char *text = asked ? s->shared->password : "";
		s->password_used = s->password_used || asked;
		responses[i].text = mem_strdup(text); /* libssh2 frees it */
		responses[i].length = (unsigned)strlen(text);
	}
}

static int ask_methods(struct session *s)
{
	const char *user = s->record->user;
	const char *list = libssh2_userauth_list(s->ssh, user, (unsigned)strlen(user));

	if (list == NULL && libssh2_userauth_authenticated(s->ssh))
		return 0;
	if (list == NULL && libssh2_session_last_errno(s->ssh) == LIBSSH2_ERROR_EAGAIN)
		return LIBSSH2_ERROR_EAGAIN;
	s->methods = arena_dup(s->record->arena, list != NULL ? list : "");
	return LIBSSH2_ERROR_AUTHENTICATION_FAILED;
}

static int request(struct session *s)
{
	const char *user = s->record->user, *password = s->shared->password;
	unsigned n = (unsigned)strlen(user);

	switch (s->method) {
	case LOGIN_LIST:
		return ask_methods(s);
	case LOGIN_KEY:
		return libssh2_userauth_publickey(s->ssh, user,
		    (const unsigned char *)s->keys[s->key].blob.p, s->keys[s->key].blob.n, sign,
		    &s->self);
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

/* ---- the next one ---- */

/* Until it has been asked, a server is taken to want keys. */
static bool takes(const struct session *s, const char *method)
{
	struct view list = view_of(s->methods != NULL ? s->methods : "publickey"), one;

	while (view_next_part(&list, ',', &one)) {
		if (view_eq(one, method))
			return true;
	}
	return false;
}

/* The password goes out once: what counts failures would take it for two. */
static enum login_method next_method(const struct session *s)
{
	if (s->key < s->n_keys && takes(s, "publickey"))
		return LOGIN_KEY;
	if (password_for(s) == NULL || s->password_used)
		return LOGIN_NONE_LEFT;
	return takes(s, "password")               ? LOGIN_PASSWORD
	       : takes(s, "keyboard-interactive") ? LOGIN_KEYBOARD
						  : LOGIN_NONE_LEFT;
}

/* The request was answered by a refusal, which may be one of a half that was right. */
static void take_refusal(struct session *s, int code)
{
	bool half = false;

	switch (s->method) {
	case LOGIN_LIST:
		s->key_accepted = s->signature_sent && !takes(s, "publickey");
		s->signature_sent = false;
		break;
	case LOGIN_KEY:
		half = s->signature_sent;
		if (half)
			s->known_key = s->keys[s->key].identity;
		s->key++;
		break;
	case LOGIN_PASSWORD:
	case LOGIN_KEYBOARD:
		s->password_used = true;
		s->password_expired = code == LIBSSH2_ERROR_PASSWORD_EXPIRED;
		half = s->key < s->n_keys;
		break;
	case LOGIN_NONE_LEFT:
		break;
	}
	s->method = half ? LOGIN_LIST : next_method(s);
}

/* ---- what went wrong ---- */

/* Which keys were offered, so that the right one can be told from those that were tried. */
static void say_keys(struct session *s, struct buf *text)
{
	size_t n = s->key < offers_within_limit(s) ? s->key : offers_within_limit(s);

	buf_printf(text, "refused with the key%s ", n == 1 ? "" : "s");
	for (size_t i = 0; i < n; i++)
		buf_printf(text, "%s%s (%s)", i > 0 ? ", " : "", s->offers[i]->source,
		    session_fingerprint(s, s->offers[i]->blob));
	if (s->n_offers > n && n == s->shared->max_keys)
		buf_printf(text,
		    "; %zu more %s not tried, since --max-keys is %u: name the right one "
		    "(--private-key, IdentityFile)",
		    s->n_offers - n, s->n_offers - n == 1 ? "was" : "were", s->shared->max_keys);
}

static void say_known_key(struct session *s, struct buf *text)
{
	buf_printf(text, "; it knows the key %s", s->known_key->source);
	if (!s->key_accepted)
		buf_puts(text, ", but not for this login: its sshd log says why");
	else
		buf_printf(text, ", and wants beside it: %.200s%s", s->methods,
		    s->shared->password == NULL ? " (-k asks for a password)" : "");
}

static void say_password(struct session *s, struct buf *text)
{
	if (s->distrusted)
		buf_printf(text,
		    "; the password was not sent, since known_hosts has another key for it, or has "
		    "this one as revoked: %s",
		    s->record->hostkey);
	else if (s->password_expired)
		buf_puts(text, "; the password has expired: change it there");
	else if (s->password_used)
		buf_puts(text, "; the password was refused");
	else
		buf_printf(text, "; it takes no password, only: %.200s", s->methods);
}

/* RSA keys need signatures by SHA-2 (RFC 8332), which libssh2 knows from 1.11 on. */
static void say_rsa(struct session *s, struct buf *text)
{
	bool rsa = false;

	for (size_t i = 0; i < s->key && i < s->n_keys; i++)
		rsa = rsa || is_rsa(s->keys[i].identity);
	if (rsa && !is_openssh(s) && libssh2_version(0x010b00) == NULL)
		buf_printf(text,
		    "; RSA user keys on this server need libssh2 1.11, this is %s: use an ed25519 "
		    "key",
		    libssh2_version(0));
}

static void say_problem(const struct identity *identity, struct buf *text)
{
	if (identity->unusable && identity->problem != NULL)
		buf_printf(text, "; %s", identity->problem);
}

/* What kept keys from being offered. */
static void say_problems(struct session *s, struct buf *text)
{
	struct session_shared *shared = s->shared;
	const struct identity *usual;

	if (s->sign_error.text[0] != '\0')
		buf_printf(text, "; %s", s->sign_error.text);
	for (size_t i = 0; i < s->spec->n_identities; i++)
		say_problem(identities_file(shared->identities, s->spec->identities[i],
				s->spec->agent, shared->diags),
		    text);
	for (size_t i = 0;
	     (usual = identities_usual(shared->identities, s->spec, i, shared->diags)) != NULL; i++)
		say_problem(usual, text);
}

static enum outcome login_failed(struct session *s)
{
	struct buf text = {0};

	if (s->key > 0 && !s->key_accepted)
		say_keys(s, &text);
	else if (s->key == 0 && s->n_keys > 0)
		buf_puts(&text, "it takes no keys");
	else if (s->n_keys == 0 && s->shared->password == NULL)
		buf_puts(&text, "there is no key to offer: name one (--private-key, IdentityFile) "
				"or add one to an agent (ssh-add)");
	if (s->known_key != NULL)
		say_known_key(s, &text);
	if (s->shared->password != NULL)
		say_password(s, &text);
	say_rsa(s, &text);
	say_problems(s, &text);
	struct view said = buf_view(&text);
	view_take(&said, "; ");
	session_end(s, HOST_AUTH_FAILED, "login as %s: %.*s", s->record->user, VIEW_ARG(said));
	buf_free(&text);
	return ENDED;
}

static enum outcome hung_up(struct session *s)
{
	size_t keys = s->key + (s->method == LOGIN_KEY);

	return session_end(s, HOST_AUTH_FAILED,
	    "login as %s: the host hung up during authentication, after %zu key%s%s: %s%s",
	    s->record->user, keys, keys == 1 ? "" : "s",
	    s->password_used || s->method > LOGIN_KEY ? " and the password" : "",
	    s->farewell != NULL ? s->farewell : session_error(s),
	    keys > 1 ? "; where it allows few tries (MaxAuthTries), name the key (--private-key)"
		     : "");
}

enum outcome auth_begin(struct session *s)
{
	choose_offers(s);
	choose_keys(s);
	s->methods = NULL;
	s->known_key = NULL;
	s->signature_sent = s->key_accepted = s->password_used = false;
	s->method = password_for(s) != NULL ? LOGIN_LIST : next_method(s);
	return MOVED;
}

enum outcome auth_step(struct session *s)
{
	if (s->method == LOGIN_NONE_LEFT)
		return login_failed(s);

	int code = request(s);
	if (code == LIBSSH2_ERROR_EAGAIN)
		return WAITING;
	if (code == 0) {
		loop_cancel(s->shared->loop, &s->login_timer);
		return s->carries != NULL ? jump_ready(s->carries) : lanes_begin(s);
	}
	if (s->transport.closed || s->farewell != NULL)
		return hung_up(s);
	take_refusal(s, code);
	return MOVED;
}
