/*
 * What a single host is asked beside the probes of all: the variables oddhost_local (services that
 * must answer on the host itself), oddhost_probe_NAME (commands of the user's own) and
 * oddhost_mesh (its peers).
 */
#ifndef ODDHOST_INVENTORY_QUESTIONS_H
#define ODDHOST_INVENTORY_QUESTIONS_H

#include "oddhost/inventory/inventory.h"
#include "oddhost/model/run.h"

#define QUESTIONS_MESH_WHOLE 16 /* up to so many hosts everyone asks everyone */

/*
 * Fill in the questions of specs[i] from the variables of hosts[i]; memory is the arena's. The
 * peers of a host are those that have oddhost_mesh set themselves: all of them, or past
 * QUESTIONS_MESH_WHOLE the next one of the ring, and those a quarter and a half of it further on,
 * so that the cost is linear. A peer is asked by the address that ssh would connect to. A bad entry
 * is one error of the inventory and is left out.
 */
void questions_find(struct inventory *inventory, struct arena *arena,
    struct inventory_host *const *hosts, struct host_spec *specs, size_t n);

#endif
