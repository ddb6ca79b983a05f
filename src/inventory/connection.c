#include "oddhost/inventory/connection.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "oddhost/base/mem.h"
#include "oddhost/inventory/hierarchy.h"
#include "oddhost/inventory/reach.h"
#include "oddhost/inventory/ssh_args.h"
#include "oddhost/inventory/ssh_words.h"

/* A configuration of ssh, by the file that -F names. */
struct config {
	const char *path; /* NULL: the usual files */
	struct ssh_config *config;
};

struct connections {
	struct inventory *inv;
	struct arena *arena;
	const struct connection_options *options;
	struct ssh_local local;
	struct reach *reach;
	struct ssh_options given;      /* by the command line */
	struct ssh_options everywhere; /* of those, what holds for jump hosts, too */
	const char *given_config;      /* likewise */
	struct config *configs;
	size_t n_configs, cap_configs;
};

/* What is being put together for one host. */
struct plan {
	struct connections *all;
	struct inventory *inv;
	struct arena *arena;
	struct host_spec *spec;
	struct ssh_options options;
	const char *config; /* -F */
	const struct inventory_var **vars;
	size_t n_vars;
	/* For messages: what is being read, and whether it was reported on already. */
	const char *name, *source;
	unsigned line;
	bool quiet;
};

static bool contains(const char *text, const char *part)
{
	return strcasestr(text, part) != NULL;
}

bool connection_is_secret(const char *name)
{
	if (contains(name, "private_key_file") || contains(name, "host_key_checking"))
		return false;
	return contains(name, "pass") || contains(name, "vault") || contains(name, "secret") ||
	       contains(name, "token") || contains(name, "credential") ||
	       contains(name, "private_key") || contains(name, "api_key");
}

bool connection_holds_secret(const struct inventory_var *var)
{
	return connection_is_secret(var->name->text) || contains(var->value.text, "pass");
}

/* An option of the command line is its own place. */
static const char *plan_source(const struct plan *plan)
{
	return plan->source == plan->name ? NULL : plan->source;
}

/* Variables are shared by many hosts: what is wrong with one is said once. */
static void plan_warn(struct plan *plan, const char *text, struct view what)
{
	if (!plan->quiet)
		inventory_warn_at(plan->inv, plan_source(plan), plan->line, "%s: %.*s%s",
		    plan->name, VIEW_ARG(view_left(what, 60)), text);
}

static void plan_error(struct plan *plan, const char *expected)
{
	if (!plan->quiet)
		inventory_error_at(plan->inv, plan_source(plan), plan->line, "%s: expected %s",
		    plan->name, expected);
}

static void plan_begin(struct plan *plan, const struct inventory_var *var)
{
	plan->name = var->name->text;
	plan->source = var->source;
	plan->line = var->line;
	plan->quiet = var->reported;
	((struct inventory_var *)var)->reported = true;
}

/* The last of `names` that is set and no template; NULL where none is. */
static const struct inventory_var *plan_var(struct plan *plan, const char *const names[], size_t n)
{
	const struct inventory_var *var = NULL;

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < plan->n_vars; k++) {
			if (strcmp(plan->vars[k]->name->text, names[i]) == 0 &&
			    plan->vars[k]->value.kind != INVENTORY_NULL)
				var = plan->vars[k];
		}
	}
	if (var == NULL)
		return NULL;
	plan_begin(plan, var);
	if (strstr(var->value.text, "{{") != NULL) {
		plan_warn(plan, "holds a template, {{ … }}, which is not evaluated: left out",
		    view_of(""));
		return NULL;
	}
	return var;
}

/* Its value as text; NULL also where that is empty. */
static const char *plan_value(struct plan *plan, const char *const names[], size_t n)
{
	const struct inventory_var *var = plan_var(plan, names, n);

	if (var == NULL)
		return NULL;
	if (var->value.kind != INVENTORY_STRING && var->value.kind != INVENTORY_NUMBER) {
		plan_error(plan, "a string or a number");
		return NULL;
	}
	return *var->value.text == '\0' ? NULL : var->value.text;
}

#define PLAN_VALUE(plan, ...)                                                                      \
	plan_value(plan, (const char *const[]){__VA_ARGS__},                                       \
	    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* Ansible's words for yes and no; `otherwise` where none of the names is set. */
static bool plan_bool(struct plan *plan, const char *name, bool otherwise)
{
	static const char *const yes[] = {"true", "yes", "on", "y", "t", "1", "1.0"};
	static const char *const no[] = {"false", "no", "off", "n", "f", "0", "0.0"};
	const struct inventory_var *var = plan_var(plan, &name, 1);

	if (var == NULL)
		return otherwise;
	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
		if (strcasecmp(var->value.text, yes[i]) == 0)
			return true;
		if (strcasecmp(var->value.text, no[i]) == 0)
			return false;
	}
	plan_error(plan, "yes or no");
	return otherwise;
}

static void set(struct plan *plan, enum ssh_key key, const char *text)
{
	struct ssh_value *value = ssh_option_make(plan->arena, key, text, plan->source, plan->line);

	value->reported = plan->quiet;
	ssh_option_set(&plan->options, plan->arena, value);
}

/* A value as ssh reads it from a line. */
static void set_read(struct plan *plan, enum ssh_key key, struct view text)
{
	struct ssh_value *value = arena_alloc(plan->arena, sizeof *value);
	struct err err;

	if (!ssh_option_read(plan->arena, key, text, value, &err)) {
		err_wrap(&err, "%s", ssh_option_name(key));
		plan_error(plan, err.text);
		return;
	}
	value->source = plan->source;
	value->line = plan->line;
	value->reported = plan->quiet;
	ssh_option_set(&plan->options, plan->arena, value);
}

static void set_port(struct plan *plan, struct view text)
{
	if (ssh_option_port(text) == 0)
		plan_error(plan, "a port from 1 to 65535");
	else
		set(plan, SSH_PORT, arena_dup_view(plan->arena, text));
}

/* `-o Key=Value` or `-o "Key Value"`: a line of ssh_config(5). */
static void read_ssh_option(struct plan *plan, struct view option)
{
	struct buf word = {0};

	option = view_trim(option);
	ssh_words_delim(&option, &word);
	enum ssh_key key = ssh_option_key(buf_view(&word));
	if (key < SSH_KEYS)
		set_read(plan, key, option);
	else if (key != SSH_HARMLESS)
		plan_warn(
		    plan, ": this ssh option is not known here and left out", buf_view(&word));
	buf_free(&word);
}

static void read_ssh_letter(void *context, char letter, struct view value)
{
	const char flag[] = {'-', letter, '\0'};
	struct plan *plan = context;

	switch (letter) {
	case 'o':
		read_ssh_option(plan, value);
		break;
	case 'F':
		plan->config = arena_dup_view(plan->arena, value);
		break;
	case 'J':
		set_read(plan, SSH_PROXY_JUMP, value);
		break;
	case 'i':
		if (value.n > 0)
			set(plan, SSH_IDENTITY_FILE, arena_dup_view(plan->arena, value));
		break;
	case 'p':
		set_port(plan, value);
		break;
	case '4':
		set(plan, SSH_ADDRESS_FAMILY, "inet");
		break;
	case '6':
		set(plan, SSH_ADDRESS_FAMILY, "inet6");
		break;
	case 'b':
		if (value.n > 0)
			set(plan, SSH_BIND_ADDRESS, arena_dup_view(plan->arena, value));
		break;
	case 'l':
		if (value.n > 0)
			set(plan, SSH_USER, arena_dup_view(plan->arena, value));
		break;
	case '\0':
		plan_warn(plan, ": not an ssh option, left out", value);
		break;
	default:
		plan_warn(plan, ": this ssh option is not known here and left out", view_of(flag));
	}
}

static void read_ssh_args(struct plan *plan, const char *text)
{
	struct err err;

	if (text != NULL && !ssh_args_read(view_of(text), read_ssh_letter, plan, &err))
		plan_error(plan, "shell words, each quote closed");
}

static void warn_of_passwords(struct plan *plan)
{
	static const char *const names[] = {"ansible_password", "ansible_ssh_pass",
	    "ansible_ssh_password", "ansible_become_password", "ansible_become_pass",
	    "ansible_sudo_pass", "ansible_ssh_private_key_passphrase",
	    "ansible_private_key_passphrase", "ansible_ssh_private_key", "ansible_private_key"};

	for (size_t k = 0; k < plan->n_vars; k++) {
		for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
			if (strcmp(plan->vars[k]->name->text, names[i]) != 0)
				continue;
			plan_begin(plan, plan->vars[k]);
			plan_warn(plan,
			    "secrets in an inventory are not used: log in with a key or an agent",
			    view_of(""));
		}
	}
}

static void find_transport(struct plan *plan)
{
	static const char *const known[] = {"ssh", "smart", "paramiko", "paramiko_ssh"};
	const char *kind = PLAN_VALUE(plan, "ansible_connection");
	struct view name = view_of(kind);

	if (kind == NULL)
		return;
	view_take(&name, "ansible.builtin.");
	plan->spec->local = view_eq(name, "local");
	if (plan->spec->local)
		set(plan, SSH_LOCAL, kind);
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (view_eq(name, known[i]))
			return;
	}
	if (!plan->spec->local)
		plan_warn(
		    plan, ": hosts are reached over ssh only, and so will this one", view_of(kind));
}

static void find_become(struct plan *plan)
{
	const struct connection_options *given = plan->all->options;
	struct host_spec *spec = plan->spec;
	const char *text;

	spec->become = plan_bool(plan, "ansible_become", false);
	if (spec->become)
		set(plan, SSH_BECOME, "yes");
	if (given->become)
		plan->options.value[SSH_BECOME] = plan->all->given.value[SSH_BECOME];
	spec->become |= given->become;
	if ((text = PLAN_VALUE(plan, "ansible_become_user")) != NULL)
		set(plan, SSH_BECOME_USER, text);
	spec->become_user = ssh_option_text(&plan->options, SSH_BECOME_USER, NULL);
	text = PLAN_VALUE(plan, "ansible_become_method");
	if (text != NULL && spec->become && strcmp(text, "sudo") != 0)
		plan_warn(plan, ": only sudo is used to become another user", view_of(text));
}

/* For the record: what says how the host was reached and what was asked, and no secret. */
static void keep_vars(struct plan *plan)
{
	struct host_spec *spec = plan->spec;

	if (plan->n_vars == 0)
		return;
	spec->vars = arena_alloc(plan->arena, plan->n_vars * sizeof *spec->vars);
	for (size_t i = 0; i < plan->n_vars; i++) {
		const struct inventory_var *var = plan->vars[i];
		const char *name = var->name->text;
		bool ours = strncmp(name, "ansible_", 8) == 0 || strncmp(name, "oddhost_", 8) == 0;
		if (ours && !connection_holds_secret(var))
			spec->vars[spec->n_vars++] = (struct var){name, var->value.text};
	}
}

/* `root@host`, as ssh takes it. */
static const char *split_user(struct plan *plan, const char *destination)
{
	const char *at = strrchr(destination, '@');

	if (at == NULL || at == destination || at[1] == '\0')
		return destination;
	struct view user = {destination, (size_t)(at - destination)};
	set(plan, SSH_USER, arena_dup_view(plan->arena, user));
	return at + 1;
}

/* What stands on ssh's command line, in the order of Ansible's. */
static const char *read_vars(struct plan *plan, const struct inventory_host *host)
{
	const char *value;

	read_ssh_args(plan, PLAN_VALUE(plan, "ansible_ssh_args"));
	if (!plan_bool(plan, "ansible_host_key_checking", true) ||
	    !plan_bool(plan, "ansible_ssh_host_key_checking", true))
		set_read(plan, SSH_HOST_KEY_CHECKING, view_of("no"));
	if ((value = PLAN_VALUE(plan, "ansible_port", "ansible_ssh_port")) != NULL)
		set_port(plan, view_of(value));
	value = PLAN_VALUE(plan, "ansible_private_key_file", "ansible_ssh_private_key_file");
	if (value != NULL)
		read_ssh_letter(plan, 'i', view_of(value));
	if ((value = PLAN_VALUE(plan, "ansible_user", "ansible_ssh_user")) != NULL)
		set(plan, SSH_USER, value);
	if ((value = PLAN_VALUE(plan, "ansible_ssh_timeout")) != NULL)
		set_read(plan, SSH_CONNECT_TIMEOUT, view_of(value));
	read_ssh_args(plan, PLAN_VALUE(plan, "ansible_ssh_common_args"));
	read_ssh_args(plan, PLAN_VALUE(plan, "ansible_ssh_extra_args"));
	value = PLAN_VALUE(plan, "ansible_host", "ansible_ssh_host");
	if (value == NULL) {
		plan->source = host->source;
		plan->line = host->line;
		plan->quiet = false;
		value = host->name;
	}
	value = split_user(plan, value);
	set(plan, SSH_DESTINATION, value);
	return value;
}

static struct ssh_config *config_of(struct connections *all, const char *path)
{
	struct config *slot;

	for (size_t i = 0; i < all->n_configs; i++) {
		const char *other = all->configs[i].path;
		if (path == other || (path != NULL && other != NULL && strcmp(path, other) == 0))
			return all->configs[i].config;
	}
	all->configs =
	    mem_grow(all->configs, all->n_configs, &all->cap_configs, sizeof *all->configs);
	slot = &all->configs[all->n_configs++];
	*slot = (struct config){path, ssh_config_new(all->inv, all->arena, &all->local)};
	if (path == NULL)
		ssh_config_load_usual(slot->config);
	else if (strcasecmp(path, "none") != 0)
		ssh_config_load(slot->config, ssh_expand_home(all->arena, &all->local, path));
	return slot->config;
}

/* What the command line says is there before anything else. */
static void take_given(struct plan *plan)
{
	const struct ssh_options *given = &plan->all->given;

	for (enum ssh_key key = 0; key < SSH_KEYS; key++) {
		if (given->value[key] != NULL && key != SSH_IDENTITY_FILE && key != SSH_BECOME)
			plan->options.value[key] = given->value[key];
	}
	for (size_t i = 0; i < given->n_identities; i++)
		ssh_option_set(&plan->options, plan->arena, given->identities[i]);
}

/* --private-key: no other is tried. */
static void take_only_key(struct plan *plan)
{
	if (plan->all->options->private_key == NULL)
		return;
	plan->spec->identities = arena_alloc(plan->arena, sizeof *plan->spec->identities);
	plan->spec->identities[0] =
	    ssh_expand_home(plan->arena, &plan->all->local, plan->all->options->private_key);
	plan->spec->n_identities = 1;
}

void connection_find(struct connections *all, const struct inventory_host *host,
    struct host_spec *ret, struct ssh_options *ret_options)
{
	struct plan plan = {.all = all, .inv = all->inv, .arena = all->arena, .spec = ret};

	*ret = (struct host_spec){.name = host->name};
	plan.vars = hierarchy_vars(all->inv, host, &plan.n_vars);
	take_given(&plan);
	warn_of_passwords(&plan);
	find_transport(&plan);
	find_become(&plan);
	const char *destination = read_vars(&plan, host);
	if (ret->local) {
		ret->address = destination;
		ret->user = all->local.user;
	} else {
		if (all->given_config != NULL)
			plan.config = all->given_config;
		reach_find(
		    all->reach, config_of(all, plan.config), destination, &plan.options, ret);
		take_only_key(&plan);
	}
	keep_vars(&plan);
	*ret_options = plan.options;
}

/* The command line's own values, read once. */
static void read_given(struct connections *all)
{
	const struct connection_options *options = all->options;
	struct plan plan = {.all = all, .inv = all->inv, .arena = all->arena};

	plan.source = plan.name = "--private-key";
	if (options->private_key != NULL)
		set(&plan, SSH_IDENTITY_FILE, options->private_key);
	plan.source = plan.name = "--user";
	if (options->user != NULL)
		set(&plan, SSH_USER, options->user);
	plan.source = plan.name = "--known-hosts";
	if (options->known_hosts != NULL)
		set(&plan, SSH_USER_KNOWN_HOSTS, options->known_hosts);
	plan.source = plan.name = "--host-key";
	if (options->host_key != NULL)
		set(&plan, SSH_HOST_KEY_CHECKING,
		    strcmp(options->host_key, "strict") == 0 ? "yes" : options->host_key);
	plan.source = plan.name = "--timeout";
	if (options->connect_timeout != 0)
		set(&plan, SSH_CONNECT_TIMEOUT,
		    arena_printf(all->arena, "%u", options->connect_timeout));
	plan.source = plan.name = "--become";
	if (options->become)
		set(&plan, SSH_BECOME, "yes");
	plan.source = plan.name = "--become-user";
	if (options->become_user != NULL)
		set(&plan, SSH_BECOME_USER, options->become_user);
	plan.source = plan.name = "--ssh-common-args";
	read_ssh_args(&plan, options->ssh_args);
	all->given = plan.options;
	if (options->host_key != NULL)
		all->everywhere.value[SSH_HOST_KEY_CHECKING] =
		    all->given.value[SSH_HOST_KEY_CHECKING];
	if (options->connect_timeout != 0)
		all->everywhere.value[SSH_CONNECT_TIMEOUT] = all->given.value[SSH_CONNECT_TIMEOUT];
	all->given_config = options->ssh_config != NULL ? options->ssh_config : plan.config;
}

struct connections *connection_begin(
    struct inventory *inv, struct arena *arena, const struct connection_options *options)
{
	struct connections *all = mem_alloc(sizeof *all);

	*all = (struct connections){.inv = inv, .arena = arena, .options = options};
	ssh_local_find(arena, &all->local);
	read_given(all);
	all->reach = reach_new(inv, arena, &all->local, options->known_hosts, &all->everywhere);
	return all;
}

void connection_end(struct connections *all)
{
	if (all == NULL)
		return;
	reach_free(all->reach);
	for (size_t i = 0; i < all->n_configs; i++)
		ssh_config_free(all->configs[i].config);
	free(all->configs);
	free(all);
}
