/*
 * What container subnets do to the networks that the hosts are in, to nameservers and to the
 * bastion; what the neighbour table and the containers' own states say; and what must not be said.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "scene.h"

#define TARGET "db.example"
#define LAN(own) "default via 10.1.0.1 dev eth0 \n10.1.0.0/24 dev eth0 scope link src " own " \n"
#define PEERING "172.19.0.0/16 via 10.1.0.1 dev eth0 metric 100 \n"
#define DOCKER0 "172.17.0.0/16 dev docker0 scope link src 172.17.0.1 linkdown \n"
#define BRIDGE(prefix, own) prefix " dev br-0123456789ab scope link src " own " \n"
#define NEIGHBOUR(state, dev) "10.9.0.5 dev " dev "  " state " \n"
#define PS(name, status)                                                                           \
	"{\"ID\":\"0123456789ab\",\"Image\":\"img\",\"Names\":\"" name "\",\"Status\":\"" status   \
	"\"}\n"

struct probe_row {
	const char *name, *out;
};

#define ROUTES(out)                                                                                \
	{                                                                                          \
		"routes", out                                                                      \
	}
#define RESOLV(out)                                                                                \
	{                                                                                          \
		"resolv", out                                                                      \
	}
#define WELL(own)                                                                                  \
	{                                                                                          \
		ROUTES(LAN(own) DOCKER0)                                                           \
	}

static const struct {
	const char *name, *bastion;
	struct probe_row hosts[4][6]; /* h1, h2 …; a host without probes ends them */
	const char *findings;
	const char *says; /* in the first finding's summary */
} cases[] = {
    {"docker0 beside a LAN of its own", NULL, {WELL("10.1.0.7"), WELL("10.1.0.8")}, "", NULL},
    {"docker0 on every host is nobody's LAN", "10.2.0.9", {WELL("10.1.0.7"), WELL("10.1.0.8")}, "",
	NULL},

    /* The host's own network. */
    {"a part of the host's own network", NULL,
	{{ROUTES(LAN("10.1.0.7") BRIDGE("10.1.0.128/25", "10.1.0.129"))}, WELL("10.1.0.8")},
	"lan-overlap high h1\n", "the host's own network 10.1.0.0/24"},
    {"the same prefix again", NULL, {{ROUTES(LAN("10.1.0.7") BRIDGE("10.1.0.0/24", "10.1.0.1"))}},
	"lan-overlap high h1\n", NULL},
    {"wider than the host's own network: the longer prefix wins", NULL,
	{{ROUTES(LAN("10.1.0.7") BRIDGE("10.0.0.0/8", "10.0.0.1"))}}, "lan-overlap low h1\n", NULL},
    {"groups are no network", NULL,
	{{ROUTES(LAN("10.1.0.7") DOCKER0 "224.0.0.0/4 dev eth0 \n224.0.0.0/4 dev docker0 \n"),
	    {"routes6", "Kernel IPv6 routing table\nDestination Next Hop Flag Met Ref Use If\n"
			"ff00::/8 :: U 256 2 0 eth0\nff00::/8 :: U 256 2 0 docker0\n"}}},
	"", NULL},

    /* The peers'. */
    {"a peer's address", NULL,
	{{ROUTES(
	     "default via 10.2.0.1 dev eth0 \n10.2.0.0/24 dev eth0 scope link src 10.2.0.7\n" BRIDGE(
		 "10.1.0.0/16", "10.1.0.1"))},
	    WELL("10.1.0.8")},
	"lan-overlap high h1\n", NULL},
    {"a peer's network where no peer is", NULL,
	{{ROUTES(
	     "default via 10.2.0.1 dev eth0 \n10.2.0.0/24 dev eth0 scope link src 10.2.0.7\n" BRIDGE(
		 "10.1.0.128/25", "10.1.0.129"))},
	    WELL("10.1.0.8")},
	"lan-overlap low h1\n", NULL},
    {"a peer's address, and a route of its own that wins", NULL,
	{{ROUTES("default via 10.2.0.1 dev eth0 \n10.2.0.0/24 dev eth0 scope link src 10.2.0.7\n"
		 "10.1.0.0/24 via 10.2.0.1 dev eth0 \n" BRIDGE("10.1.0.0/16", "10.1.0.1"))},
	    WELL("10.1.0.8")},
	"lan-overlap low h1\n", NULL},
    {"a VPN over the peers' network is meant", NULL,
	{{ROUTES("default via 10.2.0.1 dev eth0 \n10.2.0.0/24 dev eth0 scope link src 10.2.0.7\n"
		 "10.1.0.0/24 dev wg0 scope link \n")},
	    WELL("10.1.0.8")},
	"", NULL},
    {"two hosts with one fault: one finding", NULL,
	{{ROUTES(LAN("10.1.0.7") BRIDGE("10.1.0.128/25", "10.1.0.129"))},
	    {ROUTES(LAN("10.1.0.8") BRIDGE("10.1.0.128/25", "10.1.0.129"))}},
	"lan-overlap high h1,h2\n", NULL},

    {"a peer's loopback is no address of the LAN", NULL,
	{{ROUTES(LAN("10.1.0.7") BRIDGE("127.0.0.0/8", "127.0.0.1"))},
	    {ROUTES(LAN("10.1.0.8")), {"addrs", "1: br1    inet 127.0.0.5/8 scope host br1\n"}}},
	"", NULL},

    /* What is reached by a gateway. */
    {"a network of its own route, all of it", NULL,
	{{ROUTES(LAN("10.1.0.7") PEERING BRIDGE("172.19.0.0/16", "172.19.0.1"))},
	    {ROUTES(LAN("10.1.0.8") PEERING)}},
	"lan-overlap high h1\n", "172.19.0.0/16, which the host reaches by a gateway"},
    {"the same route, and it wins", NULL,
	{{ROUTES(LAN("10.1.0.7") "172.19.0.0/16 via 10.1.0.1 dev eth0 \n"
				 "172.19.0.0/16 dev br-0123456789ab scope link metric 10 \n")}},
	"lan-overlap low h1\n", NULL},
    {"a part of such a network", NULL,
	{{ROUTES(LAN("10.1.0.7") PEERING BRIDGE("172.19.4.0/24", "172.19.4.1"))}},
	"lan-overlap low h1\n", "172.19.0.0/16, which the host reaches by a gateway"},
    {"a node's pods are a part of what is routed", NULL,
	{{ROUTES(LAN("10.1.0.7") PEERING "172.19.4.0/24 dev cni0 scope link src 172.19.4.1 \n")}},
	"", NULL},
    {"more than such a network: the longer prefix wins", NULL,
	{{ROUTES(LAN("10.1.0.7") PEERING BRIDGE("172.16.0.0/12", "172.16.0.1"))}},
	"lan-overlap low h1\n", NULL},
    {"a network that the peers reach by a gateway", NULL,
	{{ROUTES(LAN("10.1.0.7") BRIDGE("172.19.0.0/16", "172.19.0.1"))},
	    {ROUTES(LAN("10.1.0.8") PEERING)}, {ROUTES(LAN("10.1.0.9") PEERING)}},
	"lan-overlap medium h1\n", "172.19.0.0/16, which h2 reaches by a gateway"},
    {"a network that one peer of three reaches so", NULL,
	{{ROUTES(LAN("10.1.0.7") BRIDGE("172.19.0.0/16", "172.19.0.1"))},
	    {ROUTES(LAN("10.1.0.8") PEERING)}, WELL("10.1.0.9"), WELL("10.1.0.10")},
	"lan-overlap low h1\nroute-outlier low h2\n", NULL},
    {"what peers reach through this very host", NULL,
	{{ROUTES(LAN("10.1.0.7") BRIDGE("172.19.0.0/16", "172.19.0.1"))},
	    {ROUTES(LAN("10.1.0.8") "172.19.0.0/16 via 10.1.0.7 dev eth0 \n")},
	    {ROUTES(LAN("10.1.0.9") "172.19.0.0/16 via 10.1.0.7 dev eth0 \n")}},
	"", NULL},
    {"a way between the nodes of an overlay", NULL,
	{{ROUTES(LAN("10.1.0.7") "10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink \n"
				 "10.244.1.0/24 dev cni0 scope link src 10.244.1.1 \n")},
	    {ROUTES(LAN("10.1.0.8") "10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink \n"
				    "10.244.2.0/24 dev cni0 scope link src 10.244.2.1 \n")}},
	"", NULL},
    {"reserved as well: said once", NULL,
	{{ROUTES(LAN("10.1.0.7") "203.0.113.0/24 via 10.1.0.1 dev eth0 \n" BRIDGE(
	    "203.0.113.0/24", "203.0.113.1"))}},
	"reserved-overlap high h1\n", NULL},

    /* Nameservers. */
    {"a nameserver within a worse harm", NULL,
	{{ROUTES(LAN("10.1.0.7") BRIDGE("10.1.0.128/25", "10.1.0.129")),
	     RESOLV("nameserver 10.1.0.200\n")},
	    {ROUTES(LAN("10.1.0.8")), RESOLV("nameserver 10.1.0.200\n")}},
	"lan-overlap high h1\n", "the host's own network 10.1.0.0/24"},
    {"a nameserver in a container, and names resolve", NULL,
	{{ROUTES(LAN("10.1.0.7") BRIDGE("192.168.0.0/20", "192.168.0.1")),
	    RESOLV("nameserver 192.168.0.53\n"), {"dns:" TARGET, "10.9.0.5 STREAM\n"}}},
	"", NULL},
    {"a nameserver on the host's own bridge", NULL,
	{{ROUTES(LAN("10.1.0.7") BRIDGE("192.168.0.0/20", "192.168.0.1")),
	    RESOLV("nameserver 192.168.0.1\n")}},
	"", NULL},
    {"a nameserver that peers have on the real network", NULL,
	{{ROUTES(LAN("10.1.0.7") BRIDGE("192.168.0.0/20", "192.168.0.1")),
	     RESOLV("nameserver 192.168.0.53\n")},
	    {ROUTES(LAN("10.1.0.8")), RESOLV("nameserver 192.168.0.53\n")}},
	"lan-overlap high h1\n", "the nameserver 192.168.0.53"},

    /* The bastion. */
    {"the bastion's address", "192.168.0.9",
	{{ROUTES(LAN("10.1.0.7") BRIDGE("192.168.0.0/20", "192.168.0.1"))}},
	"lan-overlap medium h1\n", "192.168.0.9 that this host was examined from"},
    {"a bastion on loopback is this machine", "127.0.0.1",
	{{ROUTES(LAN("10.1.0.7") BRIDGE("127.0.0.0/8", "127.0.0.1"))}}, "", NULL},

    /* The neighbour table. */
    {"looked for on a bridge, and the routes are not known", NULL,
	{{{"dns:" TARGET, "10.9.0.5 STREAM\n"}, {"neigh", NEIGHBOUR("FAILED", "br-0123456789ab")}}},
	"neighbour-failed low h1\n", "10.9.0.5"},
    {"looked for on the real network: not ours to say", NULL,
	{{{"dns:" TARGET, "10.9.0.5 STREAM\n"}, {"neigh", NEIGHBOUR("FAILED", "eth0")}}}, "", NULL},
    {"found on a bridge", NULL,
	{{{"dns:" TARGET, "10.9.0.5 STREAM\n"},
	    {"neigh", "10.9.0.5 dev br-0123456789ab lladdr 02:42:0a:09:00:05 REACHABLE\n"}}},
	"", NULL},
    {"a shadow: the line is its evidence and no second finding", NULL,
	{{ROUTES(LAN("10.1.0.7") BRIDGE("10.9.0.0/16", "10.9.0.1")),
	     {"dns:" TARGET, "10.9.0.5 STREAM\n"},
	     {"neigh", NEIGHBOUR("INCOMPLETE", "br-0123456789ab")}},
	    {ROUTES(LAN("10.1.0.8")), {"dns:" TARGET, "10.9.0.5 STREAM\n"}}},
	"target-shadowed high h1\n", NULL},

    /* Containers. */
    {"well, or stopped on purpose", NULL,
	{{{"docker_ps", PS("a", "Up 2 hours (healthy)") PS("b", "Exited (0) 3 days ago")
			    PS("c", "Created") PS("d", "Up 3 seconds (health: starting)")}}},
	"", NULL},
    {"unhealthy and restarting", NULL,
	{{{"docker_ps", PS("a", "Up 2 hours (unhealthy)")}},
	    {{"docker_ps",
		PS("a", "Up 2 hours (unhealthy)") PS("b", "Restarting (1) 5 seconds ago")}}},
	"container-unhealthy medium h2\ncontainer-unhealthy medium h1,h2\n",
	"container b is restarting"},
};

static void test_rules(void **state)
{
	char name[24];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct scene s;
		/* Something is reserved, so that private blocks alone are no matter. */
		scene_begin(&s, TARGET, "203.0.113.0/24");
		s.run->meta.bastion = cases[i].bastion;
		for (int h = 0; h < 4 && cases[i].hosts[h][0].name != NULL; h++) {
			snprintf(name, sizeof name, "h%d", h + 1);
			struct host_record *record = scene_host(&s, name);
			for (int p = 0; p < 6 && cases[i].hosts[h][p].name != NULL; p++)
				scene_probe(
				    record, cases[i].hosts[h][p].name, cases[i].hosts[h][p].out);
		}
		scene_diagnose(&s);
		if (strcmp(scene_findings(&s), cases[i].findings) != 0)
			print_error("case: %s\n", cases[i].name);
		assert_string_equal(scene_findings(&s), cases[i].findings);
		if (cases[i].says != NULL &&
		    strstr(s.d->findings[0].summary, cases[i].says) == NULL)
			fail_msg("case: %s: %s", cases[i].name, s.d->findings[0].summary);
		for (size_t f = 0; f < s.d->n_findings; f++)
			assert_true(s.d->findings[f].n_evidence > 0 && s.d->findings[f].n_fix > 0);
		scene_free(&s);
	}
}

/* Networks that only containers have a route to, as docker names them. */
static void test_within(void **state)
{
	static const struct {
		const char *name, *driver, *subnet, *findings, *says;
	} rows[] = {
	    {"a macvlan on a reserved prefix", "macvlan", "203.0.113.64/26",
		"reserved-overlap high h1\n", "its containers cannot reach what is there"},
	    {"an overlay", "overlay", "203.0.112.0/23", "reserved-overlap high h1\n", "covering"},
	    {"an overlay on the host's LAN, which is reserved", "overlay", "10.1.0.0/24",
		"reserved-overlap high h1\n", "inside reserved 10.1.0.0/16"},
	    {"a macvlan on the host's own LAN is meant to be there", "macvlan", "10.1.0.0/24", "",
		NULL},
	    {"an ipvlan on a part of it", "ipvlan", "10.1.0.128/25", "", NULL},
	    {"a macvlan elsewhere", "macvlan", "10.77.0.0/24", "", NULL},
	    {"no driver is known", "", "10.77.0.0/24", "", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf text = {0};
		struct scene s;
		scene_begin(&s, "", "203.0.113.0/24=db,10.1.0.0/16=vpc");
		struct host_record *record = scene_host(&s, "h1");
		scene_probe(record, "routes", LAN("10.1.0.7"));
		buf_printf(&text,
		    "[{\"Name\":\"net\",\"Id\":\"0123456789ab\",\"Driver\":\"%s\","
		    "\"IPAM\":{\"Config\":[{\"Subnet\":\"%s\"}]},\"Containers\":{}}]\n",
		    rows[i].driver, rows[i].subnet);
		scene_probe(record, "docker_inspect", buf_str(&text));
		scene_diagnose(&s);
		if (strcmp(scene_findings(&s), rows[i].findings) != 0)
			print_error("case: %s\n", rows[i].name);
		assert_string_equal(scene_findings(&s), rows[i].findings);
		const struct finding *f = s.d->findings;
		if (rows[i].says != NULL && strstr(f->summary, rows[i].says) == NULL)
			fail_msg("case: %s: %s", rows[i].name, f->summary);
		for (size_t k = 0; f != NULL && k < f->n_fix; k++)
			assert_null(strstr(f->fix[k], "daemon.json"));
		buf_free(&text);
		scene_free(&s);
	}
}

/* Subnets in one thing's way are one finding: of a host, and of hosts that are alike. */
static void test_together(void **state)
{
	static const struct {
		const char *name, *routes[3], *findings, *says, *prefix;
	} rows[] = {
	    {"two of a host's in one reserved prefix",
		{LAN("10.1.0.7") BRIDGE("203.0.113.0/26",
		    "203.0.113.1") "203.0.113.64/26 dev br-aaaaaaaaaaaa scope link src 203.0.113.65 \n"},
		"reserved-overlap high h1\n", "203.0.113.0/26 and 203.0.113.64/26, inside", NULL},
	    {"the same interface everywhere, each with its own",
		{LAN("10.1.0.7") "203.0.113.0/26 dev cni0 scope link src 203.0.113.1 \n",
		    LAN("10.1.0.8") "203.0.113.64/26 dev cni0 scope link src 203.0.113.65 \n",
		    LAN("10.1.0.9") "203.0.113.128/26 dev cni0 scope link src 203.0.113.129 \n"},
		"reserved-overlap high h1,h2,h3\n",
		"cni interface cni0 holds 203.0.113.0/26, 203.0.113.64/26 and 203.0.113.128/26",
		NULL},
	    {"what differs in kind stays apart",
		{LAN("10.1.0.7") BRIDGE("203.0.113.0/26", "203.0.113.1"),
		    LAN("10.1.0.8") BRIDGE("203.0.112.0/23", "203.0.112.1")},
		"reserved-overlap high h1\nreserved-overlap high h2\n", "inside reserved",
		"203.0.113.0/26"},
	};
	char name[24];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct scene s;
		scene_begin(&s, TARGET, "203.0.113.0/24=db");
		for (int h = 0; h < 3 && rows[i].routes[h] != NULL; h++) {
			snprintf(name, sizeof name, "h%d", h + 1);
			scene_probe(scene_host(&s, name), "routes", rows[i].routes[h]);
		}
		scene_diagnose(&s);
		if (strcmp(scene_findings(&s), rows[i].findings) != 0)
			print_error("case: %s\n", rows[i].name);
		assert_string_equal(scene_findings(&s), rows[i].findings);
		const struct finding *f = &s.d->findings[0];
		if (strstr(f->summary, rows[i].says) == NULL)
			fail_msg("case: %s: %s", rows[i].name, f->summary);
		assert_string_equal(f->prefix != NULL ? f->prefix : "none",
		    rows[i].prefix != NULL ? rows[i].prefix : "none");
		for (size_t k = 0; k < f->n_fix; k++) {
			for (size_t m = 0; m < k; m++)
				assert_string_not_equal(f->fix[k], f->fix[m]);
		}
		scene_free(&s);
	}
}

/* The neighbour table stands for the ping's errors where ping was silent. */
static void test_certain_by_neighbour(void **state)
{
	static const char *const neighbours[] = {
	    NEIGHBOUR("FAILED", "br-0123456789ab"), NEIGHBOUR("FAILED", "eth0")};
	static const enum confidence wanted[] = {CONFIDENCE_CERTAIN, CONFIDENCE_LIKELY};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct scene s;
		bool quoted = false;
		scene_begin(&s, TARGET, "");
		struct host_record *record = scene_host(&s, "h1");
		scene_probe(record, "routes", LAN("10.1.0.7") BRIDGE("10.9.0.0/16", "10.9.0.1"));
		scene_probe(record, "dns:" TARGET, "10.9.0.5 STREAM\n");
		scene_probe(
		    record, "egress:" TARGET, "10.9.0.5 dev br-0123456789ab src 10.9.0.1\n");
		scene_probe(record, "neigh", neighbours[i]);
		scene_probe(record, "ping:" TARGET,
		    "PING db.example (10.9.0.5) 56(84) bytes of data.\n\n"
		    "--- db.example ping statistics ---\n"
		    "3 packets transmitted, 0 received, 100% packet loss, time 600ms\n");
		scene_diagnose(&s);
		assert_string_equal(scene_findings(&s), "target-shadowed critical h1\n");
		assert_int_equal(s.d->findings[0].confidence, wanted[i]);
		for (size_t e = 0; e < s.d->findings[0].n_evidence; e++)
			quoted = quoted || strcmp(s.d->findings[0].evidence[e].probe, "neigh") == 0;
		assert_int_equal(quoted, wanted[i] == CONFIDENCE_CERTAIN);
		scene_free(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rules),
	    cmocka_unit_test(test_within),
	    cmocka_unit_test(test_together),
	    cmocka_unit_test(test_certain_by_neighbour),
	};

	return cmocka_run_group_tests_name("rules_lan", tests, NULL, NULL);
}
