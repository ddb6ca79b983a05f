#include "oddhost/parse/routes.h"

#include <string.h>

#include "oddhost/base/json.h"
#include "oddhost/parse/line.h"
#include "oddhost/parse/routes_columns.h"

struct reader {
	struct route_table *table;
	struct diag_list *diags;
	enum ip_family family;
	size_t added;
	bool rejected;             /* something was not understood */
	struct line_finder finder; /* JSON */

	/* A line of `ip route`, kept until it is known whether next hops follow it. */
	bool pending;
	struct route base;
	bool base_v6;
	size_t hops;
	struct view base_line;

	struct route_columns columns; /* of route(8) and netstat(8) */
};

/* Add a route; v6: a "default" is IPv6's. */
static void add(struct reader *r, const struct route *route, bool v6)
{
	struct route *added = route_table_add(r->table);

	*added = *route;
	if (added->dst.ip.family == IP_NONE)
		added->dst.ip.family =
		    v6 || (r->family == IP_V6 && route->gateway.family != IP_V4) ? IP_V6 : IP_V4;
	r->added++;
}

const char *route_table_name(struct arena *arena, struct view name)
{
	static const struct {
		const char *number, *name;
	} known[] = {{"254", "main"}, {"255", "local"}, {"253", "default"}};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (view_eq(name, known[i].number) || view_eq(name, known[i].name))
			return known[i].name;
	}
	return arena_dup_view(arena, name);
}

bool route_type_parse(struct view text, enum route_type *ret)
{
	uint64_t number; /* the enum has the kernel's order, which begins with 1 */

	if (!view_uint(text, 1, ROUTE_THROW + 1, &number))
		return route_type_from_name(text, ret);
	*ret = (enum route_type)(number - 1);
	return true;
}

/* By name, or by the number that `ip -N` prints (rt_scopes of iproute2). */
static bool parse_scope(struct view word, enum route_scope *ret)
{
	static const unsigned numbers[] = {0, 200, 253, 254};

	for (unsigned i = ROUTE_SCOPE_GLOBAL; i <= ROUTE_SCOPE_HOST; i++) {
		if (view_eq(word, route_scope_name((enum route_scope)i))) {
			*ret = (enum route_scope)i;
			return true;
		}
	}
	uint64_t number;
	if (!view_uint(word, 0, 255, &number))
		return false;
	for (unsigned i = ROUTE_SCOPE_GLOBAL; i <= ROUTE_SCOPE_HOST; i++) {
		if (number == numbers[i]) {
			*ret = (enum route_scope)i;
			return true;
		}
	}
	*ret = ROUTE_SCOPE_GLOBAL; /* a number of the administrator's own: wider than link */
	return true;
}

/*
 * The words of `ip route`, from print_route() of iproute2's ip/iproute.c. What an unknown word is
 * followed by cannot be told, so a line with one is not understood.
 */
enum word {
	WORD_VIA,
	WORD_DEV,
	WORD_TABLE,
	WORD_SCOPE,
	WORD_SRC,
	WORD_METRIC,
	WORD_LINKDOWN,
	WORD_DEAD,
	WORD_FLAG,  /* stands alone */
	WORD_VALUE, /* one value follows, perhaps behind "lock" */
	WORD_FROM,
	WORD_CONDITION, /* likewise, and only packets that have this take the route */
	WORD_VALUE6,    /* likewise, and only IPv6 routes have it */
	WORD_ENCAP,     /* its own words follow, up to via or dev */
	WORD_NEXTHOP,
};

static const struct {
	const char *name;
	enum word word;
} words[] = {
    {"via", WORD_VIA}, {"dev", WORD_DEV}, {"table", WORD_TABLE}, {"scope", WORD_SCOPE},
    {"src", WORD_SRC}, {"metric", WORD_METRIC}, {"linkdown", WORD_LINKDOWN}, {"dead", WORD_DEAD},
    {"nexthop", WORD_NEXTHOP}, {"encap", WORD_ENCAP}, {"pref", WORD_VALUE6}, {"error", WORD_VALUE},
    {"proto", WORD_VALUE}, {"weight", WORD_VALUE}, {"realm", WORD_VALUE}, {"realms", WORD_VALUE},
    {"from", WORD_FROM}, {"tos", WORD_CONDITION}, {"dsfield", WORD_CONDITION}, {"nhid", WORD_VALUE},
    {"mark", WORD_VALUE}, {"uid", WORD_VALUE}, {"iif", WORD_VALUE}, {"expires", WORD_VALUE},
    {"users", WORD_VALUE}, {"age", WORD_VALUE}, {"mtu", WORD_VALUE}, {"window", WORD_VALUE},
    {"rtt", WORD_VALUE}, {"rttvar", WORD_VALUE}, {"ssthresh", WORD_VALUE}, {"cwnd", WORD_VALUE},
    {"advmss", WORD_VALUE}, {"reordering", WORD_VALUE}, {"hoplimit", WORD_VALUE},
    {"initcwnd", WORD_VALUE}, {"initrwnd", WORD_VALUE}, {"features", WORD_VALUE},
    {"rto_min", WORD_VALUE}, {"quickack", WORD_VALUE}, {"congctl", WORD_VALUE},
    {"ttl-propagate", WORD_VALUE}, {"fastopen_no_cookie", WORD_VALUE}, {"onlink", WORD_FLAG},
    {"pervasive", WORD_FLAG}, {"offload", WORD_FLAG}, {"trap", WORD_FLAG}, {"notify", WORD_FLAG},
    {"unresolved", WORD_FLAG}, {"rt_offload", WORD_FLAG}, {"rt_trap", WORD_FLAG},
    {"rt_offload_failed", WORD_FLAG}, {"cache", WORD_FLAG},
    {"\\", WORD_FLAG}, /* `ip -o` writes it for a line break */
};

static bool word_of(struct view text, enum word *ret)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (view_eq(text, words[i].name)) {
			*ret = words[i].word;
			return true;
		}
	}
	return false;
}

static bool take_via(struct view *line, struct route *route, bool *v6)
{
	struct view value;

	if (!view_next_word(line, &value))
		return false;
	if (view_eq(value, "inet6") || view_eq(value, "inet"))
		return view_next_word(line, &value) && ip_parse(value, &route->gateway);
	*v6 = *v6 || view_find_char(value, ':') >= 0;
	return ip_parse(value, &route->gateway);
}

/* The word's value, where it has one that matters. */
static bool take_value(
    enum word word, struct view value, struct route *route, const struct route_table *table)
{
	uint64_t number;

	switch (word) {
	case WORD_DEV:
		route->dev = route_table_device(table, value);
		return true;
	case WORD_TABLE:
		route->table = route_table_name(table->arena, value);
		return true;
	case WORD_SCOPE:
		return parse_scope(value, &route->scope);
	case WORD_SRC:
		return ip_parse(value, &route->src);
	case WORD_METRIC:
		if (!view_uint(value, 0, UINT32_MAX, &number))
			return false;
		route->metric = (uint32_t)number;
		return true;
	case WORD_FROM:
		return view_eq(value, "all") || prefix_parse(value, &route->from);
	case WORD_CONDITION:
		route->conditional = true;
		return true;
	default:
		return true;
	}
}

enum taken { TAKEN_ALL, TAKEN_TO_NEXTHOP, TAKEN_NOT };

/* Read words into the route up to the line's end, or up to and with the word "nexthop". */
static enum taken take_words(
    struct view *line, struct route *route, bool *v6, const struct route_table *table)
{
	struct view text, value;
	enum word word;

	while (view_next_word(line, &text)) {
		if (!word_of(text, &word))
			return TAKEN_NOT;
		if (word == WORD_NEXTHOP)
			return TAKEN_TO_NEXTHOP;
		route->linkdown = route->linkdown || word == WORD_LINKDOWN;
		route->dead = route->dead || word == WORD_DEAD;
		*v6 = *v6 || word == WORD_VALUE6;
		if (word == WORD_FLAG || word == WORD_LINKDOWN || word == WORD_DEAD)
			continue;
		if (word == WORD_ENCAP) {
			for (struct view rest = *line; view_next_word(&rest, &value);
			     *line = rest) {
				if (view_eq(value, "via") || view_eq(value, "dev"))
					break;
			}
		} else if (word == WORD_VIA) {
			if (!take_via(line, route, v6))
				return TAKEN_NOT;
		} else if (!view_next_word(line, &value) ||
			   (view_eq(value, "lock") && !view_next_word(line, &value)) ||
			   !take_value(word, value, route, table)) {
			return TAKEN_NOT;
		}
	}
	return TAKEN_ALL;
}

static const char route_expected[] = "a route as ip or route prints it";

/* Does the route say where packets go? */
static bool has_way(const struct route *route)
{
	return route->type != ROUTE_UNICAST || route->dev != NULL ||
	       route->gateway.family != IP_NONE;
}

/* The line that was kept: complete, now that no next hop follows. */
static void flush(struct reader *r)
{
	if (!r->pending)
		return;
	r->pending = false;
	if (r->hops > 0)
		return;
	r->base.unclear = !has_way(&r->base);
	if (r->base.unclear) /* busybox leaves next hops out: the prefix is known all the same */
		line_reject(r->diags, r->base.line, r->base_line, "via or dev or next hops");
	add(r, &r->base, r->base_v6);
}

/* Behind a word "nexthop": one route a hop, each with the base's prefix. */
static bool take_hops(struct reader *r, struct view line, unsigned number)
{
	enum taken taken = TAKEN_TO_NEXTHOP;

	while (taken == TAKEN_TO_NEXTHOP) {
		struct route hop = r->base;
		bool v6 = r->base_v6;
		hop.line = number;
		hop.hop = (unsigned)r->hops;
		taken = take_words(&line, &hop, &v6, r->table);
		if (taken == TAKEN_NOT)
			return false;
		add(r, &hop, v6);
		r->hops++;
	}
	return true;
}

static bool take_ip_line(struct reader *r, struct view line, unsigned number)
{
	struct route route = {.table = "main", .line = number};
	struct view whole = line, word;
	bool v6 = false;

	if (!view_next_word(&line, &word))
		return false;
	if (view_eq(word, "nexthop"))
		return r->pending && take_hops(r, line, number);
	if (view_eq(word, "nh_info")) /* of -d: what stands in the route, or behind it, once more */
		return r->pending;
	flush(r);
	if (route_type_parse(word, &route.type) && !view_next_word(&line, &word))
		return false;
	if (!view_eq(word, "default") && !prefix_parse(word, &route.dst))
		return false;
	enum taken taken = take_words(&line, &route, &v6, r->table);
	if (taken == TAKEN_NOT)
		return false;
	r->pending = true;
	r->base = route;
	r->base_v6 = v6;
	r->base_line = whole;
	r->hops = 0;
	return taken == TAKEN_ALL || take_hops(r, line, number);
}

static bool json_address(const struct json *object, const char *key, struct ip *ret)
{
	const char *text = NULL;

	return json_read_string(object, key, &text) &&
	       (text == NULL || ip_parse(view_of(text), ret));
}

/* "via" is a next hop of the other family: {"family": "inet6", "host": "fe80::1"}. */
static bool json_via(const struct json *via, struct ip *ret)
{
	return via == NULL || (json_get(via, "host") != NULL && json_address(via, "host", ret));
}

/* What a route and each of its next hops may have; false where it cannot be read. */
static bool json_hop(
    const struct json *object, struct route *route, bool *v6, const struct route_table *table)
{
	const struct json *flags = json_get(object, "flags");
	const char *dev = NULL;
	struct ip gateway = {0};

	if (!json_read_string(object, "dev", &dev) || !json_address(object, "gateway", &gateway) ||
	    !json_via(json_get(object, "via"), &route->gateway) ||
	    (flags != NULL && !json_is_array(flags)))
		return false;
	if (dev != NULL)
		route->dev = route_table_device(table, view_of(dev));
	if (gateway.family != IP_NONE)
		route->gateway = gateway;
	*v6 = *v6 || gateway.family == IP_V6;
	for (const struct json *flag = json_first(flags); flag != NULL; flag = json_next(flag)) {
		route->linkdown =
		    route->linkdown || view_eq(view_of(json_string(flag, "")), "linkdown");
		route->dead = route->dead || view_eq(view_of(json_string(flag, "")), "dead");
	}
	return true;
}

/* All of a route's object but its next hops. */
static bool json_route(
    const struct json *object, struct route *route, bool *v6, const struct route_table *table)
{
	const char *dst = "", *from = NULL, *type = "unicast", *scope = "global", *name = "main";
	long metric = 0;

	if (!json_read_string(object, "dst", &dst) || !json_read_string(object, "from", &from) ||
	    !json_read_string(object, "type", &type) ||
	    !json_read_string(object, "scope", &scope) ||
	    !json_read_string(object, "table", &name) ||
	    !json_read_int(object, "metric", 0, UINT32_MAX, &metric) ||
	    !json_address(object, "prefsrc", &route->src) || !json_hop(object, route, v6, table))
		return false;
	if (!route_type_parse(view_of(type), &route->type) ||
	    (strcmp(dst, "default") != 0 && !prefix_parse(view_of(dst), &route->dst)) ||
	    (from != NULL && !prefix_parse(view_of(from), &route->from)) ||
	    !parse_scope(view_of(scope), &route->scope))
		return false;
	route->metric = (uint32_t)metric;
	route->table = route_table_name(table->arena, view_of(name));
	route->conditional = json_get(object, "tos") != NULL;
	*v6 = *v6 || json_get(object, "pref") != NULL;
	return true;
}

/* Add what was read of a route or of one of its hops. */
static bool json_add(struct reader *r, const struct route *route, bool v6, bool read)
{
	if (read && has_way(route)) {
		add(r, route, v6);
		return true;
	}
	diag_add(r->diags, route->line, "expected a route as `ip -j route` prints it");
	return false;
}

/* One object of `ip -j route`. */
static bool take_object(const struct json *object, unsigned number, void *arg)
{
	struct reader *r = arg;
	const struct route_table *table = r->table;
	struct route route = {.table = "main"};
	const char *dst = json_get_string(object, "dst", NULL);
	const struct json *hop = json_first(json_get(object, "nexthops"));
	unsigned at = dst == NULL ? 0 : line_of_value(&r->finder, "dst", dst);
	bool v6 = false;

	route.line = at != 0 ? at : number;
	bool read = json_route(object, &route, &v6, table);
	if (!read || hop == NULL)
		return json_add(r, &route, v6, read);
	for (; hop != NULL; hop = json_next(hop)) {
		struct route one = route;
		bool hop6 = v6;
		read = json_hop(hop, &one, &hop6, table);
		route.hop += json_add(r, &one, hop6, read);
	}
	return route.hop > 0;
}

static bool read_json(struct reader *r, struct view text)
{
	struct diag_list own = {.arena = r->table->arena};

	r->diags = r->diags != NULL ? r->diags : &own;
	size_t before = r->diags->n;
	r->finder = (struct line_finder){.rest = text, .line = 1};
	bool any = line_each_item(text, r->diags, take_object, r);
	r->rejected = !any || r->diags->n > before;
	return any;
}

static bool take_row(struct reader *r, struct view line, unsigned number)
{
	struct route route;
	const char *hidden;

	if (!route_columns_row(&r->columns, line, number, r->table, &route, &hidden))
		return false;
	if (hidden != NULL)
		line_reject(r->diags, number, line, hidden);
	flush(r);
	add(r, &route, r->columns.family == IP_V6);
	return true;
}

static bool read_lines(struct reader *r, struct view text)
{
	struct line_reader lines = {.rest = text};
	struct view line;
	bool any = false;

	route_columns_init(&r->columns);
	while (line_next(&lines, &line)) {
		if (route_columns_title(&r->columns, line)) {
			any = true;
			continue;
		}
		if (take_row(r, line, lines.number) || take_ip_line(r, line, lines.number))
			continue;
		line_reject(r->diags, lines.number, line, route_expected);
		r->rejected = true;
	}
	flush(r);
	return any || r->added > 0 || view_trim(text).n == 0;
}

bool parse_routes(
    struct view text, enum ip_family family, struct route_table *table, struct diag_list *diags)
{
	struct reader r = {.table = table, .diags = diags, .family = family};
	bool any = view_starts(view_trim(text), "[") ? read_json(&r, text) : read_lines(&r, text);

	table->partial = table->partial || (r.rejected && family != IP_V6);
	table->partial6 = table->partial6 || (r.rejected && family != IP_V4);
	return any;
}
