#include "oddhost/net/route.h"

#include <string.h>

#include "oddhost/base/buf.h"

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

struct route *route_table_add(struct route_table *table)
{
	table->v = arena_grow(table->arena, table->v, table->n, &table->cap, sizeof *table->v);
	struct route *route = &table->v[table->n++];
	route->table = "main";
	return route;
}

struct rule *rule_list_add(struct rule_list *list)
{
	list->v = arena_grow(list->arena, list->v, list->n, &list->cap, sizeof *list->v);
	struct rule *rule = &list->v[list->n++];
	rule->suppress_prefix = -1;
	return rule;
}

/*
 * The winner in one table, by a linear scan: tables have tens of routes, and an index has to be
 * measured to be worth it first. Of equal prefixes the lowest metric wins, of equal metrics the
 * first in the listing, which is the kernel's own order. A multicast or broadcast destination is
 * found like any other: the local table holds the broadcast addresses.
 */
static const struct route *table_lookup(
    const struct route_table *table, const char *name, const struct ip *dst)
{
	const struct route *best = NULL;

	for (size_t i = 0; i < table->n; i++) {
		const struct route *r = &table->v[i];
		if (r->dead || r->conditional || r->dst.ip.family != dst->family ||
		    strcmp(r->table, name) != 0)
			continue;
		if (best != NULL && (r->dst.len < best->dst.len ||
					(r->dst.len == best->dst.len && r->metric >= best->metric)))
			continue;
		if (prefix_contains_ip(&r->dst, dst))
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

static bool has_from(const struct rule *rule)
{
	return rule->from.ip.family != IP_NONE && rule->from.len > 0;
}

enum match { MATCH_NO, MATCH_MAYBE, MATCH_YES };

/*
 * fib_rule_match(), net/core/fib_rules.c: every selector must match, and `not` turns that round.
 * src NULL: not known.
 */
static enum match rule_match(const struct rule *rule, const struct ip *src, const struct ip *dst)
{
	bool asks_source = has_from(rule) && src == NULL;
	bool from = !has_from(rule) || asks_source || prefix_contains_ip(&rule->from, src);
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
		    rule->table == NULL ? NULL : table_lookup(table, rule->table, dst);
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
		if (r->src.family != IP_NONE && r->gateway.family == IP_NONE &&
		    r->type == ROUTE_UNICAST && r->dev != NULL && strcmp(r->dev, route->dev) == 0 &&
		    prefix_contains_ip(&r->dst, hop))
			return &r->src;
	}
	return NULL;
}

/* The look with a source, behind the first one. */
static struct lookup look_again(const struct route_table *table, const struct rule_list *rules,
    const struct lookup *first, const struct ip *dst)
{
	const struct ip *src =
	    first->reason == LOOKUP_FOUND ? source_for(table, first->route, dst) : NULL;
	struct lookup found = walk(table, rules, src, dst);

	found.by_source = found.route != first->route || found.reason != first->reason ||
			  found.uncertain != first->uncertain;
	found.uncertain = found.uncertain || first->uncertain;
	return found;
}

static bool lacks_hop(const struct route *route)
{
	return route != NULL && route->type == ROUTE_UNICAST && route->dev == NULL &&
	       route->gateway.family == IP_NONE;
}

struct lookup route_lookup(
    const struct route_table *table, const struct rule_list *rules, const struct ip *dst)
{
	bool v4 = dst->family == IP_V4, partial = v4 ? table->partial : table->partial6;
	struct ip nowhere = {
	    .family = v4 ? IP_V4 : IP_NONE}; /* IPv6 does not take :: for a source */
	struct lookup found = walk(table, rules, &nowhere, dst);
	bool way = found.reason == LOOKUP_FOUND;

	if (v4 ? way && found.route->type != ROUTE_LOCAL : !way)
		found = look_again(table, rules, &found, dst);
	found.uncertain = found.uncertain || partial || (rules != NULL && rules->partial) ||
			  lacks_hop(found.route);
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
