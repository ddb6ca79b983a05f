/* The neighbour table: which link-layer address answers for an address nearby. */
#ifndef ODDHOST_PARSE_NEIGHBOURS_H
#define ODDHOST_PARSE_NEIGHBOURS_H

#include <stdbool.h>

#include "oddhost/base/arena.h"
#include "oddhost/base/diag.h"
#include "oddhost/base/view.h"
#include "oddhost/model/host.h"

struct neighbour_list {
	struct arena *arena;
	struct neighbour *v;
	size_t n, cap;
};

/*
 * `ip neigh` (plain, -s, -o, -j), `arp -n` and `arp -an`. arp(8) says "(incomplete)" for FAILED,
 * too, so that is NEIGHBOUR_INCOMPLETE there; of an entry with a link-layer address it says no
 * state, except that flag M is PERMANENT. Returns as line.h says.
 */
bool parse_neighbours(struct view text, struct neighbour_list *list, struct diag_list *diags);

#endif
