/* Facts of one host: what they say, and which facets are known whole. */
#include "unit.h"

#include "oddhost/check/facts.h"
#include "scene.h"

#define LS                                                                                         \
	"NETWORK ID     NAME      DRIVER    SCOPE\n"                                               \
	"7d31f0b96c2a   app       bridge    local\n"
#define INSPECT "[{\"Name\":\"app\",\"Id\":\"7d31f0b96c2a\",\"Driver\":\"bridge\"}]\n"
#define PS "{\"ID\":\"0123456789ab\",\"Image\":\"img\",\"Names\":\"a\",\"Status\":\"Up 2 hours\"}\n"

/* An output that was cut short lists what it lists, and does not say what is missing. */
static void test_whole(void **state)
{
	static const struct {
		const char *name;
		struct {
			const char *probe, *out;
			enum probe_status status;
		} probes[2];
		enum facet facet;
		bool whole;
		size_t listed;
	} rows[] = {
	    {"both of docker's lists",
		{{"docker_networks", LS, PROBE_OK}, {"docker_inspect", INSPECT, PROBE_OK}},
		FACET_NETWORK, true, 1},
	    {"the listing cut",
		{{"docker_networks", LS, PROBE_TRUNCATED}, {"docker_inspect", INSPECT, PROBE_OK}},
		FACET_NETWORK, false, 1},
	    {"the inspection cut",
		{{"docker_networks", LS, PROBE_OK}, {"docker_inspect", INSPECT, PROBE_TRUNCATED}},
		FACET_NETWORK, false, 1},
	    {"containers", {{"docker_ps", PS, PROBE_OK}}, FACET_CONTAINER, true, 1},
	    {"containers cut", {{"docker_ps", PS PS, PROBE_TRUNCATED}}, FACET_CONTAINER, false, 1},
	    {"own lines", {{"own:a", "x\ny\n", PROBE_OK}}, FACET_OWN, true, 2},
	    {"own lines, and some that failed",
		{{"own:a", "x\ny\n", PROBE_OK}, {"own:b", "", PROBE_FAILED}}, FACET_OWN, false, 2},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena *arena = arena_new();
		struct scene s;
		size_t listed = 0;
		scene_begin(&s, "", "");
		struct host_record *record = scene_host(&s, "h1");
		for (int p = 0; p < 2 && rows[i].probes[p].probe != NULL; p++) {
			scene_probe(record, rows[i].probes[p].probe, rows[i].probes[p].out);
			record->probes[p].status = rows[i].probes[p].status;
		}
		scene_diagnose(&s);
		struct fact_list list = facts_make(arena, s.hosts[0], NULL, 0);
		for (size_t k = 0; k < list.n; k++)
			listed += list.v[k].facet == rows[i].facet;
		if (list.whole[rows[i].facet] != rows[i].whole || listed != rows[i].listed)
			fail_msg("%s: %d, %zu", rows[i].name, list.whole[rows[i].facet], listed);
		scene_free(&s);
		arena_free(arena);
	}
}

/* Of a long list of a user's own only the first lines are compared: none behind is called absent.
 */
static void test_long_own(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, "", "");
	for (int h = 0; h < 4; h++) {
		char name[16];
		struct buf lines = {0};
		snprintf(name, sizeof name, "h%d", h);
		if (h == 0)
			buf_puts(&lines, "aaa\n");
		for (int i = 0; i < 500; i++)
			buf_printf(&lines, "pkg%04d\n", i);
		scene_probe(scene_host(&s, name), "own:pkgs", buf_str(&lines));
		buf_free(&lines);
	}
	scene_diagnose(&s);
	assert_int_equal(s.d->hosts[0].n_differs, 1);
	assert_string_equal(s.d->hosts[0].differs[0].key, "pkgs: aaa");
	for (int h = 1; h < 4; h++)
		assert_int_equal(s.d->hosts[h].n_differs, 0);
	scene_free(&s);
}

/* Values of one key become one: each once, in sorted order, and so what they are compared by. */
static void test_joined(void **state)
{
	static const char routes[] = "10.1.0.0/24 dev eth0 scope link src 10.1.0.7 \n"
				     "10.7.0.0/16 via 10.9.0.2 dev eth0 metric 1 \n"
				     "10.7.0.0/16 via 10.1.0.3 dev eth0 metric 2 \n"
				     "10.7.0.0/16 via 10.9.0.2 dev eth0 metric 3 \n"
				     "10.7.0.0/16 via 10.1.0.3 dev eth0 metric 4 \n"
				     "10.8.0.0/16 via 10.9.0.2 dev eth0 metric 1 \n"
				     "10.8.0.0/16 via 10.9.0.2 dev eth0 metric 2 \n";
	struct arena *arena = arena_new();
	struct scene s;

	(void)state;
	scene_begin(&s, "", "");
	scene_probe(scene_host(&s, "h1"), "routes", routes);
	scene_diagnose(&s);
	struct fact_list list = facts_make(arena, s.hosts[0], NULL, 0);
	const struct fact *fact = facts_find(&list, FACET_ROUTE, "10.7.0.0/16");
	assert_string_equal(fact->value, "via 10.1.0.3; via 10.9.0.2");
	assert_string_equal(fact->like, "via address 3 of its own network; via 10.9.0.2");
	assert_int_equal(fact->source.line, 3);
	fact = facts_find(&list, FACET_ROUTE, "10.8.0.0/16");
	assert_string_equal(fact->value, "via 10.9.0.2");
	assert_null(fact->like);
	scene_free(&s);
	arena_free(arena);
}

/* A target's families have keys of their own. */
static void test_families(void **state)
{
	struct arena *arena = arena_new();
	struct scene s;

	(void)state;
	scene_begin(&s, "db.example", "");
	struct host_record *record = scene_host(&s, "h1");
	scene_probe(record, "routes", "default via 10.1.0.1 dev eth0 \n");
	scene_probe(record, "routes6", "default via fe80::1 dev eth0 \n");
	scene_probe(record, "rules6", "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n");
	scene_probe(
	    record, "dns:db.example", "10.9.0.6 STREAM\n10.9.0.5 STREAM\n2001:db8::5 STREAM\n");
	scene_diagnose(&s);
	struct fact_list list =
	    facts_make(arena, s.hosts[0], s.run->meta.targets, s.run->meta.n_targets);
	assert_string_equal(facts_find(&list, FACET_DNS, "db.example")->value, "10.9.0.5 10.9.0.6");
	assert_string_equal(facts_find(&list, FACET_DNS, "db.example IPv6")->value, "2001:db8::5");
	assert_string_equal(facts_find(&list, FACET_EGRESS, "db.example")->value, "via 10.1.0.1");
	assert_string_equal(
	    facts_find(&list, FACET_EGRESS, "db.example IPv6")->value, "via fe80::1");
	assert_true(fact_is_about("db.example IPv6", "db.example"));
	assert_false(fact_is_about("db.example2", "db.example"));
	assert_false(fact_is_about("db.exampl", "db.example"));
	scene_free(&s);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_whole),
	    cmocka_unit_test(test_long_own),
	    cmocka_unit_test(test_joined),
	    cmocka_unit_test(test_families),
	};

	return cmocka_run_group_tests_name("facts", tests, NULL, NULL);
}
