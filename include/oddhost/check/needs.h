/*
 * What a group needs to reach: the prefixes that containers must stay clear of on every host of it,
 * each with whose it is; IPv4 and IPv6. Default routes are none of them, nor their halves
 * (0.0.0.0/1 of a VPN) and what other route is shorter than /8.
 */
#ifndef ODDHOST_CHECK_NEEDS_H
#define ODDHOST_CHECK_NEEDS_H

#include "oddhost/check/check.h"

enum need_kind {     /* the first that is met is the one to name */
	NEED_TARGET, /* not where it is a container's, answered inside the hosts alone */
	NEED_RESERVED,
	NEED_BASTION,
	NEED_HOST,  /* a host's own address, reached or not, outside the LANs that are known */
	NEED_LAN,   /* on-link on an interface that may lead to a real network */
	NEED_ROUTE, /* by a gateway */
	NEED_NAMESERVER,
};

struct need {
	struct prefix prefix;
	enum need_kind kind;
	const char *name; /* of the target, the reserved prefix, or the first host that has it */
};

/* Made once a check; sorted by prefix, then kind. Each prefix and kind is there once. */
struct needs {
	struct need *v;
	size_t n, cap;
	bool lengths[129]; /* is one of that prefix length there? */
};

const struct needs *needs_of(struct check *check);

/* The need that a subnet would cut off, the first kind of those that overlap it; or NULL. */
const struct need *needs_overlapping(struct check *check, const struct prefix *subnet);

/* "db.example (192.168.0.166)", "reserved 10.0.0.0/8 (vpc)", "the network 10.1.0.0/24 of h1" … */
const char *need_text(struct arena *arena, const struct need *need);

#endif
