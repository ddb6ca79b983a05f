/*
 * Outputs as large as a probe's limit lets them be, and groups of thousands, in the shapes that
 * cost most: each is diagnosed in little time and memory, or else one host keeps the report of all
 * from being written.
 */
#include "unit.h"

#include <sys/resource.h>

#include "scene.h"

#define LAN "default via 10.1.0.1 dev eth0 \n10.1.0.0/16 dev eth0 scope link src "
#define BRIDGE(prefix) prefix " dev br-0123456789ab scope link \n"
#define SECONDS 10              /* of processor time; without the care taken, a minute and more */
#define KIBIBYTES (300 * 1024L) /* the same in memory: many gigabytes */

static void plain_host(struct scene *s, const char *name, const char *more)
{
	struct buf routes = {0};

	buf_printf(&routes, LAN "10.1.0.9 \n%s", more);
	scene_probe(scene_host(s, name), "routes", buf_str(&routes));
	buf_free(&routes);
}

static void one_prefix_many_hops(struct scene *s)
{
	struct buf routes = {0};

	for (int i = 0; i < 20000; i++)
		buf_printf(&routes, "10.77.0.0/16 via 10.1.%d.%d dev eth0 metric %d\n", i >> 8,
		    i & 255, i + 1);
	plain_host(s, "h1", buf_str(&routes));
	buf_free(&routes);
	plain_host(s, "h2", "");
	plain_host(s, "h3", "");
	plain_host(s, "h4", "");
}

static void many_routes(struct scene *s)
{
	struct buf routes = {0};

	for (int i = 0; i < 60000; i++)
		buf_printf(&routes, "%d.%d.%d.0/24 via 10.1.0.1 dev eth0\n", 20 + (i >> 16),
		    i >> 8 & 255, i & 255);
	plain_host(s, "h1", buf_str(&routes));
	buf_free(&routes);
	plain_host(s, "h2", "");
	plain_host(s, "h3", "");
	plain_host(s, "h4", "");
}

static void many_pools(struct scene *s)
{
	struct buf daemon = {0};

	buf_puts(&daemon, "{\"default-address-pools\":[");
	for (int i = 0; i < 20000; i++)
		buf_printf(&daemon, "%s{\"base\":\"20.%d.%d.0/24\",\"size\":28}", i ? "," : "",
		    i >> 8, i & 255);
	buf_puts(&daemon, "]}");
	scene_probe(scene_host(s, "h1"), "docker_daemon", buf_str(&daemon));
	buf_free(&daemon);
}

static void many_bridges(struct scene *s)
{
	struct buf routes = {0};

	for (int i = 0; i < 15000; i++)
		buf_printf(&routes,
		    "10.%d.%d.0/24 dev br-%012x scope link\n10.%d.%d.0/24 dev eth1\n",
		    16 + (i >> 8), i & 255, (unsigned)i, 16 + (i >> 8), i & 255);
	plain_host(s, "h1", buf_str(&routes));
	buf_free(&routes);
}

static void one_on_every_host(struct scene *s, const char *routes, const char *resolv)
{
	char name[16];
	struct buf text = {0};

	for (int i = 0; i < 4000; i++) {
		snprintf(name, sizeof name, "h%05d", i);
		struct host_record *record = scene_host(s, name);
		text.n = 0;
		buf_printf(&text, LAN "10.1.%d.%d \n%s", i >> 8, i & 255, routes);
		scene_probe(record, "routes", buf_str(&text));
		scene_probe(record, "resolv", resolv);
	}
	buf_free(&text);
}

static void wide_subnet_everywhere(struct scene *s)
{
	one_on_every_host(s, BRIDGE("10.0.0.0/8"), "");
}

static void nameserver_inside_everywhere(struct scene *s)
{
	one_on_every_host(s, BRIDGE("172.18.0.0/16"), "nameserver 172.18.0.2\n");
}

static const struct {
	const char *name;
	void (*make)(struct scene *s);
	size_t findings; /* at most */
} shapes[] = {
    {"one prefix with 20,000 next hops", one_prefix_many_hops, 1},
    {"60,000 routes of one host", many_routes, 1},
    {"20,000 address pools", many_pools, 2},
    {"15,000 bridges, each on a network of the host's own", many_bridges, 2},
    {"a subnet around the LAN on 4,000 hosts", wide_subnet_everywhere, 2},
    {"a nameserver in a container on 4,000 hosts", nameserver_inside_everywhere, 2},
};

static void test_shapes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(shapes); i++) {
		struct scene s;
		struct rusage usage;
		scene_begin(&s, "", "");
		shapes[i].make(&s);
		clock_t begin = clock();
		scene_diagnose(&s);
		double took = (double)(clock() - begin) / CLOCKS_PER_SEC;
		size_t findings = s.d->n_findings;
		if (findings > shapes[i].findings)
			print_error("%s\n%s\n", s.d->findings[0].summary,
			    s.d->findings[findings - 1].summary);
		scene_free(&s);
		getrusage(RUSAGE_SELF, &usage);
		print_message("%s: %.1f s, %zu findings, %ld MiB at most so far\n", shapes[i].name,
		    took, findings, usage.ru_maxrss >> 10);
		assert_true(took < SECONDS);
		assert_true(findings <= shapes[i].findings);
#ifndef __SANITIZE_ADDRESS__
		assert_true(usage.ru_maxrss < KIBIBYTES);
#endif
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_shapes),
	};

	return cmocka_run_group_tests_name("hostile", tests, NULL, NULL);
}
