/*
 * Routes, the rules that choose among tables, and the decision that Linux takes from them
 * (ip-route(8), ip-rule(8)): rules in order of preference; in a table the longest matching prefix,
 * then the lowest metric. Strings belong to whoever made the table.
 */
#ifndef ODDHOST_NET_ROUTE_H
#define ODDHOST_NET_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "oddhost/base/arena.h"
#include "oddhost/net/prefix.h"

enum route_type {
	ROUTE_UNICAST,
	ROUTE_LOCAL,
	ROUTE_BROADCAST,
	ROUTE_ANYCAST,
	ROUTE_MULTICAST,
	ROUTE_BLACKHOLE,
	ROUTE_UNREACHABLE,
	ROUTE_PROHIBIT,
	ROUTE_THROW,
};

enum route_scope { ROUTE_SCOPE_GLOBAL, ROUTE_SCOPE_SITE, ROUTE_SCOPE_LINK, ROUTE_SCOPE_HOST };

struct route {
	struct prefix dst;   /* /0 for "default" */
	struct prefix from;  /* IPv6: for packets from there only; /0: for all */
	struct ip gateway;   /* family IP_NONE: on-link */
	const char *dev;     /* NULL where none was printed (blackhole) */
	const char *table;   /* "main", "local", "100": never NULL */
	struct ip src;       /* preferred source, or IP_NONE */
	uint32_t metric;     /* 0 where none was printed */
	bool metric_unknown; /* and the listing prints no metrics at all */
	bool unclear;        /* the listing hides where it leads, or whether it does */
	enum route_type type;
	enum route_scope scope;
	bool linkdown, dead; /* flags as printed; a dead route is never used */
	bool conditional;    /* for packets of one TOS, or of sockets bound to one interface: not
				for those that lookups ask for */
	unsigned hop;        /* of a multipath route, whose hops stand one after the other: 0 for
				its first and for every other route, then 1, 2 … */
	unsigned line;       /* in the output it was read from, from 1 */
};

struct route_table {
	struct arena *arena; /* owns the array */
	struct route *v;
	size_t n, cap;
	bool partial, partial6; /* lines of IPv4 or IPv6 are missing: cut off, or not understood */
};

/*
 * One line of `ip rule`. What it asks for beside addresses is decided for a plain connection, as
 * `ip route get` without options is: it has mark 0, TOS 0, iif lo and no oif
 * (ip_route_output_key_hash(), net/ipv4/route.c).
 */
struct rule {
	uint32_t pref;
	struct prefix from, to; /* family IP_NONE: all */
	const char *table;      /* looked up; NULL where the rule has a type instead */
	enum route_type
	    type;            /* ROUTE_UNICAST with a table; else blackhole, unreachable, prohibit */
	bool inverted;       /* `not`: for what does not match the rest */
	bool conditional;    /* has more than addresses: not, fwmark, iif, uidrange … */
	bool unmet;          /* and a plain connection does not have that */
	bool open;           /* and whether it has, or what is done then (goto), is not known */
	int suppress_prefix; /* suppress_prefixlength N: routes that deliver and are no longer than
				this are ignored; -1: none */
	unsigned line;
};

struct rule_list {
	struct arena *arena;
	struct rule *v;
	size_t n, cap;
	bool known;   /* false: Linux's default rules are assumed (local, main, default) */
	bool partial; /* lines are missing */
};

enum lookup_reason {
	LOOKUP_FOUND, /* route is set and delivers */
	LOOKUP_NO_ROUTE,
	LOOKUP_BLACKHOLE,
	LOOKUP_UNREACHABLE,
	LOOKUP_PROHIBIT,
};

struct lookup {
	const struct route *route; /* the winner, also where it is a blackhole; NULL for no route */
	const struct rule *rule;   /* that led to it; NULL with the default rules */
	enum lookup_reason reason;
	bool uncertain; /* an open rule stood before the winner and might have decided, the
			   table or the rules are partial, the listing hides where the winner leads
			   or the metrics by which it won, or a rule or a route `from PREFIX` may
			   cover the source address, which is not known */
	bool by_source; /* the source address decided, or might have: `ip route get` without
			   `from` does not ask for it */
};

/* Unicast, and no router sees the packets; false where the listing hides that. */
bool route_is_on_link(const struct route *route);

/*
 * The new item is zeroed except for a route's table = "main" and a rule's suppress_prefix = -1;
 * valid until the next one is added.
 */
struct route *route_table_add(struct route_table *table);

/* A device's name in the table's arena, shared with one of the last routes that has the same. */
const char *route_table_device(const struct route_table *table, struct view name);

struct rule *rule_list_add(struct rule_list *list);

/*
 * The kernel's choice for a connect(2) to `dst` without a bound source address. IPv4 looks up twice
 * (ip_route_connect(), include/net/route.h): first without a source, when no rule `from PREFIX`
 * matches; then with the source that the first winner gave. That source is the route's `src`, or
 * the one of the same interface's network that holds the next hop. IPv6 looks up again only where
 * the first look found no way (ip6_dst_lookup_tail(), net/ipv6/ip6_output.c), from one of its own
 * addresses: which one is not worked out (RFC 6724), so all of them must lead the same way. `rules`
 * are those of dst's family; NULL or not known: Linux's own.
 *
 * Of a multipath route the kernel takes one hop for each flow; the winner is the first that is
 * not dead. route_hops() counts all of them, which stand from there on in the table.
 */
struct lookup route_lookup(
    const struct route_table *table, const struct rule_list *rules, const struct ip *dst);

/*
 * The lowest address above `ip` at which a route or rule begins, or behind which one ends: all
 * addresses from `ip` up to it are decided alike, so that many can be asked for at once. False
 * where there is none.
 */
bool route_next_edge(const struct route_table *table, const struct rule_list *rules,
    const struct ip *ip, struct ip *ret_edge);

size_t route_hops(const struct route_table *table, const struct route *winner);

/* "unicast", "blackhole" …; "no-route" …, NULL for LOOKUP_FOUND; "global", "link" … */
const char *route_type_name(enum route_type type);
bool route_type_from_name(struct view name, enum route_type *ret);
const char *route_scope_name(enum route_scope scope);
const char *lookup_reason_name(enum lookup_reason reason);

/* "192.168.0.0/20 dev br-c3c094fc6759 scope link", as `ip route` would print it. */
const char *route_format(struct arena *arena, const struct route *route);

#endif
