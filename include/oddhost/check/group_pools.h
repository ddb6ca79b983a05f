/*
 * Address pools for docker, the same on all hosts of a group: clear of all that the group needs
 * (needs.h) and, where they are new, of the subnets that containers hold on any host; with room for
 * twice the networks of the fullest host; in as few entries as possible. Where hosts have such
 * pools already they are kept. All this is of IPv4; IPv6 pools are each host's own.
 */
#ifndef ODDHOST_CHECK_GROUP_POOLS_H
#define ODDHOST_CHECK_GROUP_POOLS_H

#include "oddhost/check/check.h"

#define GROUP_POOLS_MOST 16

struct group_pools {
	struct docker_pool v[GROUP_POOLS_MOST];
	size_t n;              /* 0: there is no room */
	bool own;              /* they are docker's own, which no daemon.json need name */
	const char *bip;       /* an address for docker0; NULL where there is no room */
	uint64_t room, wanted; /* subnets in them (or in all that is free), and at least */
	uint8_t size;          /* that was looked for */
};

/* Chosen once a check. */
const struct group_pools *group_pools_of(struct check *check);

/* Does docker on that host use them, as far as is known? And are they these, IPv6 aside? */
bool group_pools_in_force(struct check *check, const struct host *host);
bool group_pools_are(struct check *check, const struct docker_pool *v, size_t n);

/*
 * What default-address-pools is to be on that host, a JSON array: the group's pools, and the IPv6
 * pools that the host has, which stay as they are.
 */
const char *group_pools_list(struct check *check, const struct host *host);

/*
 * The members of its daemon.json that declare them, with `bip` also docker0's address, as a JSON
 * object; NULL where there is no room.
 */
const char *group_pools_json(struct check *check, const struct host *host, bool with_bip);

#endif
