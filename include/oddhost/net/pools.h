/*
 * Which subnet docker gives to the next network: its address pools, as pure functions over
 * prefixes. The rules are moby's, by version of the engine; IPv4 of local scope only. Nothing here
 * knows a host, and nothing is kept between calls but what is in the structs.
 *
 * Up to 18.03   the first entry of the list that is free.
 * 18.06 to 26.1 the list from a cursor on, round once (libnetwork/ipam/allocator.go,
 *               getPredefinedPool). It moves to behind what was taken, also where that overlaps a
 *               reserved prefix and is only held for the length of the create; past the end, and
 *               after a walk round the end, it is 0. A restart resets it to 0.
 * 27.0 on       the lowest free subnet of the pools sorted by address, without the pools that lie
 *               in larger ones (libnetwork/ipams/defaultipam/address_space.go).
 */
#ifndef ODDHOST_NET_POOLS_H
#define ODDHOST_NET_POOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "oddhost/base/view.h"
#include "oddhost/net/prefix.h"
#include "oddhost/net/route.h"

struct docker_pool { /* one of daemon.json's or the engine's default-address-pools */
	struct prefix base;
	uint8_t size; /* prefix length of the subnets; not below the base's */
};

enum pools_model {
	POOLS_LISTED,    /* up to 18.03 */
	POOLS_ROTATING,  /* 18.06 to 26.1 */
	POOLS_FIRST_FIT, /* 27.0 on */
};

/* What an engine of some version does. */
struct pools_rules {
	enum pools_model model;
	bool all_routes; /* up to 20.10.14 every route of the main table is reserved; from 20.10.15
			    on only those of scope link, so that no gateway's network is seen */
};

struct pools {
	enum pools_model model;
	const struct docker_pool *v; /* in configuration order */
	size_t n;
	const struct prefix *allocated; /* subnets of the networks that exist */
	size_t n_allocated;
	const struct prefix *reserved; /* routes and nameservers that docker stays clear of */
	size_t n_reserved;
	uint64_t cursor; /* POOLS_ROTATING: place in the list of all pools' subnets */
};

/* "20.10.24+dfsg1", "18.06.3-ce": false where that is no version. */
bool pools_rules_of(struct view version, struct pools_rules *ret);

/*
 * Does docker stay clear of where this route leads? The main table's IPv4 routes, linkdown or not,
 * without the default route; `via` routes not from 20.10.15 on (libnetwork/netutils,
 * CheckRouteOverlaps, InferReservedNetworks).
 */
bool pools_route_reserved(const struct pools_rules *rules, const struct route *route);

/* The pools of an engine that was given none (libnetwork/ipamutils): 31 subnets. */
const struct docker_pool *pools_default(size_t *ret_n);

/* The same pools in the same order? */
bool pools_same(const struct docker_pool *a, size_t n_a, const struct docker_pool *b, size_t n_b);

/* The number of subnets in the list, and the place of one in it; false where it is none of them. */
uint64_t pools_length(const struct docker_pool *v, size_t n);
bool pools_place(
    const struct docker_pool *v, size_t n, const struct prefix *subnet, uint64_t *ret_place);

/*
 * The subnet of the next network that names none; false where docker would say that no pool is
 * left. The cursor moves; the caller adds the subnet to `allocated` where the network stays.
 */
bool pools_next(struct pools *pools, struct prefix *ret);

#endif
