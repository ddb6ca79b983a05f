/* Steps of a fix that several rules give. */
#ifndef ODDHOST_CHECK_FIX_H
#define ODDHOST_CHECK_FIX_H

#include "oddhost/check/check.h"

/*
 * Move a container network of `host` out of the way: for docker the pools to declare, the restart,
 * and the network to re-create with what stops meanwhile (docker0 needs a `bip` instead: it can be
 * neither removed nor created; an IPv6 subnet needs another one, and no pools); podman's own
 * configuration for podman; for others a sentence. `network` may be NULL where its name is not
 * known; `clear_of` says what the new subnet must not hold.
 */
void fix_move_network(struct check *check, struct finding *finding, const struct host *host,
    const char *dev, const struct docker_network *network, const char *clear_of);

/* Only the pools to declare, so that docker on `host` stays clear of that, and the restart. */
void fix_declare_pools(
    struct check *check, struct finding *finding, const struct host *host, const char *clear_of);

#endif
