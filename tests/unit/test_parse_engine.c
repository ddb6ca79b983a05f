/* The engine, the nameservers, the neighbours and the sysctls of a host, from its probes. */
#include "unit.h"

#include "oddhost/parse/host.h"

static const struct run_meta meta = {0};

struct row {
	const char *name, *out;
	enum probe_status status;
	int exit;
};

static struct host *host_of(const struct row *rows, size_t n)
{
	struct host_record *record = host_record_new("host-pre");

	for (size_t i = 0; i < n; i++) {
		struct probe_result *probe = host_record_add_probe(record, rows[i].name);
		probe->out = view_of(rows[i].out);
		probe->status = rows[i].status;
		probe->exit = rows[i].exit;
	}
	return parse_host(record, &meta);
}

static void host_free(struct host *host)
{
	host_record_free((struct host_record *)host->record);
}

static void test_nothing(void **state)
{
	struct host *host = host_of(NULL, 0);

	(void)state;
	assert_false(host->engine.known || host->engine.pools_known || host->nameservers_known ||
		     host->neighbours_known || host->sysctls.known || host->rules6.known);
	assert_int_equal(host->engine.live_restore, -1);
	assert_int_equal(host->engine.started_ns, 0);
	assert_int_equal(host->sysctls.ip_forward, -1);
	host_free(host);
}

static const struct {
	const char *name, *out;
	enum probe_status status;
	bool known, podman, pools_known;
	size_t pools, diags;
	int live_restore;
	int64_t started;
} engines[] = {
    {"20.10 and later",
	"{\"Started\":1588516870}\n{\"ServerVersion\":\"20.10.24\",\"LiveRestoreEnabled\":false,"
	"\"DefaultAddressPools\":[{\"Base\":\"10.0.0.0/8\",\"Size\":24}]}\n",
	PROBE_OK, true, false, true, 1, 0, 0, 1588516870},
    {"no pools configured",
	"{\"ServerVersion\":\"28.5.2\",\"LiveRestoreEnabled\":true,\"DefaultAddressPools\":null}\n",
	PROBE_OK, true, false, true, 0, 0, 1, 0},
    {"before 20.10, a newer client",
	"{\"ServerVersion\":\"19.03.8\",\"LiveRestoreEnabled\":false,\"DefaultAddressPools\":null}\n",
	PROBE_OK, true, false, false, 0, 0, 0, 0},
    {"before 20.10", "{\"ServerVersion\":\"19.03.8\",\"LiveRestoreEnabled\":false}\n", PROBE_OK,
	true, false, false, 0, 0, 0, 0},
    {"podman", "{\"PodmanVersion\":\"4.3.1\"}\n", PROBE_OK, true, true, false, 0, 0, -1, 0},
    {"the client alone",
	"{\"Started\":1588516870}\n{\"ServerVersion\":\"\",\"LiveRestoreEnabled\":false,"
	"\"DefaultAddressPools\":null}\n",
	PROBE_OK, false, false, false, 0, 0, -1, 1588516870},
    {"it failed", "{\"Started\":1588516870}\n", PROBE_FAILED, false, false, false, 0, 0, -1, 0},
    {"plain", "Server:\n Server Version: 20.10.24\n Live Restore Enabled: true\n", PROBE_OK, true,
	false, false, 0, 0, 1, 0},
    {"a pool without a size",
	"{\"ServerVersion\":\"20.10.24\",\"DefaultAddressPools\":[{\"Base\":\"10.0.0.0/8\"}]}\n",
	PROBE_OK, true, false, false, 0, 1, -1, 0},
    {"a pool with half a size",
	"{\"ServerVersion\":\"20.10.24\",\"DefaultAddressPools\":[{\"Base\":\"10.0.0.0/8\",\"Size\":24},\n"
	"{\"Base\":\"172.30.0.0/16\",\"Size\":24.7}]}\n",
	PROBE_OK, true, false, false, 0, 1, -1, 0},
    {"pools of another kind", "{\"ServerVersion\":\"20.10.24\",\"DefaultAddressPools\":\"x\"}\n",
	PROBE_OK, true, false, false, 0, 1, -1, 0},
    {"plain, a pool without a size",
	"Server:\n Server Version: 20.10.24\n Default Address Pools:\n   Base: 10.0.0.0/8, Size: 24\n"
	"   Base: 172.30.0.0/16, Size: 8\n",
	PROBE_OK, true, false, false, 0, 1, -1, 0},
    {"half a second", "{\"Started\":1588516870.5}\n", PROBE_OK, false, false, false, 0, 1, -1, 0},
    {"something else", "[1]\n", PROBE_OK, false, false, false, 0, 1, -1, 0},
    {"a word", "hello\n", PROBE_OK, false, false, false, 0, 1, -1, 0},
};

static void test_engine(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(engines); i++) {
		const struct row row = {"docker_info", engines[i].out, engines[i].status, 0};
		struct host *host = host_of(&row, 1);
		const struct docker_engine *e = &host->engine;
		print_message("  %s\n", engines[i].name);
		assert_int_equal(e->known, engines[i].known);
		assert_int_equal(e->version != NULL, engines[i].known);
		assert_int_equal(e->podman, engines[i].podman);
		assert_int_equal(e->pools_known, engines[i].pools_known);
		assert_int_equal(e->n_pools, engines[i].pools);
		assert_int_equal(e->live_restore, engines[i].live_restore);
		assert_int_equal(e->started_ns, engines[i].started * 1000000000);
		assert_int_equal(host->diags.n, engines[i].diags);
		host_free(host);
	}
}

#define STUB "nameserver 127.0.0.53\n"

/* The stub of systemd-resolved is followed to its servers, and is no answer where that fails. */
static void test_nameservers(void **state)
{
	static const struct {
		struct row rows[2];
		bool known;
		size_t n;
		const char *source, *last;
	} cases[] = {
	    {{{"resolv", "nameserver 10.0.0.2\nnameserver fe80::1%eth0\n", PROBE_OK, 0},
		 {"resolv_systemd", "nameserver 10.9.9.9\n", PROBE_OK, 0}},
		true, 2, "resolv", "fe80::1"},
	    {{{"resolv", STUB, PROBE_OK, 0},
		 {"resolv_systemd", "nameserver 10.9.9.9\n", PROBE_OK, 0}},
		true, 1, "resolv_systemd", "10.9.9.9"},
	    {{{"resolv", STUB, PROBE_OK, 0}, {"resolv_systemd", "", PROBE_OK, 1}}, false, 1,
		"resolv", "127.0.0.53"},
	    {{{"resolv", STUB "nameserver 10.0.0.2\n", PROBE_OK, 0},
		 {"resolv_systemd", "nameserver 10.9.9.9\n", PROBE_OK, 0}},
		true, 2, "resolv", "10.0.0.2"},
	    {{{"resolv", "nameserver 10.0.0.2\n nameserver 10.0.0.3\n", PROBE_OK, 0},
		 {"x", "", PROBE_OK, 0}},
		true, 1, "resolv", "10.0.0.2"},
	    {{{"resolv", "search x\n", PROBE_OK, 0}, {"x", "", PROBE_OK, 0}}, true, 0, "resolv",
		NULL},
	    {{{"resolv", "", PROBE_OK, 1}, {"x", "", PROBE_OK, 0}}, false, 0, NULL, NULL},
	    {{{"resolv", "nameserver nowhere\n", PROBE_OK, 0}, {"x", "", PROBE_OK, 0}}, false, 0,
		NULL, NULL},
	};
	char text[IP_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct host *host = host_of(cases[i].rows, 2);
		print_message("  %s", cases[i].rows[0].out);
		assert_int_equal(host->nameservers_known, cases[i].known);
		assert_int_equal(host->n_nameservers, cases[i].n);
		if (cases[i].source == NULL)
			assert_null(host->nameservers_source);
		else
			assert_string_equal(host->nameservers_source->name, cases[i].source);
		if (cases[i].n > 0)
			assert_string_equal(
			    ip_format(&host->nameservers[cases[i].n - 1].ip, text), cases[i].last);
		host_free(host);
	}
}

static void test_neighbours(void **state)
{
	static const struct row row = {"neigh",
	    "192.168.0.166 dev br-c3c094fc6759 FAILED \n10.0.0.1 dev eth0 lladdr ee:ff:ff:ff:ff:ff "
	    "router REACHABLE \n10.0.0.4 dev eth0 proxy \n10.0.0.5 dev eth0 colour red STALE\n",
	    PROBE_OK, 0};
	struct host *host = host_of(&row, 1);

	(void)state;
	assert_true(host->neighbours_known);
	assert_int_equal(host->n_neighbours, 2);
	assert_int_equal(host->neighbours[0].state, NEIGHBOUR_FAILED);
	assert_null(host->neighbours[0].lladdr);
	assert_string_equal(host->neighbours[1].dev, "eth0");
	assert_int_equal(host->neighbours[1].state, NEIGHBOUR_REACHABLE);
	assert_int_equal(host->neighbours[1].line, 2);
	assert_int_equal(host->diags.n, 1);
	assert_int_equal(host->diags.items[0].line, 4);
	host_free(host);
}

static void test_sysctls(void **state)
{
	static const struct {
		const char *out;
		bool known;
		int forward, all, other;
		size_t diags;
	} cases[] = {
	    {"net.ipv4.ip_forward = 1\nnet.ipv4.conf.all.rp_filter = 2\n", true, 1, 2, -1, 0},
	    {"net.ipv4.ip_forward=0\n", true, 0, -1, -1, 0},
	    {"/proc/sys/net/ipv4/ip_forward:1\n/proc/sys/net/ipv4/conf/default/rp_filter:1\n", true,
		1, -1, 1, 0},
	    {"net.ipv4.ip_forwards = 1\nnet.ipv4.ip = 1\n", false, -1, -1, -1, 0},
	    {"net.ipv4.ip_forward = yes\n", false, -1, -1, -1, 1},
	    {"what\n", false, -1, -1, -1, 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct row row = {"sysctl", cases[i].out, PROBE_OK, 0};
		struct host *host = host_of(&row, 1);
		print_message("  %s", cases[i].out);
		assert_int_equal(host->sysctls.known, cases[i].known);
		assert_int_equal(host->sysctls.ip_forward, cases[i].forward);
		assert_int_equal(host->sysctls.rp_filter_all, cases[i].all);
		assert_int_equal(host->sysctls.rp_filter_default, cases[i].other);
		assert_int_equal(host->diags.n, cases[i].diags);
		host_free(host);
	}
}

/* When a network was made, from each output that says it; IPv6 rules are known where asked. */
static void test_more(void **state)
{
	static const struct row rows[] = {
	    {"docker_networks",
		"{\"CreatedAt\":\"2020-05-05 08:42:08.517320944 +0000 UTC\",\"Driver\":\"bridge\","
		"\"ID\":\"c3c094fc6759\",\"Name\":\"a\"}\n{\"CreatedAt\":\"long ago\",\"Driver\":"
		"\"bridge\",\"ID\":\"c3c094fc6758\",\"Name\":\"b\"}\n",
		PROBE_OK, 0},
	    {"docker_inspect",
		"[{\"Name\":\"c\",\"Id\":\"c3c094fc6757\",\"Created\":\"2020-05-05T16:42:08+08:00\","
		"\"Driver\":\"bridge\",\"IPAM\":{\"Config\":[]}}]",
		PROBE_OK, 0},
	    {"rules6", "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n", PROBE_OK, 0},
	};
	struct host *host = host_of(rows, COUNT(rows));

	(void)state;
	assert_int_equal(host->n_networks, 3);
	assert_int_equal(host->networks[0].created_ns, 1588668128517320944);
	assert_int_equal(host->networks[1].created_ns, 0);
	assert_int_equal(host->networks[2].created_ns, 1588668128000000000);
	assert_true(host->rules6.known);
	assert_int_equal(host->rules6.n, 2);
	assert_false(host->rules.known);
	assert_string_equal(host->rules6_source->name, "rules6");
	host_free(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nothing),
	    cmocka_unit_test(test_engine),
	    cmocka_unit_test(test_nameservers),
	    cmocka_unit_test(test_neighbours),
	    cmocka_unit_test(test_sysctls),
	    cmocka_unit_test(test_more),
	};

	return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
