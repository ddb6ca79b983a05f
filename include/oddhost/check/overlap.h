/*
 * Findings about container subnets that are in the way of something, as few as tell it: one for all
 * the subnets of a host that are in the way of the same thing, shared by the hosts on which the
 * same networks are.
 */
#ifndef ODDHOST_CHECK_OVERLAP_H
#define ODDHOST_CHECK_OVERLAP_H

#include "oddhost/base/table.h"
#include "oddhost/check/subnets.h"

/* One subnet in the way of one thing. */
struct overlap {
	struct container_subnet subnet;
	enum severity severity;
	enum confidence confidence;
	const char *relation;         /* "inside", "which overlaps" */
	const char *what;             /* "reserved 10.0.0.0/8 (vpc)" */
	const char *kind;             /* the same for what belongs together */
	const char *tail;             /* ends the summary: ": the same fault is waiting" */
	const char *why;              /* what it means, in sentences */
	const char *clear_of;         /* for the fix */
	const char *target, *address; /* or NULL */
	struct source source;         /* beside the subnet's own line */
};

struct overlap_list {
	struct overlap *v;
	size_t n, cap;
};

struct overlap_group;

struct overlaps {
	struct check *check;
	const char *rule;
	size_t first; /* finding */
	struct table groups;
	struct overlap_group **v; /* in the order of their findings */
	size_t n, cap;
};

struct overlap *overlap_list_add(struct check *check, struct overlap_list *list);

/* Findings of `rule` follow; each host is added once, in order; the end writes what they say. */
void overlaps_begin(struct overlaps *overlaps, struct check *check, const char *rule);
void overlaps_add_host(struct overlaps *overlaps, size_t host, const struct overlap_list *list);
void overlaps_end(struct overlaps *overlaps);

#endif
