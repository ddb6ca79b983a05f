/*
 * From a run to its diagnosis: facts, comparison, suspects, rules, what is ruled out, and what is
 * not known. A pure function of the run: the same run gives the same diagnosis, to the byte.
 */
#ifndef ODDHOST_CHECK_DIAGNOSE_H
#define ODDHOST_CHECK_DIAGNOSE_H

#include "oddhost/model/diagnosis.h"

/*
 * `hosts` holds the model of each run->hosts[i]. The run and the models must outlive the diagnosis,
 * which the caller frees.
 */
struct diagnosis *diagnose(const struct run *run, struct host *const *hosts, size_t n);

/* The same beside an earlier run's diagnosis, which must outlive it; NULL: beside none. */
struct diagnosis *diagnose_since(
    const struct run *run, struct host *const *hosts, size_t n, const struct diagnosis *baseline);
void diagnosis_free(struct diagnosis *diagnosis); /* NULL does nothing */

#endif
