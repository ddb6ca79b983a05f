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

/* The connection that would be made; null and [] mean the defaults of host_spec. */
static struct json *describe(struct scope *scope, size_t i)
{
	const struct host_spec *spec = &scope->hosts[i];
	struct json *root = json_object();

	json_set_string(root, "host", spec->name);
	json_set(root, "vars", list_make_vars(scope->inventory, scope->selected[i], true));
	struct json *connection = json_set(root, "connection", json_object());
	json_set_string(connection, "address", spec->address);
	json_set_number(connection, "port", spec->port == 0 ? 22 : spec->port);
	json_set_string(connection, "user", spec->user);
	json_set(connection, "identities", paths(spec->identities, spec->n_identities));
	json_set(connection, "known_hosts", paths(spec->known_hosts, spec->n_known_hosts));
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
	int code;

	if ((options->list ? 1 : 0) + (options->hosts ? 1 : 0) + (options->host != NULL ? 1 : 0) !=
	    1)
		return cli_usage(
		    command, "inventory: expected one of --list, --hosts and --host NAME");
	bool ok = scope_load(command, options, &scope);
	if (scope.n_hosts == 0)
		code = EXIT_TROUBLE;
	else if (options->list)
		code = print(list_make(scope.inventory, scope.selected, scope.n_hosts));
	else if (options->hosts)
		code = print_names(&scope);
	else
		code = print_host(&scope, options->host);
	scope_free(&scope);
	return ok ? code : EXIT_TROUBLE;
}
