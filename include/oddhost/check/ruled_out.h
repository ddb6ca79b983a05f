/*
 * What it is not: with a symptom, the usual suspicions that the outputs refute, each with its
 * evidence: the target itself, name resolution, the network between, the application.
 */
#ifndef ODDHOST_CHECK_RULED_OUT_H
#define ODDHOST_CHECK_RULED_OUT_H

#include "oddhost/check/check.h"

void ruled_out_find(struct check *check);

#endif
