/*
 * The subnets that software on a host has taken for containers and virtual machines, from its route
 * table and from docker's own words (of bridge networks only: the subnets of macvlan, ipvlan and
 * overlay networks are no routes of the host); and the pools that docker takes them from.
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

/* The same of the check's host number h, listed once for all who ask. */
size_t subnets_of_place(struct check *check, size_t h, const struct container_subnet **ret_subnets);

/*
 * Those that are no routes of the host, and are on-link within containers all the same: of docker's
 * macvlan, ipvlan and overlay networks, without a macvlan on the host's own LAN, which is meant to
 * be that. The second tells one of them from the others.
 */
size_t subnets_within_containers(
    struct arena *arena, const struct host *host, struct container_subnet **ret_subnets);
bool subnet_is_within(const struct container_subnet *subnet);

/* "docker network NAME", "libvirt interface virbr0" */
const char *subnet_owner_text(
    struct arena *arena, const struct host *host, const struct container_subnet *subnet);

/* IPv4, on a docker bridge; and that of docker's own bridge, which daemon.json alone can move. */
bool subnet_is_docker(const struct container_subnet *subnet);
bool subnet_is_docker0(const struct container_subnet *subnet);

/*
 * Did somebody name this subnet when the network was made (--subnet, a compose file's ipam)? So it
 * seems where docker prints no Gateway for it, and where it is in no list that docker takes from:
 * its pools, or those of an engine that was given none.
 */
bool subnet_was_asked(const struct host *host, const struct container_subnet *subnet);

/* Does docker itself keep the network for its swarm? It is none that a user makes or removes. */
bool network_is_swarms(const struct docker_network *network);

/* Is the host known to have neither docker nor anything in its place? */
bool subnets_no_docker(const struct host *host);

/* Does docker's own client say that its daemon does not answer? */
bool subnets_docker_down(const struct host *host);

/* Why nothing can be said about docker on that host, whose subnets these are; NULL: something can.
 */
const char *subnets_docker_unknown(
    const struct host *host, const struct container_subnet *subnets, size_t n);

/*
 * The pools that docker on that host was given: the engine's own word, else daemon.json's; none
 * where it uses its own. Returns whether they are known.
 */
bool subnets_pools(const struct host *host, const struct docker_pool **ret_v, size_t *ret_n);

#endif
