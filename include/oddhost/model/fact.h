/*
 * A fact: one normalised statement about one host: facet, key, value and where it was read. What
 * differs by nature (container ids, br-<hash> names, own addresses, times, order) is normalised
 * away when facts are made, so that comparing hosts is comparing strings.
 */
#ifndef ODDHOST_MODEL_FACT_H
#define ODDHOST_MODEL_FACT_H

#include <stdbool.h>
#include <stddef.h>

#include "oddhost/base/arena.h"
#include "oddhost/model/host.h"

/* In the order in which suspects of equal score are named: what is nearest to the packet first. */
enum facet {
	FACET_EGRESS,  /* key: target, for its IPv6 addresses "TARGET IPv6"; value: how packets
			  leave for them */
	FACET_ROUTE,   /* key: IPv4 prefix; value: gateway or interface */
	FACET_ROUTE6,  /* the same for IPv6 */
	FACET_RULE,    /* key: selector of a rule of `ip rule`; value: what it does */
	FACET_NETWORK, /* key: docker network; value: driver and subnets */
	FACET_DNS,     /* key: as FACET_EGRESS; value: addresses */
	FACET_DAEMON,  /* key: setting of daemon.json; value */
	FACET_SYSTEM,  /* key: "kernel", "os"; value */
	FACET_SERVICE, /* key: service of oddhost_local; value: up or down */
	FACET_OWN, /* a user's own probe; key: its name, or name and line; value: its one line, or
		      "there" */
	FACET_CONTAINER, /* key: container; value: state and image */
	FACET_PING,      /* key: target; value: outcome: the symptom itself, never a suspect */
	FACET_TCP,       /* the same for connecting to the target's port */
	FACET_COUNT
};

struct fact {
	enum facet facet;
	const char *key, *value;
	struct source source;
	const char *like; /* what hosts are compared by where the value follows from their own
			     address; NULL: the value itself */
};

/* The facts of one host, sorted by facet and key, each key once in a facet. */
struct fact_list {
	struct arena *arena;
	const struct host *host;
	struct fact *v;
	size_t n, cap;
	bool whole[FACET_COUNT]; /* the facet was listed whole: a missing key is absent, not unknown
				  */
};

const char *facet_name(enum facet facet);

/*
 * The key of facts about a target's addresses of one family (enum ip_family). Families have keys of
 * their own since a host without IPv6 is told of no IPv6 addresses (getaddrinfo(3), AI_ADDRCONFIG).
 */
const char *fact_target_key(struct arena *arena, const char *target, uint8_t family);

/* Is it such a key, of that target? */
bool fact_is_about(const char *key, const char *target);

/* What the fact is compared by. */
static inline const char *fact_like(const struct fact *fact)
{
	return fact->like != NULL ? fact->like : fact->value;
}

#endif
