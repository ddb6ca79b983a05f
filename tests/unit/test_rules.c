/* Every rule on small fleets: what must be found, and that nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "scene.h"

#define TARGET "db.example"
#define LAN                                                                                        \
	"default via 10.1.0.1 dev eth0 \n"                                                         \
	"10.1.0.0/24 dev eth0 proto kernel scope link src 10.1.0.7 \n"                             \
	"172.17.0.0/16 dev docker0 proto kernel scope link src 172.17.0.1 linkdown \n"
#define BRIDGE(prefix) prefix " dev br-0123456789ab proto kernel scope link src 192.168.0.1 \n"
#define DNS "192.168.0.166   STREAM db.example\n192.168.0.166   DGRAM\n"
#define PING_HEAD "PING db.example (192.168.0.166) 56(84) bytes of data.\n"
#define DNS_LEFT "192.168.0.99    STREAM db.example\n"
#define STATISTICS(n, loss)                                                                        \
	"\n--- db.example ping statistics ---\n3 packets transmitted, " n " received, " loss       \
	"% packet loss, time 1000ms\n"
#define PING_OK_TEXT                                                                               \
	PING_HEAD                                                                                  \
	"64 bytes from 192.168.0.166: icmp_seq=1 ttl=60 time=1.1 ms\n"                             \
	"64 bytes from 192.168.0.166: icmp_seq=2 ttl=60 time=1.1 ms\n"                             \
	"64 bytes from 192.168.0.166: icmp_seq=3 ttl=60 time=1.1 ms\n" STATISTICS("3", "0")
#define PING_BRIDGE                                                                                \
	PING_HEAD                                                                                  \
	"From 192.168.0.1 icmp_seq=1 Destination Host Unreachable\n" STATISTICS("0", "100")
#define PING_ERROR                                                                                 \
	PING_HEAD "From 10.1.0.1 icmp_seq=1 Destination Host Unreachable\n" STATISTICS("0", "100")
#define PING_LEFT                                                                                  \
	"PING db.example (192.168.0.99) 56(84) bytes of data.\n"                                   \
	"From 10.1.0.1 icmp_seq=1 Destination Host Unreachable\n" STATISTICS("0", "100")
#define PING_SILENCE PING_HEAD STATISTICS("0", "100")
#define NETWORKS                                                                                   \
	"NETWORK ID     NAME      DRIVER    SCOPE\n"                                               \
	"0123456789ab   app_net   bridge    local\n"                                               \
	"aaaaaaaaaaaa   bridge    bridge    local\n"

struct host_case {
	const char *routes, *dns, *ping; /* NULL: the probe was not made */
	const char *rules, *networks, *egress;
};

#define WELL                                                                                       \
	{                                                                                          \
		LAN, DNS, PING_OK_TEXT, NULL, NULL, NULL                                           \
	}
#define SHADOWED                                                                                   \
	{                                                                                          \
		LAN BRIDGE("192.168.0.0/20"), DNS, PING_BRIDGE, NULL, NETWORKS, NULL               \
	}

static const struct rule_case {
	const char *name, *reserved;
	struct host_case hosts[6]; /* h1, h2 …; ends with one without routes, dns and ping */
	const char *findings;
} cases[] = {
    {"a healthy fleet", "192.168.0.0/16=vpc", {WELL, WELL, WELL}, ""},
    {"the incident", "192.168.0.0/16=vpc", {SHADOWED, WELL, WELL}, "target-shadowed critical h1\n"},
    {"a shadow on a host alone", "", {SHADOWED}, "target-shadowed critical h1\n"},
    {"a shadow with one peer", "", {WELL, SHADOWED}, "target-shadowed critical h2\n"},
    {"every host shadowed for one cause", "", {SHADOWED, SHADOWED, SHADOWED},
	"target-shadowed critical h1,h2,h3\n"},
    {"a shadow that the ping does not show", "",
	{{LAN BRIDGE("192.168.0.0/20"), DNS, NULL, NULL, NETWORKS, NULL}, WELL, WELL},
	"target-shadowed high h1\n"},
    {"a target in a container of every host is meant to be there", "",
	{{LAN BRIDGE("192.168.0.0/20"), DNS, PING_OK_TEXT, NULL, NETWORKS, NULL},
	    {LAN BRIDGE("192.168.0.0/20"), DNS, PING_OK_TEXT, NULL, NETWORKS, NULL}},
	""},
    {"latent: a container subnet inside the reserved prefix", "192.168.0.0/16=vpc",
	{WELL, {LAN BRIDGE("192.168.32.0/20"), DNS, PING_OK_TEXT, NULL, NETWORKS, NULL}, WELL},
	"reserved-overlap high h2\n"},
    {"latent on two hosts with one subnet: one finding", "192.168.0.0/16",
	{{LAN BRIDGE("192.168.32.0/20"), DNS, PING_OK_TEXT, NULL, NULL, NULL},
	    {LAN BRIDGE("192.168.32.0/20"), DNS, PING_OK_TEXT, NULL, NULL, NULL}},
	"reserved-overlap high h1,h2\n"},
    {"without a reserved prefix it is a note", "",
	{WELL, {LAN BRIDGE("192.168.32.0/20"), DNS, PING_OK_TEXT, NULL, NETWORKS, NULL}, WELL},
	"shared-private-block low h2\nnext-subnet-collides info h2\n"},
    {"a policy rule saves the day", "",
	{{LAN BRIDGE("192.168.0.0/20") "default via 10.1.0.1 dev eth0 table 100 \n", DNS,
	     PING_OK_TEXT,
	     "0:\tfrom all lookup local\n100:\tfrom all to 192.168.0.166 lookup 100\n"
	     "32766:\tfrom all lookup main\n",
	     NETWORKS, NULL},
	    WELL, WELL},
	"reserved-overlap high h1\n"
	"route-outlier low h1\n"},
    {"a VPN that works is not accused", "",
	{{LAN "192.168.0.0/16 dev tun0 scope link \n", DNS, PING_OK_TEXT, NULL, NULL, NULL}, WELL,
	    WELL},
	""},
    {"a VPN that swallows the target", "",
	{{LAN "192.168.0.0/16 dev tun0 scope link \n", DNS, PING_ERROR, NULL, NULL, NULL}, WELL,
	    WELL},
	"target-shadowed critical h1\n"},
    {"a blackhole", "",
	{{LAN "blackhole 192.168.0.0/24 \n", DNS, PING_ERROR, NULL, NULL, NULL}, WELL, WELL},
	"target-unreachable high h1\n"},
    {"a missing default route", "",
	{{"10.1.0.0/24 dev eth0 proto kernel scope link src 10.1.0.7 \n", DNS,
	     "ping: connect: Network is unreachable\n", NULL, NULL, NULL},
	    WELL, WELL},
	"target-unreachable high h1\n"},
    {"refused beyond the gateway", "", {{LAN, DNS, PING_ERROR, NULL, NULL, NULL}, WELL, WELL},
	"target-unreachable high h1\n"},
    {"silence on one host", "", {{LAN, DNS, PING_SILENCE, NULL, NULL, NULL}, WELL, WELL},
	"target-unreachable medium h1\n"},
    {"silence everywhere may be a filter", "",
	{{LAN, DNS, PING_SILENCE, NULL, NULL, NULL}, {LAN, DNS, PING_SILENCE, NULL, NULL, NULL}},
	"target-unreachable low h1,h2\n"},
    {"down for all", "",
	{{LAN, DNS, PING_ERROR, NULL, NULL, NULL}, {LAN, DNS, PING_ERROR, NULL, NULL, NULL}},
	"target-unreachable high h1,h2\n"},
    {"a name that resolves differently", "",
	{{LAN, "192.168.0.99    STREAM db.example\n", NULL, NULL, NULL, NULL}, WELL, WELL},
	"dns-differs medium h1\n"},
    {"two answers, no majority: both are named", "",
	{{LAN, "192.168.0.99    STREAM db.example\n", NULL, NULL, NULL, NULL}, WELL},
	"dns-differs medium h1,h2\n"},
    {"an address that answers nobody, on one host", "",
	{{LAN, DNS_LEFT, PING_LEFT, NULL, NULL, NULL}, WELL, WELL}, "dns-differs high h1\n"},
    {"the address that answers is only one host's", "",
	{WELL, {LAN, DNS_LEFT, PING_LEFT, NULL, NULL, NULL},
	    {LAN, DNS_LEFT, PING_LEFT, NULL, NULL, NULL},
	    {LAN, DNS_LEFT, PING_LEFT, NULL, NULL, NULL}},
	"dns-differs high h2,h3,h4\n"},
    {"one address answers nobody, another only one host", "",
	{{LAN, "192.168.0.98    STREAM db.example\n",
	     "PING db.example (192.168.0.98) 56(84) bytes of data.\n"
	     "64 bytes from 192.168.0.98: icmp_seq=1 ttl=60 time=1.1 ms\n",
	     NULL, NULL, NULL},
	    {LAN, DNS_LEFT, PING_LEFT, NULL, NULL, NULL}, WELL, WELL, WELL},
	"dns-differs high h2\ndns-differs medium h1\n"},
    {"the kernel's answer outweighs the table", "",
	{{LAN BRIDGE("192.168.0.0/20"), DNS, PING_OK_TEXT, NULL, NETWORKS,
	     "192.168.0.166 via 10.1.0.1 dev eth0 src 10.1.0.7 uid 0 \n    cache \n"},
	    WELL, WELL},
	"reserved-overlap high h1\npath-contradiction low h1\n"},
    {"nothing is known about routes: nothing is said about them", "192.168.0.0/16",
	{{NULL, DNS, PING_OK_TEXT, NULL, NULL, NULL}, WELL, WELL}, ""},
};

static void add(struct host_record *record, const char *probe, const char *out)
{
	if (out != NULL)
		scene_probe(record, probe, out);
}

static void test_rules(void **state)
{
	char name[24];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct scene s;
		scene_begin(&s, TARGET, cases[i].reserved);
		for (int h = 0; h < 6; h++) {
			const struct host_case *c = &cases[i].hosts[h];
			if (c->routes == NULL && c->dns == NULL && c->ping == NULL)
				break;
			snprintf(name, sizeof name, "h%d", h + 1);
			struct host_record *record = scene_host(&s, name);
			add(record, "routes", c->routes);
			add(record, "rules", c->rules);
			add(record, "docker_networks", c->networks);
			add(record, "dns:" TARGET, c->dns);
			add(record, "egress:" TARGET, c->egress);
			add(record, "ping:" TARGET, c->ping);
		}
		scene_diagnose(&s);
		if (strcmp(scene_findings(&s), cases[i].findings) != 0)
			print_error("case: %s\n", cases[i].name);
		assert_string_equal(scene_findings(&s), cases[i].findings);
		for (size_t f = 0; f < s.d->n_findings; f++) {
			if (s.d->findings[f].n_evidence == 0)
				print_error("case: %s: %s\n", cases[i].name, s.d->findings[f].rule);
			assert_true(s.d->findings[f].n_evidence > 0);
			assert_true(s.d->findings[f].n_fix > 0);
			assert_true(*s.d->findings[f].why != '\0');
		}
		scene_free(&s);
	}
}

static void add_well(struct scene *s, const char *name)
{
	struct host_record *record = scene_host(s, name);

	scene_probe(record, "routes", LAN);
	scene_probe(record, "dns:" TARGET, DNS);
	scene_probe(record, "ping:" TARGET, PING_OK_TEXT);
}

static void test_unreachable_host(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, TARGET, "");
	s.run->meta.bastion = "172.20.5.9";
	add_well(&s, "h1");
	add_well(&s, "h2");
	struct host_record *record = scene_host(&s, "h3");
	record->status = HOST_CONNECT_TIMEOUT;
	record->error = "no answer in 10 s";
	scene_diagnose(&s);
	assert_string_equal(scene_findings(&s), "host-unreachable medium h3\n");
	assert_string_equal(s.d->findings[0].evidence[0].text, "no answer in 10 s");
	/* The bastion's address lies where docker may take a subnet: the host may be cut off from
	 * us. */
	assert_non_null(strstr(s.d->findings[0].why, "172.20.5.9"));
	scene_free(&s);
}

static void test_evidence_of_the_shadow(void **state)
{
	static const struct {
		const char *host, *probe, *text;
	} wanted[] = {
	    {"h1", "routes", "192.168.0.0/20 dev br-0123456789ab"},
	    {"h1", "docker_networks", "app_net"},
	    {"h1", "ping:" TARGET, "From 192.168.0.1 icmp_seq=1 Destination Host Unreachable"},
	    {"h2", "ping:" TARGET, "64 bytes from 192.168.0.166"},
	};
	struct scene s;

	(void)state;
	scene_begin(&s, TARGET, "");
	struct host_record *record = scene_host(&s, "h1");
	scene_probe(record, "routes", LAN BRIDGE("192.168.0.0/20"));
	scene_probe(record, "docker_networks", NETWORKS);
	scene_probe(record, "dns:" TARGET, DNS);
	scene_probe(record, "ping:" TARGET, PING_BRIDGE);
	add_well(&s, "h2");
	scene_diagnose(&s);
	const struct finding *f = &s.d->findings[0];
	for (size_t w = 0; w < sizeof wanted / sizeof *wanted; w++) {
		bool found = false;
		for (size_t i = 0; i < f->n_evidence; i++) {
			const struct evidence *e = &f->evidence[i];
			found =
			    found || (strcmp(e->host, wanted[w].host) == 0 &&
					 strcmp(e->probe, wanted[w].probe) == 0 && e->line > 0 &&
					 strstr(e->text, wanted[w].text) != NULL);
		}
		if (!found)
			print_error("missing: %s\n", wanted[w].text);
		assert_true(found);
	}
	assert_string_equal(f->address, "192.168.0.166");
	assert_string_equal(f->prefix, "192.168.0.0/20");
	/* Without `ip route get` from the host itself it is likely, not certain. */
	assert_int_equal(f->confidence, CONFIDENCE_LIKELY);
	scene_free(&s);
}

/* The pools of the fix stay clear of everything that is reserved or routed for real. */
static void test_pools_of_the_fix(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, TARGET, "172.16.0.0/14,172.20.0.0/16");
	struct host_record *record = scene_host(&s, "h1");
	scene_probe(record, "routes",
	    LAN BRIDGE("192.168.0.0/20") "172.21.9.0/24 via 10.1.0.1 dev eth0 \n");
	scene_probe(record, "dns:" TARGET, DNS);
	scene_probe(record, "ping:" TARGET, PING_BRIDGE);
	scene_diagnose(&s);
	struct buf all = {0};
	for (size_t i = 0; i < s.d->findings[0].n_fix; i++)
		buf_puts(&all, s.d->findings[0].fix[i]);
	assert_non_null(strstr(buf_str(&all), "{\"base\": \"172.22.0.0/16\", \"size\": 24}\n"));
	assert_null(strstr(buf_str(&all), "172.21.0.0/16"));
	buf_free(&all);
	scene_free(&s);
}

/* A name from a host goes into a command only as one quoted word. */
static void test_hostile_network_name(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, TARGET, "");
	struct host_record *record = scene_host(&s, "h1");
	scene_probe(record, "routes", LAN BRIDGE("192.168.0.0/20"));
	scene_probe(record, "docker_inspect",
	    "[{\"Name\":\"x; rm -rf /\",\"Id\":\"0123456789abcdef\",\"Driver\":\"bridge\","
	    "\"IPAM\":{\"Config\":[{\"Subnet\":\"192.168.0.0/20\"}]}}]\n");
	scene_probe(record, "dns:" TARGET, DNS);
	scene_probe(record, "ping:" TARGET, PING_BRIDGE);
	scene_diagnose(&s);
	const struct finding *f = &s.d->findings[0];
	bool quoted = false;
	for (size_t i = 0; i < f->n_fix; i++) {
		if (strncmp(f->fix[i], "$ ", 2) != 0)
			continue;
		quoted = quoted || strstr(f->fix[i], "'x; rm -rf /'") != NULL;
		assert_true(
		    strstr(f->fix[i], "x; rm") == NULL || strstr(f->fix[i], "'x; rm") != NULL);
	}
	assert_true(quoted);
	scene_free(&s);
}

/* Two sites of IPv6 share fc00::/7 and nothing else. */
static void test_private_ipv6(void **state)
{
	static const struct {
		const char *subnet;
		bool shared;
	} rows[] = {
	    {"fd00:db:0:5::/64", true}, {"fd00:dc::/64", false}, {"fd12:3456:789a::/64", false}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf network = {0};
		struct scene s;
		scene_begin(&s, "fd00:db::166", "");
		struct host_record *record = scene_host(&s, "h1");
		buf_printf(&network,
		    "[{\"Name\":\"six\",\"Id\":\"0123456789ab\",\"Driver\":\"bridge\",\"IPAM\":{\"Config\":"
		    "[{\"Subnet\":\"%s\"}]}}]",
		    rows[i].subnet);
		scene_probe(record, "routes", LAN);
		scene_probe(
		    record, "routes6", "default via fe80::1 dev eth0 metric 1024 pref medium\n");
		scene_probe(record, "docker_inspect", buf_str(&network));
		scene_diagnose(&s);
		if ((strstr(scene_findings(&s), "shared-private-block low h1") != NULL) !=
		    rows[i].shared)
			fail_msg("%s: %s", rows[i].subnet, scene_findings(&s));
		buf_free(&network);
		scene_free(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rules),
	    cmocka_unit_test(test_unreachable_host),
	    cmocka_unit_test(test_evidence_of_the_shadow),
	    cmocka_unit_test(test_pools_of_the_fix),
	    cmocka_unit_test(test_private_ipv6),
	    cmocka_unit_test(test_hostile_network_name),
	};

	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
