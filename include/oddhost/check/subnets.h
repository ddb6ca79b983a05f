/*
 * The subnets that software on a host has taken for containers and virtual machines, from its route
 * table and from docker's own words (of bridge networks only: the subnets of macvlan, ipvlan and
 * overlay networks are no routes of the host); and pools for docker that stay clear of what a group
 * needs.
 */
#ifndef ODDHOST_CHECK_SUBNETS_H
#define ODDHOST_CHECK_SUBNETS_H

#include "oddhost/check/check.h"

struct container_subnet {
	struct prefix prefix;
	const char *dev;                      /* NULL where only docker names the subnet */
	const char *owner;                    /* "docker", "libvirt" … */
	const struct docker_network *network; /* or NULL */
	struct source source;
};

/* Does the route lead on-link to containers or virtual machines, not to a VPN? */
bool subnets_is_container_route(const struct host *host, const struct route *route);

/*
 * All of a host, each prefix once, sorted; returns their number. VPN interfaces are left out: their
 * prefixes were chosen by somebody, and lead somewhere.
 */
size_t subnets_of_host(
    struct arena *arena, const struct host *host, struct container_subnet **ret_subnets);

/* "docker network NAME", "libvirt interface virbr0" */
const char *subnet_owner_text(
    struct arena *arena, const struct host *host, const struct container_subnet *subnet);

/*
 * Up to `most` /16 that overlap no reserved prefix, no target's address, no route of any host that
 * leads to a real network, and not the bastion: 172.18.0.0/16 on, then 10.200.0.0/16 on. Returns
 * their number.
 */
size_t subnets_suggest_pools(const struct check *check, struct prefix pools[], size_t most);

/*
 * The pools as members of daemon.json, for a fix, with `bip` also an address for docker0 in the
 * first of them; NULL where there is no room left.
 */
const char *subnets_pools_json(struct check *check, bool with_bip);

#endif
