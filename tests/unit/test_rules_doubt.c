/*
 * The rules where something is not known, differs for a good reason, or speaks against what seems
 * plain: what must not be said, and what must be said in its place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "scene.h"

#define TARGET "db.example"
#define IP "10.9.0.5"
#define ON_LINK "10.1.0.0/24 dev eth0 proto kernel scope link src 10.1.0.7 \n"
#define ROUTES "default via 10.1.0.1 dev eth0 \n" ON_LINK
#define ELSEWHERE "default via 10.1.0.77 dev eth0 \n" ON_LINK
#define BRIDGE(prefix) prefix " dev br-0123456789ab proto kernel scope link src 10.9.0.1 \n"
#define UNOWNED "10.9.0.0/16 dev shopbr0 proto kernel scope link src 10.9.0.1 \n"
#define DNS(ip) ip "   STREAM db.example\n"
#define EGRESS(ip, way) ip " " way " src 10.1.0.7 uid 0 \n    cache \n"
#define GATEWAY "via 10.1.0.1 dev eth0"
#define HEAD(ip) "PING db.example (" ip ") 56(84) bytes of data.\n"
#define REPLY(ip) "64 bytes from " ip ": icmp_seq=1 ttl=60 time=1.1 ms\n"
#define COUNTS(n, loss)                                                                            \
	"\n--- db.example ping statistics ---\n10 packets transmitted, " n " received, " loss      \
	"% packet loss, time 1000ms\n"
#define OK(ip) HEAD(ip) REPLY(ip) COUNTS("10", "0")
#define SILENT(ip) HEAD(ip) COUNTS("0", "100")
#define ERRORS(ip)                                                                                 \
	HEAD(ip) "From 10.1.0.1 icmp_seq=1 Destination Host Unreachable\n" COUNTS("0", "100")
#define REFUSED "ping: sendmsg: Operation not permitted\n"
#define LS(id, name, driver)                                                                       \
	"NETWORK ID     NAME      DRIVER    SCOPE\n" id "   " name "   " driver "   local\n"
#define INSPECT(name, driver, subnet, more)                                                        \
	"[{\"Name\":\"" name "\",\"Id\":\"0123456789abcdef\",\"Driver\":\"" driver                 \
	"\",\"IPAM\":{\"Config\":[{\"Subnet\":\"" subnet "\"}]}" more "}]\n"

#define PROBE(name, out)                                                                           \
	{                                                                                          \
		name, out, PROBE_OK, 0                                                             \
	}
#define ROUTES_ARE(out) PROBE("routes", out)
#define KNOWS(ip) PROBE("dns:" TARGET, DNS(ip))
#define SENDS(ip, way) PROBE("egress:" TARGET, EGRESS(ip, way))
#define PINGS(out) PROBE("ping:" TARGET, out)

/* A host that goes by the gateway and is answered. */
#define WELL                                                                                       \
	{                                                                                          \
		ROUTES_ARE(ROUTES), KNOWS(IP), SENDS(IP, GATEWAY), PINGS(OK(IP))                   \
	}
#define WELL_BY_TABLE                                                                              \
	{                                                                                          \
		ROUTES_ARE(ROUTES), KNOWS(IP), PINGS(OK(IP))                                       \
	}

static const struct {
	const char *name, *reserved;
	struct scene_probe_row hosts[SCENE_HOSTS]
				    [SCENE_PROBES]; /* h1, h2 …; a host without probes ends them */
	const char *findings;                       /* "RULE SEVERITY HOSTS\n" each */
	const char *says, *silent; /* in the report's words: what must stand there, and what not */
} cases[] = {
    /* What the cloud is asked. */
    {"alike: the cloud is asked", "",
	{WELL, WELL, {ROUTES_ARE(ROUTES), KNOWS(IP), SENDS(IP, GATEWAY), PINGS(ERRORS(IP))}},
	"target-unreachable high h3\n", "Ask the cloud", NULL},
    {"the failing host's routes timed out", "",
	{WELL, WELL, {{"routes", "", PROBE_TIMEOUT, 124}, KNOWS(IP), PINGS(ERRORS(IP))}},
	"target-unreachable high h3\n", "not ruled out", "Ask the cloud"},
    {"nothing is known of the peers' routes", "",
	{{KNOWS(IP), PINGS(OK(IP))},
	    {ROUTES_ARE(ROUTES), KNOWS(IP), SENDS(IP, GATEWAY), PINGS(ERRORS(IP))}},
	"target-unreachable high h2\n", "not ruled out", "Ask the cloud"},
    {"another gateway", "",
	{WELL, WELL,
	    {ROUTES_ARE(ELSEWHERE), KNOWS(IP), SENDS(IP, "via 10.1.0.77 dev eth0"),
		PINGS(SILENT(IP))}},
	"target-unreachable medium h3\n",
	"There the packets leave via 10.1.0.1, here via 10.1.0.77", "in the same way"},
    {"a line of the routes was not understood", "",
	{WELL_BY_TABLE, WELL_BY_TABLE,
	    {ROUTES_ARE(ROUTES "10.9.0.0/16 dev br-0123456789ab scope link newword 3\n"), KNOWS(IP),
		PINGS(ERRORS(IP))}},
	"target-unreachable high h3\n", "not ruled out", "Ask the cloud"},
    {"a firewall of the host itself", "",
	{WELL, WELL,
	    {ROUTES_ARE(ROUTES), KNOWS(IP), SENDS(IP, GATEWAY),
		PINGS(HEAD(IP) REFUSED REFUSED COUNTS("0", "100"))}},
	"target-unreachable high h3\n", "a firewall on the host itself", "Ask the cloud"},
    {"in a container of every host, and one does not run", "",
	{{ROUTES_ARE(ROUTES BRIDGE("10.9.0.0/16")), KNOWS(IP), PINGS(OK(IP))},
	    {ROUTES_ARE(ROUTES BRIDGE("10.9.0.0/16")), KNOWS(IP), PINGS(ERRORS(IP))}},
	"target-unreachable high h2\n", "docker ps -a", "Ask the cloud"},
    {"by a VPN, as the others do", "",
	{{ROUTES_ARE(ROUTES "10.9.0.0/16 dev tun0 scope link \n"), KNOWS(IP), PINGS(OK(IP))},
	    {ROUTES_ARE(ROUTES "10.9.0.0/16 dev tun0 scope link \n"), KNOWS(IP),
		PINGS(ERRORS(IP))}},
	"target-unreachable high h2\n", "Look at the tunnel", "Ask the cloud"},

    /* Shadows by what nothing says the owner of. */
    {"a bridge with a name of its own", "",
	{WELL, WELL,
	    {ROUTES_ARE(ROUTES UNOWNED), KNOWS(IP), SENDS(IP, "dev shopbr0"), PINGS(ERRORS(IP)),
		{"docker_networks", "", PROBE_NO_PERMISSION, 1}}},
	"target-shadowed high h3\nroute-outlier low h3\n", "ip -d link show dev shopbr0",
	"Ask the cloud"},
    {"the same, and it answers: another network card", "",
	{WELL, WELL,
	    {ROUTES_ARE(ROUTES UNOWNED), KNOWS(IP), SENDS(IP, "dev shopbr0"), PINGS(OK(IP))}},
	"route-outlier low h3\n", NULL, NULL},
    {"on-link is well for others", "",
	{WELL, {ROUTES_ARE(ROUTES UNOWNED), KNOWS(IP), SENDS(IP, "dev shopbr0"), PINGS(OK(IP))},
	    {ROUTES_ARE(ROUTES UNOWNED), KNOWS(IP), SENDS(IP, "dev shopbr0"), PINGS(ERRORS(IP))}},
	"target-unreachable high h3\nroute-outlier low h1\n", NULL, "own interface"},
    {"down for all, some of them next to it", "",
	{{ROUTES_ARE(ROUTES), KNOWS(IP), SENDS(IP, GATEWAY), PINGS(ERRORS(IP))},
	    {ROUTES_ARE(ROUTES UNOWNED), KNOWS(IP), SENDS(IP, "dev shopbr0"), PINGS(ERRORS(IP))}},
	"target-unreachable high h1,h2\n", "No host is accused", "own interface"},
    {"a shadow seen in a table that is cut short", "",
	{WELL_BY_TABLE, WELL_BY_TABLE,
	    {{"routes", ROUTES BRIDGE("10.9.0.0/16") "10.12", PROBE_TRUNCATED, 0}, KNOWS(IP),
		PINGS(ERRORS(IP))}},
	"target-shadowed critical h3\n", "Not every route and rule there is known", NULL},

    /* Addresses of the host's own. */
    {"a bridge's own address is the target's", "",
	{WELL, WELL,
	    {ROUTES_ARE(ROUTES "10.9.0.0/16 dev br-0123456789ab scope link src 10.9.0.5\n"
			       "local 10.9.0.5 dev br-0123456789ab table local scope host src "
			       "10.9.0.5\n"),
		KNOWS(IP), PROBE("egress:" TARGET, "local 10.9.0.5 dev lo src 10.9.0.5 uid 0 \n"),
		PINGS(OK(IP))}},
	"target-shadowed high h3\n", "its own address on", "differs from what"},
    {"the same, and only it answers: the target is not known to be up", "",
	{{ROUTES_ARE(ROUTES), KNOWS(IP), SENDS(IP, GATEWAY), PINGS(ERRORS(IP))},
	    {ROUTES_ARE(ROUTES "10.9.0.0/16 dev br-0123456789ab scope link src 10.9.0.5\n"),
		KNOWS(IP), PROBE("egress:" TARGET, "local 10.9.0.5 dev lo src 10.9.0.5 uid 0 \n"),
		PINGS(OK(IP))}},
	"target-unreachable high h1\ntarget-shadowed high h2\n", NULL, "is not down"},
    {"the target is one of the hosts", "",
	{{ROUTES_ARE(ROUTES), KNOWS("10.1.0.9"), SENDS("10.1.0.9", "dev eth0"),
	     PINGS(OK("10.1.0.9"))},
	    {ROUTES_ARE(ROUTES "local 10.1.0.9 dev eth0 table local scope host src 10.1.0.9\n"),
		KNOWS("10.1.0.9"),
		PROBE("egress:" TARGET, "local 10.1.0.9 dev lo src 10.1.0.9 uid 0 \n"),
		PINGS(OK("10.1.0.9"))}},
	"", NULL, "differs from what"},

    /* One name, two families. */
    {"no IPv6, and IPv4 is silent", "",
	{{ROUTES_ARE(ROUTES), PROBE("routes6", "fe80::/64 dev eth0 metric 256 pref medium\n"),
	     PROBE("dns:" TARGET, DNS(IP) DNS("2001:db8::5")), SENDS(IP, GATEWAY), PINGS(OK(IP))},
	    {ROUTES_ARE(ROUTES), PROBE("routes6", "fe80::/64 dev eth0 metric 256 pref medium\n"),
		PROBE("dns:" TARGET, DNS(IP) DNS("2001:db8::5")), SENDS(IP, GATEWAY),
		PINGS(SILENT(IP))}},
	"target-unreachable medium h2\n", "Ask the cloud", "no-route"},

    /* Known, but not whole. */
    {"a route behind the cut is not absent", "",
	{{ROUTES_ARE(ROUTES "10.5.0.0/16 via 10.1.0.9 dev eth0 \n")},
	    {ROUTES_ARE(ROUTES "10.5.0.0/16 via 10.1.0.9 dev eth0 \n")},
	    {ROUTES_ARE(ROUTES "10.5.0.0/16 via 10.1.0.9 dev eth0 \n")},
	    {{"routes", ROUTES "10.5.0.0/16 via 10.1.0.9 de", PROBE_TRUNCATED, 0}}},
	"", NULL, NULL},
    {"a route that was not understood is not absent", "",
	{{ROUTES_ARE(ROUTES "10.5.0.0/16 via 10.1.0.9 dev eth0 \n")},
	    {ROUTES_ARE(ROUTES "10.5.0.0/16 via 10.1.0.9 dev eth0 \n")},
	    {ROUTES_ARE(ROUTES "10.5.0.0/16 via 10.1.0.9 dev eth0 newword 3\n")}},
	"", NULL, NULL},

    {"two of three print no route at all, and reach it: the whole one is not accused", "",
	{{ROUTES_ARE(""), KNOWS(IP), SENDS(IP, GATEWAY), PINGS(OK(IP))},
	    {ROUTES_ARE("\n"), KNOWS(IP), SENDS(IP, GATEWAY), PINGS(OK(IP))}, WELL},
	"", "routes: nothing printed on h[1-2]", NULL},

    /* Names. */
    {"getent does not know the database, and ping is answered", "",
	{WELL, WELL, {ROUTES_ARE(ROUTES), {"dns:" TARGET, "", PROBE_OK, 1}, PINGS(OK(IP))}}, "",
	NULL, "does not resolve"},
    {"not found, but answered", "",
	{WELL, WELL, {ROUTES_ARE(ROUTES), {"dns:" TARGET, "", PROBE_OK, 2}, PINGS(OK(IP))}},
	"dns-differs medium h3\n", "does not resolve on h3", NULL},
    {"most hosts do not resolve it: the one that does is not accused", "",
	{WELL, {{"dns:" TARGET, "", PROBE_OK, 2}}, {{"dns:" TARGET, "", PROBE_OK, 2}},
	    {{"dns:" TARGET, "", PROBE_OK, 2}}},
	"dns-differs high h2,h3,h4\n", "1 other host gets an address", NULL},
    {"two answers among those that resolve", "",
	{WELL, {KNOWS("10.9.0.6")}, {{"dns:" TARGET, "", PROBE_OK, 2}}},
	"dns-differs high h3\ndns-differs medium h1,h2\n", NULL, NULL},

    /* Subnets of containers. */
    {"a host that may be meant to serve the target", "",
	{WELL, WELL,
	    {ROUTES_ARE(ROUTES BRIDGE("10.9.0.0/24")), KNOWS(IP), SENDS(IP, "dev br-0123456789ab"),
		PINGS(OK(IP))}},
	"target-shadowed medium h3\n", "is meant to serve", "systemctl restart docker"},
    {"the same in a reserved prefix", "10.9.0.0/16=db",
	{WELL, WELL,
	    {ROUTES_ARE(ROUTES BRIDGE("10.9.0.0/24")), KNOWS(IP), SENDS(IP, "dev br-0123456789ab"),
		PINGS(OK(IP))}},
	"target-shadowed high h3\n", "systemctl restart docker", NULL},
    {"a macvlan on the LAN is meant, an overlay in a reserved prefix is not", "10.0.0.0/8=vpc",
	{{ROUTES_ARE(ROUTES),
	     PROBE("docker_inspect", INSPECT("lan", "macvlan", "10.1.0.0/24", ""))},
	    {ROUTES_ARE(ROUTES),
		PROBE("docker_inspect", INSPECT("lan", "ipvlan", "10.1.0.0/24", ""))},
	    {ROUTES_ARE(ROUTES),
		PROBE("docker_inspect", INSPECT("ov", "overlay", "10.0.1.0/24", ""))}},
	"reserved-overlap high h3\n", "its containers cannot reach", "daemon.json"},
    {"docker0 cannot be created again", "",
	{{ROUTES_ARE(ROUTES), KNOWS("172.17.3.4"), PINGS(OK("172.17.3.4"))},
	    {ROUTES_ARE(ROUTES "172.17.0.0/16 dev docker0 scope link src 172.17.0.1\n"),
		KNOWS("172.17.3.4"), PINGS(ERRORS("172.17.3.4")),
		PROBE("docker_networks", LS("7d31f0b96c2a", "bridge", "bridge"))}},
	"target-shadowed critical h2\n", "\"bip\": \"172.18.0.1/24\"", "docker network rm"},
    {"what a network was made with is carried over", "",
	{WELL, {ROUTES_ARE(ROUTES BRIDGE("10.9.0.0/24")), KNOWS(IP), PINGS(ERRORS(IP)),
		   PROBE("docker_inspect",
		       INSPECT("app", "bridge", "10.9.0.0/24", ",\"Internal\":true"))}},
	"target-shadowed critical h2\n", "docker network create --internal app", NULL},

    /* Equal cost, loss. */
    {"any next hop of the route agrees with it", "",
	{{ROUTES_ARE("default\n\tnexthop via 10.1.0.1 dev eth0 weight 1\n"
		     "\tnexthop via 10.1.0.2 dev eth0 weight 1\n" ON_LINK),
	    KNOWS(IP), SENDS(IP, "via 10.1.0.2 dev eth0"), PINGS(OK(IP))}},
	"", NULL, "differs from what"},
    {"most packets are lost beside hosts without loss", "",
	{{ROUTES_ARE(ROUTES), KNOWS(IP), PINGS(HEAD(IP) REPLY(IP) COUNTS("1", "90"))}, WELL, WELL},
	"ping-outlier medium h1\n", "up to 90 %", NULL},
    {"some are", "",
	{{ROUTES_ARE(ROUTES), KNOWS(IP), PINGS(HEAD(IP) REPLY(IP) COUNTS("9", "10"))}, WELL, WELL},
	"ping-outlier low h1\n", "up to 10 %", NULL},
    {"loss on every host", "",
	{{ROUTES_ARE(ROUTES), KNOWS(IP), PINGS(HEAD(IP) REPLY(IP) COUNTS("1", "90"))},
	    {ROUTES_ARE(ROUTES), KNOWS(IP), PINGS(HEAD(IP) REPLY(IP) COUNTS("1", "90"))}},
	"", NULL, NULL},

    /* What the network between is said to carry. */
    {"two gateways: each host is named with its own", "",
	{WELL, {ROUTES_ARE(ROUTES), KNOWS(IP), SENDS(IP, GATEWAY), PINGS(ERRORS(IP))},
	    {ROUTES_ARE(ELSEWHERE), KNOWS(IP), SENDS(IP, "via 10.1.0.77 dev eth0"),
		PINGS(ERRORS(IP))}},
	"target-unreachable high h2\ntarget-unreachable high h3\n",
	"the same gateway 10.1.0.1 as h2, and", "the same gateway 10.1.0.1 as h2,h3"},
    {"peers that do not use the gateway prove nothing of it", "",
	{{ROUTES_ARE(ROUTES "10.9.0.0/24 dev eth1 scope link \n"), KNOWS(IP), SENDS(IP, "dev eth1"),
	     PINGS(OK(IP))},
	    {ROUTES_ARE(ROUTES), KNOWS(IP), SENDS(IP, GATEWAY), PINGS(ERRORS(IP))}},
	"target-unreachable high h2\n", NULL, "same gateway"},
};

static void test_cases(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct scene s;
		scene_begin(&s, TARGET, cases[i].reserved);
		scene_play(&s, cases[i].hosts);
		wrong += !scene_holds(
		    &s, cases[i].name, cases[i].findings, cases[i].says, cases[i].silent);
		scene_free(&s);
	}
	assert_int_equal(wrong, 0);
}

static void test_nothing_is_known(void **state)
{
	static const struct scene_probe_row hosts[SCENE_HOSTS][SCENE_PROBES] = {
	    {{"routes", "", PROBE_MISSING_COMMAND, 127},
		{"dns:" TARGET, "", PROBE_MISSING_COMMAND, 127},
		{"ping:" TARGET, "", PROBE_MISSING_COMMAND, 127}},
	    {{"routes", "", PROBE_MISSING_COMMAND, 127}}};
	struct scene s;

	(void)state;
	scene_begin(&s, TARGET, "");
	scene_play(&s, hosts);
	assert_non_null(strstr(s.d->summary, "nothing could be concluded"));
	assert_false(run_is_complete(s.run));
	scene_free(&s);
}

static void test_partly_judged(void **state)
{
	static const struct scene_probe_row hosts[SCENE_HOSTS][SCENE_PROBES] = {
	    WELL, {{"ping:" TARGET, "", PROBE_TIMEOUT, 124}, KNOWS(IP)}};
	struct scene s;

	(void)state;
	scene_begin(&s, TARGET, "");
	scene_play(&s, hosts);
	assert_non_null(strstr(s.d->summary, "db.example was judged on 1 of 2"));
	scene_free(&s);
}

/* A host without docker, or with route(8) in ip(8)'s place, is complete; one without ping is not.
 */
static void test_complete(void **state)
{
	static const struct {
		const char *probe;
		bool complete;
	} rows[] = {{"docker_networks", true}, {"docker_ps", true}, {"rules", true},
	    {"routes6", true}, {"egress:" TARGET, true}, {"ping:" TARGET, false},
	    {"dns:" TARGET, false}, {"routes", false}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct scene s;
		scene_begin(&s, TARGET, "");
		struct host_record *record = scene_host(&s, "h1");
		scene_probe(record, "routes", ROUTES);
		scene_fail(record, rows[i].probe, PROBE_MISSING_COMMAND);
		if (run_is_complete(s.run) != rows[i].complete)
			fail_msg("%s", rows[i].probe);
		scene_free(&s);
	}
}

/* Of many hosts whose kernel contradicts the table there is one finding, with both lines. */
static void test_contradictions_are_folded(void **state)
{
	static const struct scene_probe_row odd[SCENE_PROBES] = {
	    ROUTES_ARE(ROUTES), KNOWS(IP), SENDS(IP, "via 10.1.0.66 dev eth0"), PINGS(OK(IP))};
	struct scene_probe_row hosts[SCENE_HOSTS][SCENE_PROBES] = {{{0}}};
	struct scene s;

	(void)state;
	for (int h = 0; h < 4; h++)
		memcpy(hosts[h], odd, sizeof odd);
	scene_begin(&s, TARGET, "");
	scene_play(&s, hosts);
	assert_string_equal(scene_findings(&s), "path-contradiction low h1,h2,h3,h4\n");
	assert_non_null(strstr(s.d->findings[0].summary, "h[1-4]"));
	assert_string_equal(s.d->findings[0].evidence[0].probe, "egress:" TARGET);
	assert_string_equal(s.d->findings[0].evidence[1].probe, "routes");
	scene_free(&s);
}

/* A finding's hosts are marked wherever they stand among the run's. */
static void test_hosts_are_marked(void **state)
{
	static const struct scene_probe_row hosts[SCENE_HOSTS][SCENE_PROBES] = {WELL,
	    {ROUTES_ARE(ROUTES), KNOWS(IP), SENDS(IP, GATEWAY), PINGS(ERRORS(IP))}, WELL,
	    {ROUTES_ARE(ROUTES), KNOWS(IP), SENDS(IP, GATEWAY), PINGS(ERRORS(IP))}};
	struct scene s;

	(void)state;
	scene_begin(&s, TARGET, "");
	scene_play(&s, hosts);
	assert_int_equal(s.d->hosts[0].worst, SEVERITY_NONE);
	assert_int_equal(s.d->hosts[1].worst, SEVERITY_HIGH);
	assert_int_equal(s.d->hosts[2].worst, SEVERITY_NONE);
	assert_int_equal(s.d->hosts[3].worst, SEVERITY_HIGH);
	scene_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cases),
	    cmocka_unit_test(test_nothing_is_known),
	    cmocka_unit_test(test_partly_judged),
	    cmocka_unit_test(test_complete),
	    cmocka_unit_test(test_contradictions_are_folded),
	    cmocka_unit_test(test_hosts_are_marked),
	};

	return cmocka_run_group_tests_name("rules in doubt", tests, NULL, NULL);
}
