#include "oddhost/inventory/ssh_option.h"

#include <ctype.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "oddhost/inventory/ssh_expand.h"
#include "oddhost/inventory/ssh_words.h"
#include "oddhost/inventory/words.h"

#define MOST_IDENTITIES 100 /* as ssh */
#define MOST_FILES 32       /* of known_hosts, as ssh */

/* The name of each key, for messages and people. */
static const char *const names[SSH_KEYS] = {
    [SSH_HOST_NAME] = "HostName",
    [SSH_PORT] = "Port",
    [SSH_USER] = "User",
    [SSH_IDENTITY_FILE] = "IdentityFile",
    [SSH_USER_KNOWN_HOSTS] = "UserKnownHostsFile",
    [SSH_GLOBAL_KNOWN_HOSTS] = "GlobalKnownHostsFile",
    [SSH_HOST_KEY_ALIAS] = "HostKeyAlias",
    [SSH_HOST_KEY_CHECKING] = "StrictHostKeyChecking",
    [SSH_PROXY_JUMP] = "ProxyJump",
    [SSH_PROXY_COMMAND] = "ProxyCommand",
    [SSH_CANONICALIZE] = "CanonicalizeHostname",
    [SSH_IDENTITIES_ONLY] = "IdentitiesOnly",
    [SSH_IDENTITY_AGENT] = "IdentityAgent",
    [SSH_CERTIFICATE_FILE] = "CertificateFile",
    [SSH_CONNECT_TIMEOUT] = "ConnectTimeout",
    [SSH_ADDRESS_FAMILY] = "AddressFamily",
    [SSH_BIND_ADDRESS] = "BindAddress",
    [SSH_ALIVE_INTERVAL] = "ServerAliveInterval",
    [SSH_REVOKED_KEYS] = "RevokedHostKeys",
    [SSH_DESTINATION] = "address",
    [SSH_LOCAL] = "local",
    [SSH_BECOME] = "become",
    [SSH_BECOME_USER] = "become_user",
};

/* What else ssh knows (readconf.c of OpenSSH 9.2 to 10.0, with Debian's additions). */
static const char other[] =
    " bindinterface canonicaldomains canonicalizefallbacklocal canonicalizemaxdots "
    "canonicalizepermittedcnames casignaturealgorithms challengeresponseauthentication "
    "channeltimeout checkhostip ciphers connectionattempts dsaauthentication "
    "fingerprinthash gssapiauthentication gssapiclientidentity gssapidelegatecredentials "
    "gssapikeyexchange gssapikexalgorithms gssapirenewalforcesrekey gssapiserveridentity "
    "gssapitrustdns hostbasedacceptedalgorithms hostbasedauthentication hostbasedkeytypes "
    "hostkeyalgorithms kexalgorithms knownhostscommand macs permitremoteopen pkcs11provider "
    "preferredauthentications proxyusefdpass pubkeyacceptedalgorithms pubkeyacceptedkeytypes "
    "pubkeyauthentication rekeylimit remotecommand requiredrsasize securitykeyprovider "
    "sessiontype smartcarddevice tag verifyhostkeydns warnweakcrypto ";
static const char harmless[] =
    " addkeystoagent afstokenpassing batchmode cipher clearallforwardings compression "
    "compressionlevel controlmaster controlpath controlpersist dynamicforward "
    "enableescapecommandline enablesshkeysign escapechar exitonforwardfailure fallbacktorsh "
    "forkafterauthentication forwardagent forwardx11 forwardx11timeout forwardx11trusted "
    "gatewayports globalknownhostsfile2 hashknownhosts ipqos kbdinteractiveauthentication "
    "kbdinteractivedevices keepalive kerberosauthentication kerberostgtpassing "
    "localcommand localforward loglevel logverbose nohostauthenticationforlocalhost "
    "numberofpasswordprompts obscurekeystroketiming passwordauthentication permitlocalcommand "
    "protocol protocolkeepalives refuseconnection remoteforward requesttty "
    "rhostsauthentication rhostsrsaauthentication rsaauthentication sendenv "
    "serveralivecountmax setenv setuptimeout skeyauthentication stdinnull streamlocalbindmask "
    "streamlocalbindunlink syslogfacility tcpkeepalive tisauthentication tunnel tunneldevice "
    "updatehostkeys useblacklistedkeys usekeychain useprivilegedport useroaming usersh "
    "userknownhostsfile2 versionaddendum visualhostkey xauthlocation ";

static bool is_listed(const char *list, struct view keyword)
{
	char word[64] = " ";

	if (keyword.n == 0 || keyword.n + 3 > sizeof word)
		return false;
	for (size_t i = 0; i < keyword.n; i++) {
		if (!isalnum((unsigned char)keyword.p[i]))
			return false;
		word[i + 1] = (char)tolower((unsigned char)keyword.p[i]);
	}
	word[keyword.n + 1] = ' ';
	return strstr(list, word) != NULL;
}

static bool is_word(struct view keyword, const char *name)
{
	return keyword.n == strlen(name) && strncasecmp(keyword.p, name, keyword.n) == 0;
}

enum ssh_key ssh_option_key(struct view keyword)
{
	static const struct {
		const char *name;
		enum ssh_key key;
	} rows[] = {{"Host", SSH_HOST}, {"Match", SSH_MATCH}, {"Include", SSH_INCLUDE},
	    {"IgnoreUnknown", SSH_IGNORE_UNKNOWN}, {"IdentityFile2", SSH_IDENTITY_FILE}};

	for (enum ssh_key key = 0; key < SSH_DESTINATION; key++) {
		if (is_word(keyword, names[key]))
			return key;
	}
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (is_word(keyword, rows[i].name))
			return rows[i].key;
	}
	if (is_listed(other, keyword))
		return SSH_OTHER;
	return is_listed(harmless, keyword) ? SSH_HARMLESS : SSH_UNKNOWN;
}

const char *ssh_option_name(enum ssh_key key)
{
	return names[key];
}

uint16_t ssh_option_port(struct view text)
{
	char name[64];
	uint64_t port;

	if (view_uint(text, 1, UINT16_MAX, &port))
		return (uint16_t)port;
	if (text.n == 0 || text.n >= sizeof name || !isalpha((unsigned char)text.p[0]))
		return 0;
	memcpy(name, text.p, text.n);
	name[text.n] = '\0';
	const struct servent *service = getservbyname(name, "tcp");
	return service == NULL ? 0 : ntohs((uint16_t)service->s_port);
}

static bool is_one_of(struct view word, const char *list)
{
	struct view words = view_of(list), each;

	while (view_next_word(&words, &each)) {
		if (each.n == word.n && strncasecmp(each.p, word.p, word.n) == 0)
			return true;
	}
	return false;
}

bool ssh_option_is_yes(const char *word)
{
	return is_one_of(view_of(word), "yes true always");
}

/* convtime(): numbers, each with an optional unit. */
static bool is_time(struct view word)
{
	bool digits = false;

	if (view_eq(word, "none"))
		return true;
	if (word.n == 0 || word.n > 16)
		return false;
	for (size_t i = 0; i < word.n; i++) {
		bool digit = isdigit((unsigned char)word.p[i]) != 0;
		if (!digit && (!digits || strchr("sSmMhHdDwW", word.p[i]) == NULL))
			return false;
		digits = digit;
	}
	return true;
}

unsigned ssh_option_seconds(const char *text)
{
	static const char letters[] = "smhdw";
	static const unsigned units[] = {1, 60, 3600, 86400, 604800};
	uint64_t sum = 0;

	while (isdigit((unsigned char)*text)) {
		uint64_t number = 0, unit = 1;
		for (; isdigit((unsigned char)*text); text++)
			number =
			    number > UINT32_MAX ? number : number * 10 + (uint64_t)(*text - '0');
		const char *letter =
		    *text == '\0' ? NULL : strchr(letters, tolower((unsigned char)*text));
		if (letter != NULL) {
			unit = units[letter - letters];
			text++;
		}
		sum += number * unit;
	}
	return sum > UINT_MAX ? UINT_MAX : (unsigned)sum;
}

/* The value of an option that is one word or two, "-W" and "-Wx"; false where it is another one. */
static bool take_letter(struct view *command, struct buf *word, char letter, struct buf *value)
{
	struct err err;
	bool found;

	if (word->n < 2 || word->p[0] != '-' || word->p[1] != letter)
		return false;
	value->n = 0;
	if (word->n > 2)
		buf_add_view(value, view_skip(buf_view(word), 2));
	else if (!words_next(command, false, value, &found, &err))
		value->n = 0;
	return true;
}

/* The words of `ssh OPTIONS HOST`; false at one that has no place in a ProxyJump. */
static bool read_proxy_words(
    struct view command, struct buf *user, struct buf *port, struct buf *host, bool *ret_forward)
{
	struct buf word = {0}, value = {0};
	struct err err;
	bool found, ok;

	while ((ok = words_next(&command, false, &word, &found, &err)) && found) {
		struct view text = buf_view(&word);
		if (take_letter(&command, &word, 'W', &value)) {
			*ret_forward = view_eq(buf_view(&value), "%h:%p") ||
				       view_eq(buf_view(&value), "[%h]:%p");
			ok = *ret_forward;
		} else if (!take_letter(&command, &word, 'l', user) &&
			   !take_letter(&command, &word, 'p', port) && !view_eq(text, "-q") &&
			   !view_eq(text, "-T") && !view_eq(text, "-a") && !view_eq(text, "-x")) {
			ok = host->n == 0 && text.n > 0 && text.p[0] != '-';
			buf_add_view(host, text);
		}
		if (!ok)
			break;
	}
	buf_free(&word);
	buf_free(&value);
	return ok;
}

const char *ssh_option_proxy_jump(struct arena *arena, const char *command)
{
	struct buf user = {0}, port = {0}, host = {0};
	struct view text = view_of(command), name, hop_user, hop_host;
	const char *jump = NULL;
	bool forward = false;
	uint16_t number;

	if (strpbrk(command, "$`|;&<>()*?") != NULL || !view_next_word(&text, &name))
		return NULL;
	if (view_eq(name, "exec") && !view_next_word(&text, &name))
		return NULL;
	if ((view_eq(name, "ssh") || view_eq(name, "/usr/bin/ssh")) &&
	    read_proxy_words(text, &user, &port, &host, &forward) && forward &&
	    ssh_hop_read(buf_view(&host), &hop_user, &hop_host, &number) && number == 0 &&
	    view_find_char(hop_host, ':') < 0 &&
	    (port.n == 0 || ssh_option_port(buf_view(&port)) != 0)) {
		/* As of any option, the first one counts: the user before the @ comes last. */
		if (user.n > 0)
			hop_user = buf_view(&user);
		else if (hop_user.n == 0)
			hop_user = view_of("");
		jump = arena_printf(arena, "%.*s%s%.*s%s%s", VIEW_ARG(hop_user),
		    hop_user.n > 0 ? "@" : "", VIEW_ARG(hop_host), port.n > 0 ? ":" : "",
		    buf_str(&port));
	}
	buf_free(&user);
	buf_free(&port);
	buf_free(&host);
	return jump;
}

bool ssh_hop_read(
    struct view text, struct view *ret_user, struct view *ret_host, uint16_t *ret_port)
{
	struct view host = text, user = {0};
	bool uri = view_take(&host, "ssh://");
	long at = -1, end;

	*ret_port = 0;
	for (size_t i = 0; i < host.n; i++) {
		if (host.p[i] == '@')
			at = (long)i;
	}
	if (at == 0)
		return false;
	if (at > 0) {
		user = view_left(host, (size_t)at);
		host = view_skip(host, (size_t)at + 1);
	}
	if (uri && view_find_char(user, '@') >= 0)
		return false;
	if (uri && view_ends(host, "/"))
		host = view_left(host, host.n - 1);
	struct view rest = {0};
	if (host.n > 0 && host.p[0] == '[') {
		if ((end = view_find_char(host, ']')) < 0)
			return false;
		rest = view_skip(host, (size_t)end + 1);
		host = view_skip(view_left(host, (size_t)end), 1);
	} else if ((end = view_find_char(host, ':')) >= 0) {
		rest = view_skip(host, (size_t)end);
		host = view_left(host, (size_t)end);
	}
	if (rest.n > 0 && !view_take(&rest, ":"))
		return false;
	if (rest.n > 0 && (*ret_port = ssh_option_port(rest)) == 0)
		return false;
	for (size_t i = 0; i < host.n; i++) {
		if (strchr(" \t/,\"'", host.p[i]) != NULL)
			return false;
	}
	*ret_user = user;
	*ret_host = host;
	return host.n > 0 && host.p[0] != '-' && (user.n == 0 || user.p[0] != '-');
}

static bool check_jumps(struct view text, struct err *err)
{
	struct view hop, user, host;
	uint16_t port;

	if (is_word(text, "none"))
		return true;
	if (view_ends(text, ","))
		return err_set(err, "[user@]host[:port], several separated by commas, or none");
	while (view_next_part(&text, ',', &hop)) {
		if (!ssh_hop_read(hop, &user, &host, &port))
			return err_set(
			    err, "[user@]host[:port], several separated by commas, or none");
	}
	return true;
}

static bool check(enum ssh_key key, struct view word, struct err *err)
{
	if (word.n == 0)
		return err_set(err, "a value");
	switch (key) {
	case SSH_PORT:
		return ssh_option_port(word) != 0 || err_set(err, "a port from 1 to 65535");
	case SSH_PROXY_JUMP:
		return check_jumps(word, err);
	case SSH_HOST_KEY_CHECKING:
		return is_one_of(word, "yes true no false off ask accept-new") ||
		       err_set(err, "yes, ask, accept-new, no or off");
	case SSH_IDENTITIES_ONLY:
		return is_one_of(word, "yes true no false") || err_set(err, "yes or no");
	case SSH_CANONICALIZE:
		return is_one_of(word, "yes true no false always") ||
		       err_set(err, "yes, no or always");
	case SSH_ADDRESS_FAMILY:
		return is_one_of(word, "any inet inet6") || err_set(err, "any, inet or inet6");
	case SSH_CONNECT_TIMEOUT:
	case SSH_ALIVE_INTERVAL:
		return is_time(word) || err_set(err, "a time");
	default:
		return true;
	}
}

static bool check_tokens(enum ssh_key key, struct view word, struct err *err)
{
	switch (key) {
	case SSH_HOST_NAME:
		return ssh_expand_check(word, "h%", false, err);
	case SSH_PROXY_JUMP:
		return ssh_expand_check(word, "hnpr%", false, err);
	case SSH_IDENTITY_AGENT:
		if (view_starts(word, "$"))
			return true; /* the name of a variable */
		return ssh_expand_check(word, "hnprkudilL%", true, err);
	case SSH_IDENTITY_FILE:
	case SSH_USER_KNOWN_HOSTS:
		return ssh_expand_check(word, "hnprkudilL%", true, err);
	default:
		return true;
	}
}

static void keep(struct arena *arena, struct ssh_value *value, size_t *cap, struct view word)
{
	struct err err;

	if (value->flaw == NULL && !check_tokens(value->key, word, &err))
		value->flaw = arena_dup(arena, err.text);
	value->words = arena_grow(arena, value->words, value->n, cap, sizeof *value->words);
	value->words[value->n++] = arena_dup_view(arena, word);
}

/* Both are taken from the text as it stands, with its quotes; a comment ends a ProxyJump. */
static bool read_proxy(
    struct arena *arena, struct view text, struct ssh_value *ret, struct err *err)
{
	size_t cap = 0;

	while (text.n > 0 && strchr(" \t\r\n=", text.p[0]) != NULL)
		text = view_skip(text, 1);
	if (ret->key == SSH_PROXY_JUMP) {
		size_t n = 0;
		while (n < text.n && strchr(" \t#", text.p[n]) == NULL)
			n++;
		struct view rest = view_trim(view_skip(text, n));
		if (rest.n > 0 && rest.p[0] != '#')
			return err_set(err, "hosts separated by commas, without blanks");
		text = view_left(text, n);
	}
	if (!check(ret->key, text, err))
		return false;
	keep(arena, ret, &cap, text);
	return true;
}

bool ssh_option_read(struct arena *arena, enum ssh_key key, struct view arguments,
    struct ssh_value *ret, struct err *err)
{
	bool files = key == SSH_USER_KNOWN_HOSTS || key == SSH_GLOBAL_KNOWN_HOSTS;
	struct ssh_value value = {.key = key};
	struct buf word = {0};
	bool found, ok;
	size_t cap = 0;

	if (key == SSH_PROXY_JUMP || key == SSH_PROXY_COMMAND) {
		ok = read_proxy(arena, arguments, &value, err);
	} else {
		while ((ok = ssh_words_next(&arguments, &word, &found, err)) && found) {
			if (value.n == (files ? MOST_FILES : 1))
				ok = err_set(err, files ? "fewer files" : "one value only");
			if (!ok || !(ok = check(key, buf_view(&word), err)))
				break;
			keep(arena, &value, &cap, buf_view(&word));
		}
		if (ok && value.n == 0)
			ok = err_set(err, "a value");
		for (size_t i = 0; ok && value.n > 1 && i < value.n; i++) {
			if (strcasecmp(value.words[i], "none") == 0)
				ok = err_set(err, "none to stand alone");
		}
	}
	buf_free(&word);
	if (ok)
		*ret = value;
	return ok;
}

struct ssh_value *ssh_option_make(
    struct arena *arena, enum ssh_key key, const char *word, const char *source, unsigned line)
{
	struct ssh_value *value = arena_alloc(arena, sizeof *value + sizeof *value->words);
	struct err err;

	*value = (struct ssh_value){.key = key,
	    .words = (const char **)(value + 1),
	    .n = 1,
	    .source = source,
	    .line = line};
	value->words[0] = word;
	if (!check_tokens(key, view_of(word), &err))
		value->flaw = arena_dup(arena, err.text);
	return value;
}

void ssh_option_set(struct ssh_options *options, struct arena *arena, struct ssh_value *value)
{
	enum ssh_key key = value->key;

	/* Of the two proxies the first one counts, whichever it is. */
	if ((key == SSH_PROXY_COMMAND && options->value[SSH_PROXY_JUMP] != NULL) ||
	    (key == SSH_PROXY_JUMP && options->value[SSH_PROXY_COMMAND] != NULL))
		return;
	if (options->value[key] == NULL)
		options->value[key] = value;
	if (key != SSH_IDENTITY_FILE || options->n_identities == MOST_IDENTITIES)
		return;
	for (size_t i = 0; i < options->n_identities; i++) {
		if (strcmp(options->identities[i]->words[0], value->words[0]) == 0)
			return;
	}
	options->identities = arena_grow(arena, options->identities, options->n_identities,
	    &options->cap_identities, sizeof(struct ssh_value *));
	options->identities[options->n_identities++] = value;
}

const char *ssh_option_text(
    const struct ssh_options *options, enum ssh_key key, const char *otherwise)
{
	return options->value[key] == NULL ? otherwise : options->value[key]->words[0];
}
