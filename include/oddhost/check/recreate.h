/*
 * How a docker network is made anew, for another subnet: by its compose project, or by hand with
 * the settings, containers and aliases that it has. Lines for a shell of root, in which names from
 * hosts stand as quoted words. What a command can find out on the host is asked there, when it
 * runs: what was collected may be old by then.
 */
#ifndef ODDHOST_CHECK_RECREATE_H
#define ODDHOST_CHECK_RECREATE_H

#include "oddhost/check/advise.h"

/* The command of the compose that made the network: version 1 was a program of its own. */
const char *recreate_compose(const struct docker_network *network);

/*
 * A /64 for the network in place of one that is in the way. Its global ID (RFC 4193, 3.2.2) is of
 * the network's own id, which is random. False where that is not known.
 */
bool recreate_free6(struct check *check, const struct docker_network *network, struct prefix *ret);

/* What the commands of all networks begin with: nothing is changed yet, but they may end here. */
void recreate_prepare(struct check *check, const struct host *host, struct advice *advice);

void recreate_networks(struct check *check, const struct host *host, struct advice *advice);

/* What they cannot do, to the advice's remarks. */
void recreate_remarks(struct check *check, const struct host *host, struct advice *advice);

#endif
