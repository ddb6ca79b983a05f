/* What a host says about one target: its addresses (getent) and its way there (ip route get). */
#ifndef ODDHOST_PARSE_NAMES_H
#define ODDHOST_PARSE_NAMES_H

#include <stdbool.h>

#include "oddhost/base/arena.h"
#include "oddhost/base/diag.h"
#include "oddhost/base/view.h"
#include "oddhost/model/host.h"

struct egress_list {
	struct arena *arena;
	struct egress *v;
	size_t n, cap;
};

/*
 * `getent hosts` or `getent ahosts`: the addresses, sorted, each once; *ret is set in any case,
 * with `failed` where the text is empty (getent prints nothing for a name that does not resolve).
 * target and source are the caller's. Returns as line.h says.
 */
bool parse_getent(
    struct view text, struct arena *arena, struct resolution *ret, struct diag_list *diags);

/*
 * `ip route get ADDRESS`, one answer or several: the first line of each; or `ip -j`, arrays among
 * the other lines. An unreachable type and "RTNETLINK answers: …" are refusals. That message does
 * not name its address, which is IP_NONE then. target and the source's probe are the caller's.
 * Returns as line.h says.
 */
bool parse_egress(struct view text, struct egress_list *list, struct diag_list *diags);

#endif
