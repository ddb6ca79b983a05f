/* Route tables and rules: real outputs against each other and against what stands in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "oddhost/base/file.h"
#include "oddhost/parse/routes.h"

#define DIR "tests/fixtures/parse/routes/"

struct parsed {
	struct arena *arena;
	struct route_table table;
	struct diag_list diags;
	bool understood;
};

static struct parsed parse_text(struct view text, enum ip_family family)
{
	struct parsed p = {.arena = arena_new()};

	p.table.arena = p.diags.arena = p.arena;
	p.understood = parse_routes(text, family, &p.table, &p.diags);
	return p;
}

static struct parsed parse_file(const char *path, enum ip_family family)
{
	struct buf text = {0};
	struct err err;

	assert_true(file_read(path, 1 << 20, &text, &err));
	struct parsed p = parse_text(buf_view(&text), family);
	buf_free(&text);
	return p;
}

/* The routes, one a line, as `ip route` would print them; and src, flags and line where asked. */
static const char *describe(struct parsed *p, bool details)
{
	struct buf out = {0};
	char text[IP_TEXT_SIZE];

	for (size_t i = 0; i < p->table.n; i++) {
		const struct route *r = &p->table.v[i];
		if (r->dst.len == 0)
			buf_puts(&out, r->dst.ip.family == IP_V6 ? "v6 " : "");
		buf_puts(&out, route_format(p->arena, r));
		if (details && r->src.family != IP_NONE)
			buf_printf(&out, " src %s", ip_format(&r->src, text));
		buf_printf(&out, "%s%s", r->linkdown ? " linkdown" : "", r->dead ? " dead" : "");
		buf_puts(&out, details && r->unclear ? " unclear" : "");
		buf_puts(&out, details && r->metric_unknown ? " metric?" : "");
		if (details)
			buf_printf(&out, " @%u", r->line);
		buf_putc(&out, '\n');
	}
	const char *copy = arena_dup(p->arena, buf_str(&out));
	buf_free(&out);
	return copy;
}

static const struct {
	const char *name, *text, *routes;
	size_t diags;
} lines[] = {
    {"nothing", "", "", 0},
    {"default by a gateway",
	"default via 192.168.73.253 dev eth0 proto dhcp src 192.168.73.10 metric 100\n",
	"default via 192.168.73.253 dev eth0 metric 100 src 192.168.73.10 @1\n", 0},
    {"on-link", "\n192.168.0.0/20 dev br-c3c094fc6759 proto kernel scope link src 192.168.0.1 \r\n",
	"192.168.0.0/20 dev br-c3c094fc6759 scope link src 192.168.0.1 @2\n", 0},
    {"an address alone", "10.0.0.1 dev wg0\n", "10.0.0.1/32 dev wg0 @1\n", 0},
    {"types",
	"local 10.0.0.1 dev eth0 table local scope host\nbroadcast 10.0.0.255 dev eth0 table "
	"local\n"
	"blackhole 10.1.0.0/16\nunreachable default metric 4278198272 error -101 pref medium\n"
	"prohibit 10.2.0.0/16\nthrow 10.3.0.0/16 table 7\nanycast fe80:: dev eth0\nmulticast "
	"ff00::/8 dev eth0\n",
	"local 10.0.0.1/32 dev eth0 table local scope host @1\nbroadcast 10.0.0.255/32 dev eth0 "
	"table local @2\n"
	"blackhole 10.1.0.0/16 @3\nv6 unreachable default metric 4278198272 @4\nprohibit "
	"10.2.0.0/16 @5\n"
	"throw 10.3.0.0/16 table 7 @6\nanycast fe80::/128 dev eth0 @7\nmulticast ff00::/8 dev eth0 "
	"@8\n",
	0},
    {"next hops of IPv4",
	"10.9.0.0/16 proto static metric 5 \n\tnexthop via 10.0.0.1 dev a weight 1 \n"
	"\tnexthop via inet6 fe80::1 dev b weight 1 dead linkdown \n10.8.0.0/16 dev c\n",
	"10.9.0.0/16 via 10.0.0.1 dev a metric 5 @2\n10.9.0.0/16 via fe80::1 dev b metric 5 "
	"linkdown dead @3\n"
	"10.8.0.0/16 dev c @4\n",
	0},
    {"next hops on one line",
	"default \\\tnexthop via fe80::1 dev a weight 1 \\\tnexthop via fe80::2 dev b weight 1\n",
	"v6 default via fe80::1 dev a @1\nv6 default via fe80::2 dev b @1\n", 0},
    {"IPv6 by a router",
	"default via fe80::1 dev eth0 proto ra metric 1024 expires 1700sec hoplimit 64 pref "
	"medium\n",
	"v6 default via fe80::1 dev eth0 metric 1024 @1\n", 0},
    {"from a prefix",
	"default from 2001:db8:1::/64 via fe80::1 dev a\n2001:db8:5::/48 from all dev a\n"
	"2001:db8:6::/48 from 2001:db8::5 dev a\n2001:db8:7::/48 from nowhere dev a\n",
	"v6 default from 2001:db8:1::/64 via fe80::1 dev a @1\n2001:db8:5::/48 dev a @2\n"
	"2001:db8:6::/48 from 2001:db8::5/128 dev a @3\n",
	1},
    {"JSON: from a prefix",
	"[{\"dst\":\"default\",\"from\":\"2001:db8:1::/64\",\"gateway\":\"fe80::1\",\"dev\":\"a\"},\n"
	"{\"dst\":\"2001:db8:7::/48\",\"from\":\"nowhere\",\"dev\":\"a\"}]",
	"v6 default from 2001:db8:1::/64 via fe80::1 dev a @1\n", 1},
    {"encapsulated", "10.5.0.0/16 nhid 9 encap mpls 100/200 via 10.0.0.1 dev eth0\n",
	"10.5.0.0/16 via 10.0.0.1 dev eth0 @1\n", 0},
    {"a scope of one's own", "10.5.0.0/16 dev eth0 scope 100\n", "10.5.0.0/16 dev eth0 @1\n", 0},
    {"a word that is not known", "10.5.0.0/16 dev eth0 wobble 3\n10.6.0.0/16 dev eth0\n",
	"10.6.0.0/16 dev eth0 @2\n", 1},
    {"broken values",
	"10.5.0.0/33 dev eth0\n10.5.0.0/16 via nowhere dev eth0\n10.5.0.0/16 dev eth0 metric -1\n"
	"10.5.0.0/16 dev\nRTNETLINK answers: Operation not permitted\nnexthop via 10.0.0.1 dev a\n",
	"", 6},
    {"rows without their header",
	"192.168.0.0     0.0.0.0         255.255.240.0   U     0      0        0 br-c3c094fc6759\n"
	"0.0.0.0 192.168.73.253 0.0.0.0 UG 100 0 0 eth0\n",
	"192.168.0.0/20 dev br-c3c094fc6759 scope link @1\ndefault via 192.168.73.253 dev eth0 "
	"metric 100 @2\n",
	0},
    {"route with names",
	"Kernel IP routing table\nDestination     Gateway         Genmask         Flags Metric Ref "
	"   Use Iface\n"
	"default         _gateway        0.0.0.0         UG    0      0        0 eth0\n"
	"link-local      *               255.255.0.0     U     1002   0        0 eth0\n"
	"db.example      *               255.255.255.0   U     0      0        0 eth1\n",
	"default dev eth0 unclear @3\n169.254.0.0/16 dev eth0 scope link metric 1002 @4\n", 2},
    {"groups among the rows of IPv6",
	"Kernel IPv6 routing table\nDestination Next Hop Flag Met Ref Use If\n"
	"::1/128 :: Un 0 3 0 lo\nfe80::/64 :: U 256 1 0 docker0\nff00::/8 :: U 256 1 0 docker0\n",
	"local ::1/128 dev lo table local @3\nfe80::/64 dev docker0 scope link metric 256 @4\n"
	"multicast ff00::/8 dev docker0 table local metric 256 @5\n",
	0},
    {"a unicast route to groups", "224.0.0.0 0.0.0.0 240.0.0.0 U 0 0 0 eth0\n",
	"224.0.0.0/4 dev eth0 scope link @1\n", 0},
    {"a metric that is none", "10.0.0.0 0.0.0.0 255.0.0.0 U abc 0 0 eth0\n", "", 1},
    {"a mask with holes", "10.0.0.0 0.0.0.0 255.0.255.0 U 0 0 0 eth0\n", "", 1},
    {"no JSON", "[{\"dst\":\"10.0.0.0/8\",\n\"dev\" \"eth0\"}]\n", "", 1},
    {"JSON without dst",
	"[{\"dev\":\"eth0\"},\n{\"dst\":\"10.0.0.0/8\",\"dev\":\"eth0\",\"scope\":\"link\"}]\n",
	"10.0.0.0/8 dev eth0 scope link @2\n", 1},
    {"JSON: a gateway by its name, as `ip -r` prints it",
	"[{\"dst\":\"default\",\"gateway\":\"gw.example\",\"dev\":\"a\"},\n"
	"{\"dst\":\"10.0.0.0/8\",\"via\":{\"family\":\"inet6\",\"host\":\"gw.example\"},\"dev\":\"a\"},\n"
	"{\"dst\":\"10.1.0.0/16\",\"via\":\"10.0.0.1\",\"dev\":\"a\"}]\n",
	"", 3},
    {"JSON: values of another kind",
	"[{\"dst\":\"10.1.0.0/16\",\"dev\":\"a\",\"metric\":1.5},\n"
	"{\"dst\":\"10.2.0.0/16\",\"dev\":\"a\",\"metric\":\"7\"},\n"
	"{\"dst\":\"10.3.0.0/16\",\"dev\":\"a\",\"metric\":4294967296},\n"
	"{\"dst\":\"10.4.0.0/16\",\"dev\":\"a\",\"prefsrc\":\"bad\"},\n"
	"{\"dst\":\"10.5.0.0/16\",\"dev\":\"a\",\"table\":100},\n"
	"{\"dst\":\"10.6.0.0/16\",\"dev\":7},\n"
	"{\"dst\":\"10.7.0.0/16\",\"dev\":\"a\",\"flags\":\"dead\"},\n"
	"{\"dst\":\"10.8.0.0/16\",\"dev\":\"a\",\"metric\":4294967295}]\n",
	"10.8.0.0/16 dev a metric 4294967295 @8\n", 7},
    {"JSON: hops that cannot be read",
	"[{\"dst\":\"10.1.0.0/16\",\"nexthops\":[{\"gateway\":\"x\"},{},{\"gateway\":\"10.0.0.1\"}]}]",
	"10.1.0.0/16 via 10.0.0.1 @1\n", 2},
    {"JSON: neither via nor dev", "[{\"dst\":\"10.0.0.0/8\"}]", "", 1},
    {"two values of JSON",
	"[{\"dst\":\"default\",\"gateway\":\"10.0.0.1\",\"dev\":\"a\",\"flags\":[\"onlink\","
	"\"linkdown\"]}]\n"
	"[{\"dst\":\"default\",\"gateway\":\"fe80::1\",\"dev\":\"a\"}]\n",
	"default via 10.0.0.1 dev a linkdown @1\nv6 default via fe80::1 dev a @2\n", 0},
};

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct parsed p = parse_text(view_of(lines[i].text), IP_NONE);
		print_message("  %s\n", lines[i].name);
		assert_string_equal(describe(&p, true), lines[i].routes);
		assert_int_equal(p.diags.n, lines[i].diags);
		assert_int_equal(p.understood, p.table.n > 0 || *lines[i].text == '\0');
		assert_int_equal(p.table.partial, lines[i].diags > 0);
		arena_free(p.arena);
	}
}

/* What the listing hides of a route leaves the rest of the table whole. */
static const struct {
	const char *name, *text, *routes;
	size_t diags;
} hidden[] = {
    {"what route does not tell apart",
	"10.1.0.0 0.0.0.0 255.255.0.0 U 0 0 0 *\n10.2.0.0 - 255.255.0.0 ! 5 - 0 -\n"
	"10.3.0.0 0.0.0.0 255.255.0.0 UG 0 0 0 eth0\n",
	"blackhole 10.1.0.0/16 unclear @1\nunreachable 10.2.0.0/16 metric 5 @2\n"
	"10.3.0.0/16 dev eth0 unclear @3\n",
	3},
    {"and of IPv6",
	"Destination Next Hop Flag Met Ref Use If\n2001:db8::/32 :: !n 1024 1 0 lo\n"
	"::/0 :: !n -1 1 0 lo\n",
	"unreachable 2001:db8::/32 dev lo metric 1024 unclear @2\n"
	"v6 unreachable default dev lo metric 4294967295 @3\n",
	1},
    {"no metrics",
	"Destination Gateway Genmask Flags MSS Window irtt Iface\n"
	"0.0.0.0 10.0.0.1 0.0.0.0 UG 0 0 0 eth0\n",
	"default via 10.0.0.1 dev eth0 metric? @2\n", 0},
    {"next hops as objects",
	"unicast 10.72.0.0/16 nhid 1 via 10.0.0.2 dev eth0 table main proto boot scope global \n"
	"\tnh_info id 1 via 10.0.0.2 dev eth0 scope link proto unspec \n"
	"unicast 10.73.0.0/16 nhid 10 table main proto boot scope global \n"
	"\tnh_info id 10 group 1/2 scope global proto unspec \n"
	"\tnexthop via 10.0.0.2 dev eth0 weight 1 \n\tnexthop via 10.0.1.2 dev eth1 weight 1 \n"
	"10.74.0.0/16 nhid 11\n",
	"10.72.0.0/16 via 10.0.0.2 dev eth0 @1\n10.73.0.0/16 via 10.0.0.2 dev eth0 @5\n"
	"10.73.0.0/16 via 10.0.1.2 dev eth1 @6\n10.74.0.0/16 unclear @7\n",
	1},
};

static void test_hidden(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
		struct parsed p = parse_text(view_of(hidden[i].text), IP_NONE);
		print_message("  %s\n", hidden[i].name);
		assert_string_equal(describe(&p, true), hidden[i].routes);
		assert_int_equal(p.diags.n, hidden[i].diags);
		assert_true(p.understood);
		assert_false(p.table.partial || p.table.partial6);
		arena_free(p.arena);
	}
}

static void test_diagnostic_text(void **state)
{
	struct parsed p = parse_text(view_of("\n\x1b[31mwat\n"), IP_NONE);

	(void)state;
	assert_int_equal(p.diags.n, 1);
	assert_int_equal(p.diags.items[0].line, 2);
	assert_string_equal(
	    p.diags.items[0].text, "expected a route as ip or route prints it: '?[31mwat'");
	arena_free(p.arena);
}

/* One kernel's table, printed by different programs, is one table. */
static void test_same_table(void **state)
{
	static const struct {
		const char *one, *other;
	} pairs[] = {
	    {DIR "ip-route.txt", DIR "ip-d.txt"},
	    {DIR "ip-route.txt", DIR "ip-o.txt"},
	    {DIR "ip-route.txt", DIR "ip-j-p.json"},
	    {DIR "ip-6-all.txt", DIR "ip-j-6.json"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		struct parsed a = parse_file(pairs[i].one, IP_V4),
			      b = parse_file(pairs[i].other, IP_V4);
		assert_true(a.table.n >= 15);
		assert_string_equal(describe(&a, false), describe(&b, false));
		assert_int_equal(a.diags.n + b.diags.n, 0);
		arena_free(a.arena);
		arena_free(b.arena);
	}
}

static void test_net_tools(void **state)
{
	static const char expected[] =
	    "default via 192.168.73.253 dev eth0 metric 100\n"
	    "10.9.0.0/16 dev eth1 scope link\n"
	    "10.20.0.0/24 dev eth2 scope link\n"
	    "blackhole 10.66.0.0/16\n"
	    "unreachable 10.67.0.0/16 metric 50\n"
	    "unreachable 10.68.0.0/16\n"
	    "10.70.0.0/16 via 10.9.0.1 dev eth1\n"
	    "10.71.0.0/16 via 192.168.73.250 dev eth0\n"
	    "10.72.0.0/16 dev eth0\n" /* its gateway is IPv6: printed as 0.0.0.0 */
	    "10.73.1.1/32 via 172.31.9.9 dev eth1\n"
	    "10.74.0.0/16 via 192.168.73.251 dev eth0\n"
	    "192.168.0.0/20 dev br-c3c094fc6759 scope link\n"
	    "192.168.73.0/24 dev eth0 scope link\n"
	    "192.168.73.253/32 dev eth0 scope link metric 100\n";
	static const char *const files[] = {DIR "route-n.txt", DIR "busybox-route-n.txt"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct parsed p = parse_file(files[i], IP_V4);
		assert_string_equal(describe(&p, false), expected);
		assert_int_equal(p.diags.n, 4); /* and what it does not tell apart */
		assert_int_equal(p.diags.items[3].line, 11);
		assert_int_equal(p.table.v[0].line, 3);
		arena_free(p.arena);
	}
}

/* netstat -rn is the same table without metrics; route -A inet6 has its own columns. */
static void test_other_columns(void **state)
{
	struct parsed p = parse_file(DIR "netstat-rn.txt", IP_V4);

	(void)state;
	assert_int_equal(p.table.n, 14);
	for (size_t i = 0; i < p.table.n; i++)
		assert_true(p.table.v[i].metric_unknown);
	assert_string_equal(p.table.v[11].dev, "br-c3c094fc6759");
	arena_free(p.arena);

	p = parse_file(DIR "route-6.txt", IP_V6);
	assert_int_equal(p.table.n, 24);
	assert_int_equal(p.diags.n, 2); /* '!' of IPv6, which may be a throw */
	assert_string_equal(
	    route_format(p.arena, &p.table.v[10]), "default via fe80::253 dev eth0 metric 1024");
	assert_int_equal(p.table.v[10].dst.ip.family, IP_V6);
	assert_int_equal(p.table.v[23].type, ROUTE_UNREACHABLE);
	arena_free(p.arena);
}

/* A "default" that shows no address is of the family that was asked for. */
static void test_family(void **state)
{
	static const struct {
		const char *text;
		enum ip_family asked, got;
	} rows[] = {
	    {"default dev wg0 scope link", IP_NONE, IP_V4},
	    {"default dev wg0 scope link", IP_V4, IP_V4},
	    {"default dev wg0 metric 1024", IP_V6, IP_V6},
	    {"default dev wg0 metric 1024 pref medium", IP_V4, IP_V6},
	    {"default via inet6 fe80::1 dev eth0", IP_V4, IP_V4},
	    {"default via 10.0.0.1 dev eth0", IP_V6, IP_V4},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct parsed p = parse_text(view_of(rows[i].text), rows[i].asked);
		assert_int_equal(p.table.n, 1);
		assert_int_equal(p.table.v[0].dst.ip.family, rows[i].got);
		arena_free(p.arena);
	}
}

static void test_rules(void **state)
{
	static const struct {
		unsigned pref;
		const char *table;
		enum route_type type;
		bool conditional;
		int suppress;
	} expected[] = {
	    {0, "local", ROUTE_UNICAST, false, -1},
	    {1000, "100", ROUTE_UNICAST, false, -1},
	    {1100, "100", ROUTE_UNICAST, true, -1},
	    {1200, NULL, ROUTE_PROHIBIT, false, -1},
	    {1300, "100", ROUTE_UNICAST, true, 0},
	    {1400, NULL, ROUTE_UNICAST, true, -1},
	    {1500, "main", ROUTE_UNICAST, true, -1},
	    {1600, NULL, ROUTE_BLACKHOLE, true, -1},
	    {32766, "main", ROUTE_UNICAST, false, -1},
	    {32767, "default", ROUTE_UNICAST, false, -1},
	};
	struct arena *arena = arena_new();
	struct rule_list rules = {.arena = arena};
	struct diag_list diags = {.arena = arena};
	struct buf text = {0};
	char prefix[PREFIX_TEXT_SIZE];
	struct err err;

	(void)state;
	assert_true(file_read("tests/fixtures/parse/rules/ip-rule.txt", 1 << 20, &text, &err));
	assert_true(parse_rules(buf_view(&text), &rules, &diags));
	assert_true(rules.known);
	assert_int_equal(diags.n, 0);
	assert_int_equal(rules.n, 10);
	for (size_t i = 0; i < rules.n; i++) {
		const struct rule *rule = &rules.v[i];
		assert_int_equal(rule->pref, expected[i].pref);
		assert_int_equal(rule->conditional, expected[i].conditional);
		assert_int_equal(rule->suppress_prefix, expected[i].suppress);
		assert_int_equal(rule->type, expected[i].type);
		assert_int_equal(rule->line, i + 1);
		assert_int_equal(rule->table == NULL, expected[i].table == NULL);
		if (rule->table != NULL)
			assert_string_equal(rule->table, expected[i].table);
	}
	assert_string_equal(prefix_format(&rules.v[1].from, prefix), "10.9.0.0/16");
	assert_string_equal(prefix_format(&rules.v[3].to, prefix), "10.80.0.0/16");
	buf_free(&text);

	rules = (struct rule_list){.arena = arena};
	assert_false(parse_rules(view_of("Object \"rule\" is unknown\n"), &rules, &diags));
	assert_false(rules.known);
	assert_int_equal(diags.n, 1);
	assert_true(rules.partial);

	/* What such a rule does is not known, only where it stands. */
	rules = (struct rule_list){.arena = arena};
	assert_true(parse_rules(
	    view_of("0:\tfrom all lookup local\n5:\tfrom all to 10.9.0.0/33 lookup 100\n"
		    "32766:\tfrom all lookup main\n"),
	    &rules, &diags));
	assert_int_equal(diags.n, 2);
	assert_int_equal(rules.n, 3);
	assert_false(rules.partial);
	assert_int_equal(rules.v[1].pref, 5);
	assert_true(rules.v[1].conditional);
	assert_int_equal(rules.v[1].to.ip.family, IP_NONE);
	arena_free(arena);
}

/* One rule a row, plain or JSON. */
static const struct {
	const char *name, *text;
	size_t rules, diags;
	const char *table; /* "-": none */
	bool open, partial;
} rule_rows[] = {
    {"a type that no rule has", "5:\tfrom all anycast\n", 1, 1, "-", true, false},
    {"nop", "5:\tfrom all nop\n", 0, 0, "-", false, false},
    {"goto", "5:\tfrom all goto 32766\n", 1, 0, "-", true, false},
    {"a table by its number", "5:\tfrom all lookup 254\n", 1, 0, "main", false, false},
    {"an action by its number", "5:\tfrom all 8\n", 1, 0, "-", false, false},
    {"busybox: prohibit", "5:\tfrom all lookup unspec prohibit\n", 1, 0, "-", false, false},
    {"busybox: goto", "5:\tfrom all lookup unspec local\n", 1, 0, "-", true, false},
    {"busybox: nop", "5:\tfrom all lookup unspec broadcast\n", 0, 0, "-", false, false},
    {"busybox: l3mdev", "5:\tfrom all lookup unspec\n", 1, 0, "-", true, false},
    {"json", "[{\"priority\":5,\"src\":\"all\",\"table\":\"100\"}]", 1, 0, "100", false, false},
    {"json: prohibit", "[{\"priority\":5,\"src\":\"all\",\"action\":\"prohibit\"}]", 1, 0, "-",
	false, false},
    {"json: a type that no rule has", "[{\"priority\":5,\"src\":\"all\",\"action\":\"anycast\"}]",
	1, 0, "-", true, false},
    {"json: nop", "[{\"priority\":5,\"src\":\"all\",\"nop\":null}]", 0, 0, "-", false, false},
    {"json: a mark", "[{\"priority\":5,\"src\":\"all\",\"fwmark\":\"0x1\",\"table\":\"100\"}]", 1,
	0, "100", false, false},
    {"json: not",
	"[{\"priority\":5,\"not\":null,\"src\":\"10.0.0.0\",\"srclen\":8,"
	"\"table\":\"100\"}]",
	1, 0, "100", false, false},
    {"json: a length too long",
	"[{\"priority\":5,\"src\":\"10.0.0.0\",\"srclen\":33,\"table\":\"100\"}]", 1, 1, "100",
	true, true},
    {"json: half a preference", "[{\"priority\":1.5,\"src\":\"all\",\"table\":\"100\"}]", 1, 1,
	"100", true, true},
    {"json: half a length",
	"[{\"priority\":5,\"src\":\"all\",\"table\":\"100\",\"suppress_prefixlen\":0.5}]", 1, 1,
	"100", true, true},
    {"json: no preference", "[{\"src\":\"all\",\"table\":\"100\"}]", 1, 1, "100", true, true},
    {"json: cut off", "[{\"priority\":5,\"src\":\"all\"", 0, 1, "-", false, true},
};

static void test_rule_rows(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof rule_rows / sizeof *rule_rows; i++) {
		struct rule_list rules = {.arena = arena};
		struct diag_list diags = {.arena = arena};
		print_message("  %s\n", rule_rows[i].name);
		parse_rules(view_of(rule_rows[i].text), &rules, &diags);
		assert_int_equal(rules.n, rule_rows[i].rules);
		assert_int_equal(diags.n, rule_rows[i].diags);
		assert_int_equal(rules.partial, rule_rows[i].partial);
		if (rules.n == 0)
			continue;
		const char *table = rules.v[0].table == NULL ? "-" : rules.v[0].table;
		assert_string_equal(table, rule_rows[i].table);
		assert_int_equal(rules.v[0].open, rule_rows[i].open);
	}
	arena_free(arena);
}

/* What a rule asks for, as far as a plain connection's answer to it is known: plain, and in JSON.
 */
static const struct {
	const char *plain, *json;
	const char
	    *asks; /* "not", "unmet", "open"; "" where there is nothing, "met" where it has it */
} ask_rows[] = {
    {"from all", "", ""},
    {"not from all", "\"not\":null,", "not"},
    {"from all fwmark 0xca6c", "\"fwmark\":\"0xca6c\",", "unmet"},
    {"not from all fwmark 0xca6c", "\"not\":null,\"fwmark\":\"0xca6c\",", "not unmet"},
    {"from all fwmark 0x1/0xff", "\"fwmark\":\"0x1\",\"fwmask\":\"0xff\",", "unmet"},
    {"from all fwmark 0x100/0xff", "\"fwmark\":\"0x100\",\"fwmask\":\"0xff\",", "met"},
    {"from all fwmark 0/0xff", "\"fwmark\":\"0\",\"fwmask\":\"0xff\",", "met"},
    {"from all fwmark 16", "\"fwmark\":\"16\",", "unmet"},
    {"from all fwmark x", "\"fwmark\":\"0x\",", "open"},
    {"from all fwmark 0x1g", "\"fwmark\":7,", "open"},
    {"from all iif lo", "\"iif\":\"lo\",", "met"},
    {"from all iif eth0", "\"iif\":\"eth0\",", "unmet"},
    {"from all iif eth9 [detached]", "\"iif\":\"eth9\",\"iif_detached\":null,", "unmet"},
    {"from all oif eth0", "\"oif\":\"eth0\",", "unmet"},
    {"from all tos 0x10", "\"tos\":\"0x10\",", "unmet"},
    {"from all uidrange 0-5", "\"uid_start\":0,\"uid_end\":5,", "open"},
    {"from all iif eth0 uidrange 0-5", "\"iif\":\"eth0\",\"uid_start\":0,\"uid_end\":5,",
	"unmet open"},
    {"from all ipproto tcp dport 80", "\"ipproto\":\"tcp\",\"dport\":80,", "open"},
};

static const char *asks_of(struct arena *arena, const struct rule *rule)
{
	const char *text = arena_printf(arena, "%s%s%s", rule->inverted ? " not" : "",
	    rule->unmet ? " unmet" : "", rule->open ? " open" : "");

	if (*text != '\0')
		assert_true(rule->conditional);
	return *text != '\0' ? text + 1 : rule->conditional ? "met" : "";
}

static void test_asks(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof ask_rows / sizeof *ask_rows; i++) {
		struct rule_list plain = {.arena = arena}, json = {.arena = arena};
		print_message("  %s\n", ask_rows[i].plain);
		assert_true(parse_rules(
		    view_of(arena_printf(arena, "5:\t%s lookup 100\n", ask_rows[i].plain)), &plain,
		    NULL));
		assert_true(
		    parse_rules(view_of(arena_printf(arena,
				    "[{\"priority\":5,\"src\":\"all\",%s\"table\":\"100\"}]",
				    ask_rows[i].json)),
			&json, NULL));
		assert_string_equal(asks_of(arena, &plain.v[0]), ask_rows[i].asks);
		assert_string_equal(asks_of(arena, &json.v[0]), ask_rows[i].asks);
	}
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lines),
	    cmocka_unit_test(test_hidden),
	    cmocka_unit_test(test_diagnostic_text),
	    cmocka_unit_test(test_same_table),
	    cmocka_unit_test(test_net_tools),
	    cmocka_unit_test(test_other_columns),
	    cmocka_unit_test(test_family),
	    cmocka_unit_test(test_rules),
	    cmocka_unit_test(test_rule_rows),
	    cmocka_unit_test(test_asks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
