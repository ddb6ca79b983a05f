#include "oddhost/cli/scope.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "oddhost/base/text.h"
#include "oddhost/inventory/connection.h"
#include "oddhost/inventory/hierarchy.h"
#include "oddhost/inventory/limit.h"
#include "oddhost/inventory/load.h"
#include "oddhost/inventory/questions.h"
#include "oddhost/inventory/targets.h"

/*
 * A group's name as it stands; of anything else the letters, digits and dots, with one dash for
 * what stands between them: it becomes part of a directory's name.
 */
static const char *group_name(struct arena *arena, const struct inventory *inv, const char *limit)
{
	char *name;
	size_t n = 0;

	if (limit == NULL || *limit == '\0')
		return "all";
	name = arena_alloc(arena, strlen(limit) + 1);
	for (const char *p = limit; *p != '\0' && n < 60; p++) {
		bool plain = isalnum((unsigned char)*p) || *p == '_' ||
			     (*p == '-' && inventory_group(inv, view_of(limit)) != NULL) ||
			     (*p == '.' && n > 0 && name[n - 1] != '-' && name[n - 1] != '.');
		if (plain)
			name[n++] = *p;
		else if (n > 0 && name[n - 1] != '-')
			name[n++] = '-';
	}
	while (n > 0 && (name[n - 1] == '-' || name[n - 1] == '.'))
		n--;
	name[n] = '\0';
	return n == 0 ? "all" : name;
}

static void find_hosts(struct scope *scope, const struct options *options)
{
	const struct connection_options given = {
	    .user = options->user,
	    .private_key = options->private_key,
	    .known_hosts = options->known_hosts,
	    .host_key = options->host_key,
	    .ssh_config = options->ssh_config,
	    .ssh_args = options->ssh_args,
	    .connect_timeout = options->connect_timeout,
	    .become = options->become,
	    .become_user = options->become_user,
	};
	struct arena *arena = scope->arena;
	struct connections *connections = connection_begin(scope->inventory, arena, &given);

	scope->hosts = arena_alloc(arena, (scope->n_hosts + 1) * sizeof *scope->hosts);
	scope->origins = arena_alloc(arena, (scope->n_hosts + 1) * sizeof *scope->origins);
	for (size_t i = 0; i < scope->n_hosts; i++)
		connection_find(
		    connections, scope->selected[i], &scope->hosts[i], &scope->origins[i]);
	connection_end(connections);
}

static bool find_all(struct scope *scope, const struct options *options)
{
	struct inventory *inv = scope->inventory;
	struct targets targets;
	struct err err;

	for (size_t i = 0; i < options->n_inventories; i++)
		inventory_load(inv, options->inventories[i]);
	hierarchy_finish(inv);
	bool ok = limit_select(
	    inv, scope->arena, options->limit, &scope->selected, &scope->n_hosts, &err);
	if (ok) {
		find_hosts(scope, options);
		questions_find(inv, scope->arena, scope->selected, scope->hosts, scope->n_hosts);
		targets_find(inv, scope->arena, scope->selected, scope->n_hosts, &targets);
		scope->targets = targets.targets;
		scope->n_targets = targets.n_targets;
		scope->reserved = targets.reserved;
		scope->n_reserved = targets.n_reserved;
	}
	cli_print_diags(&inv->warnings);
	cli_print_diags(&inv->errors);
	if (!ok)
		cli_fail(&err);
	return ok && inv->errors.n == 0;
}

bool scope_load(const struct command *command, const struct options *options, struct scope *ret)
{
	*ret = (struct scope){.arena = arena_new(), .inventory = inventory_new(), .group = "all"};
	if (options->n_inventories == 0) {
		cli_usage(command, "%s: expected an inventory: -i FILE", command->name);
		return false;
	}
	bool ok = find_all(ret, options);
	ret->group = group_name(ret->arena, ret->inventory, options->limit);
	return ok;
}

void scope_print_hosts(const struct scope *scope)
{
	const char **names = arena_alloc(scope->arena, (scope->n_hosts + 1) * sizeof *names);

	for (size_t i = 0; i < scope->n_hosts; i++)
		names[i] = scope->hosts[i].name;
	cli_say(stdout, "hosts (%zu): %s\n", scope->n_hosts,
	    text_fold(scope->arena, names, scope->n_hosts, 0));
}

void scope_free(struct scope *scope)
{
	arena_free(scope->arena);
	inventory_free(scope->inventory);
	*scope = (struct scope){0};
}
