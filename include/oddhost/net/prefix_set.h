/*
 * A set of prefixes that is asked often: which of them is the longest that holds an address, and
 * does one of them lie within another prefix? Filled first, then sorted once, then asked. It never
 * frees what it holds: the arena does.
 */
#ifndef ODDHOST_NET_PREFIX_SET_H
#define ODDHOST_NET_PREFIX_SET_H

#include <stddef.h>

#include "oddhost/base/arena.h"
#include "oddhost/net/prefix.h"

struct prefix_set {
	struct arena *arena; /* owns the array */
	struct prefix *v;
	size_t n, cap;
	bool lengths[129]; /* is one of that length there? */
};

void prefix_set_add(struct prefix_set *set, const struct prefix *prefix);

/* Sort, and keep each once. What follows is asked of a sorted set only. */
void prefix_set_sort(struct prefix_set *set);

/* The longest that holds the address; NULL: none does. */
const struct prefix *prefix_set_longest(const struct prefix_set *set, const struct ip *ip);

/* The first that lies within the prefix, itself included; NULL: none does. Those behind it that do,
 * too, follow it at once. */
const struct prefix *prefix_set_within(const struct prefix_set *set, const struct prefix *prefix);

/* One that shares addresses with the prefix, by preference a shortest that holds it; or NULL. */
const struct prefix *prefix_set_overlapping(
    const struct prefix_set *set, const struct prefix *prefix);

#endif
