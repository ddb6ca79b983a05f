/* What the clouds of a run's hosts say, for the whole run. */
#ifndef ODDHOST_MODEL_CLOUD_H
#define ODDHOST_MODEL_CLOUD_H

#include "oddhost/model/host.h"
#include "oddhost/model/run.h"

/*
 * The prefixes of the hosts' VPCs and subnets count as reserved: add those to the run's reserved
 * prefixes that lie in none of them, named by their source: "aws vpc-0abc". `hosts` holds the model
 * of each run->hosts[i].
 */
void cloud_reserve(struct run *run, struct host *const *hosts);

/* "aws i-0abc, m5.large, eu-west-1a, vpc-0def": for a table; NULL where no cloud is known. */
const char *cloud_text(struct arena *arena, const struct cloud *cloud);

#endif
