/*
 * A diagnosis beside that of an earlier run, the baseline. A finding is the same in both where its
 * fingerprint is: the same rule, target and prefix on the same hosts. One that is gone counts as
 * resolved only where its hosts were examined again and every output of theirs that it quotes was
 * read again (of a host that it quotes nothing of, every output): what is not known is not mended.
 * Nor is it where it has become another finding: one of the same prefix (a latent fault that is now
 * the outage), or of other hosts beside the same ones.
 */
#ifndef ODDHOST_CHECK_SINCE_H
#define ODDHOST_CHECK_SINCE_H

#include "oddhost/check/check.h"

/* Fill in the states of the findings, and what the baseline had beside them. */
void since_compare(struct check *check);

/* The baseline's model of the host, or NULL. */
const struct host *since_host(const struct check *check, const struct host *host);

#endif
