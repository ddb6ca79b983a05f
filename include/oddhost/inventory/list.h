/* Printing an inventory as `ansible-inventory --list` does (ansible-core: cli/inventory.py). */
#ifndef ODDHOST_INVENTORY_LIST_H
#define ODDHOST_INVENTORY_LIST_H

#include "oddhost/base/json.h"
#include "oddhost/inventory/inventory.h"

/*
 * Groups with their hosts and children, and each host's variables, those of its groups included,
 * under _meta.hostvars (raw, a host a line). Only the given hosts appear, and a group that is left
 * empty does not. The caller frees the tree.
 */
struct json *list_make(struct inventory *inventory, struct inventory_host *const *hosts, size_t n);

/*
 * One host's variables as an object. With `mask`, the value of a variable whose name says that it
 * is a secret is "********".
 */
struct json *list_make_vars(
    struct inventory *inventory, const struct inventory_host *host, bool mask);

#endif
