/*
 * What the groups of an inventory mean together, once all sources were read: which hosts a group
 * holds through the groups below it, and which variables a host has. The rules are those of
 * ansible-core 2.14 (inventory/group.py, vars/manager.py).
 */
#ifndef ODDHOST_INVENTORY_HIERARCHY_H
#define ODDHOST_INVENTORY_HIERARCHY_H

#include "oddhost/inventory/inventory.h"

/*
 * To be called once, after the last source: drops children that would make a loop (an error),
 * puts groups without a parent under `all` and hosts without a group into `ungrouped`, and finds
 * the depths that precedence needs.
 */
void hierarchy_finish(struct inventory *inventory);

/*
 * All hosts of a group and of the groups below it, level by level, each once: the order that
 * subscripts of limits count in. The array belongs to the arena.
 */
struct inventory_host **hierarchy_hosts(struct inventory *inventory, struct arena *arena,
    const struct inventory_group *group, size_t *ret_n);

/*
 * The variables of a host: of `all`, then of its groups by depth, priority and name, then its
 * own; the later wins. Valid until the next call.
 */
const struct inventory_var **hierarchy_vars(
    struct inventory *inventory, const struct inventory_host *host, size_t *ret_n);

#endif
