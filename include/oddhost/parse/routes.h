/* Route tables and policy rules, as ip(8), route(8) and netstat(8) print them. */
#ifndef ODDHOST_PARSE_ROUTES_H
#define ODDHOST_PARSE_ROUTES_H

#include <stdbool.h>

#include "oddhost/base/diag.h"
#include "oddhost/base/view.h"
#include "oddhost/net/route.h"

/*
 * Add the routes of the text to the table (its arena must be set). Each line says by its shape what
 * it is: `ip route` (plain, -o, -d, busybox's), `ip -j route` (JSON), or a row of `route -n`,
 * `route`, `netstat -rn`, with or without its header. `family` is that of a "default" that shows no
 * address; IP_NONE stands for IPv4. Returns as line.h says.
 *
 * What is not understood makes the table partial for that family (for both where it is IP_NONE).
 *
 * - A multipath route gives one route a next hop. busybox prints it without any: that is a route
 *   with neither gateway nor device, and a diagnostic.
 * - `ip` leaves out scope global and table main, so that is what they are where nothing is printed.
 *   `route -n` does not print the scope: without flag G it is link.
 * - route(8) does not print from which addresses an IPv6 route may be taken: it then looks like one
 *   for all.
 * - route(8) prints no device ('*') for blackhole and throw, and '!' for unreachable and prohibit
 *   (IPv6: for all four): these come out as blackhole and unreachable, with a diagnostic, and
 *   unclear where more than the word depends on it.
 * - A gateway that is not an address (a name, or IPv6 for an IPv4 route in `route -n`) stays
 *   IP_NONE with scope global, unclear, with a diagnostic. So is a route of ip's without any way.
 */
bool parse_routes(
    struct view text, enum ip_family family, struct route_table *table, struct diag_list *diags);

/* A table's name; "254", which `ip -N` prints, is "main", and so on (rt_tables of iproute2). */
const char *route_table_name(struct arena *arena, struct view name);

/* A type by its name, or by its number (RTN_UNICAST and on) as `ip -N` prints it. */
bool route_type_parse(struct view text, enum route_type *ret);

/*
 * `ip rule`, `ip -j rule`, busybox's (which leaves out `not` and some selectors, so that what it
 * prints may be less than there is); sets `known` where a rule was understood. A rule that cannot
 * be read is an open one at its preference, and where not even that can be read the list is
 * partial. Returns as line.h says.
 */
bool parse_rules(struct view text, struct rule_list *rules, struct diag_list *diags);

#endif
