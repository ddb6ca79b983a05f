#include "oddhost/cli/cli.h"

#include <string.h>
#include <unistd.h>

#include "oddhost/base/file.h"
#include "oddhost/base/json.h"
#include "oddhost/cli/scope.h"
#include "oddhost/inventory/list.h"

static int print(struct json *root)
{
	struct buf out = {0};
	bool ok;

	json_print(root, true, &out);
	json_free(root);
	ok = file_write_all(STDOUT_FILENO, buf_view(&out));
	buf_free(&out);
	return ok ? EXIT_CLEAN : EXIT_TROUBLE;
}

static struct json *paths(const char *const *list, size_t n)
{
	struct json *array = json_array();

	for (size_t i = 0; i < n; i++)
		json_push(array, json_new_string(list[i]));
	return array;
}

/* Where a value was written: "option --user", "hosts.ini:3", "default". */
static void set_origin(
    struct json *from, struct arena *arena, const char *name, const struct ssh_value *value)
{
	const char *source = value == NULL ? NULL : value->source, *text = "default";

	if (source != NULL && strncmp(source, "--", 2) == 0)
		text = arena_printf(arena, "option %s", source);
	else if (source != NULL && value->line != 0)
		text = arena_printf(arena, "%s:%u", source, value->line);
	else if (source != NULL)
		text = source;
	json_set_string(from, name, text);
}

static struct json *describe_origins(struct arena *arena, const struct ssh_options *options)
{
	static const struct {
		const char *name;
		enum ssh_key key;
	} rows[] = {{"port", SSH_PORT}, {"user", SSH_USER}, {"known_as", SSH_HOST_KEY_ALIAS},
	    {"host_key", SSH_HOST_KEY_CHECKING}, {"identities_only", SSH_IDENTITIES_ONLY},
	    {"agent", SSH_IDENTITY_AGENT}, {"bind_address", SSH_BIND_ADDRESS},
	    {"family", SSH_ADDRESS_FAMILY}, {"connect_timeout", SSH_CONNECT_TIMEOUT},
	    {"alive_interval", SSH_ALIVE_INTERVAL}, {"local", SSH_LOCAL}, {"become", SSH_BECOME},
	    {"become_user", SSH_BECOME_USER}};
	struct json *from = json_object();
	const struct ssh_value *name = options->value[SSH_HOST_NAME];
	const struct ssh_value *user_files = options->value[SSH_USER_KNOWN_HOSTS];
	const struct ssh_value *jumps = options->value[SSH_PROXY_JUMP];

	set_origin(from, arena, "address", name != NULL ? name : options->value[SSH_DESTINATION]);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		set_origin(from, arena, rows[i].name, options->value[rows[i].key]);
	set_origin(from, arena, "known_hosts",
	    user_files != NULL ? user_files : options->value[SSH_GLOBAL_KNOWN_HOSTS]);
	set_origin(from, arena, "identities", options->value[SSH_IDENTITY_FILE]);
	set_origin(from, arena, "jumps", jumps != NULL ? jumps : options->value[SSH_PROXY_COMMAND]);
	return from;
}

/* What ssh's configuration says and is not acted on. */
static struct json *describe_unused(struct arena *arena, const struct ssh_options *options)
{
	struct json *array = json_array();

	for (enum ssh_key key = SSH_FIRST_UNUSED; key < SSH_DESTINATION; key++) {
		const struct ssh_value *value = options->value[key];
		if (value == NULL)
			continue;
		struct json *row = json_push(array, json_object());
		json_set_string(row, "option", ssh_option_name(key));
		json_set_string(row, "value", value->words[0]);
		set_origin(row, arena, "from", value);
	}
	return array;
}

static const char *policy_name(enum host_key_policy policy)
{
	return policy == HOST_KEY_OFF ? "off" : policy == HOST_KEY_STRICT ? "strict" : "accept-new";
}

/* The connection that would be made; null and [] mean the defaults of host_spec. */
static struct json *describe_spec(const struct host_spec *spec)
{
	struct json *root = json_object();

	json_set_string(root, "address", spec->address);
	json_set_number(root, "port", spec->port == 0 ? 22 : spec->port);
	json_set_string(root, "user", spec->user);
	json_set(root, "identities", paths(spec->identities, spec->n_identities));
	json_set_bool(root, "usual_keys", spec->n_identities == 0 && !spec->no_usual_keys);
	json_set(root, "known_hosts", paths(spec->known_hosts, spec->n_known_hosts));
	json_set_string(root, "known_as", spec->known_as);
	json_set_string(root, "host_key", policy_name(spec->host_key));
	json_set_bool(root, "identities_only", spec->identities_only);
	json_set_string(root, "agent", spec->agent);
	json_set_string(root, "bind_address", spec->bind_address);
	json_set_string(root, "family",
	    spec->family == IP_V4   ? "inet"
	    : spec->family == IP_V6 ? "inet6"
				    : "any");
	json_set_number(root, "connect_timeout", spec->connect_seconds);
	json_set_number(root, "alive_interval", spec->alive_seconds);
	return root;
}

static struct json *describe(struct scope *scope, size_t i)
{
	const struct host_spec *spec = &scope->hosts[i];
	struct json *root = json_object();

	json_set_string(root, "host", spec->name);
	json_set(root, "vars", list_make_vars(scope->inventory, scope->selected[i], true));
	struct json *connection = json_set(root, "connection", describe_spec(spec));
	struct json *jumps = json_set(connection, "jumps", json_array());
	for (size_t k = 0; k < spec->n_jumps; k++)
		json_push(jumps, describe_spec(&spec->jumps[k]));
	json_set_bool(connection, "local", spec->local);
	json_set_bool(connection, "become", spec->become);
	json_set_string(connection, "become_user", spec->become_user);
	json_set(connection, "from", describe_origins(scope->arena, &scope->origins[i]));
	json_set(connection, "not_used", describe_unused(scope->arena, &scope->origins[i]));
	return root;
}

static int print_host(struct scope *scope, const char *name)
{
	struct err err;

	for (size_t i = 0; i < scope->n_hosts; i++) {
		if (strcmp(scope->hosts[i].name, name) == 0)
			return print(describe(scope, i));
	}
	err_set(&err,
	    "--host: '%.80s' is not among the hosts ('oddhost inventory --hosts' lists them)",
	    name);
	return cli_fail(&err);
}

static int print_names(const struct scope *scope)
{
	struct buf out = {0};
	bool ok;

	for (size_t i = 0; i < scope->n_hosts; i++) {
		buf_puts(&out, scope->hosts[i].name);
		buf_putc(&out, '\n');
	}
	ok = file_write_all(STDOUT_FILENO, buf_view(&out));
	buf_free(&out);
	return ok ? EXIT_CLEAN : EXIT_TROUBLE;
}

int cli_inventory(const struct command *command, const struct options *options)
{
	struct scope scope;
	int code = EXIT_CLEAN;

	if (options->list + options->hosts + options->list_hosts + (options->host != NULL) != 1)
		return cli_usage(command,
		    "inventory: expected one of --list, --hosts, --list-hosts and --host NAME");
	bool ok = scope_load(command, options, &scope);
	if (scope.n_hosts == 0)
		code = EXIT_TROUBLE;
	else if (options->list)
		code = print(list_make(scope.inventory, scope.selected, scope.n_hosts));
	else if (options->hosts)
		code = print_names(&scope);
	else if (options->host != NULL)
		code = print_host(&scope, options->host);
	else
		scope_print_hosts(&scope);
	scope_free(&scope);
	return ok ? code : EXIT_TROUBLE;
}
