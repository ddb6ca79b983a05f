/* Interface addresses, as ip(8) and ifconfig(8) print them. */
#ifndef ODDHOST_PARSE_ADDRESSES_H
#define ODDHOST_PARSE_ADDRESSES_H

#include <stdbool.h>

#include "oddhost/base/diag.h"
#include "oddhost/base/view.h"
#include "oddhost/model/host.h"

struct address_list {
	struct arena *arena;
	struct address *v;
	size_t n, cap;
};

/* The new item; `dev` and the list's array are the arena's. */
void address_list_add(
    struct address_list *list, const char *dev, struct ip ip, unsigned len, unsigned number);

/*
 * `ip addr`, `ip -o addr`, `ip -br addr`, `ip -j addr`, ifconfig. Returns as line.h says; what
 * shows no address at all (`ip link`) is not understood.
 */
bool parse_addresses(struct view text, struct address_list *list, struct diag_list *diags);

#endif
