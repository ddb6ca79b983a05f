/*
 * What a command is about: the hosts that -i and -l select, how they are reached, and what they
 * are to reach. Shared by the commands that take an inventory.
 */
#ifndef ODDHOST_CLI_SCOPE_H
#define ODDHOST_CLI_SCOPE_H

#include <stdbool.h>
#include <stddef.h>

#include "oddhost/base/arena.h"
#include "oddhost/cli/cli.h"
#include "oddhost/inventory/inventory.h"
#include "oddhost/inventory/ssh_option.h"
#include "oddhost/model/run.h"

struct scope {
	struct arena *arena;
	struct inventory *inventory;      /* whose strings the hosts use */
	struct inventory_host **selected; /* beside hosts[] */
	struct host_spec *hosts;          /* in inventory order */
	struct ssh_options *origins;      /* beside hosts[]: where the values came from */
	size_t n_hosts;
	struct target *targets;
	size_t n_targets;
	struct reserved *reserved;
	size_t n_reserved;
	const char *group; /* for run_meta.group: the limit where it is one word, in a form that can
			      be a file's name; else "all" */
};

/*
 * Load the inventories of the options and apply --limit; what the command line says about
 * connections wins over them. Diagnostics are printed. Returns false where the command must end
 * with EXIT_TROUBLE: something in the inventory was not understood, nothing is selected, or no
 * inventory was named. `ret` is to be freed either way.
 */
bool scope_load(const struct command *command, const struct options *options, struct scope *ret);

void scope_free(struct scope *scope);

/* For --list-hosts, on stdout: "hosts (3): host-[01-03]". */
void scope_print_hosts(const struct scope *scope);

#endif
