/* The host model from a record's probes; and the small parsers of names, addresses and the system.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "oddhost/base/file.h"
#include "oddhost/parse/addresses.h"
#include "oddhost/parse/host.h"
#include "oddhost/parse/names.h"
#include "oddhost/parse/system.h"

#define DIR "tests/fixtures/parse/"

struct row {
	const char *name, *out, *err;
	enum probe_status status;
	int exit;
};

static struct host_record *record_of(const struct row *rows, size_t n)
{
	struct host_record *record = host_record_new("host-pre");

	for (size_t i = 0; i < n; i++) {
		struct probe_result *probe = host_record_add_probe(record, rows[i].name);
		probe->out = arena_view(record->arena, view_of(rows[i].out));
		probe->err =
		    arena_view(record->arena, view_of(rows[i].err == NULL ? "" : rows[i].err));
		probe->status = rows[i].status;
		probe->exit = rows[i].exit;
	}
	return record;
}

#define RECORD(rows) record_of(rows, sizeof(rows) / sizeof *(rows))

static struct target targets[] = {
    {"db.example:3306", "db.example", 3306}, {"10.0.0.9", "10.0.0.9", 0}};
static const struct run_meta meta = {.targets = targets, .n_targets = 2};

/* Nothing was asked: nothing is known. */
static void test_nothing(void **state)
{
	struct host_record *record = host_record_new("a");
	struct host *host = parse_host(record, &meta);

	(void)state;
	assert_false(host->routes_known || host->routes6_known || host->addresses_known ||
		     host->networks_known || host->containers_known || host->daemon.known ||
		     host->rules.known);
	assert_null(host->kernel);
	assert_int_equal(host->n_pings + host->n_resolutions + host->n_egresses, 0);
	host_record_free(record);
}

/* An output counts only where its probe was ok, or was cut short by a byte limit. */
static void test_known(void **state)
{
	static const char route[] = "10.0.0.0/8 dev eth0 scope link\n";
	static const struct {
		enum probe_status status;
		const char *out;
		bool known;
	} rows[] = {
	    {PROBE_OK, route, true},
	    {PROBE_OK, "", false}, /* no host is without any route of IPv4 */
	    {PROBE_OK, "garbage\n", false},
	    {PROBE_TRUNCATED, route, true},
	    {PROBE_TRUNCATED, "", false},
	    {PROBE_FAILED, route, false},
	    {PROBE_TIMEOUT, route, false},
	    {PROBE_MISSING_COMMAND, "", false},
	    {PROBE_NO_PERMISSION, "", false},
	    {PROBE_SKIPPED, "", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row probe[] = {{"routes", rows[i].out, NULL, rows[i].status, 0}};
		struct host_record *record = RECORD(probe);
		struct host *host = parse_host(record, &meta);
		assert_int_equal(host->routes_known, rows[i].known);
		host_record_free(record);
	}
}

static void test_all_probes(void **state)
{
	static const struct row rows[] = {
	    {"routes", "default via 10.0.0.1 dev eth0\nnonsense\n", NULL, PROBE_OK, 0},
	    {"routes6", "default via fe80::1 dev eth0\n", NULL, PROBE_OK, 0},
	    {"rules", "0:\tfrom all lookup local\n", NULL, PROBE_OK, 0},
	    {"addrs", "2: eth0    inet 10.0.0.7/24 scope global eth0\n", NULL, PROBE_OK, 0},
	    {"docker_networks",
		"NETWORK ID   NAME   DRIVER   SCOPE\ndf03b027a5e8   traefik   bridge   local\n",
		NULL, PROBE_OK, 0},
	    {"docker_inspect", "", "Cannot connect", PROBE_FAILED, 1},
	    {"docker_ps", "CONTAINER ID   IMAGE   COMMAND   CREATED   STATUS   PORTS   NAMES\n",
		NULL, PROBE_OK, 0},
	    {"docker_daemon", "{}", NULL, PROBE_OK, 0},
	    {"host",
		"Linux 6.1.0-18-amd64 x86_64\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"
		" 03:00:01 up 12 days,  1:02,  0 users,  load average: 0.00, 0.00, 0.00\n",
		NULL, PROBE_OK, 0},
	    {"dns:db.example:3306", "10.0.0.5 STREAM db.example\n10.0.0.5 DGRAM\n10.0.0.4 STREAM\n",
		NULL, PROBE_OK, 0},
	    {"egress:db.example:3306", "10.0.0.4 dev eth0 src 10.0.0.7 uid 0 \n    cache \n",
		"RTNETLINK answers: Network is unreachable\n", PROBE_OK, 2},
	    {"ping:db.example:3306",
		"PING 10.0.0.5 (10.0.0.5) 56(84) bytes of data.\n64 bytes from 10.0.0.5: icmp_seq=1 ttl=1 time=1 ms\n",
		NULL, PROBE_FAILED, 1},
	    {"egress:10.0.0.9", "", "RTNETLINK answers: Network is unreachable\n", PROBE_OK, 2},
	    {"mystery", "x\n", NULL, PROBE_OK, 0},
	};
	struct host_record *record = RECORD(rows);
	struct host *host = parse_host(record, &meta);
	char text[IP_TEXT_SIZE];

	(void)state;
	assert_true(host->routes_known && host->routes6_known && host->rules.known &&
		    host->addresses_known && host->networks_known && host->containers_known &&
		    host->daemon.known && host->daemon.present && host->daemon.valid);
	assert_int_equal(host->routes.n, 2);
	assert_int_equal(host->routes.v[1].dst.ip.family, IP_V6);
	assert_int_equal(host->n_containers, 0);
	assert_false(host->networks[0].inspected);
	assert_string_equal(host->kernel, "Linux 6.1.0-18-amd64 x86_64");
	assert_string_equal(host->os, "Debian GNU/Linux 12 (bookworm)");
	assert_true(view_starts(view_of(host->uptime), "03:00:01 up 12 days"));
	const struct resolution *resolution = host_resolution(host, "db.example:3306");
	assert_int_equal(resolution->n, 2);
	assert_string_equal(ip_format(&resolution->addresses[0], text), "10.0.0.4");
	assert_int_equal(host_ping(host, "db.example:3306")->status, PING_OK);
	assert_int_equal(host->n_egresses, 3);
	assert_string_equal(host->egresses[0].target, "db.example:3306");
	assert_string_equal(host->egresses[0].dev, "eth0");
	assert_int_equal(host->egresses[0].source.line, 1);
	/* The refusal does not name its address: the one without an answer. */
	assert_string_equal(ip_format(&host->egresses[1].address, text), "10.0.0.5");
	assert_string_equal(host->egresses[1].refused, "Network is unreachable");
	assert_string_equal(ip_format(&host->egresses[2].address, text), "10.0.0.9");
	assert_int_equal(host->diags.n, 1);
	assert_string_equal(host->diags.items[0].source, "routes");
	assert_int_equal(host->diags.items[0].line, 2);
	host_record_free(record);
}

/* A transcript's names: without the port, and an egress by address. */
static void test_target_names(void **state)
{
	static const struct row rows[] = {
	    {"egress:10.0.0.5", "10.0.0.5 via 10.0.0.1 dev eth0 src 10.0.0.7\n", NULL, PROBE_OK,
		-1},
	    {"ping:db.example", "PING db.example (10.0.0.5) 56(84) bytes of data.\n", NULL,
		PROBE_OK, -1},
	    {"ping:host-01", "ping: unknown host host-01\n", NULL, PROBE_OK, -1},
	};
	struct host_record *record = RECORD(rows);
	struct host *host = parse_host(record, &meta);

	(void)state;
	assert_int_equal(host_ping(host, "db.example:3306")->status, PING_UNKNOWN);
	assert_string_equal(host->egresses[0].target, "db.example:3306");
	const struct resolution *resolution = host_resolution(host, "db.example:3306");
	assert_int_equal(resolution->n, 1);
	assert_string_equal(resolution->source.probe->name, "ping:db.example");
	assert_true(host_resolution(host, "host-01")->failed);
	host_record_free(record);
}

static void test_daemon(void **state)
{
	static const char missing[] = "cat: /etc/docker/daemon.json: No such file or directory\n";
	static const struct {
		struct row row;
		bool known, present, valid;
	} rows[] = {
	    {{"docker_daemon", "", missing, PROBE_OK, 1}, true, false, false},
	    {{"docker_daemon", missing, NULL, PROBE_OK, -1}, true, false, false},
	    {{"docker_daemon", "{", NULL, PROBE_OK, 0}, true, true, false},
	    {{"docker_daemon", "", "cat: x: Permission denied", PROBE_NO_PERMISSION, 1}, false,
		false, false},
	    {{"docker_daemon", "{\"a\":\"No such file\"}", NULL, PROBE_OK, 0}, true, true, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct host_record *record = record_of(&rows[i].row, 1);
		struct host *host = parse_host(record, &meta);
		assert_int_equal(host->daemon.known, rows[i].known);
		assert_int_equal(host->daemon.present, rows[i].present);
		assert_int_equal(host->daemon.valid, rows[i].valid);
		host_record_free(record);
	}
}

/* Known, but not whole: cut short, or with a line that was not understood. */
static void test_partial(void **state)
{
	static const struct {
		struct row row;
		size_t routes;
		bool partial, partial6, rules;
	} rows[] = {
	    {{"routes", "default via 10.0.0.1 dev eth0\n", NULL, PROBE_OK, 0}, 1, false, false,
		false},
	    {{"routes", "default via 10.0.0.1 dev eth0\n10.1.0.0/16 via 10.0.0.1", NULL,
		 PROBE_TRUNCATED, 0},
		1, true, false, false},
	    {{"routes", "default via 10.0.0.1 dev eth0 newword 1\n10.1.0.0/16 dev eth0\n", NULL,
		 PROBE_OK, 0},
		1, true, false, false},
	    {{"routes", "[{\"dst\":\"default\",\"gateway\":\"10.0.0.1\"},{\"dev\":\"eth0\"}]", NULL,
		 PROBE_OK, 0},
		1, true, false, false},
	    {{"routes6", "default via fe80::1 dev eth0\n2001:db8::/32 via fe80::", NULL,
		 PROBE_TRUNCATED, 0},
		1, false, true, false},
	    {{"rules", "0:\tfrom all lookup local\n32766:\tfrom all loo", NULL, PROBE_TRUNCATED, 0},
		0, false, false, true},
	    {{"rules", "0:\tfrom all lookup local\n", NULL, PROBE_OK, 0}, 0, false, false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct host_record *record = record_of(&rows[i].row, 1);
		struct host *host = parse_host(record, &meta);
		assert_int_equal(host->routes.n, rows[i].routes);
		assert_int_equal(host->routes.partial, rows[i].partial);
		assert_int_equal(host->routes.partial6, rows[i].partial6);
		assert_int_equal(host->rules.partial, rows[i].rules);
		host_record_free(record);
	}
}

static void test_dns(void **state)
{
	static const struct {
		struct row row;
		bool there, failed;
	} rows[] = {
	    {{"dns:db.example:3306", "", NULL, PROBE_OK, 2}, true, true},
	    {{"dns:db.example:3306", "", NULL, PROBE_TIMEOUT, 124}, false, false},
	    {{"dns:db.example:3306", "", "Unknown database: ahosts\n", PROBE_OK, 1}, false, false},
	    {{"dns:db.example:3306", "", NULL, PROBE_OK, 0}, false, false},
	    {{"dns:db.example:3306", "garbage\n", NULL, PROBE_OK, 0}, false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct host_record *record = record_of(&rows[i].row, 1);
		struct host *host = parse_host(record, &meta);
		const struct resolution *resolution = host_resolution(host, "db.example:3306");
		assert_int_equal(resolution != NULL, rows[i].there);
		if (resolution != NULL)
			assert_int_equal(resolution->failed, rows[i].failed);
		host_record_free(record);
	}
}

/* The four forms of `ip addr` say the same. */
static void test_addresses(void **state)
{
	static const char *const files[] = {"ip-o.txt", "ip-addr.txt", "ip-br.txt", "ip-j.json"};
	struct arena *arena = arena_new();
	struct diag_list diags = {.arena = arena};
	struct address_list lists[4];
	char text[IP_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct buf content = {0};
		struct err err;
		lists[i] = (struct address_list){.arena = arena};
		assert_true(file_read(
		    arena_printf(arena, DIR "addrs/%s", files[i]), 1 << 20, &content, &err));
		assert_true(parse_addresses(buf_view(&content), &lists[i], &diags));
		buf_free(&content);
		assert_int_equal(lists[i].n, 12);
		for (size_t k = 0; k < 12; k++) {
			assert_string_equal(lists[i].v[k].dev, lists[0].v[k].dev);
			assert_true(ip_equal(&lists[i].v[k].ip, &lists[0].v[k].ip));
			assert_int_equal(lists[i].v[k].len, lists[0].v[k].len);
		}
	}
	assert_int_equal(diags.n, 0);
	assert_string_equal(lists[0].v[3].dev, "eth0");
	assert_string_equal(ip_format(&lists[0].v[3].ip, text), "192.168.73.10");
	assert_int_equal(lists[0].v[3].len, 24);
	assert_int_equal(lists[0].v[3].line, 4);
	assert_int_equal(lists[1].v[3].line, 13);

	struct address_list list = {.arena = arena};
	parse_addresses(
	    view_of("5: tun0    inet 10.8.0.2 peer 10.8.0.1/32 scope global tun0\nwhat\n"), &list,
	    &diags);
	assert_int_equal(list.n, 1);
	assert_int_equal(list.v[0].len, 32);
	assert_string_equal(ip_format(&list.v[0].ip, text), "10.8.0.2");
	assert_int_equal(diags.n, 1);

	/* A length that is none is not rounded. */
	parse_addresses(view_of("[{\"ifname\":\"a\",\"addr_info\":[\n"
				"{\"local\":\"10.0.0.1\",\"prefixlen\":24.5},\n"
				"{\"local\":\"10.0.0.2\",\"prefixlen\":33},\n"
				"{\"local\":\"10.0.0.3\",\"prefixlen\":\"24\"},\n"
				"{\"local\":\"10.0.0.4\"},\n"
				"{\"local\":\"10.0.0.5\",\"prefixlen\":24}]}]"),
	    &list, &diags);
	assert_int_equal(list.n, 2);
	assert_int_equal(list.v[1].line, 6);
	assert_int_equal(diags.n, 5);
	assert_int_equal(diags.items[1].line, 2);
	arena_free(arena);
}

static const struct {
	const char *text, *address, *gateway, *dev, *src, *refused;
} egresses[] = {
    {"192.168.0.166 dev br-c3c094fc6759 src 192.168.0.1 uid 0 \n    cache \n", "192.168.0.166",
	"none", "br-c3c094fc6759", "192.168.0.1", NULL},
    {"10.72.1.1 via inet6 fe80::1 dev eth0 src 192.168.73.10 uid 0\n", "10.72.1.1", "fe80::1",
	"eth0", "192.168.73.10", NULL},
    {"local 127.0.0.1 dev lo table local src 127.0.0.1 uid 0 \n    cache <local> \n", "127.0.0.1",
	"none", "lo", "127.0.0.1", NULL},
    {"2001:db8:99::1 from :: via fe80::253 dev eth0 src 2001:db8:73::10 metric 1024 pref medium\n",
	"2001:db8:99::1", "fe80::253", "eth0", "2001:db8:73::10", NULL},
    {"unreachable 2001:db8:67::1 from :: dev lo src ::1 metric 1024 error -113 pref medium\n",
	"2001:db8:67::1", "none", NULL, "::1", "unreachable"},
    {"RTNETLINK answers: Invalid argument\n", "none", "none", NULL, "none", "Invalid argument"},
};

static void test_egress(void **state)
{
	struct arena *arena = arena_new();
	char text[IP_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof egresses / sizeof *egresses; i++) {
		struct egress_list list = {.arena = arena};
		assert_true(parse_egress(view_of(egresses[i].text), &list, NULL));
		assert_int_equal(list.n, 1);
		const struct egress *e = &list.v[0];
		assert_string_equal(ip_format(&e->address, text), egresses[i].address);
		assert_string_equal(ip_format(&e->gateway, text), egresses[i].gateway);
		assert_string_equal(ip_format(&e->src, text), egresses[i].src);
		assert_int_equal(e->dev == NULL, egresses[i].dev == NULL);
		if (e->dev != NULL)
			assert_string_equal(e->dev, egresses[i].dev);
		assert_int_equal(e->refused == NULL, egresses[i].refused == NULL);
		if (e->refused != NULL)
			assert_string_equal(e->refused, egresses[i].refused);
	}
	arena_free(arena);
}

static void test_system(void **state)
{
	static const char *const unames[][2] = {
	    {"Linux 6.1.0-18-amd64 x86_64", "Linux 6.1.0-18-amd64 x86_64"},
	    {"Linux host-pre 5.10.0-8-amd64 #1 SMP Debian 5.10.46-4 (2021-08-03) x86_64 GNU/Linux",
		"Linux 5.10.0-8-amd64 x86_64"},
	    {"Linux alp 5.15.1 #1-Alpine SMP 2021 aarch64 Linux", "Linux 5.15.1 aarch64"},
	    {"3.10.0-1160.el7.x86_64", "3.10.0-1160.el7.x86_64"},
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct system system = {0};
		assert_true(parse_system(view_of(unames[i][0]), arena, &system, NULL));
		assert_string_equal(system.kernel, unames[i][1]);
		assert_null(system.os);
	}
	struct system system = {0};
	parse_system(
	    view_of(
		"NAME=x\nPRETTY_NAME=\"Alpine Linux v3.15\"\nID=alpine\nPRETTY_NAME=\n2021-1.2 x\n"),
	    arena, &system, NULL);
	assert_string_equal(system.os, "");
	assert_null(system.kernel);
	struct diag_list diags = {.arena = arena};
	assert_true(parse_system(view_of("\n"), arena, &system, &diags));
	assert_int_equal(diags.n, 0);
	assert_false(parse_system(view_of("\ngarbage here\n"), arena, &system, &diags));
	assert_int_equal(diags.n, 1);
	arena_free(arena);
}

/* The clock against the record's own time, and the last upgrade of dpkg's or rpm's records. */
static void test_clock_and_upgrades(void **state)
{
	static const struct {
		const char *out;
		bool known;
		int64_t off;
		const char *upgraded;
	} rows[] = {
	    {"Linux 6.1.0 x86_64\n", false, 0, NULL},
	    {"clock: 2020-12-04T03:00:02Z\n", true, 0, NULL},
	    {"clock: 2020-12-04T02:59:56Z\n", true, 0, NULL},
	    {"clock: 2020-12-04T03:00:18Z\n", true, 3, NULL},
	    {"clock: 2020-12-04T02:00:00Z\n", true, -3595, NULL},
	    {"clock: 2021-01-01T03:00:00Z\n", true, 2419185, NULL},
	    {"clock: yesterday\n", false, 0, NULL},
	    {"upgraded: 2020-11-03 libc6:amd64\nupgraded: 2020-11-04 bash:amd64\n", false, 0,
		"2020-11-04"},
	    {"upgraded: @1604448000 bash\nupgraded: @1604000000 curl\n", false, 0, "2020-11-04"},
	    {"upgraded: soon\nupgraded: @\nupgraded:\n", false, 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row probes[] = {{"host", rows[i].out, NULL, PROBE_OK, 0}};
		struct host_record *record = RECORD(probes);
		record->started = "2020-12-04T03:00:00Z";
		record->elapsed_ms = 10000;
		struct host *host = parse_host(record, &meta);
		const char *upgraded = host->upgraded != NULL ? host->upgraded : "-";
		if (host->clock_known != rows[i].known || host->clock_off_s != rows[i].off)
			fail_msg("%s: %d %lld", rows[i].out, host->clock_known,
			    (long long)host->clock_off_s);
		assert_string_equal(upgraded, rows[i].upgraded != NULL ? rows[i].upgraded : "-");
		host_record_free(record);
	}
}

/* "ADDRESS via GATEWAY dev DEV type refused @line", an answer a line. */
static void test_egress_json(void **state)
{
	static const struct {
		const char *text, *expected;
		size_t diags;
	} rows[] = {
	    {"[ {\n  \"dst\": \"10.0.0.9\",\n  \"dev\": \"eth0\"\n} ]\n"
	     "RTNETLINK answers: Invalid argument\n10.0.0.8 dev eth1\n",
		"10.0.0.9 via none dev eth0 unicast - @1\nnone via none dev - unicast Invalid "
		"argument @5\n10.0.0.8 via none dev eth1 unicast - @6\n",
		0},
	    {"[{\"dst\":\"10.0.0.9\",\"via\":{\"family\":\"inet6\",\"host\":\"fe80::1\"},"
	     "\"dev\":\"a\"},{\"type\":\"unreachable\",\"dst\":\"::5\",\"dev\":\"lo\"}]",
		"10.0.0.9 via fe80::1 dev a unicast - @1\n::5 via none dev - unreachable unreachable "
		"@1\n",
		0},
	    {"[{\"dst\":\"10.0.0.9\"},{\"dst\":\"x\",\"dev\":\"a\"},"
	     "{\"dst\":\"10.0.0.9\",\"gateway\":\"gw\",\"dev\":\"a\"},[],7]",
		"", 5},
	    {"[{\"dst\":\"10.0.0.9\"\n[{\n", "", 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct arena *arena = arena_new();
		struct diag_list diags = {.arena = arena};
		struct egress_list list = {.arena = arena};
		struct buf out = {0};
		char to[IP_TEXT_SIZE], via[IP_TEXT_SIZE];
		bool known = parse_egress(view_of(rows[i].text), &list, &diags);
		for (size_t k = 0; k < list.n; k++) {
			const struct egress *e = &list.v[k];
			buf_printf(&out, "%s via %s dev %s %s %s @%u\n", ip_format(&e->address, to),
			    ip_format(&e->gateway, via), e->dev == NULL ? "-" : e->dev,
			    route_type_name(e->type), e->refused == NULL ? "-" : e->refused,
			    e->source.line);
		}
		assert_string_equal(buf_str(&out), rows[i].expected);
		assert_int_equal(diags.n, rows[i].diags);
		assert_int_equal(known, list.n > 0);
		buf_free(&out);
		arena_free(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nothing),
	    cmocka_unit_test(test_clock_and_upgrades),
	    cmocka_unit_test(test_known),
	    cmocka_unit_test(test_all_probes),
	    cmocka_unit_test(test_target_names),
	    cmocka_unit_test(test_daemon),
	    cmocka_unit_test(test_partial),
	    cmocka_unit_test(test_dns),
	    cmocka_unit_test(test_addresses),
	    cmocka_unit_test(test_egress),
	    cmocka_unit_test(test_system),
	    cmocka_unit_test(test_egress_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
