/*
 * With a symptom (some hosts fail a target and others do not), every fact gets Ochiai's score from
 * fault localisation (Abreu et al., 2006): failing(f) / sqrt(all failing * (failing(f) +
 * passing(f))). A fact that only the failing hosts have, and all of them, scores 1. Of equal scores
 * the facet nearest to the packet comes first (enum facet's order).
 */
#ifndef ODDHOST_CHECK_SUSPECTS_H
#define ODDHOST_CHECK_SUSPECTS_H

#include "oddhost/check/check.h"

/* Fill diagnosis->suspects: the best ten a target, best first. */
void suspects_rank(struct check *check);

#endif
