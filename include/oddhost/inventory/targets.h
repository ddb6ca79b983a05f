/*
 * What the selected hosts are to reach and to stay clear of: the variables oddhost_targets and
 * oddhost_reserved, comma separated (or lists, in JSON).
 */
#ifndef ODDHOST_INVENTORY_TARGETS_H
#define ODDHOST_INVENTORY_TARGETS_H

#include "oddhost/inventory/inventory.h"
#include "oddhost/model/run.h"

struct targets {
	struct target *targets;
	size_t n_targets, cap_targets;
	struct reserved *reserved;
	size_t n_reserved, cap_reserved;
};

/*
 * The union over the hosts, in the order of being seen, without duplicates; all memory is the
 * arena's. A bad entry is one error of the inventory and is left out.
 */
void targets_find(struct inventory *inventory, struct arena *arena,
    struct inventory_host *const *hosts, size_t n, struct targets *ret);

#endif
