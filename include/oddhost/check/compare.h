/*
 * Comparing hosts by their facts: the N-way view that finds outliers, and the pairwise one.
 *
 * Of each key it is asked whether a host has it (where that is known), and of those that do, what
 * its value is. The largest class is the consensus only where it holds two thirds or more of at
 * least three hosts; the others are outliers, ranked by Batfish's z = (share - 2/3) / sqrt((2/9) /
 * n), with n hosts compared in the facet. A difference is worth at most as much as it is rare for a
 * host to have one as rare in its facet.
 * A tie is announced, never decided by order; a key on which every host differs, or a facet in
 * which most do, says nothing and is left out.
 */
#ifndef ODDHOST_CHECK_COMPARE_H
#define ODDHOST_CHECK_COMPARE_H

#include "oddhost/check/check.h"

/* Fill the differences and scores of diagnosis->hosts; note what has no majority. */
void compare_hosts(struct check *check);

/* One key on which two lists of facts differ; NULL where it is absent, "?" fields where unknown. */
struct pair_difference {
	enum facet facet;
	const char *key;
	const char *a, *b;         /* NULL: absent */
	bool a_unknown, b_unknown; /* the facet was not listed whole there */
};

/* Call `each` for every difference, by facet and key. What is unknown on both sides is no
 * difference. */
void compare_pair(const struct fact_list *a, const struct fact_list *b,
    void (*each)(void *context, const struct pair_difference *difference), void *context);

#endif
