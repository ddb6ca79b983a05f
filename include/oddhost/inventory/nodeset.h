/*
 * ClusterShell's node sets, as far as they name hosts: `n[1-3,7]`, `n[001-010]`, `n[0-8/2]`,
 * `dc[1-2]n[1-4]` (nodeset(1); ClusterShell 1.9: NodeSet.py, RangeSet.py). The operators between
 * them are a limit's (limit.h).
 */
#ifndef ODDHOST_INVENTORY_NODESET_H
#define ODDHOST_INVENTORY_NODESET_H

#include <stdbool.h>
#include <stddef.h>

#include "oddhost/base/err.h"
#include "oddhost/base/view.h"

/* The length of the brackets of numbers that `text` begins with, 0 where it does not. */
size_t nodeset_brackets(struct view text);

/*
 * How the text can be read: brackets of numbers are a node set's, but `n[1-3]` is also a glob of
 * three names, and the last brackets may be a subscript. NODESET_ONLY: a comma, a step, or a range
 * that ends in more than one digit, which as a glob would mean what nobody means.
 */
enum nodeset_kind { NODESET_NONE, NODESET_PERHAPS, NODESET_ONLY };
enum nodeset_kind nodeset_kind(struct view text);

/*
 * Call `each` with every name, the leftmost range slowest. Stops and returns true where `each`
 * returns false. Fails, before the first call, on a range that cannot be understood and on more
 * than INVENTORY_MOST_HOSTS names.
 */
bool nodeset_expand(
    struct view text, bool (*each)(void *arg, struct view name), void *arg, struct err *err);

#endif
