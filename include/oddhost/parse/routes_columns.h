/*
 * The tables of route(8) and netstat(8): a header that names the columns, and a row a route.
 * Linux's net-tools and busybox, and what BSD and macOS print.
 */
#ifndef ODDHOST_PARSE_ROUTES_COLUMNS_H
#define ODDHOST_PARSE_ROUTES_COLUMNS_H

#include <stdbool.h>

#include "oddhost/base/arena.h"
#include "oddhost/base/view.h"
#include "oddhost/net/route.h"

/* Where the columns are, from the last header; -1: not there. */
struct route_columns {
	int mask, flags, metric, dev; /* the destination is the first, the gateway the second */
	bool bsd;
	enum ip_family family; /* of the section "Internet:" or "Internet6:"; IP_NONE before one */
};

/* As after the header of `route -n`. */
void route_columns_init(struct route_columns *columns);

/* Is the line a header or a title, and no route? A header sets the columns. */
bool route_columns_title(struct route_columns *columns, struct view line);

/*
 * One row; false where it is none. *ret_hidden is what a diagnostic should say was expected, where
 * the row does not show all of the route, else NULL: a gateway that is no address (a name, or one
 * of IPv6 for an IPv4 route, which Linux prints as zeros) stays IP_NONE with scope global.
 *
 * BSD leaves out the length of a network of its class ("127" is 127.0.0.0/8, "169.254" is
 * 169.254.0.0/16), and zero bytes at the end ("192.168.0/20"). Its flags (netstat(1)): H one host,
 * G by a gateway, R reject, B blackhole; I is macOS' scoped route, which only sockets that are
 * bound to the interface take: it is conditional.
 */
bool route_columns_row(const struct route_columns *columns, struct view line, unsigned number,
    const struct route_table *table, struct route *ret, const char **ret_hidden);

#endif
