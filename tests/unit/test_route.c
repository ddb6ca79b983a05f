#include "unit.h"

#include "oddhost/net/route.h"

struct scene {
	struct arena *arena;
	struct route_table table;
	struct rule_list rules;
};

static void scene_init(struct scene *scene)
{
	struct arena *arena = arena_new();

	*scene = (struct scene){.arena = arena, .table.arena = arena, .rules.arena = arena};
}

static struct prefix prefix_of(struct view text)
{
	struct prefix p;

	if (view_eq(text, "default"))
		text = view_of("0.0.0.0/0");
	assert_true(prefix_parse(text, &p));
	return p;
}

static uint32_t number_of(struct view text)
{
	uint64_t n = 0;

	assert_true(view_uint(text, 0, UINT32_MAX, &n));
	return (uint32_t)n;
}

/* "[TYPE] PREFIX [from P] [via A] [dev D] [src A] [metric N] [table T] [linkdown] [dead]" */
static void add_route(struct scene *scene, struct view line)
{
	struct route *route = route_table_add(&scene->table);
	struct view word, value;

	route->line = (unsigned)scene->table.n;
	route->dev = "eth0";
	assert_true(view_next_word(&line, &word));
	if (route_type_from_name(word, &route->type))
		assert_true(view_next_word(&line, &word));
	route->dst = prefix_of(word);
	while (view_next_word(&line, &word)) {
		if (view_eq(word, "linkdown")) {
			route->linkdown = true;
			continue;
		}
		if (view_eq(word, "dead")) {
			route->dead = true;
			continue;
		}
		assert_true(view_next_word(&line, &value));
		if (view_eq(word, "dev"))
			route->dev = arena_dup_view(scene->arena, value);
		else if (view_eq(word, "table"))
			route->table = arena_dup_view(scene->arena, value);
		else if (view_eq(word, "metric"))
			route->metric = number_of(value);
		else if (view_eq(word, "via"))
			assert_true(ip_parse(value, &route->gateway));
		else if (view_eq(word, "src"))
			assert_true(ip_parse(value, &route->src));
		else if (view_eq(word, "from"))
			route->from = prefix_of(value);
		else
			fail();
	}
}

/* "TABLE|TYPE [not] [from P] [to P] [suppress N] [unmet] [open]" */
static void add_rule(struct scene *scene, struct view line)
{
	struct rule *rule = rule_list_add(&scene->rules);
	struct view word, value;

	scene->rules.known = true;
	assert_true(view_next_word(&line, &word));
	if (!route_type_from_name(word, &rule->type) || rule->type == ROUTE_LOCAL) {
		rule->type = ROUTE_UNICAST;
		rule->table = arena_dup_view(scene->arena, word);
	}
	while (view_next_word(&line, &word)) {
		rule->inverted = rule->inverted || view_eq(word, "not");
		rule->unmet = rule->unmet || view_eq(word, "unmet");
		rule->open = rule->open || view_eq(word, "open");
		if (view_eq(word, "not") || view_eq(word, "unmet") || view_eq(word, "open"))
			continue;
		assert_true(view_next_word(&line, &value));
		if (view_eq(word, "from"))
			rule->from = prefix_of(value);
		else if (view_eq(word, "to"))
			rule->to = prefix_of(value);
		else if (view_eq(word, "suppress"))
			rule->suppress_prefix = (int)number_of(value);
		else
			fail();
	}
}

static void add_all(struct scene *scene, const char *text, void (*add)(struct scene *, struct view))
{
	struct view rest = view_of(text), line;

	while (text != NULL && view_next_part(&rest, ';', &line))
		add(scene, line);
}

#define OWN(n) "local 2001:db8:" n "::5 table local;"

/* One row a decision. `wins` is the route's place from 1; 0: none. `rules` NULL: Linux's own. */
static const struct {
	const char *name, *routes, *rules, *dst;
	unsigned wins;
	const char *reason; /* NULL: delivered */
	bool uncertain;
} rows[] = {
    {"the longest prefix", "default;10.0.0.0/8;10.1.0.0/16;10.0.0.0/9", NULL, "10.1.2.3", 3, NULL,
	false},
    {"the longest prefix, whatever the metric", "10.0.0.0/8;10.1.0.0/16 metric 900", NULL,
	"10.1.2.3", 2, NULL, false},
    {"the incident", "default;192.168.0.0/20 dev br-c3c094fc6759;192.168.0.0/16", NULL,
	"192.168.0.166", 2, NULL, false},
    {"a host route", "default;10.0.0.1/32;10.0.0.0/31", NULL, "10.0.0.1", 2, NULL, false},
    {"not beyond the prefix", "default;192.168.0.0/20", NULL, "192.168.16.1", 1, NULL, false},
    {"the lowest metric", "default metric 200;default metric 100;default metric 300", NULL,
	"1.1.1.1", 2, NULL, false},
    {"no metric is 0", "default metric 1;default", NULL, "1.1.1.1", 2, NULL, false},
    {"equal: the first", "default metric 5 dev a;default metric 5 dev b", NULL, "1.1.1.1", 1, NULL,
	false},
    {"no route", "10.0.0.0/8", NULL, "1.1.1.1", 0, "no-route", false},
    {"an empty table", "", NULL, "1.1.1.1", 0, "no-route", false},
    {"blackhole", "default;blackhole 10.0.0.0/8", NULL, "10.0.0.1", 2, "blackhole", false},
    {"unreachable", "default;unreachable 10.0.0.0/8", NULL, "10.0.0.1", 2, "unreachable", false},
    {"prohibit", "default;prohibit 10.0.0.0/8", NULL, "10.0.0.1", 2, "prohibit", false},
    {"a longer one beats a blackhole", "10.1.0.0/16;blackhole 10.0.0.0/8", NULL, "10.1.0.1", 1,
	NULL, false},
    {"throw goes on with the next table", "throw 10.0.0.0/8;10.0.0.0/8 table default", NULL,
	"10.0.0.1", 2, NULL, false},
    {"throw hides its table's default", "default;throw 10.0.0.0/8", NULL, "10.0.0.1", 0, "no-route",
	false},
    {"the local table comes first", "10.0.0.0/8;local 10.0.0.0/8 table local", NULL, "10.0.0.1", 2,
	NULL, false},
    {"local, though main is longer", "10.0.0.1/32;local 10.0.0.0/8 table local", NULL, "10.0.0.1",
	2, NULL, false},
    {"broadcast", "10.0.0.0/8;broadcast 10.255.255.255/32 table local", NULL, "10.255.255.255", 2,
	NULL, false},
    {"default is last", "1.0.0.0/8 table default;2.0.0.0/8", NULL, "1.1.1.1", 1, NULL, false},
    {"other tables are not looked at", "default table 100", NULL, "1.1.1.1", 0, "no-route", false},
    {"dead is never used", "10.0.0.0/8 dead;default", NULL, "10.0.0.1", 2, NULL, false},
    {"linkdown is used", "10.0.0.0/8 linkdown;default", NULL, "10.0.0.1", 1, NULL, false},
    {"the other family", "2001:db8::/32;::/0", NULL, "10.0.0.1", 0, "no-route", false},
    {"IPv6", "default;::/0;2001:db8::/32", NULL, "2001:db8::1", 3, NULL, false},
    {"a rule's table", "default;default table 7", "local;7;main", "1.1.1.1", 2, NULL, false},
    {"a rule without a match goes on", "default;10.0.0.0/8 table 7", "7;main", "1.1.1.1", 1, NULL,
	false},
    {"to matches", "default;default table 7", "7 to 10.0.0.0/8;main", "10.0.0.1", 2, NULL, false},
    {"to does not match", "default;default table 7", "7 to 10.0.0.0/8;main", "1.1.1.1", 1, NULL,
	false},
    {"from PREFIX: the source is not known", "default;default table 7", "7 from 10.0.0.0/8;main",
	"1.1.1.1", 1, NULL, true},
    {"from PREFIX: its table has nothing for it", "default;10.0.0.0/8 table 7",
	"7 from 10.0.0.0/8;main", "1.1.1.1", 1, NULL, false},
    {"from PREFIX: the winner's src", "default src 10.0.0.9;default table 7",
	"7 from 10.0.0.0/8;main", "1.1.1.1", 2, NULL, false},
    {"from PREFIX: another src", "default src 11.0.0.9;default table 7", "7 from 10.0.0.0/8;main",
	"1.1.1.1", 1, NULL, false},
    {"from PREFIX: the src of the gateway's network",
	"default via 11.0.0.1 dev a;11.0.0.0/24 dev a src 11.0.0.9;12.0.0.0/24 dev a src 10.0.0.9;"
	"default table 7",
	"7 from 11.0.0.0/8;main", "1.1.1.1", 4, NULL, false},
    {"from PREFIX: prohibited", "default src 10.0.0.9", "prohibit from 10.0.0.0/8;main", "1.1.1.1",
	0, "prohibit", false},
    {"from PREFIX: no route, so no second look", "default table 7", "7 from 10.0.0.0/8;main",
	"1.1.1.1", 0, "no-route", false},
    {"from all", "default;default table 7", "7 from 0.0.0.0/0;main", "1.1.1.1", 2, NULL, false},
    {"suppress: a default is passed over", "default;default table 7", "main suppress 0;7",
	"1.1.1.1", 2, NULL, false},
    {"suppress: a longer one stays", "10.0.0.0/8;default table 7", "main suppress 0;7", "10.0.0.1",
	1, NULL, false},
    {"suppress 8", "10.0.0.0/8;default table 7", "main suppress 8;7", "10.0.0.1", 2, NULL, false},
    {"suppress: a blackhole ends it", "blackhole default;default table 7", "main suppress 0;7",
	"1.1.1.1", 1, "blackhole", false},
    {"a blackhole rule", "default", "blackhole to 10.0.0.0/8;main", "10.0.0.1", 0, "blackhole",
	false},
    {"an unreachable rule", "default", "unreachable;main", "10.0.0.1", 0, "unreachable", false},
    {"a prohibit rule", "default", "prohibit;main", "10.0.0.1", 0, "prohibit", false},
    {"a rule behind the winner", "default", "main;prohibit", "10.0.0.1", 1, NULL, false},
    {"open, and it would have decided", "default;default table 7", "7 open;main", "1.1.1.1", 1,
	NULL, true},
    {"open, but its table has nothing", "default;10.0.0.0/8 table 7", "7 open;main", "1.1.1.1", 1,
	NULL, false},
    {"open, but throws", "default;throw default table 7", "7 open;main", "1.1.1.1", 1, NULL, false},
    {"an open prohibition", "default", "prohibit open;main", "1.1.1.1", 1, NULL, true},
    {"open, to another place", "default;default table 7", "7 open to 10.0.0.0/8;main", "1.1.1.1", 1,
	NULL, false},
    {"open behind the winner", "default;default table 7", "main;7 open", "1.1.1.1", 1, NULL, false},
    {"unmet, so it is skipped", "default;default table 7", "7 unmet;main", "1.1.1.1", 1, NULL,
	false},
    {"unmet, and the rest open: skipped", "default;default table 7", "7 unmet open;main", "1.1.1.1",
	1, NULL, false},
    {"not, and unmet: taken", "default;default table 7", "7 not unmet;main", "1.1.1.1", 2, NULL,
	false},
    {"not all: never", "default;default table 7", "7 not;main", "1.1.1.1", 1, NULL, false},
    {"not to here", "default;default table 7", "7 not to 1.0.0.0/8;main", "1.1.1.1", 1, NULL,
	false},
    {"not to elsewhere", "default;default table 7", "7 not to 10.0.0.0/8;main", "1.1.1.1", 2, NULL,
	false},
    {"not from the source that is taken", "default src 10.0.0.9;default table 7 src 10.0.0.9",
	"7 not from 10.0.0.0/8;main", "1.1.1.1", 1, NULL, false},
    {"not from a source that is not known", "default;default table 7", "7 not from 10.0.0.0/8;main",
	"1.1.1.1", 1, NULL, true},
    {"not, and open", "default;default table 7", "7 not open;main", "1.1.1.1", 1, NULL, true},
    {"not, unmet, and open", "default;default table 7", "7 not unmet open;main", "1.1.1.1", 1, NULL,
	true},
    {"WireGuard's way", "10.0.0.0/24;default;default table 7", "main suppress 0;7 not unmet;main",
	"1.1.1.1", 3, NULL, false},
    {"no rule leads anywhere", "default", "7", "1.1.1.1", 0, "no-route", false},
    {"a route from the only own address", "::/0 from 2001:db8:1::/64;" OWN("1"), NULL, "3000::1", 1,
	NULL, false},
    {"a route from elsewhere", "::/0 from 2001:db8:2::/64;" OWN("1"), NULL, "3000::1", 0,
	"no-route", false},
    {"a route from one of two", "::/0 from 2001:db8:2::/64;" OWN("1") OWN("2"), NULL, "3000::1", 0,
	"no-route", true},
    {"a route from both", "::/0 from 2001:db8::/32;" OWN("1") OWN("2"), NULL, "3000::1", 1, NULL,
	false},
    {"no own address is listed", "::/0 from 2001:db8:1::/64", NULL, "3000::1", 0, "no-route", true},
    {"link-local addresses do not reach far",
	"::/0 from 2001:db8:1::/64;local fe80::5 table local;local ::1 table local;" OWN("1"), NULL,
	"3000::1", 1, NULL, false},
    {"a route from PREFIX is not looked at where there is a way",
	"::/0;3000::/16 from 2001:db8:1::/64;" OWN("1"), NULL, "3000::1", 1, NULL, false},
    {"it hides that to the same network", "3000::/16;3000::/8;3000::/16 from 2001:db8:1::/64", NULL,
	"3000::1", 2, NULL, false},
    {"but not in another table", "3000::/16;3000::/8;3000::/16 from 2001:db8:1::/64 table 7", NULL,
	"3000::1", 1, NULL, false},
    {"nor a default", "::/0;::/0 from 2001:db8:1::/64", NULL, "3000::1", 1, NULL, false},
    {"fewer sources", "::/0 from 2001:db8::/32;::/0 from 2001:db8:1::/64 metric 9;" OWN("1"), NULL,
	"3000::1", 2, NULL, false},
};

static void test_decisions(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct scene scene;
		struct ip dst;
		scene_init(&scene);
		add_all(&scene, rows[i].routes, add_route);
		add_all(&scene, rows[i].rules, add_rule);
		assert_true(ip_parse(view_of(rows[i].dst), &dst));
		struct lookup found = route_lookup(&scene.table, &scene.rules, &dst);
		const char *reason = lookup_reason_name(found.reason);
		unsigned wins = found.route == NULL ? 0 : found.route->line;
		if (wins != rows[i].wins || found.uncertain != rows[i].uncertain ||
		    (reason == NULL) != (rows[i].reason == NULL) ||
		    (reason != NULL && strcmp(reason, rows[i].reason) != 0))
			fail_msg("%s: route %u, %s, %s", rows[i].name, wins,
			    reason == NULL ? "delivered" : reason,
			    found.uncertain ? "uncertain" : "certain");
		assert_true(rows[i].rules != NULL || found.rule == NULL);
		assert_true(rows[i].rules == NULL || wins == 0 || found.rule != NULL);
		arena_free(scene.arena);
	}
}

/* Lines that are missing might have decided. */
static void test_partial(void **state)
{
	struct scene scene;
	struct ip v4, v6;

	(void)state;
	scene_init(&scene);
	add_all(&scene, "default;::/0", add_route);
	assert_true(ip_parse(view_of("1.1.1.1"), &v4));
	assert_true(ip_parse(view_of("2001:db8::1"), &v6));
	scene.table.partial = true;
	assert_true(route_lookup(&scene.table, NULL, &v4).uncertain);
	assert_false(route_lookup(&scene.table, NULL, &v6).uncertain);
	scene.table.partial = false;
	scene.table.partial6 = true;
	assert_false(route_lookup(&scene.table, NULL, &v4).uncertain);
	assert_true(route_lookup(&scene.table, NULL, &v6).uncertain);
	add_rule(&scene, view_of("main"));
	assert_false(route_lookup(&scene.table, &scene.rules, &v4).uncertain);
	scene.rules.partial = true;
	assert_true(route_lookup(&scene.table, &scene.rules, &v4).uncertain);
	arena_free(scene.arena);
}

/* The winner of a multipath route is its first hop that lives; all of them can be had. */
static void test_hops(void **state)
{
	struct scene scene;
	struct ip dst;

	(void)state;
	scene_init(&scene);
	add_all(&scene,
	    "10.0.0.0/8 via 10.0.0.1 dead;10.0.0.0/8 via 10.0.0.2;"
	    "10.0.0.0/8 via 10.0.0.3;10.0.0.0/8 via 10.0.0.4",
	    add_route);
	scene.table.v[1].hop = 1;
	scene.table.v[2].hop = 2;
	assert_true(ip_parse(view_of("10.1.1.1"), &dst));
	struct lookup found = route_lookup(&scene.table, NULL, &dst);
	assert_ptr_equal(found.route, &scene.table.v[1]);
	assert_int_equal(route_hops(&scene.table, found.route), 2);
	assert_int_equal(route_hops(&scene.table, &scene.table.v[0]), 3);
	assert_int_equal(route_hops(&scene.table, &scene.table.v[3]), 1);
	arena_free(scene.arena);
}

/* A route for one TOS is not for other packets; one without a next hop is no answer. */
static void test_half_known(void **state)
{
	struct scene scene;
	struct ip dst;

	(void)state;
	scene_init(&scene);
	add_all(&scene, "10.0.0.0/8 via 10.0.0.1;10.1.0.0/16 via 10.0.0.2", add_route);
	scene.table.v[1].conditional = true;
	assert_true(ip_parse(view_of("10.1.1.1"), &dst));
	assert_ptr_equal(route_lookup(&scene.table, NULL, &dst).route, &scene.table.v[0]);
	assert_false(route_lookup(&scene.table, NULL, &dst).uncertain);
	scene.table.v[0].unclear = true;
	assert_true(route_lookup(&scene.table, NULL, &dst).uncertain);
	arena_free(scene.arena);
}

/* Without metrics it is not known which of two ways is taken; on one way there is no doubt. */
static void test_metrics_unknown(void **state)
{
	static const struct {
		const char *routes;
		bool uncertain;
	} cases[] = {
	    {"default via 10.0.0.1", false},
	    {"default via 10.0.0.1;default via 10.0.1.1", true},
	    {"default via 10.0.0.1;default via 10.0.0.1", false},
	    {"default via 10.0.0.1;default via 10.0.1.1 dead", false},
	    {"default via 10.0.0.1;default via 10.0.1.1 table 7", false},
	    {"default via 10.0.0.1;0.0.0.0/1 via 10.0.1.1", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct scene scene;
		struct ip dst;
		scene_init(&scene);
		add_all(&scene, cases[i].routes, add_route);
		assert_true(ip_parse(view_of("1.1.1.1"), &dst));
		assert_false(route_lookup(&scene.table, NULL, &dst).uncertain);
		for (size_t k = 0; k < scene.table.n; k++)
			scene.table.v[k].metric_unknown = true;
		if (route_lookup(&scene.table, NULL, &dst).uncertain != cases[i].uncertain)
			fail_msg("%s", cases[i].routes);
		arena_free(scene.arena);
	}
}

static void test_rules_unknown(void **state)
{
	struct scene scene;
	struct ip dst;

	(void)state;
	scene_init(&scene);
	add_route(&scene, view_of("default"));
	assert_true(ip_parse(view_of("1.1.1.1"), &dst));
	assert_non_null(route_lookup(&scene.table, NULL, &dst).route);
	assert_non_null(route_lookup(&scene.table, &scene.rules, &dst).route);
	scene.rules.known = true; /* known, and there is none: nothing is looked up */
	assert_null(route_lookup(&scene.table, &scene.rules, &dst).route);
	arena_free(scene.arena);
}

/* The bits are compared one by one, and the best is what none of the others beats. */
static bool bit_match(const struct route *r, const struct ip *dst)
{
	for (unsigned i = 0; i < r->dst.len; i++) {
		if (((r->dst.ip.b[i / 8] ^ dst->b[i / 8]) >> (7 - i % 8) & 1) != 0)
			return false;
	}
	return !r->dead && r->dst.ip.family == dst->family;
}

static bool beats(const struct route *a, const struct route *b)
{
	if (a->dst.len != b->dst.len)
		return a->dst.len > b->dst.len;
	return a->metric != b->metric ? a->metric < b->metric : a < b;
}

static void test_random(void **state)
{
	uint64_t seed = unit_seed();
	unsigned found_some = 0;

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct scene scene;
		scene_init(&scene);
		unsigned n = unit_random(&seed, 60);
		for (unsigned i = 0; i < n; i++) {
			struct ip ip = {.family = IP_V4,
			    .b = {10, (uint8_t)unit_random(&seed, 4),
				(uint8_t)unit_random(&seed, 4)}};
			struct route *r = route_table_add(&scene.table);
			r->dst = prefix_of_ip(&ip, unit_random(&seed, 33));
			r->metric = unit_random(&seed, 3);
			r->dead = unit_random(&seed, 10) == 0;
		}
		for (int k = 0; k < 50; k++) {
			struct ip dst = {.family = IP_V4,
			    .b = {10, (uint8_t)unit_random(&seed, 4),
				(uint8_t)unit_random(&seed, 4), (uint8_t)unit_random(&seed, 2)}};
			const struct route *best = NULL;
			for (size_t i = 0; i < scene.table.n; i++) {
				const struct route *r = &scene.table.v[i];
				if (bit_match(r, &dst) && (best == NULL || beats(r, best)))
					best = r;
			}
			assert_ptr_equal(route_lookup(&scene.table, NULL, &dst).route, best);
			found_some += best != NULL;
		}
		arena_free(scene.arena);
	}
	assert_true(found_some > 1000);
}

/* All addresses up to the edge are decided as the first one is, and there is an edge at the edge.
 */
static void test_edge(void **state)
{
	uint64_t seed = unit_seed();
	struct ip edge, none = {IP_V4, {255, 255, 255, 255}};
	unsigned edges = 0;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct scene scene;
		scene_init(&scene);
		scene.rules.known = true;
		for (unsigned n = unit_random(&seed, 8); n > 0; n--) {
			struct ip ip = {IP_V4, {10, 0, (uint8_t)unit_random(&seed, 3),
						   (uint8_t)unit_random(&seed, 256)}};
			route_table_add(&scene.table)->dst =
			    prefix_of_ip(&ip, 16 + unit_random(&seed, 17));
		}
		struct rule *rule = rule_list_add(&scene.rules);
		rule->table = unit_random(&seed, 2) ? "main" : "other";
		rule->to = prefix_of(view_of("10.0.1.64/26"));
		rule_list_add(&scene.rules)->table = "main";
		struct ip ip = {IP_V4,
		    {10, 0, (uint8_t)unit_random(&seed, 3), (uint8_t)unit_random(&seed, 256)}};
		const struct route *first = route_lookup(&scene.table, &scene.rules, &ip).route;
		bool found = route_next_edge(&scene.table, &scene.rules, &ip, &edge);
		edges += found;
		for (unsigned at = ip.b[2] * 256 + ip.b[3]; at < 4 * 256; at++) {
			struct ip next = {IP_V4, {10, 0, (uint8_t)(at >> 8), (uint8_t)at}};
			if (found && ip_cmp(&next, &edge) >= 0)
				break;
			if (route_lookup(&scene.table, &scene.rules, &next).route != first)
				fail_msg("round %d: 10.0.%u.%u", round, at >> 8, at & 255);
		}
		assert_false(route_next_edge(&scene.table, &scene.rules, &none, &edge));
		arena_free(scene.arena);
	}
	assert_true(edges > 1000);
}

/* Where it stands: a carry over several bytes, the end of all addresses, and IPv6. */
static void test_edge_named(void **state)
{
	static const struct {
		const char *route, *ip, *edge;
	} points[] = {
	    {"10.1.0.0/16", "10.1.2.3", "10.2.0.0"},
	    {"10.1.0.0/16", "10.0.0.1", "10.1.0.0"},
	    {"10.1.0.0/16", "10.2.0.0", NULL},
	    {"10.255.255.0/24", "10.255.255.7", "11.0.0.0"},
	    {"255.0.0.0/8", "255.1.1.1", NULL},
	    {"default", "10.1.1.1", NULL},
	    {"10.1.0.0/16", "fe80::1", NULL},
	    {"2001:db8:ffff::/48", "2001:db8:ffff::1", "2001:db9::"},
	};
	char text[IP_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(points); i++) {
		struct scene scene;
		struct ip ip, edge;
		scene_init(&scene);
		add_route(&scene, view_of(points[i].route));
		assert_true(ip_parse(view_of(points[i].ip), &ip));
		bool found = route_next_edge(&scene.table, NULL, &ip, &edge);
		assert_string_equal(found ? ip_format(&edge, text) : "none",
		    points[i].edge != NULL ? points[i].edge : "none");
		arena_free(scene.arena);
	}
}

static void test_format(void **state)
{
	struct arena *arena = arena_new();
	struct route r = {.dst = prefix_of(view_of("192.168.0.0/20")),
	    .dev = "br-c3c094fc6759",
	    .table = "main",
	    .scope = ROUTE_SCOPE_LINK};

	(void)state;
	assert_string_equal(
	    route_format(arena, &r), "192.168.0.0/20 dev br-c3c094fc6759 scope link");
	r = (struct route){
	    .dst = prefix_of(view_of("default")), .dev = "eth0", .table = "100", .metric = 50};
	assert_true(ip_parse(view_of("10.0.0.1"), &r.gateway));
	assert_string_equal(
	    route_format(arena, &r), "default via 10.0.0.1 dev eth0 table 100 metric 50");
	r = (struct route){
	    .dst = prefix_of(view_of("::/0")), .table = "main", .type = ROUTE_PROHIBIT};
	assert_true(prefix_parse(view_of("2001:db8:1::/64"), &r.from));
	assert_string_equal(route_format(arena, &r), "prohibit default from 2001:db8:1::/64");
	arena_free(arena);
}

static void test_names(void **state)
{
	enum route_type type;

	(void)state;
	for (int i = ROUTE_UNICAST; i <= ROUTE_THROW; i++) {
		assert_true(
		    route_type_from_name(view_of(route_type_name((enum route_type)i)), &type));
		assert_int_equal(type, i);
	}
	assert_false(route_type_from_name(view_of("uni"), &type));
	assert_false(route_type_from_name(view_of(""), &type));
	assert_string_equal(route_scope_name(ROUTE_SCOPE_HOST), "host");
	assert_null(lookup_reason_name(LOOKUP_FOUND));
	assert_string_equal(lookup_reason_name(LOOKUP_PROHIBIT), "prohibit");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_decisions),
	    cmocka_unit_test(test_partial),
	    cmocka_unit_test(test_hops),
	    cmocka_unit_test(test_half_known),
	    cmocka_unit_test(test_metrics_unknown),
	    cmocka_unit_test(test_rules_unknown),
	    cmocka_unit_test(test_random),
	    cmocka_unit_test(test_edge),
	    cmocka_unit_test(test_edge_named),
	    cmocka_unit_test(test_format),
	    cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}
