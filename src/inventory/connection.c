#include "oddhost/inventory/connection.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "oddhost/inventory/words.h"

/* What is being put together for one host. The first value of each wins, but identities add up. */
struct plan {
	struct inventory *inv;
	struct arena *arena;
	struct host_spec *spec;
	const struct inventory_var **vars;
	size_t n_vars;
	const struct inventory_var *from; /* for messages: the variable that is being read */
	bool quiet;                       /* it was reported on already */
	const char *host_name;            /* -o HostName */
	size_t cap_identities, cap_known_hosts;
};

static bool contains(const char *text, const char *part)
{
	return strcasestr(text, part) != NULL;
}

bool connection_is_secret(const char *name)
{
	if (contains(name, "private_key_file") || contains(name, "host_key_checking"))
		return false;
	return contains(name, "pass") || contains(name, "secret") || contains(name, "token") ||
	       contains(name, "credential") || contains(name, "private_key") ||
	       contains(name, "api_key");
}

const char *connection_expand_home(struct arena *arena, const char *path)
{
	const char *home = NULL, *rest = path;

	if (path[0] != '~')
		return path;
	rest = strchr(path, '/');
	if (rest == NULL)
		rest = path + strlen(path);
	if (rest == path + 1) {
		struct passwd *user = getpwuid(getuid());
		home = getenv("HOME");
		if (home == NULL && user != NULL)
			home = user->pw_dir;
	} else {
		char *name =
		    arena_dup_view(arena, (struct view){path + 1, (size_t)(rest - path) - 1});
		struct passwd *user = getpwnam(name);
		home = user == NULL ? NULL : user->pw_dir;
	}
	return home == NULL ? path : arena_printf(arena, "%s%s", home, rest);
}

/* Variables are shared by many hosts: what is wrong with one is said once. */
static void plan_warn(struct plan *plan, const char *text, struct view what)
{
	const struct inventory_var *var = plan->from;

	if (!plan->quiet)
		inventory_warn_at(plan->inv, var->source, var->line, "%s: %.*s%s", var->name->text,
		    VIEW_ARG(view_left(what, 60)), text);
}

static void plan_error(struct plan *plan, const char *expected)
{
	const struct inventory_var *var = plan->from;

	if (!plan->quiet)
		inventory_error_at(plan->inv, var->source, var->line, "%s: expected %s",
		    var->name->text, expected);
}

static void plan_begin(struct plan *plan, const struct inventory_var *var)
{
	plan->from = var;
	plan->quiet = var->reported;
	((struct inventory_var *)var)->reported = true;
}

/*
 * The value of the last of `names` that is set, as text; NULL where none is, or it is empty or a
 * template.
 */
static const char *plan_value(struct plan *plan, const char *const names[], size_t n)
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
	if (var->value.kind != INVENTORY_STRING && var->value.kind != INVENTORY_NUMBER) {
		plan_error(plan, "a string or a number");
		return NULL;
	}
	return *var->value.text == '\0' ? NULL : var->value.text;
}

#define PLAN_VALUE(plan, ...)                                                                      \
	plan_value(plan, (const char *const[]){__VA_ARGS__},                                       \
	    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static void add_identity(struct plan *plan, const char *path)
{
	struct host_spec *spec = plan->spec;

	path = connection_expand_home(plan->arena, path);
	for (size_t i = 0; i < spec->n_identities; i++) {
		if (strcmp(spec->identities[i], path) == 0)
			return;
	}
	spec->identities = arena_grow(plan->arena, spec->identities, spec->n_identities,
	    &plan->cap_identities, sizeof *spec->identities);
	spec->identities[spec->n_identities++] = path;
}

/* UserKnownHostsFile takes several names; "none" is ssh's word for no file. */
static void set_known_hosts(struct plan *plan, struct view value)
{
	struct host_spec *spec = plan->spec;
	struct view word;

	if (spec->n_known_hosts > 0)
		return;
	while (view_next_word(&value, &word)) {
		spec->known_hosts = arena_grow(plan->arena, spec->known_hosts, spec->n_known_hosts,
		    &plan->cap_known_hosts, sizeof *spec->known_hosts);
		spec->known_hosts[spec->n_known_hosts++] = connection_expand_home(plan->arena,
		    view_eq(word, "none") ? "/dev/null" : arena_dup_view(plan->arena, word));
	}
}

static void set_port(struct plan *plan, struct view value)
{
	uint64_t port;

	if (!view_uint(value, 1, 65535, &port))
		plan_error(plan, "a port from 1 to 65535");
	else if (plan->spec->port == 0)
		plan->spec->port = (uint16_t)port;
}

static void set_user(struct plan *plan, struct view value)
{
	if (plan->spec->user == NULL && value.n > 0)
		plan->spec->user = arena_dup_view(plan->arena, value);
}

/* `-o Key=Value` or `-o "Key Value"`; keys are not case-sensitive (ssh_config(5)). */
static void read_ssh_option(struct plan *plan, struct view option)
{
	size_t n = 0;
	struct view value;

	option = view_trim(option);
	while (n < option.n && option.p[n] != '=' && option.p[n] != ' ' && option.p[n] != '\t')
		n++;
	const char *key = arena_dup_view(plan->arena, view_left(option, n));
	value = view_trim(view_skip(option, n));
	if (view_take(&value, "="))
		value = view_trim(value);
	if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
		value = view_skip(view_left(value, value.n - 1), 1);

	if (strcasecmp(key, "Port") == 0)
		set_port(plan, value);
	else if (strcasecmp(key, "User") == 0)
		set_user(plan, value);
	else if (strcasecmp(key, "IdentityFile") == 0)
		add_identity(plan, arena_dup_view(plan->arena, value));
	else if (strcasecmp(key, "UserKnownHostsFile") == 0)
		set_known_hosts(plan, value);
	else if (strcasecmp(key, "HostName") == 0 && plan->host_name == NULL && value.n > 0)
		plan->host_name = arena_dup_view(plan->arena, value);
	else if (strcasecmp(key, "HostName") != 0)
		plan_warn(plan, ": this ssh option is not known here and left out", view_of(key));
}

static void read_ssh_letter(struct plan *plan, char letter, struct view value)
{
	const char flag[] = {'-', letter, '\0'};

	switch (letter) {
	case 'o':
		read_ssh_option(plan, value);
		return;
	case 'i':
		add_identity(plan, arena_dup_view(plan->arena, value));
		return;
	case 'p':
		set_port(plan, value);
		return;
	case 'l':
		set_user(plan, value);
		return;
	default:
		plan_warn(plan, ": this ssh option is not known here and left out", view_of(flag));
	}
}

/* One variable of ssh arguments; letters are ssh(1)'s. */
static void read_ssh_args(struct plan *plan, const char *text)
{
	static const char with_value[] = "BbcDEeFIiJLlmOoPpQRSWw";
	struct view line = view_of(text);
	struct buf word = {0};
	struct err err;
	bool found, ok;

	if (text == NULL)
		return;
	while ((ok = words_next(&line, false, &word, &found, &err)) && found) {
		struct view rest = buf_view(&word);
		if (!view_take(&rest, "-") || rest.n == 0) {
			plan_warn(plan, ": not an ssh option, left out", buf_view(&word));
			continue;
		}
		while (rest.n > 0) {
			char letter = rest.p[0];
			rest = view_skip(rest, 1);
			if (strchr(with_value, letter) == NULL) {
				read_ssh_letter(plan, letter, view_of(""));
				continue;
			}
			if (rest.n == 0 && words_next(&line, false, &word, &found, &err) && found)
				rest = buf_view(&word);
			read_ssh_letter(plan, letter, rest);
			break;
		}
	}
	if (!ok)
		plan_error(plan, "shell words, each quote closed");
	buf_free(&word);
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

static void warn_of_transport(struct plan *plan)
{
	const char *kind = PLAN_VALUE(plan, "ansible_connection");

	if (kind != NULL && strcmp(kind, "ssh") != 0 && strcmp(kind, "smart") != 0 &&
	    strcmp(kind, "paramiko") != 0 && strcmp(kind, "paramiko_ssh") != 0)
		plan_warn(
		    plan, ": hosts are reached over ssh only, and so will this one", view_of(kind));
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
		if (ours && !connection_is_secret(name) && !contains(var->value.text, "pass"))
			spec->vars[spec->n_vars++] = (struct var){name, var->value.text};
	}
}

/* `root@host`, as ssh takes it. */
static void split_user(struct plan *plan)
{
	const char *at = strrchr(plan->spec->address, '@');

	if (at == NULL || at == plan->spec->address || at[1] == '\0')
		return;
	set_user(plan, (struct view){plan->spec->address, (size_t)(at - plan->spec->address)});
	plan->spec->address = at + 1;
}

void connection_find(struct inventory *inv, struct arena *arena, const struct inventory_host *host,
    struct host_spec *ret)
{
	struct plan plan = {.inv = inv, .arena = arena, .spec = ret};
	const char *value;

	*ret = (struct host_spec){.name = host->name, .address = host->name};
	plan.vars = inventory_host_vars(inv, host, &plan.n_vars);
	warn_of_passwords(&plan);
	warn_of_transport(&plan);

	read_ssh_args(&plan, PLAN_VALUE(&plan, "ansible_ssh_args"));
	if ((value = PLAN_VALUE(&plan, "ansible_host", "ansible_ssh_host")) != NULL)
		ret->address = value;
	if ((value = PLAN_VALUE(&plan, "ansible_port", "ansible_ssh_port")) != NULL)
		set_port(&plan, view_of(value));
	if ((value = PLAN_VALUE(
		 &plan, "ansible_private_key_file", "ansible_ssh_private_key_file")) != NULL)
		add_identity(&plan, value);
	if ((value = PLAN_VALUE(&plan, "ansible_user", "ansible_ssh_user")) != NULL)
		set_user(&plan, view_of(value));
	read_ssh_args(&plan, PLAN_VALUE(&plan, "ansible_ssh_common_args"));
	read_ssh_args(&plan, PLAN_VALUE(&plan, "ansible_ssh_extra_args"));
	if (plan.host_name != NULL)
		ret->address = plan.host_name;
	split_user(&plan);
	keep_vars(&plan);
}
