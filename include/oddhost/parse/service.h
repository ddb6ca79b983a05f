/* What the local and mesh probes say: services of the host itself, and its peers. */
#ifndef ODDHOST_PARSE_SERVICE_H
#define ODDHOST_PARSE_SERVICE_H

#include <stdbool.h>

#include "oddhost/base/arena.h"
#include "oddhost/base/diag.h"
#include "oddhost/base/view.h"
#include "oddhost/model/host.h"

#define PEERS_MOST 1024

/*
 * Fill in the state and the line that decided it, from the lines of the tcp probe or from
 * "URL: STATUS (TOOL)"; name and the source's probe are the caller's. Returns as line.h says.
 */
bool parse_service(
    struct view text, struct arena *arena, struct service *ret, struct diag_list *diags);

struct peer_list {
	struct arena *arena;
	struct peer *v;
	size_t n, cap;
};

/*
 * "peer NAME", and behind it what ping printed, again and again. The probe of the pings' sources is
 * the caller's. Returns as line.h says.
 */
bool parse_mesh(struct view text, struct peer_list *list, struct diag_list *diags);

#endif
