/*
 * How packets for an address leave a host: the kernel's own word (`ip route get`) where it was
 * asked, else the decision taken from its route table.
 */
#ifndef ODDHOST_CHECK_PATH_H
#define ODDHOST_CHECK_PATH_H

#include <stdbool.h>

#include "oddhost/model/host.h"

struct path {
	struct ip address;
	bool known;         /* there was a route table or a kernel's answer to decide from */
	bool uncertain;     /* but what is not known may decide otherwise; see struct lookup */
	bool asked;         /* the kernel was asked */
	bool agreed;        /* the kernel's answer is the table's, too */
	bool contradiction; /* it is not, and the table is known whole */
	bool local;         /* an address of the host's own, on `dev`: nothing is sent */
	const struct route *listed;  /* the table's winner; NULL: none, or no table */
	const struct route *route;   /* that the packets take: the one that the kernel's answer
					follows, else the table's winner; NULL: not listed */
	const struct egress *egress; /* the kernel's answer; NULL: not asked */
	enum lookup_reason reason;
	struct ip gateway; /* IP_NONE: on-link */
	const char *dev;   /* NULL: nowhere */
	const char *owner; /* what made the interface, if it is a virtual one; else NULL */
	const struct docker_network *network; /* of that interface, where known */
};

struct path path_of(const struct host *host, const char *target, const struct ip *address);

/* Do packets certainly leave by an interface that may lead to the real network? */
bool path_leaves(const struct path *path);

/* The kernel's own note that the address was looked for on the path's interface in vain, or NULL.
 */
const struct neighbour *path_neighbour_failed(const struct host *host, const struct path *path);

/* "docker network NAME", "podman network NAME"; behind a name that does not begin with its compose
 * project, " (compose project PROJECT)". */
const char *path_network_text(
    struct arena *arena, const struct host *host, const struct docker_network *network);

/* "docker network NAME", "docker bridge br-… (name unknown)", "libvirt bridge virbr0" */
const char *path_owner_text(struct arena *arena, const struct host *host, const char *dev);

/*
 * The path in words that can be compared between hosts: "via 10.1.0.1", "on-link, docker network
 * app_net", "own address on interface eth0", "blackhole"; NULL where it is not certain.
 */
const char *path_text(struct arena *arena, const struct host *host, const struct path *path);

/*
 * The addresses under which a host knows a target: its resolution, the target itself where it is
 * an address, or what ping printed. Returns their number, 0 where it is not known.
 */
size_t path_addresses(const struct host *host, const struct target *target,
    const struct ip **ret_addresses, struct ip *scratch);

#endif
