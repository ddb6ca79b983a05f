/* What the tcp probe says: "192.168.0.166 port 3306: refused (nc)", a line an address. */
#ifndef ODDHOST_PARSE_TCP_H
#define ODDHOST_PARSE_TCP_H

#include <stdbool.h>

#include "oddhost/base/arena.h"
#include "oddhost/base/diag.h"
#include "oddhost/base/view.h"
#include "oddhost/model/host.h"

#define TCP_MOST 1024 /* attempts kept of a host: a probe makes three */

struct tcp_list {
	struct arena *arena;
	struct tcp *v;
	size_t n, cap;
};

/* target and the source's probe are the caller's. Returns as line.h says. */
bool parse_tcp(struct view text, struct tcp_list *list, struct diag_list *diags);

#endif
