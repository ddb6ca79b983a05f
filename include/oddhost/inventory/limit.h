/*
 * Limits: which hosts of an inventory are meant, in Ansible's words (ansible-core:
 * inventory/manager.py) and in ClusterShell's (nodeset(1)).
 *
 * Terms are separated by commas, or by colons and blanks where the whole is no host name: a group
 * or host, a glob of both, `~regex`, `group[0]`, `group[1:3]` (inclusive), a node set
 * (`host-[01-03]`, `n[1,7-9]`; nodeset.h), `@file` with a term on each line, `@group` where there
 * is no such file. `&term` intersects and `!term` excludes, whatever their place; only modifiers
 * imply `all`. Where `!`, `&` or `^` (on one side only) stand between two terms, as in
 * `n[1-9]!n[2-3]`, the limit is evaluated from left to right instead.
 *
 * What both would read is read as Ansible does: `web[1-3]` is a subscript where there is a group
 * `web`, and a warning says so where hosts of the other meaning exist. A bracket that as a glob
 * would make no sense (`n[01-12].net`) is a node set's.
 */
#ifndef ODDHOST_INVENTORY_LIMIT_H
#define ODDHOST_INVENTORY_LIMIT_H

#include "oddhost/base/err.h"
#include "oddhost/inventory/inventory.h"

/*
 * The selected hosts, in inventory order; NULL selects all. The array belongs to the arena. A term
 * that matches nothing is a warning of the inventory. Fails where a term cannot be understood, and
 * where nothing is left; the message then says which groups and hosts there are.
 */
bool limit_select(struct inventory *inventory, struct arena *arena, const char *limit,
    struct inventory_host ***ret_hosts, size_t *ret_n, struct err *err);

#endif
