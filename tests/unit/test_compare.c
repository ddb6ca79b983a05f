/* Outliers, their ranking, pairwise differences, suspects, and what is ruled out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>

#include "oddhost/check/compare.h"
#include "oddhost/check/facts.h"
#include "scene.h"

#define TARGET "10.9.9.9"

/* A fleet in which host i has default gateway 10.1.0.<gateways[i]>. */
static void fleet(struct scene *s, const int gateways[], int n)
{
	char name[16], text[128];

	scene_begin(s, "", "");
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof name, "h%02d", i + 1);
		snprintf(text, sizeof text, "default via 10.1.0.%d dev eth0 \n", gateways[i]);
		scene_probe(scene_host(s, name), "routes", text);
	}
	scene_diagnose(s);
}

static void test_outliers(void **state)
{
	static const struct {
		const char *name;
		int n, gateways[12];
		size_t odd; /* hosts that differ */
	} rows[] = {
	    {"all alike", 4, {1, 1, 1, 1}, 0},
	    {"one of four", 4, {1, 1, 2, 1}, 1},
	    {"one of twelve", 12, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2}, 1},
	    {"just two thirds", 3, {1, 2, 1}, 1},
	    {"two against two", 4, {1, 1, 2, 2}, 0},
	    {"three classes", 5, {1, 1, 1, 2, 3}, 0},
	    {"two hosts", 2, {1, 2}, 0},
	    {"every host differs", 4, {1, 2, 3, 4}, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct scene s;
		size_t odd = 0;
		double n = rows[i].n, share = (n - 1) / n,
		       z = (share - 2.0 / 3) / sqrt(2.0 / 9 / n);
		fleet(&s, rows[i].gateways, rows[i].n);
		for (size_t h = 0; h < s.d->n_hosts; h++) {
			if (s.d->hosts[h].n_differs == 0)
				continue;
			odd++;
			assert_true(fabs(s.d->hosts[h].score - z) < 1e-9);
			assert_int_not_equal(rows[i].gateways[h], 1);
		}
		if (odd != rows[i].odd)
			print_error("row: %s\n", rows[i].name);
		assert_int_equal(odd, rows[i].odd);
		scene_free(&s);
	}
}

/* "h2 FACET KEY VALUE | OTHERS" a difference, and what is checked of whole fleets in tests/bench.
 */
static void write_differences(const struct scene *s, struct buf *out)
{
	for (size_t h = 0; h < s->d->n_hosts; h++) {
		const struct host_view *view = &s->d->hosts[h];
		for (size_t i = 0; i < view->n_differs; i++) {
			const struct difference *d = &view->differs[i];
			buf_printf(out, "%s %s %s: %s | %s, %zu/%zu\n", view->host->record->name,
			    facet_name(d->facet), d->key, d->value ? d->value : "-",
			    d->others ? d->others : "-", d->agree, d->compared);
		}
	}
}

/* What six hosts print, and how they then differ. */
static void test_differences(void **state)
{
#define HOME(n, gw)                                                                                \
	"default via 10.1." n "." gw " dev eth0 \n10.1." n ".0/24 dev eth0 scope link \n"
#define UP(name)                                                                                   \
	"{\"ID\":\"1\",\"Image\":\"a:1\",\"Names\":\"" name "\",\"Status\":\"Up 2 days\"}\n"
#define ILL(name)                                                                                  \
	"{\"ID\":\"1\",\"Image\":\"a:1\",\"Names\":\"" name                                        \
	"\",\"Status\":\"Up 2 days (unhealthy)\"}\n"
	static const struct {
		const char *name, *probe, *out[6], *expected;
	} rows[] = {
	    {"routers of several subnets", "routes",
		{HOME("1", "1"), HOME("2", "1"), HOME("3", "1"), HOME("1", "1"), HOME("2", "7"),
		    HOME("3", "1")},
		"h4 route default: via 10.1.2.7 | via address 1 of its own network, 5/6\n"},
	    {"routers at the end of their subnets", "routes",
		{HOME("1", "254"), HOME("2", "254"), HOME("3", "254"), HOME("1", "254"),
		    HOME("2", "254"), HOME("3", "254")},
		""},
	    {"there in different ways, and once not", "routes",
		{"10.5.0.0/16 via 10.1.0.1 dev e\n", "10.5.0.0/16 via 10.1.0.2 dev e\n",
		    "10.5.0.0/16 via 10.1.0.1 dev e\n", "10.5.0.0/16 via 10.1.0.2 dev e\n",
		    "10.5.0.0/16 via 10.1.0.3 dev e\n", "10.6.0.0/16 via 10.1.0.1 dev e\n"},
		"h5 route 10.5.0.0/16: - | there, in different ways, 5/6\n"
		"h5 route 10.6.0.0/16: via 10.1.0.1 | -, 5/6\n"},
	    {"ill among its like, who are half of the hosts", "docker_ps",
		{UP("api"), UP("api"), ILL("api"), UP("api"), UP("web"), UP("web")},
		"h2 container api: running (unhealthy) a:1 | running a:1, 3/4\n"
		"h4 container api: - | running a:1, 4/6\n"
		"h4 container web: running a:1 | -, 4/6\n"
		"h5 container api: - | running a:1, 4/6\n"
		"h5 container web: running a:1 | -, 4/6\n"},
	    {"every host runs something of its own", "docker_ps",
		{UP("a") UP("x"), UP("b") UP("x"), UP("c") UP("x"), UP("d") UP("x"), UP("x"),
		    UP("f")},
		"h5 container x: - | running a:1, 5/6\n"},
	    {"a rule, and the host's own address in one", "rules",
		{"0:\tfrom all lookup local\n", "0:\tfrom all lookup local\n",
		    "0:\tfrom all lookup local\n", "0:\tfrom all lookup local\n",
		    "0:\tfrom all lookup local\n",
		    "0:\tfrom all lookup local\n9:\tfrom all to 10.9.0.0/16 lookup 100\n"},
		"h5 rule to 10.9.0.0/16: lookup 100 | -, 5/6\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf text = {0};
		struct scene s;
		scene_begin(&s, "", "");
		for (int h = 0; h < 6; h++) {
			char name[16];
			snprintf(name, sizeof name, "h%d", h);
			scene_probe(scene_host(&s, name), rows[i].probe, rows[i].out[h]);
		}
		scene_diagnose(&s);
		write_differences(&s, &text);
		if (strcmp(buf_str(&text), rows[i].expected) != 0)
			print_error("row: %s\n", rows[i].name);
		assert_string_equal(buf_str(&text), rows[i].expected);
		buf_free(&text);
		scene_free(&s);
	}
#undef HOME
#undef UP
#undef ILL
}

static bool has_note(const struct scene *s, const char *part)
{
	for (size_t i = 0; i < s->d->n_notes; i++) {
		if (strstr(s->d->notes[i], part) != NULL)
			return true;
	}
	return false;
}

/* Of two hosts neither is the odd one, and the report says so. */
static void test_two_hosts_are_announced(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, TARGET, "");
	scene_probe(scene_host(&s, "h1"), "routes", "default via 10.1.0.1 dev eth0 \n");
	scene_probe(scene_host(&s, "h2"), "routes", "default via 10.1.0.2 dev eth0 \n");
	scene_diagnose(&s);
	assert_int_equal(s.d->hosts[0].n_differs + s.d->hosts[1].n_differs, 0);
	assert_true(has_note(&s, "neither is a majority"));
	scene_free(&s);
}

/* A host whose routes could not be read does not lack a route. */
static void test_unknown_is_not_absent(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, "", "");
	for (int i = 0; i < 4; i++) {
		char name[24];
		snprintf(name, sizeof name, "h%d", i);
		struct host_record *record = scene_host(&s, name);
		if (i == 2)
			scene_fail(record, "routes", PROBE_NO_PERMISSION);
		else
			scene_probe(record, "routes",
			    "default via 10.1.0.1 dev eth0 \n10.2.0.0/16 via 10.1.0.9 dev eth0 \n");
	}
	scene_diagnose(&s);
	assert_string_equal(scene_findings(&s), "");
	assert_int_equal(s.d->hosts[2].n_differs, 0);
	assert_true(has_note(&s, "routes: no-permission on h2"));
	scene_free(&s);
}

/* Bridge names, container ids and own addresses are no differences. */
static void test_differs_by_nature(void **state)
{
	static const char *const bridges[] = {"0123456789ab", "ba9876543210", "aaaaaaaaaaaa"};
	struct scene s;

	(void)state;
	scene_begin(&s, "", "");
	for (int i = 0; i < 3; i++) {
		char name[16], routes[512], networks[256];
		snprintf(name, sizeof name, "h%d", i);
		snprintf(routes, sizeof routes,
		    "default via 10.1.0.1 dev eth0 proto dhcp src 10.1.0.1%d metric 100 \n"
		    "10.1.0.0/24 dev eth0 proto kernel scope link src 10.1.0.1%d \n"
		    "172.%d.0.0/16 dev br-%s proto kernel scope link src 172.%d.0.1 \n"
		    "local 10.1.0.1%d dev eth0 table local proto kernel scope host src 10.1.0.1%d "
		    "\n",
		    i, i, 18 + i, bridges[i], 18 + i, i, i);
		snprintf(networks, sizeof networks,
		    "NETWORK ID   NAME   DRIVER   SCOPE\n%s   app   bridge   local\n", bridges[i]);
		struct host_record *record = scene_host(&s, name);
		scene_probe(record, "routes", routes);
		scene_probe(record, "docker_networks", networks);
	}
	scene_diagnose(&s);
	for (size_t h = 0; h < 3; h++)
		assert_int_equal(s.d->hosts[h].n_differs, 0);
	scene_free(&s);
}

static void collect_keys(void *context, const struct pair_difference *d)
{
	buf_printf(context, "%s %s: %s | %s\n", facet_name(d->facet), d->key, d->a ? d->a : "-",
	    d->b ? d->b : "-");
}

static void test_pair(void **state)
{
	struct arena *arena = arena_new();
	struct buf text = {0};
	struct scene s;

	(void)state;
	scene_begin(&s, "", "");
	scene_probe(scene_host(&s, "h1"), "routes",
	    "default via 10.1.0.1 dev eth0 \n10.2.0.0/16 via 10.1.0.9 dev eth0 \n");
	scene_probe(scene_host(&s, "h2"), "routes", "default via 10.1.0.2 dev eth0 \n");
	scene_diagnose(&s);
	struct fact_list a = facts_make(arena, s.hosts[0], NULL, 0);
	struct fact_list b = facts_make(arena, s.hosts[1], NULL, 0);
	compare_pair(&a, &b, collect_keys, &text);
	assert_string_equal(buf_str(&text), "route 10.2.0.0/16: via 10.1.0.9 | -\n"
					    "route default: via 10.1.0.1 | via 10.1.0.2\n");
	text.n = 0;
	compare_pair(&a, &a, collect_keys, &text);
	assert_int_equal(text.n, 0);
	buf_free(&text);
	scene_free(&s);
	arena_free(arena);
}

#define PING(n, loss)                                                                              \
	"PING 10.9.9.9 (10.9.9.9) 56(84) bytes of data.\n\n--- 10.9.9.9 ping statistics ---\n"     \
	"3 packets transmitted, " n " received, " loss "% packet loss, time 2ms\n"

/*
 * Ochiai by hand: 2 hosts fail, 3 pass. A route on both failing hosts and one passing scores
 * 2 / sqrt(2 * 3); one on a failing host alone 1 / sqrt(2 * 1).
 */
static void test_ochiai(void **state)
{
	static const struct {
		bool fails;
		const char *routes;
	} hosts[] = {
	    {true, "10.5.0.0/16 via 10.1.0.8 dev eth0 \n10.6.0.0/16 via 10.1.0.8 dev eth0 \n"},
	    {true, "10.5.0.0/16 via 10.1.0.8 dev eth0 \n"},
	    {false, "10.5.0.0/16 via 10.1.0.8 dev eth0 \n"},
	    {false, ""},
	    {false, ""},
	};
	struct scene s;

	(void)state;
	scene_begin(&s, TARGET, "");
	for (size_t i = 0; i < 5; i++) {
		char name[24], routes[256];
		snprintf(name, sizeof name, "h%zu", i);
		snprintf(
		    routes, sizeof routes, "default via 10.1.0.1 dev eth0 \n%s", hosts[i].routes);
		struct host_record *record = scene_host(&s, name);
		scene_probe(record, "routes", routes);
		scene_probe(record, "ping:" TARGET,
		    hosts[i].fails
			? "PING 10.9.9.9 (10.9.9.9) 56(84) bytes of data.\n"
			  "From 10.1.0.1 icmp_seq=1 Destination Host Unreachable\n"
			: PING("3", "0") "64 bytes from 10.9.9.9: icmp_seq=1 ttl=60 time=1 ms\n");
	}
	scene_diagnose(&s);
	/* The default route, which all of them hold, says nothing. */
	assert_int_equal(s.d->n_suspects, 2);
	assert_string_equal(s.d->suspects[0].key, "10.5.0.0/16");
	assert_true(fabs(s.d->suspects[0].score - 2 / sqrt(6)) < 1e-9);
	assert_int_equal(s.d->suspects[0].n_failing, 2);
	assert_int_equal(s.d->suspects[0].n_passing, 1);
	assert_string_equal(s.d->suspects[1].key, "10.6.0.0/16");
	assert_true(fabs(s.d->suspects[1].score - 1 / sqrt(2)) < 1e-9);
	scene_free(&s);
}

/* The same run twice gives the same words. */
static void test_deterministic(void **state)
{
	static const int gateways[] = {1, 1, 2, 1, 3, 1, 1, 1, 1};
	struct scene a, b;

	(void)state;
	fleet(&a, gateways, 9);
	fleet(&b, gateways, 9);
	assert_string_equal(a.d->summary, b.d->summary);
	assert_string_equal(scene_findings(&a), scene_findings(&b));
	for (size_t i = 0; i < a.d->n_findings; i++)
		assert_string_equal(a.d->findings[i].fingerprint, b.d->findings[i].fingerprint);
	scene_free(&a);
	scene_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_outliers),
	    cmocka_unit_test(test_differences),
	    cmocka_unit_test(test_two_hosts_are_announced),
	    cmocka_unit_test(test_unknown_is_not_absent),
	    cmocka_unit_test(test_differs_by_nature),
	    cmocka_unit_test(test_pair),
	    cmocka_unit_test(test_ochiai),
	    cmocka_unit_test(test_deterministic),
	};

	return cmocka_run_group_tests_name("compare", tests, NULL, NULL);
}
