#include "oddhost/parse/routes_columns.h"

#include <string.h>

#include "oddhost/parse/line.h"

#define CELLS 12

static bool is_bsd_dev(struct view word)
{
	return view_eq(word, "Netif") || view_eq(word, "Interface");
}

static void take_header(struct route_columns *c, struct view line)
{
	struct view word;
	int column = 0;

	c->mask = c->flags = c->metric = c->dev = -1;
	c->bsd = false;
	for (; view_next_word(&line, &word); column++) {
		if (view_eq(word, "Hop")) /* "Next Hop" is one column */
			column--;
		else if (view_eq(word, "Genmask"))
			c->mask = column;
		else if (view_starts(word, "Flag"))
			c->flags = column;
		else if (view_eq(word, "Metric") || view_eq(word, "Met"))
			c->metric = column;
		else if (view_eq(word, "Iface") || view_eq(word, "If") || is_bsd_dev(word))
			c->dev = column;
		c->bsd = c->bsd || view_eq(word, "Mtu") || is_bsd_dev(word);
	}
}

void route_columns_init(struct route_columns *c)
{
	c->family = IP_NONE;
	take_header(c, view_of("Destination Gateway Genmask Flags Metric Ref Use Iface"));
}

bool route_columns_title(struct route_columns *c, struct view line)
{
	struct view word;

	if (line_begins(line, "Destination")) {
		take_header(c, line);
		return true;
	}
	if (line_begins(line, "Kernel") || line_begins(line, "Routing"))
		return true;
	if (!view_next_word(&line, &word) || view_trim(line).n > 0)
		return false;
	if (view_eq(word, "Internet:"))
		c->family = IP_V4;
	else if (view_eq(word, "Internet6:"))
		c->family = IP_V6;
	else
		return false;
	return true;
}

static bool has_flag(struct view flags, char flag)
{
	return view_find_char(flags, flag) >= 0;
}

static bool are_flags(struct view word)
{
	for (size_t i = 0; i < word.n; i++) {
		if (word.p[i] == '\0' || strchr("UGHRDMACaceni!", word.p[i]) == NULL)
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

/*
 * An address of the host's own: route(8) shows IPv6's table local with the others, and a route to
 * one address without a next hop (RTF_NONEXTHOP) is what addrconf_f6i_alloc() makes there.
 */
static bool is_own(const struct prefix *dst, struct view flags)
{
	return dst->ip.family == IP_V6 && dst->len == 128 && has_flag(flags, 'n') &&
	       !has_flag(flags, '!');
}

/*
 * Groups, not hosts. IPv6 has a route to them for each interface, in table local, and route(8)
 * shows it with the others (addrconf_add_mroute()); of IPv4's /proc/net/route leaves such out, so
 * that one which is shown was added as unicast.
 */
static bool is_group(const struct route_columns *c, const struct prefix *dst)
{
	return prefix_is_multicast(dst) && (c->bsd || dst->ip.family == IP_V6);
}

static void take_linux_type(const struct route_columns *c, struct route *route, struct view flags)
{
	if (has_flag(flags, '!'))
		route->type = ROUTE_UNREACHABLE;
	else if (route->dev == NULL)
		route->type = ROUTE_BLACKHOLE;
	else if (is_own(&route->dst, flags))
		route->type = ROUTE_LOCAL;
	else if (is_group(c, &route->dst))
		route->type = ROUTE_MULTICAST;
	if (route->type == ROUTE_LOCAL || route->type == ROUTE_MULTICAST)
		route->table = "local";
	if (route->type != ROUTE_UNICAST)
		route->scope = ROUTE_SCOPE_GLOBAL;
}

static bool parse_metric(struct view word, uint32_t *ret)
{
	uint64_t metric = UINT32_MAX;

	if (!view_eq(word, "-1") && /* a signed print of it */
	    !view_uint(word, 0, UINT32_MAX, &metric))
		return false;
	*ret = (uint32_t)metric;
	return true;
}

static bool take_linux(const struct route_columns *c, const struct view cell[CELLS],
    const struct route_table *table, struct route *route, bool *ret_named)
{
	struct view none = {0}, dev = cell[c->dev], flags = cell[c->flags];

	if (!are_flags(flags) ||
	    !parse_destination(cell[0], c->mask < 0 ? none : cell[c->mask], &route->dst) ||
	    (c->metric >= 0 && !parse_metric(cell[c->metric], &route->metric)))
		return false;
	if (!view_eq(dev, "*") && !view_eq(dev, "-"))
		route->dev = route_table_device(table, dev);
	take_linux_type(c, route, flags);
	if (has_flag(flags, 'G')) {
		route->scope = ROUTE_SCOPE_GLOBAL;
		if (!ip_parse(cell[1], &route->gateway) || is_zero(&route->gateway)) {
			route->gateway = (struct ip){0};
			*ret_named = true;
		}
	}
	return true;
}

/* "192.168.0/20", "127", "169.254": bytes at the end left out, and a class's length. */
static bool parse_bsd4(struct view word, bool host, struct prefix *ret)
{
	struct view bytes, part;
	struct ip ip = {.family = IP_V4};
	uint64_t number, len = 32;
	size_t n = 0;
	bool plain = view_find_char(word, '/') < 0;

	view_next_part(&word, '/', &bytes);
	if (!plain && !view_uint(word, 0, 32, &len))
		return false;
	while (n < 4 && view_next_part(&bytes, '.', &part) && view_uint(part, 0, 255, &number))
		ip.b[n++] = (uint8_t)number;
	if (n == 0 || bytes.n > 0 || (host && n < 4))
		return false;
	if (plain && !host) {
		len = ip.b[0] < 128 ? 8 : ip.b[0] < 192 ? 16 : 24;
		if (n > len / 8 || ip.b[0] >= 224)
			return false;
	}
	*ret = prefix_of_ip(&ip, (unsigned)len);
	return true;
}

/* "fe80::1%en0" of one host, or "fe80::%en0/64". */
static bool parse_bsd6(struct view word, bool host, struct prefix *ret)
{
	struct view address;
	struct ip ip;
	uint64_t len = 128;

	if (!view_next_part(&word, '/', &address) || !ip_parse_zoned(address, &ip) ||
	    ip.family != IP_V6 || (word.n == 0 && !host) ||
	    (word.n > 0 && !view_uint(word, 0, 128, &len)))
		return false;
	*ret = prefix_of_ip(&ip, (unsigned)len);
	return true;
}

static bool parse_bsd(
    const struct route_columns *c, struct view word, struct view flags, struct prefix *ret)
{
	bool host = has_flag(flags, 'H');

	if (view_eq(word, "default")) {
		*ret = (struct prefix){.ip.family = c->family == IP_V6 ? IP_V6 : IP_V4};
		return true;
	}
	return view_find_char(word, ':') < 0 ? parse_bsd4(word, host, ret)
					     : parse_bsd6(word, host, ret);
}

static bool take_bsd(const struct route_columns *c, const struct view cell[CELLS],
    const struct route_table *table, struct route *route, bool *ret_named)
{
	struct view flags = cell[c->flags];

	if (!has_flag(flags, 'U') || !parse_bsd(c, cell[0], flags, &route->dst))
		return false;
	route->dev = route_table_device(table, cell[c->dev]);
	if (has_flag(flags, 'R'))
		route->type = ROUTE_UNREACHABLE;
	else if (has_flag(flags, 'B'))
		route->type = ROUTE_BLACKHOLE;
	else if (is_group(c, &route->dst))
		route->type = ROUTE_MULTICAST;
	if (route->type != ROUTE_UNICAST)
		route->scope = ROUTE_SCOPE_GLOBAL;
	route->conditional = has_flag(flags, 'I');
	if (has_flag(flags, 'G')) {
		route->scope = ROUTE_SCOPE_GLOBAL;
		*ret_named = !ip_parse_zoned(cell[1], &route->gateway);
	}
	return true;
}

/*
 * What the row hides (fib_route_seq_show(), net/ipv4/fib_trie.c; rt6_info_route(),
 * net/ipv6/route.c): the text says what would tell. IPv4's `!` refuses in either case; IPv6's may
 * be a throw, except for the entry that ends every listing.
 */
static const char *find_hidden(const struct route_columns *c, bool named, struct route *route)
{
	bool v6 = route->dst.ip.family == IP_V6;

	if (named) {
		route->unclear = true;
		return "an address as the gateway (try ip route)";
	}
	if (!c->bsd && route->type == ROUTE_BLACKHOLE) {
		route->unclear = true;
		return "a word for what it does (try ip route: blackhole and throw look alike)";
	}
	if (!c->bsd && route->type == ROUTE_UNREACHABLE &&
	    !(v6 && route->dst.len == 0 && route->metric == UINT32_MAX)) {
		route->unclear = v6;
		return "a word for what it does (try ip route: unreachable and prohibit look alike)";
	}
	return NULL;
}

bool route_columns_row(const struct route_columns *c, struct view line, unsigned number,
    const struct route_table *table, struct route *ret, const char **ret_hidden)
{
	struct route route = {.table = "main",
	    .line = number,
	    .scope = ROUTE_SCOPE_LINK,
	    .metric_unknown = c->metric < 0};
	struct view cell[CELLS] = {{0}};
	bool named = false;
	int n = 0;

	while (n < CELLS && view_next_word(&line, &cell[n]))
		n++;
	if (c->flags < 0 || c->dev < 0 || n <= c->flags || n <= c->dev || n <= c->mask ||
	    n <= c->metric)
		return false;
	if (!(c->bsd ? take_bsd : take_linux)(c, cell, table, &route, &named))
		return false;
	*ret_hidden = find_hidden(c, named, &route);
	*ret = route;
	return true;
}
