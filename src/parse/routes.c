#include "oddhost/parse/routes.h"

#include <string.h>

#include "oddhost/base/json.h"
#include "oddhost/parse/line.h"

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

	/* Columns of the last header of route(8) or netstat(8); -1: not there. */
	int gateway, mask, flags, metric, dev;
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

static const char *keep_name(struct arena *arena, struct view name)
{
	return view_eq(name, "main")    ? "main"
	       : view_eq(name, "local") ? "local"
					: arena_dup_view(arena, name);
}

static bool parse_scope(struct view word, enum route_scope *ret)
{
	for (unsigned i = ROUTE_SCOPE_GLOBAL; i <= ROUTE_SCOPE_HOST; i++) {
		if (view_eq(word, route_scope_name((enum route_scope)i))) {
			*ret = (enum route_scope)i;
			return true;
		}
	}
	uint64_t number;
	if (!view_uint(word, 0, 255, &number))
		return false;
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
	WORD_FLAG,   /* stands alone */
	WORD_VALUE,  /* one value follows, perhaps behind "lock" */
	WORD_VALUE6, /* likewise, and only IPv6 routes have it */
	WORD_ENCAP,  /* its own words follow, up to via or dev */
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
    {"from", WORD_VALUE}, {"tos", WORD_VALUE}, {"dsfield", WORD_VALUE}, {"nhid", WORD_VALUE},
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
static bool take_value(enum word word, struct view value, struct route *route, struct arena *arena)
{
	uint64_t number;

	switch (word) {
	case WORD_DEV:
		route->dev = arena_dup_view(arena, value);
		return true;
	case WORD_TABLE:
		route->table = keep_name(arena, value);
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
	default:
		return true;
	}
}

enum taken { TAKEN_ALL, TAKEN_TO_NEXTHOP, TAKEN_NOT };

/* Read words into the route up to the line's end, or up to and with the word "nexthop". */
static enum taken take_words(struct view *line, struct route *route, bool *v6, struct arena *arena)
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
			   !take_value(word, value, route, arena)) {
			return TAKEN_NOT;
		}
	}
	return TAKEN_ALL;
}

static const char route_expected[] = "a route as ip or route prints it";

/* The line that was kept: complete, now that no next hop follows. */
static void flush(struct reader *r)
{
	if (!r->pending)
		return;
	r->pending = false;
	if (r->hops > 0)
		return;
	if (r->base.type == ROUTE_UNICAST && r->base.dev == NULL &&
	    r->base.gateway.family == IP_NONE)
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
		taken = take_words(&line, &hop, &v6, r->table->arena);
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
	flush(r);
	if (route_type_from_name(word, &route.type) && !view_next_word(&line, &word))
		return false;
	if (!view_eq(word, "default") && !prefix_parse(word, &route.dst))
		return false;
	enum taken taken = take_words(&line, &route, &v6, r->table->arena);
	if (taken == TAKEN_NOT)
		return false;
	r->pending = true;
	r->base = route;
	r->base_v6 = v6;
	r->base_line = whole;
	r->hops = 0;
	return taken == TAKEN_ALL || take_hops(r, line, number);
}

/* The header of route(8) or netstat(8): which column is where. */
static void take_header(struct reader *r, struct view line)
{
	struct view word;
	int column = 0;

	r->gateway = 1;
	r->mask = r->flags = r->metric = r->dev = -1;
	for (; view_next_word(&line, &word); column++) {
		if (view_eq(word, "Hop")) /* "Next Hop" is one column */
			column--;
		else if (view_eq(word, "Genmask"))
			r->mask = column;
		else if (view_starts(word, "Flag"))
			r->flags = column;
		else if (view_eq(word, "Metric") || view_eq(word, "Met"))
			r->metric = column;
		else if (view_eq(word, "Iface") || view_eq(word, "If"))
			r->dev = column;
	}
}

static bool are_flags(struct view word)
{
	for (size_t i = 0; i < word.n; i++) {
		if (word.p[i] == '\0' || strchr("UGHRDMAC!ne", word.p[i]) == NULL)
			return false;
	}
	return word.n > 0;
}

/* Names that `route` without -n prints for what has no address of its own: /etc/networks. */
static bool parse_destination(struct view word, struct view mask, struct prefix *ret)
{
	struct ip ip, bits;

	if (view_eq(word, "default"))
		word = view_of("0.0.0.0");
	else if (view_eq(word, "link-local"))
		word = view_of("169.254.0.0");
	else if (view_eq(word, "loopback"))
		word = view_of("127.0.0.0");
	if (mask.n == 0)
		return prefix_parse(word, ret);
	return ip_parse(word, &ip) && ip_parse(mask, &bits) && prefix_from_mask(&ip, &bits, ret);
}

static bool is_zero(const struct ip *ip)
{
	struct ip zero = {.family = ip->family};

	return ip_equal(ip, &zero);
}

static bool take_row(struct reader *r, struct view line, unsigned number)
{
	struct route route = {.table = "main", .line = number, .scope = ROUTE_SCOPE_LINK};
	struct view whole = line, cell[12] = {{0}}, none = {0};
	int n = 0;
	uint64_t metric;

	while (n < 12 && view_next_word(&line, &cell[n]))
		n++;
	if (r->flags < 0 || n <= r->flags || n <= r->dev || n <= r->mask || n <= r->metric ||
	    r->dev < 0 || !are_flags(cell[r->flags]) ||
	    !parse_destination(cell[0], r->mask < 0 ? none : cell[r->mask], &route.dst))
		return false;

	struct view dev = cell[r->dev];
	if (!view_eq(dev, "*") && !view_eq(dev, "-"))
		route.dev = arena_dup_view(r->table->arena, dev);
	if (view_find_char(cell[r->flags], '!') >= 0)
		route.type = ROUTE_UNREACHABLE;
	else if (route.dev == NULL)
		route.type = ROUTE_BLACKHOLE;
	if (route.type != ROUTE_UNICAST)
		route.scope = ROUTE_SCOPE_GLOBAL;
	if (r->metric >= 0 && view_uint(cell[r->metric], 0, UINT32_MAX, &metric))
		route.metric = (uint32_t)metric;
	else if (r->metric >= 0 && view_eq(cell[r->metric], "-1"))
		route.metric = UINT32_MAX; /* a signed print of it */
	if (view_find_char(cell[r->flags], 'G') >= 0) {
		route.scope = ROUTE_SCOPE_GLOBAL;
		if (!ip_parse(cell[r->gateway], &route.gateway) || is_zero(&route.gateway)) {
			route.gateway = (struct ip){0};
			line_reject(
			    r->diags, number, whole, "an address as the gateway (try route -n)");
		}
	}
	flush(r);
	add(r, &route, false);
	return true;
}

static const struct json *json_gateway(const struct json *object)
{
	const struct json *gateway = json_get(object, "gateway");

	return gateway != NULL ? gateway : json_get(json_get(object, "via"), "host");
}

static void json_hop(const struct json *object, struct route *route, struct arena *arena)
{
	const struct json *flags = json_get(object, "flags");
	const char *dev = json_get_string(object, "dev", NULL);

	if (dev != NULL)
		route->dev = arena_dup(arena, dev);
	ip_parse(view_of(json_string(json_gateway(object), NULL)), &route->gateway);
	for (const struct json *flag = json_first(flags); flag != NULL; flag = json_next(flag)) {
		route->linkdown =
		    route->linkdown || view_eq(view_of(json_string(flag, "")), "linkdown");
		route->dead = route->dead || view_eq(view_of(json_string(flag, "")), "dead");
	}
}

/* One object of `ip -j route`. */
static bool take_object(struct reader *r, const struct json *object, unsigned number)
{
	struct route route = {.table = "main"};
	const char *dst = json_get_string(object, "dst", NULL);
	const char *type = json_get_string(object, "type", "unicast");
	const char *gateway = json_get_string(object, "gateway", "");
	double metric = json_get_number(object, "metric", 0);
	bool v6 = strchr(gateway, ':') != NULL || json_get(object, "pref") != NULL;

	if (dst == NULL || !route_type_from_name(view_of(type), &route.type) ||
	    (strcmp(dst, "default") != 0 && !prefix_parse(view_of(dst), &route.dst)) ||
	    !parse_scope(view_of(json_get_string(object, "scope", "global")), &route.scope) ||
	    metric < 0 || metric > UINT32_MAX) {
		r->rejected = true;
		diag_add(r->diags, number, "expected an object of `ip -j route` with dst");
		return false;
	}
	unsigned at = line_of_value(&r->finder, "dst", dst);
	route.line = at != 0 ? at : number;
	route.metric = (uint32_t)metric;
	route.table = keep_name(r->table->arena, view_of(json_get_string(object, "table", "main")));
	ip_parse(view_of(json_get_string(object, "prefsrc", NULL)), &route.src);
	json_hop(object, &route, r->table->arena);

	const struct json *hop = json_first(json_get(object, "nexthops"));
	if (hop == NULL)
		add(r, &route, v6);
	for (; hop != NULL; hop = json_next(hop)) {
		struct route one = route;
		json_hop(hop, &one, r->table->arena);
		add(r, &one, v6 || strchr(json_get_string(hop, "gateway", ""), ':') != NULL);
	}
	return true;
}

static bool take_array(const struct json *array, unsigned number, void *arg)
{
	bool any = json_is_array(array) && json_size(array) == 0;

	for (const struct json *item = json_first(array); item != NULL; item = json_next(item))
		any = take_object(arg, item, number) || any;
	return any;
}

static bool read_json(struct reader *r, struct view text)
{
	size_t before = r->diags == NULL ? 0 : r->diags->n;

	r->finder = (struct line_finder){.rest = text, .line = 1};
	bool any = line_each_json(text, r->diags, take_array, r) > 0;
	r->rejected = r->rejected || !any || (r->diags != NULL && r->diags->n > before);
	return any;
}

static bool read_lines(struct reader *r, struct view text)
{
	struct line_reader lines = {.rest = text};
	struct view line;
	bool any = false;

	take_header(r, view_of("Destination Gateway Genmask Flags Metric Ref Use Iface"));
	while (line_next(&lines, &line)) {
		if (line_begins(line, "Kernel"))
			continue;
		if (line_begins(line, "Destination")) {
			take_header(r, line);
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
