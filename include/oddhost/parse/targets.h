/* What a host says about its targets, its own services and its peers. */
#ifndef ODDHOST_PARSE_TARGETS_H
#define ODDHOST_PARSE_TARGETS_H

#include "oddhost/model/host.h"

/*
 * Fill in resolutions, pings, attempts, egresses, services and peers from the probes of
 * host->record. How a TARGET is named stands at parse_host(). The probes' diagnostics go to the
 * host's list.
 */
void parse_targets(struct host *host, const struct run_meta *meta);

#endif
