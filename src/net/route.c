#include "oddhost/net/route.h"

#include <string.h>

#include "oddhost/base/buf.h"

#define DEVICES_LOOKED_AT 8

static const char *const type_names[] = {
    [ROUTE_UNICAST] = "unicast",
    [ROUTE_LOCAL] = "local",
    [ROUTE_BROADCAST] = "broadcast",
    [ROUTE_ANYCAST] = "anycast",
    [ROUTE_MULTICAST] = "multicast",
    [ROUTE_BLACKHOLE] = "blackhole",
    [ROUTE_UNREACHABLE] = "unreachable",
    [ROUTE_PROHIBIT] = "prohibit",
    [ROUTE_THROW] = "throw",
};

const char *route_type_name(enum route_type type)
{
	return type_names[type];
}

bool route_type_from_name(struct view name, enum route_type *ret)
{
	for (unsigned i = 0; i < sizeof type_names / sizeof *type_names; i++) {
		if (view_eq(name, type_names[i])) {
			*ret = (enum route_type)i;
			return true;
		}
	}
	return false;
}

const char *route_scope_name(enum route_scope scope)
{
	static const char *const names[] = {"global", "site", "link", "host"};

	return names[scope];
}

const char *lookup_reason_name(enum lookup_reason reason)
{
	static const char *const names[] = {
	    NULL, "no-route", "blackhole", "unreachable", "prohibit"};

	return names[reason];
}

bool route_is_on_link(const struct route *route)
{
	return route->type == ROUTE_UNICAST && route->gateway.family == IP_NONE && !route->unclear;
}

struct route *route_table_add(struct route_table *table)
{
	table->v = arena_grow(table->arena, table->v, table->n, &table->cap, sizeof *table->v);
	struct route *route = &table->v[table->n++];
	route->table = "main";
	return route;
}

const char *route_table_device(const struct route_table *table, struct view name)
{
	for (size_t i = table->n; i > 0 && table->n - i < DEVICES_LOOKED_AT; i--) {
		const char *dev = table->v[i - 1].dev;
		if (dev != NULL && view_eq(name, dev))
			return dev;
	}
	return arena_dup_view(table->arena, name);
}

struct rule *rule_list_add(struct rule_list *list)
{
	list->v = arena_grow(list->arena, list->v, list->n, &list->cap, sizeof *list->v);
	struct rule *rule = &list->v[list->n++];
	rule->suppress_prefix = -1;
	return rule;
}

static bool is_limited(const struct prefix *from)
{
	return from->ip.family != IP_NONE && from->len > 0;
}

/* src NULL: not known, so it might. */
static bool from_matches(const struct prefix *from, const struct ip *src)
{
	return !is_limited(from) || src == NULL || prefix_contains_ip(from, src);
}

static bool beats(const struct route *a, const struct route *b)
{
	if (b == NULL || a->dst.len != b->dst.len)
		return b == NULL || a->dst.len > b->dst.len;
	return a->from.len != b->from.len ? a->from.len > b->from.len : a->metric < b->metric;
}

static bool leads_to(const struct route *r, const char *table, const struct ip *dst)
{
	return !r->dead && !r->conditional && r->dst.ip.family == dst->family &&
	       prefix_contains_ip(&r->dst, dst) && strcmp(r->table, table) == 0;
}

/*
 * The winner in one table, by a linear scan: tables have tens of routes, and an index has to be
 * measured to be worth it first. Of equal prefixes the one for fewer sources wins, then the lowest
 * metric, of equal metrics the first in the listing, which is the kernel's own order. A multicast
 * or broadcast destination is found like any other: the local table holds the broadcast addresses.
 *
 * Where a route `from PREFIX` leads to a network, the kernel does not come to one for all sources
 * to the same network, except the default: fib6_node_lookup_1(), net/ipv6/ip6_fib.c.
 */
static const struct route *table_lookup(
    const struct route_table *table, const char *name, const struct ip *src, const struct ip *dst)
{
	const struct route *best = NULL;
	bool hidden[129] = {false}; /* by the network's length */

	for (size_t i = 0; i < table->n; i++) {
		const struct route *r = &table->v[i];
		if (is_limited(&r->from) && r->dst.len > 0 && leads_to(r, name, dst))
			hidden[r->dst.len] = true;
	}
	for (size_t i = 0; i < table->n; i++) {
		const struct route *r = &table->v[i];
		if (beats(r, best) && (is_limited(&r->from) || !hidden[r->dst.len]) &&
		    leads_to(r, name, dst) && from_matches(&r->from, src))
			best = r;
	}
	return best;
}

static enum lookup_reason reason_of(enum route_type type)
{
	switch (type) {
	case ROUTE_BLACKHOLE:
		return LOOKUP_BLACKHOLE;
	case ROUTE_UNREACHABLE:
		return LOOKUP_UNREACHABLE;
	case ROUTE_PROHIBIT:
		return LOOKUP_PROHIBIT;
	default:
		return LOOKUP_FOUND;
	}
}

enum match { MATCH_NO, MATCH_MAYBE, MATCH_YES };

/*
 * fib_rule_match(), net/core/fib_rules.c: every selector must match, and `not` turns that round.
 * src NULL: not known.
 */
static enum match rule_match(const struct rule *rule, const struct ip *src, const struct ip *dst)
{
	bool asks_source = is_limited(&rule->from) && src == NULL;
	bool from = from_matches(&rule->from, src);
	bool to = rule->to.ip.family == IP_NONE || prefix_contains_ip(&rule->to, dst);
	enum match match = MATCH_YES;

	if (rule->unmet || !from || !to)
		match = MATCH_NO;
	else if (rule->open || asks_source)
		match = MATCH_MAYBE;
	if (rule->inverted)
		match = MATCH_YES - match;
	return match == MATCH_YES && rule->open ? MATCH_MAYBE : match;
}

static const struct rule default_rules[] = {
    {.table = "local", .suppress_prefix = -1},
    {.pref = 32766, .table = "main", .suppress_prefix = -1},
    {.pref = 32767, .table = "default", .suppress_prefix = -1},
};

/* The source of the kernel's first look. IPv6 does not take :: for one. */
static struct ip no_source(const struct ip *dst)
{
	return (struct ip){.family = dst->family == IP_V4 ? IP_V4 : IP_NONE};
}

/* The rule's route. What a source that is not known might take instead leaves a doubt. */
static const struct route *rule_route(const struct route_table *table, const struct rule *rule,
    const struct ip *src, const struct ip *dst, bool *doubt)
{
	const struct route *route = table_lookup(table, rule->table, src, dst);
	struct ip none = no_source(dst);

	if (route == NULL || src != NULL || !is_limited(&route->from))
		return route;
	*doubt = true;
	return table_lookup(table, rule->table, &none, dst);
}

/* One walk through the rules. */
static struct lookup walk(const struct route_table *table, const struct rule_list *rules,
    const struct ip *src, const struct ip *dst)
{
	bool known = rules != NULL && rules->known;
	const struct rule *list = known ? rules->v : default_rules;
	size_t n = known ? rules->n : sizeof default_rules / sizeof *default_rules;
	struct lookup found = {.reason = LOOKUP_NO_ROUTE};

	for (size_t i = 0; i < n; i++) {
		const struct rule *rule = &list[i];
		enum match match = rule_match(rule, src, dst);
		if (match == MATCH_NO)
			continue;
		const struct route *route =
		    rule->table == NULL ? NULL
					: rule_route(table, rule, src, dst, &found.uncertain);
		if (rule->table != NULL && (route == NULL || route->type == ROUTE_THROW))
			continue;
		/* The kernel suppresses only what delivers: fib_rules_lookup(),
		 * net/core/fib_rules.c. */
		if (route != NULL && (int)route->dst.len <= rule->suppress_prefix &&
		    reason_of(route->type) == LOOKUP_FOUND)
			continue;
		if (match == MATCH_MAYBE) {
			found.uncertain = true;
			continue;
		}
		found.route = route;
		found.rule = known ? rule : NULL;
		found.reason = reason_of(route == NULL ? rule->type : route->type);
		return found;
	}
	return found;
}

/*
 * The source address that the kernel picks for a route: its own, or that of the interface's network
 * in which the next hop lies (inet_select_addr(), net/ipv4/devinet.c). NULL where the listing does
 * not say it.
 */
static const struct ip *source_for(
    const struct route_table *table, const struct route *route, const struct ip *dst)
{
	const struct ip *hop = route->gateway.family != IP_NONE ? &route->gateway : dst;

	if (route->src.family != IP_NONE)
		return &route->src;
	for (size_t i = 0; i < table->n && route->dev != NULL; i++) {
		const struct route *r = &table->v[i];
		if (r->src.family != IP_NONE && route_is_on_link(r) && r->dev != NULL &&
		    strcmp(r->dev, route->dev) == 0 && prefix_contains_ip(&r->dst, hop))
			return &r->src;
	}
	return NULL;
}

/* With the source address that the first look gave. */
static struct lookup look_again4(const struct route_table *table, const struct rule_list *rules,
    const struct lookup *first, const struct ip *dst)
{
	const struct ip *src =
	    first->reason == LOOKUP_FOUND ? source_for(table, first->route, dst) : NULL;

	return walk(table, rules, src, dst);
}

/* An address of the host's own that it may take to reach others by a router. */
static bool is_own_global(const struct route *route)
{
	static const struct prefix link_local = {{IP_V6, {0xfe, 0x80}}, 10};

	return route->type == ROUTE_LOCAL && route->dst.ip.family == IP_V6 &&
	       route->dst.len == 128 && strcmp(route->table, "local") == 0 &&
	       !ip_is_loopback(&route->dst.ip) && !prefix_contains_ip(&link_local, &route->dst.ip);
}

/* More addresses than these are not tried, so that a crafted table costs no quadratic time. */
#define OWN_MOST 64

/* From each of the host's own addresses. Where they lead different ways, or none is known, what
 * the source may decide is open. */
static struct lookup look_again6(
    const struct route_table *table, const struct rule_list *rules, const struct ip *dst)
{
	struct lookup found = {0};
	size_t n = 0;

	for (size_t i = 0; i < table->n; i++) {
		if (!is_own_global(&table->v[i]))
			continue;
		struct lookup one = walk(table, rules, &table->v[i].dst.ip, dst);
		if (n++ == OWN_MOST ||
		    (n > 1 && (one.route != found.route || one.reason != found.reason))) {
			n = 0;
			break;
		}
		one.uncertain = one.uncertain || found.uncertain;
		found = one;
	}
	return n > 0 ? found : walk(table, rules, NULL, dst);
}

/* Does another route to the same destination have a way of its own, and the metrics are not known?
 */
static bool has_rival(const struct route_table *table, const struct route *route)
{
	for (size_t i = 0; route != NULL && route->metric_unknown && i < table->n; i++) {
		const struct route *r = &table->v[i];
		if (prefix_equal(&r->dst, &route->dst) && strcmp(r->table, route->table) == 0 &&
		    !r->dead && !r->conditional && !ip_equal(&r->gateway, &route->gateway))
			return true;
	}
	return false;
}

struct lookup route_lookup(
    const struct route_table *table, const struct rule_list *rules, const struct ip *dst)
{
	bool v4 = dst->family == IP_V4, partial = v4 ? table->partial : table->partial6;
	struct ip none = no_source(dst);
	struct lookup first = walk(table, rules, &none, dst), found = first;
	bool way = first.reason == LOOKUP_FOUND;

	if (v4 && way && first.route->type != ROUTE_LOCAL)
		found = look_again4(table, rules, &first, dst);
	else if (!v4 && !way)
		found = look_again6(table, rules, dst);
	found.by_source = found.route != first.route || found.reason != first.reason ||
			  found.uncertain != first.uncertain;
	found.uncertain =
	    found.uncertain || first.uncertain || partial || (rules != NULL && rules->partial) ||
	    (found.route != NULL && found.route->unclear) || has_rival(table, found.route);
	return found;
}

/* The first address behind the prefix; false: it ends where all addresses do. */
static bool first_behind(const struct prefix *prefix, struct ip *ret)
{
	*ret = prefix->ip;
	for (unsigned bit = prefix->len; bit-- > 0;) {
		uint8_t mask = (uint8_t)(0x80 >> bit % 8);
		ret->b[bit / 8] ^= mask;
		if (ret->b[bit / 8] & mask)
			return true; /* else it was set, and is carried */
	}
	return false;
}

/* Lower the edge to where the prefix begins or ends, if that is above the address. */
static void lower_edge(
    const struct prefix *prefix, const struct ip *ip, bool *found, struct ip *ret_edge)
{
	struct ip at = prefix->ip;

	if (at.family != ip->family ||
	    (ip_cmp(&at, ip) <= 0 && (!first_behind(prefix, &at) || ip_cmp(&at, ip) <= 0)))
		return;
	if (!*found || ip_cmp(&at, ret_edge) < 0)
		*ret_edge = at;
	*found = true;
}

bool route_next_edge(const struct route_table *table, const struct rule_list *rules,
    const struct ip *ip, struct ip *ret_edge)
{
	bool found = false;

	for (size_t i = 0; i < table->n; i++)
		lower_edge(&table->v[i].dst, ip, &found, ret_edge);
	for (size_t i = 0; rules != NULL && i < rules->n; i++)
		lower_edge(&rules->v[i].to, ip, &found, ret_edge);
	return found;
}

size_t route_hops(const struct route_table *table, const struct route *winner)
{
	const struct route *end = table->v + table->n;
	size_t n = 1;

	while (winner + n < end && winner[n].hop > winner[n - 1].hop)
		n++;
	return n;
}

const char *route_format(struct arena *arena, const struct route *route)
{
	char text[PREFIX_TEXT_SIZE];
	struct buf out = {0};

	if (route->type != ROUTE_UNICAST)
		buf_printf(&out, "%s ", route_type_name(route->type));
	buf_puts(&out, route->dst.len == 0 ? "default" : prefix_format(&route->dst, text));
	if (is_limited(&route->from))
		buf_printf(&out, " from %s", prefix_format(&route->from, text));
	if (route->gateway.family != IP_NONE)
		buf_printf(&out, " via %s", ip_format(&route->gateway, text));
	if (route->dev != NULL)
		buf_printf(&out, " dev %s", route->dev);
	if (strcmp(route->table, "main") != 0)
		buf_printf(&out, " table %s", route->table);
	if (route->scope != ROUTE_SCOPE_GLOBAL)
		buf_printf(&out, " scope %s", route_scope_name(route->scope));
	if (route->metric != 0)
		buf_printf(&out, " metric %u", route->metric);
	const char *copy = arena_dup(arena, buf_str(&out));
	buf_free(&out);
	return copy;
}
