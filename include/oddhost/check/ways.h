/*
 * How the hosts that a target answers send their packets to it, and how a host that fails does it
 * beside them. Reads the prepared check, adds no findings.
 */
#ifndef ODDHOST_CHECK_WAYS_H
#define ODDHOST_CHECK_WAYS_H

#include "oddhost/check/check.h"

enum way {
	WAY_ALIKE,    /* by the same gateway or interface as some of them */
	WAY_LIKEWISE, /* by the gateway of its own network, as they do by that of theirs */
	WAY_DIFFERS,  /* by another gateway or interface than any of them */
	WAY_INSIDE,   /* not at all: into a network of the host's own, as theirs do */
	WAY_UNKNOWN,
	WAYS
};

/* A path in words that can be compared, and what hosts in different networks have in common. */
struct way_words {
	const char *value; /* path_text(); NULL: not known */
	const char *like;  /* of the fact; NULL: nothing */
};

/* Of a target: the hosts that are answered, and the ways in which they are. */
struct answered {
	size_t target, n;
	struct way_words *ways; /* each value once, the first so many */
	size_t n_ways, cap_ways;
	const struct path *first; /* of the first such way; NULL: none is known */
};

struct answered answered_find(const struct check *check, size_t target);

/* The way that the host's attempt at the target took. */
struct way_words way_words(const struct check *check, size_t target, size_t host);
enum way way_of(const struct check *check, const struct answered *answered, size_t host);

/* "via 10.1.0.77, via 10.1.0.78 and others": how the hosts of the finding send their packets. */
const char *ways_text(struct check *check, size_t target, const struct finding *f);

/*
 * Is the route of that key (of the facts, of table main) one by which the host, as is reported
 * (sight->misrouted), misses a target, or which it lacks for it?
 */
bool ways_explain(struct check *check, size_t host, enum facet facet, const char *key);

#endif
