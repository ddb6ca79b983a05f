/*
 * Limits: which hosts of an inventory are meant (ansible-core: inventory/manager.py). Terms are
 * separated by commas, or by colons where the whole is no host name: a group or host, a glob of
 * both, `~regex`, `group[0]`, `group[1:3]` (inclusive), `@file` with a term on each line; `&term`
 * intersects and `!term` excludes, whatever their place. Only modifiers imply `all`.
 *
 * Regular expressions are POSIX's extended ones with \d \w \s and their opposites, matched from
 * the beginning of the name.
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

/* Python's fnmatch: `*`, `?`, `[seq]`, `[!seq]`; linear in time but for the product of both. */
bool limit_glob(struct view pattern, struct view name);

#endif
