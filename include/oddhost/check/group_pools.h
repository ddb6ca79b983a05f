/*
 * Address pools for docker, the same on all hosts of a group: clear of all that the group needs
 * (needs.h) and, where they are new, of the subnets that containers hold on any host; with room for
 * twice the networks of the fullest host; in as few entries as possible. Where hosts have such
 * pools already they are kept.
 */
#ifndef ODDHOST_CHECK_GROUP_POOLS_H
#define ODDHOST_CHECK_GROUP_POOLS_H

#include "oddhost/check/check.h"

#define GROUP_POOLS_MOST 16

struct group_pools {
	struct docker_pool v[GROUP_POOLS_MOST];
	size_t n;              /* 0: there is no room */
	bool own;              /* they are docker's own, which no daemon.json need name */
	const char *bip;       /* an address for docker0 in them; NULL where there is no room */
	uint64_t room, wanted; /* subnets in them (or in all that is free), and at least */
	uint8_t size;          /* that was looked for */
};

/* Chosen once a check. */
const struct group_pools *group_pools_of(struct check *check);

/* Does docker on that host use them, as far as is known? */
bool group_pools_in_force(struct check *check, const struct host *host);

/*
 * The members of daemon.json that declare them, with `bip` also docker0's address, as a JSON
 * object; NULL where there is no room.
 */
const char *group_pools_json(struct check *check, bool with_bip);

#endif
