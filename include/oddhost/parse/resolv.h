/* resolv.conf(5): whom a host asks for names. */
#ifndef ODDHOST_PARSE_RESOLV_H
#define ODDHOST_PARSE_RESOLV_H

#include <stdbool.h>

#include "oddhost/base/arena.h"
#include "oddhost/base/diag.h"
#include "oddhost/base/view.h"
#include "oddhost/model/host.h"

struct resolv {
	struct arena *arena;
	struct nameserver *servers;
	size_t n_servers, cap_servers;
	const char **search; /* of the last `search` or `domain`, which is what counts */
	size_t n_search, cap_search;
};

/*
 * The nameservers, as many as there are (the resolver takes three, docker all of them), and the
 * search list. A zone behind an address (fe80::1%eth0) is left out. Options and comments are no
 * news. Returns as line.h says.
 */
bool parse_resolv(struct view text, struct resolv *resolv, struct diag_list *diags);

/*
 * Is the stub of systemd-resolved, 127.0.0.53, the only nameserver? Then its own servers are in
 * /run/systemd/resolve/resolv.conf (moby, libnetwork/resolvconf, Path()).
 */
bool resolv_is_stub(const struct resolv *resolv);

#endif
