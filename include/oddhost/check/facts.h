/*
 * Facts from the typed model of a host. Normalised away: own addresses, container ids, br-<hash>
 * names (a route through br-c3c094fc6759 is one through its docker network), order, times, and the
 * routes of container networks themselves, whose subnets docker picks per host.
 */
#ifndef ODDHOST_CHECK_FACTS_H
#define ODDHOST_CHECK_FACTS_H

#include "oddhost/model/fact.h"
#include "oddhost/model/run.h"

/* All facts of a host, in the arena; the list points into the host. */
struct fact_list facts_make(
    struct arena *arena, const struct host *host, const struct target *targets, size_t n_targets);

/* The fact of that key, or NULL. */
const struct fact *facts_find(const struct fact_list *list, enum facet facet, const char *key);

#endif
