/* What a run does not know since a probe failed, in as few notes as tell it. */
#ifndef ODDHOST_CHECK_GAPS_H
#define ODDHOST_CHECK_GAPS_H

#include "oddhost/check/check.h"

/*
 * Add a note for all probes that ended in the same way on the same hosts, with what the first of
 * these hosts said about it.
 */
void gaps_note(struct check *check);

#endif
