#include "oddhost/inventory/reach.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "oddhost/base/mem.h"
#include "oddhost/base/table.h"
#include "oddhost/base/text.h"
#include "oddhost/net/prefix.h"

#define DEEPEST_JUMP 16
#define LONGEST_CONNECT 3600 /* seconds, as of -T */

/* The jump hosts of one ProxyJump: many hosts share them. */
struct chain {
	struct host_spec *hops;
	size_t n;
};

struct reach {
	struct inventory *inv;
	struct arena *arena;
	const struct ssh_local *local;
	const char **known_hosts; /* one, or NULL */
	const struct ssh_options *everywhere;
	struct table chains; /* by the configuration's address and the text */
	struct buf key;
};

struct reach *reach_new(struct inventory *inv, struct arena *arena, const struct ssh_local *local,
    const char *known_hosts, const struct ssh_options *everywhere)
{
	struct reach *reach = mem_alloc(sizeof *reach);

	*reach =
	    (struct reach){.inv = inv, .arena = arena, .local = local, .everywhere = everywhere};
	if (known_hosts != NULL) {
		reach->known_hosts = arena_alloc(arena, sizeof *reach->known_hosts);
		reach->known_hosts[0] = ssh_expand_home(arena, local, known_hosts);
	}
	return reach;
}

void reach_free(struct reach *reach)
{
	if (reach == NULL)
		return;
	table_free(&reach->chains);
	buf_free(&reach->key);
	free(reach);
}

static void warn_once(struct reach *reach, struct ssh_value *value, const char *text)
{
	if (!value->reported)
		inventory_warn_at(reach->inv, value->source, value->line, "%s %s",
		    ssh_option_name(value->key), text);
	value->reported = true;
}

/* The jump hosts that ProxyJump names, or that a ProxyCommand stands for; NULL: none. */
static const char *find_jumps(
    struct reach *reach, const struct ssh_options *options, struct ssh_value **ret_value)
{
	struct ssh_value *jump = options->value[SSH_PROXY_JUMP];
	struct ssh_value *command = options->value[SSH_PROXY_COMMAND];
	const char *text = NULL;
	struct err err;

	*ret_value = jump != NULL ? jump : command;
	if (jump != NULL && jump->flaw == NULL)
		text = jump->words[0];
	else if (jump == NULL && command != NULL)
		text = ssh_option_proxy_jump(reach->arena, command->words[0]);
	if (text == NULL || strcasecmp(text, "none") == 0 ||
	    !ssh_expand_check(view_of(text), "hnpr%", false, &err))
		return NULL;
	return text;
}

/* What ssh would do, and is not done here. */
static void warn_of_unsupported(struct reach *reach, const struct ssh_options *options)
{
	struct ssh_value *proxy = options->value[SSH_PROXY_COMMAND];
	struct ssh_value *canonicalize = options->value[SSH_CANONICALIZE];
	struct ssh_value *revoked = options->value[SSH_REVOKED_KEYS];
	struct ssh_value *certificate = options->value[SSH_CERTIFICATE_FILE], *value;

	if (proxy != NULL && strcasecmp(proxy->words[0], "none") != 0 &&
	    find_jumps(reach, options, &value) == NULL)
		warn_once(reach, proxy,
		    "is not run: the host is tried without it (ProxyJump is supported, and 'ssh -W "
		    "%h:%p HOST')");
	if (certificate != NULL && strcasecmp(certificate->words[0], "none") != 0)
		warn_once(reach, certificate,
		    "is not offered: certificates are not supported, the keys are tried as they are");
	if (canonicalize != NULL && ssh_option_is_yes(canonicalize->words[0]))
		warn_once(reach, canonicalize, "is not done: names are taken as they are");
	if (revoked != NULL && strcasecmp(revoked->words[0], "none") != 0)
		warn_once(reach, revoked,
		    "is not read: write the keys as @revoked lines of a known_hosts file");
}

static void check_tokens(struct reach *reach, struct ssh_value *value)
{
	if (value != NULL && value->flaw != NULL && !value->reported) {
		inventory_error_at(reach->inv, value->source, value->line, "%s: expected %s",
		    ssh_option_name(value->key), value->flaw);
		value->reported = true;
	}
}

static enum host_key_policy find_policy(struct reach *reach, struct ssh_options *options)
{
	struct ssh_value *value = options->value[SSH_HOST_KEY_CHECKING];

	if (value == NULL)
		return HOST_KEY_STRICT;
	const char *word = value->words[0];
	if (strcasecmp(word, "accept-new") == 0)
		return HOST_KEY_ACCEPT_NEW;
	if (strcasecmp(word, "no") != 0 && strcasecmp(word, "off") != 0 &&
	    strcasecmp(word, "false") != 0)
		return HOST_KEY_STRICT;
	warn_once(reach, value,
	    "is off: HOST KEYS ARE NOT CHECKED, and whoever answers in a host's place is believed "
	    "and given the login");
	return HOST_KEY_OFF;
}

static const char *expand_path(
    const struct reach *reach, const struct ssh_tokens *tokens, const char *path)
{
	return ssh_expand(
	    reach->arena, tokens, ssh_expand_home(reach->arena, reach->local, path), true);
}

static void find_identities(struct reach *reach, const struct ssh_tokens *tokens,
    const struct ssh_options *options, struct host_spec *ret)
{
	if (options->n_identities == 0)
		return;
	ret->identities =
	    arena_alloc(reach->arena, options->n_identities * sizeof *ret->identities);
	for (size_t i = 0; i < options->n_identities; i++) {
		const char *path = options->identities[i]->words[0];
		if (strcasecmp(path, "none") != 0)
			ret->identities[ret->n_identities++] = expand_path(reach, tokens, path);
	}
	ret->no_usual_keys = ret->n_identities == 0;
}

/* As ssh, both the user's and the system's files; the first is where new keys would go. */
static void find_known_hosts(struct reach *reach, const struct ssh_tokens *tokens,
    const struct ssh_options *options, struct host_spec *ret)
{
	static const char *user_words[] = {"~/.ssh/known_hosts", "~/.ssh/known_hosts2"};
	static const char *global_words[] = {
	    "/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"};
	static const struct ssh_value usual[] = {
	    {.words = user_words, .n = 2}, {.words = global_words, .n = 2}};
	const struct ssh_value *user = options->value[SSH_USER_KNOWN_HOSTS];
	const struct ssh_value *global = options->value[SSH_GLOBAL_KNOWN_HOSTS];

	if (reach->known_hosts != NULL) {
		ret->known_hosts = reach->known_hosts;
		ret->n_known_hosts = 1;
		return;
	}
	if (user == NULL && global == NULL)
		return;
	user = user == NULL ? &usual[0] : user;
	global = global == NULL ? &usual[1] : global;
	ret->known_hosts =
	    arena_alloc(reach->arena, (user->n + global->n) * sizeof *ret->known_hosts);
	for (size_t i = 0; i < user->n; i++)
		ret->known_hosts[ret->n_known_hosts++] =
		    strcasecmp(user->words[i], "none") == 0
			? "/dev/null"
			: expand_path(reach, tokens, user->words[i]);
	for (size_t i = 0; i < global->n; i++) {
		if (strcasecmp(global->words[i], "none") != 0)
			ret->known_hosts[ret->n_known_hosts++] =
			    ssh_expand_home(reach->arena, reach->local, global->words[i]);
	}
}

static const char *find_alias(struct reach *reach, const struct ssh_options *options)
{
	char *alias = arena_dup(reach->arena, ssh_option_text(options, SSH_HOST_KEY_ALIAS, NULL));

	if (alias != NULL)
		text_lower(alias);
	return alias;
}

/* "none", SSH_AUTH_SOCK, the name of another variable, or a socket. */
static const char *find_agent(
    struct reach *reach, const struct ssh_tokens *tokens, const struct ssh_options *options)
{
	const struct ssh_value *value = options->value[SSH_IDENTITY_AGENT];

	if (value == NULL || value->flaw != NULL || strcmp(value->words[0], "SSH_AUTH_SOCK") == 0)
		return NULL;
	if (strcmp(value->words[0], "none") == 0)
		return "";
	if (value->words[0][0] != '$' || value->words[0][1] == '{')
		return expand_path(reach, tokens, value->words[0]);
	const char *path = getenv(value->words[0] + 1);
	return path == NULL ? "" : arena_dup(reach->arena, path);
}

static void find_family(
    struct reach *reach, const struct ssh_options *options, struct host_spec *ret)
{
	const char *family = ssh_option_text(options, SSH_ADDRESS_FAMILY, "any");
	struct ssh_value *bind = options->value[SSH_BIND_ADDRESS];
	struct ip ip;

	ret->family = strcasecmp(family, "inet") == 0    ? IP_V4
		      : strcasecmp(family, "inet6") == 0 ? IP_V6
							 : IP_NONE;
	if (bind == NULL)
		return;
	ret->bind_address = bind->words[0];
	if (!ip_parse(view_of(bind->words[0]), &ip)) {
		warn_once(reach, bind, "is no address: the system chooses the local one");
		ret->bind_address = NULL;
	}
}

/* All but the jump hosts. */
static void resolve(struct reach *reach, struct ssh_config *config, const char *destination,
    struct ssh_options *options, struct host_spec *ret, struct ssh_tokens *tokens)
{
	for (enum ssh_key key = 0; key < SSH_KEYS; key++) {
		if (reach->everywhere->value[key] != NULL)
			options->value[key] = reach->everywhere->value[key];
	}
	ret->address = ssh_config_apply(config, destination, options);
	ret->user = ssh_option_text(options, SSH_USER, NULL);
	ret->port = ssh_option_port(view_of(ssh_option_text(options, SSH_PORT, "")));
	ret->known_as = find_alias(reach, options);
	*tokens = (struct ssh_tokens){
	    .local = reach->local,
	    .host = ret->address,
	    .original = destination,
	    .port = ret->port == 0 ? "22" : arena_printf(reach->arena, "%u", ret->port),
	    .user = ret->user == NULL ? reach->local->user : ret->user,
	    .known_as = ret->known_as == NULL ? destination : ret->known_as,
	};
	for (enum ssh_key key = 0; key < SSH_FIRST_UNUSED; key++)
		check_tokens(reach, options->value[key]);
	for (size_t i = 1; i < options->n_identities; i++)
		check_tokens(reach, options->identities[i]);
	find_identities(reach, tokens, options, ret);
	find_known_hosts(reach, tokens, options, ret);
	ret->host_key = find_policy(reach, options);
	ret->identities_only =
	    ssh_option_is_yes(ssh_option_text(options, SSH_IDENTITIES_ONLY, "no"));
	ret->agent = find_agent(reach, tokens, options);
	ret->connect_seconds =
	    ssh_option_seconds(ssh_option_text(options, SSH_CONNECT_TIMEOUT, ""));
	if (ret->connect_seconds > LONGEST_CONNECT)
		ret->connect_seconds = LONGEST_CONNECT;
	ret->alive_seconds = ssh_option_seconds(ssh_option_text(options, SSH_ALIVE_INTERVAL, ""));
	find_family(reach, options, ret);
	warn_of_unsupported(reach, options);
}

static unsigned port_of(const struct host_spec *spec)
{
	return spec->port == 0 ? 22 : spec->port;
}

/* Is the hop the host itself, as ssh sees it: by the name that ProxyJump has? */
static bool is_itself(
    const struct reach *reach, const struct host_spec *hop, const struct host_spec *host)
{
	struct view user, name;
	uint16_t port;
	const char *login = host->user == NULL ? reach->local->user : host->user;

	return ssh_hop_read(view_of(hop->name), &user, &name, &port) &&
	       view_eq(name, host->address) && (port == 0 ? 22 : port) == port_of(host) &&
	       (user.n == 0 || view_eq(user, login));
}

static void refuse_itself(
    struct reach *reach, const struct host_spec *host, struct ssh_value *value)
{
	if (!value->reported)
		inventory_error_at(reach->inv, value->source, value->line,
		    "ProxyJump: expected another host before %.80s than itself ('Host * !%.80s' "
		    "would leave it out, or 'ProxyJump none' for it)",
		    host->address, host->address);
	value->reported = true;
}

static const struct chain *find_chain(struct reach *reach, struct ssh_config *config,
    const char *text, struct ssh_value *value, unsigned depth);

/* The jump hosts that an option asks for; none where there is no such option. */
static const struct chain *chain_of(struct reach *reach, struct ssh_config *config,
    const struct ssh_options *options, const struct ssh_tokens *tokens,
    const struct host_spec *host, unsigned depth)
{
	static const struct chain none;
	struct ssh_value *value;
	const char *text = find_jumps(reach, options, &value);

	if (text == NULL)
		return &none;
	text = ssh_expand(reach->arena, tokens, text, false);
	const struct chain *chain = find_chain(reach, config, text, value, depth);
	if (chain->n == 0 || !is_itself(reach, &chain->hops[chain->n - 1], host))
		return chain;
	refuse_itself(reach, host, value);
	return &none;
}

static const struct chain *resolve_hop(struct reach *reach, struct ssh_config *config,
    struct view text, struct ssh_value *value, bool first, unsigned depth, struct host_spec *ret)
{
	struct ssh_options options = {0};
	struct arena *arena = reach->arena;
	struct ssh_tokens tokens;
	struct view user, host;
	uint16_t port = 0;

	*ret = (struct host_spec){.name = arena_dup_view(arena, text)};
	if (!ssh_hop_read(text, &user, &host, &port))
		host = text;
	else if (user.n > 0)
		ssh_option_set(&options, arena,
		    ssh_option_make(
			arena, SSH_USER, arena_dup_view(arena, user), value->source, value->line));
	if (port != 0)
		ssh_option_set(&options, arena,
		    ssh_option_make(arena, SSH_PORT, arena_printf(arena, "%u", port), value->source,
			value->line));
	resolve(reach, config, arena_dup_view(arena, host), &options, ret, &tokens);
	return first ? chain_of(reach, config, &options, &tokens, ret, depth + 1) : NULL;
}

static void build_chain(struct reach *reach, struct ssh_config *config, const char *text,
    struct ssh_value *value, unsigned depth, struct chain *chain)
{
	struct view rest = view_of(text), part;
	size_t cap = 0;

	while (view_next_part(&rest, ',', &part)) {
		struct host_spec hop;
		if (part.n == 0) { /* a token may have brought a comma with it */
			inventory_error_at(reach->inv, value->source, value->line,
			    "ProxyJump: expected a host before and behind each comma in '%.100s'",
			    text);
			continue;
		}
		const struct chain *before =
		    resolve_hop(reach, config, part, value, chain->n == 0, depth, &hop);
		if (chain->n > 0 && is_itself(reach, &chain->hops[chain->n - 1], &hop))
			refuse_itself(reach, &hop, value);
		for (size_t i = 0; before != NULL && i < before->n; i++) {
			chain->hops = arena_grow(
			    reach->arena, chain->hops, chain->n, &cap, sizeof *chain->hops);
			chain->hops[chain->n++] = before->hops[i];
		}
		chain->hops =
		    arena_grow(reach->arena, chain->hops, chain->n, &cap, sizeof *chain->hops);
		chain->hops[chain->n++] = hop;
	}
}

static const struct chain *find_chain(struct reach *reach, struct ssh_config *config,
    const char *text, struct ssh_value *value, unsigned depth)
{
	struct arena *arena = reach->arena;

	reach->key.n = 0;
	buf_printf(&reach->key, "%p %s", (void *)config, text);
	struct chain *chain = table_get(&reach->chains, buf_view(&reach->key));
	if (chain != NULL)
		return chain;

	struct view key = arena_view(arena, buf_view(&reach->key));
	chain = arena_alloc(arena, sizeof *chain);
	if (depth < DEEPEST_JUMP)
		build_chain(reach, config, text, value, depth, chain);
	else
		inventory_error_at(reach->inv, value->source, value->line,
		    "ProxyJump: expected a way that ends: the jump hosts lead to each other in a "
		    "loop, or are more than %d",
		    DEEPEST_JUMP);
	return table_add(&reach->chains, key, chain);
}

void reach_find(struct reach *reach, struct ssh_config *config, const char *destination,
    struct ssh_options *options, struct host_spec *ret)
{
	struct ssh_tokens tokens;

	resolve(reach, config, destination, options, ret, &tokens);
	const struct chain *chain = chain_of(reach, config, options, &tokens, ret, 0);
	ret->jumps = chain->hops;
	ret->n_jumps = chain->n;
}
