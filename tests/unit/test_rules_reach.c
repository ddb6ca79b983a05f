/*
 * Who is said not to reach a target, and what is said to be the reason: of names with several
 * addresses, of answers that are not the target's, of ways that are alike, and of what contradicts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "scene.h"

#define DB "db.example:3306"
#define CACHE "cache.example:6379"
#define IP "10.9.0.5"
#define OTHER "10.60.0.9"
#define LAN(gateway, own, net)                                                                     \
	"default via " gateway " dev eth0 \n" net " dev eth0 proto kernel scope link src " own " \n"
#define ROUTES LAN("10.1.0.1", "10.1.0.7", "10.1.0.0/24")
#define ASTRAY LAN("10.1.0.99", "10.1.0.7", "10.1.0.0/24")
#define ELSEWHERE LAN("10.2.0.1", "10.2.0.7", "10.2.0.0/24")
#define BRIDGE(prefix) prefix " dev br-0123456789ab proto kernel scope link src 10.9.0.1 \n"
#define TUNNEL(prefix) prefix " dev wg0 scope link \n"
#define GATEWAY "via 10.1.0.1 dev eth0 src 10.1.0.7"
#define INSIDE "dev br-0123456789ab src 10.9.0.1"
#define BY_TUNNEL "dev wg0 src 10.8.0.4"
#define LS "NETWORK ID     NAME      DRIVER    SCOPE\n"
#define HEAD(ip) "PING db.example (" ip ") 56(84) bytes of data.\n"
#define SENT(n, loss)                                                                              \
	"\n--- db.example ping statistics ---\n3 packets transmitted, " n " received, " loss       \
	"% packet loss, time 1000ms\n"
#define ANSWER HEAD(IP) "64 bytes from " IP ": icmp_seq=1 ttl=60 time=1.1 ms\n" SENT("3", "0")
#define SILENCE HEAD(IP) SENT("0", "100")
#define ERRORS(from)                                                                               \
	HEAD(IP) "From " from " icmp_seq=1 Destination Host Unreachable\n" SENT("0", "100")

#define PROBE(name, out)                                                                           \
	{                                                                                          \
		name, out, PROBE_OK, 0                                                             \
	}
#define ROUTES_ARE(out) PROBE("routes", out)
#define KNOWS(ip) PROBE("dns:" DB, ip "   STREAM db.example\n")
#define SENDS(ip, way) PROBE("egress:" DB, ip " " way " uid 0 \n    cache \n")
#define TRIES(ip, how) PROBE("tcp:" DB, ip " port 3306: " how " (nc)\n")
#define PINGS(out) PROBE("ping:" DB, out)
#define CACHE_KNOWN PROBE("dns:" CACHE, "10.9.0.6   STREAM cache.example\n")
#define CACHE_TRIES(how) PROBE("tcp:" CACHE, "10.9.0.6 port 6379: " how " (nc)\n")

/* A host that goes by the gateway and is answered. */
#define WELL                                                                                       \
	{                                                                                          \
		ROUTES_ARE(ROUTES), KNOWS(IP), SENDS(IP, GATEWAY), TRIES(IP, "open")               \
	}
#define WELL_TWICE                                                                                 \
	{                                                                                          \
		ROUTES_ARE(ROUTES), KNOWS(IP), TRIES(IP, "open"), CACHE_KNOWN, CACHE_TRIES("open") \
	}

/* The name has two addresses. */
#define KNOWS_BOTH PROBE("dns:" DB, IP "   STREAM db.example\n" OTHER "   STREAM \n")
#define TRIES_BOTH(how, other)                                                                     \
	PROBE("tcp:" DB, IP " port 3306: " how " (nc)\n" OTHER " port 3306: " other " (nc)\n")
#define WELL_BY_BOTH                                                                               \
	{                                                                                          \
		ROUTES_ARE(ROUTES), KNOWS_BOTH, TRIES_BOTH("open", "open")                         \
	}

/* … of which one is IPv6. */
#define KNOWS_SIX PROBE("dns:" DB, IP "   STREAM db.example\n2001:db8::5   STREAM \n")
#define TRIES_SIX(how)                                                                             \
	PROBE("tcp:" DB, IP " port 3306: open (nc)\n2001:db8::5 port 3306: " how " (nc)\n")
#define RULES6 PROBE("rules6", "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n")
#define WELL_BY_SIX                                                                                \
	{                                                                                          \
		ROUTES_ARE(ROUTES), RULES6,                                                        \
		    PROBE("routes6", "default via fe80::1 dev eth0 metric 1024 pref medium\n"),    \
		    KNOWS_SIX, TRIES_SIX("open")                                                   \
	}

#define RUNS                                                                                       \
	PROBE("docker_ps",                                                                         \
	    "{\"ID\":\"a\",\"Names\":\"web\",\"Image\":\"i\",\"Status\":\"Up 3 days\"}\n")

static const struct {
	const char *name, *targets, *reserved;
	struct scene_probe_row hosts[SCENE_HOSTS][SCENE_PROBES];
	const char *findings;      /* "RULE SEVERITY HOSTS\n" each; NULL: not this test's matter */
	const char *says, *silent; /* what must stand in the report, and what not */
} cases[] = {
    /* Each address for itself. */
    {"a container network over one of two addresses", DB, "",
	{WELL_BY_BOTH, WELL_BY_BOTH,
	    {ROUTES_ARE(ROUTES BRIDGE("10.60.0.0/20")), KNOWS_BOTH, TRIES_BOTH("open", "timeout")}},
	"target-shadowed critical h3\n", "clients fail some of the time", "is meant to serve"},
    {"the same, and ping goes to the other", DB, "",
	{WELL_BY_BOTH, WELL_BY_BOTH,
	    {ROUTES_ARE(ROUTES BRIDGE("10.60.0.0/20")), KNOWS_BOTH, PINGS(ANSWER),
		TRIES_BOTH("open", "timeout")}},
	"target-shadowed critical h3\n", NULL, "it answers the pings of h3"},
    {"a container answers at one of two addresses", DB, "",
	{WELL_BY_BOTH, WELL_BY_BOTH,
	    {ROUTES_ARE(ROUTES BRIDGE("10.0.0.0/9")), KNOWS_BOTH, TRIES_BOTH("open", "timeout")}},
	"target-shadowed critical h3\n", "packets for 10.60.0.9", NULL},
    {"one of two addresses does not let a host in", DB, "",
	{WELL_BY_BOTH, WELL_BY_BOTH,
	    {ROUTES_ARE(ROUTES), KNOWS_BOTH, TRIES_BOTH("open", "timeout")}},
	"target-unreachable high h3\n", "Of the name's 2 addresses it is 10.60.0.9", NULL},
    {"one of two addresses is dead for all", DB, "",
	{{ROUTES_ARE(ROUTES), KNOWS_BOTH, TRIES_BOTH("open", "timeout")},
	    {ROUTES_ARE(ROUTES), KNOWS_BOTH, TRIES_BOTH("open", "timeout")}},
	"", NULL, NULL},
    {"both addresses are dead for all", DB, "",
	{{ROUTES_ARE(ROUTES), KNOWS_BOTH, TRIES_BOTH("timeout", "timeout")},
	    {ROUTES_ARE(ROUTES), KNOWS_BOTH, TRIES_BOTH("timeout", "timeout")}},
	"target-unreachable high h1,h2\n", "No host is accused", "Of the name's"},
    {"a host without IPv6 goes by IPv4", DB, "",
	{WELL_BY_SIX, WELL_BY_SIX,
	    {ROUTES_ARE(ROUTES), RULES6, PROBE("routes6", "fe80::/64 dev eth0 metric 256\n"),
		KNOWS_SIX, TRIES_SIX("unreachable")}},
	NULL, NULL, "h3 cannot reach"},

    /* Whose answers, and whose silence. */
    {"down for all, and one goes by a VPN", DB, "",
	{{ROUTES_ARE(ROUTES), KNOWS(IP), PINGS(SILENCE)},
	    {ROUTES_ARE(ROUTES), KNOWS(IP), PINGS(SILENCE)},
	    {ROUTES_ARE(ROUTES TUNNEL("10.9.0.0/16")), KNOWS(IP), PINGS(SILENCE)}},
	"target-unreachable low h1,h2,h3\n", "No host is accused", "AllowedIPs"},
    {"down for all, who notice it in different ways", DB, "",
	{{ROUTES_ARE(ROUTES), KNOWS(IP), PINGS(ERRORS("10.1.0.1"))},
	    {ROUTES_ARE(ROUTES), KNOWS(IP), PINGS(SILENCE)},
	    {ROUTES_ARE(ROUTES), KNOWS(IP), TRIES(IP, "timeout")}},
	"target-unreachable high h1,h2,h3\n", "No host is accused", NULL},
    {"a VPN that leads nowhere, beside hosts that are answered", DB, "",
	{WELL, WELL, {ROUTES_ARE(ROUTES TUNNEL("10.9.0.0/16")), KNOWS(IP), TRIES(IP, "timeout")}},
	"target-shadowed critical h3\n", "AllowedIPs", NULL},
    {"a container's answer is not the target's", DB, "",
	{{ROUTES_ARE(ROUTES), KNOWS(IP), TRIES(IP, "timeout")},
	    {ROUTES_ARE(ROUTES), KNOWS(IP), TRIES(IP, "timeout")},
	    {ROUTES_ARE(ROUTES BRIDGE("10.9.0.0/20")), KNOWS(IP), TRIES(IP, "open")}},
	"target-unreachable high h1,h2\ntarget-shadowed medium h3\n", "No host is accused",
	"is not down"},
    {"in the target's own network, which does not let it in", DB, "",
	{WELL, WELL,
	    {ROUTES_ARE(LAN("10.9.0.1", "10.9.0.7", "10.9.0.0/24")), KNOWS(IP),
		SENDS(IP, "dev eth0 src 10.9.0.7"), TRIES(IP, "timeout")}},
	"target-unreachable high h3\n", "Ask the cloud", "Find out what made"},
    {"an interface of its own, of which the routes are not known", DB, "",
	{WELL, WELL,
	    {{"routes", "", PROBE_TIMEOUT, 124}, KNOWS(IP), SENDS(IP, "dev eth0 src 10.9.0.7"),
		TRIES(IP, "timeout")}},
	"target-unreachable high h3\n", NULL, "Find out what made"},

    /* What remains where the ways are alike. */
    {"the host's own firewall was not asked", DB, "",
	{WELL, WELL, {ROUTES_ARE(ROUTES), KNOWS(IP), SENDS(IP, GATEWAY), TRIES(IP, "timeout")}},
	"target-unreachable high h3\n", "The host's own firewall was not read",
	"lies outside of the host"},
    {"a refusal may be its own", DB, "",
	{WELL, WELL, {ROUTES_ARE(ROUTES), KNOWS(IP), SENDS(IP, GATEWAY), TRIES(IP, "refused")}},
	"target-unreachable high h3\n", "iptables -S;", "the packets arrive"},
    {"the routes timed out: nothing is said of them", DB, "",
	{WELL, WELL,
	    {{"routes", "", PROBE_TIMEOUT, 124}, KNOWS(IP), SENDS(IP, GATEWAY),
		TRIES(IP, "timeout")}},
	"target-unreachable high h3\n", "(via 10.1.0.1, by its own answer)", "routes are like"},
    {"all go by a tunnel of their own, and one is dead", DB, "",
	{{ROUTES_ARE(ROUTES TUNNEL("10.9.0.0/16")), KNOWS(IP), TRIES(IP, "open")},
	    {ROUTES_ARE(ROUTES TUNNEL("10.9.0.0/16")), KNOWS(IP), TRIES(IP, "open")},
	    {ROUTES_ARE(ROUTES TUNNEL("10.9.0.0/16")), KNOWS(IP), TRIES(IP, "timeout")}},
	"target-unreachable high h3\n", "Look at the tunnel", "Ask the cloud"},
    {"a host lacks the tunnel of the others", DB, "",
	{{ROUTES_ARE(ROUTES TUNNEL("10.9.0.0/16")), KNOWS(IP), TRIES(IP, "open")},
	    {ROUTES_ARE(ROUTES TUNNEL("10.9.0.0/16")), KNOWS(IP), TRIES(IP, "open")},
	    {ROUTES_ARE(ROUTES), KNOWS(IP), TRIES(IP, "timeout")}},
	"target-unreachable high h3\n", "go through a tunnel (wg0)", NULL},
    {"nobody in the own network has the address", DB, "",
	{{ROUTES_ARE(LAN("10.9.0.1", "10.9.0.7", "10.9.0.0/24")), KNOWS(IP), TRIES(IP, "open")},
	    {ROUTES_ARE(LAN("10.9.0.1", "10.9.0.8", "10.9.0.0/24")), KNOWS(IP),
		TRIES(IP, "unreachable"), PINGS(ERRORS("10.9.0.8")),
		PROBE("neigh", IP " dev eth0 FAILED\n")}},
	"target-unreachable high h2\n", "eth0, nobody answers for 10.9.0.5", "Ask the cloud"},
    {"the errors are its own", DB, "",
	{WELL, {ROUTES_ARE(ROUTES), KNOWS(IP), PINGS(ERRORS("10.1.0.7"))}},
	"target-unreachable high h2\n", "the host itself reports errors", "errors come back"},
    {"each by the gateway of its own network", DB, "",
	{WELL, WELL, {ROUTES_ARE(ELSEWHERE), KNOWS(IP), TRIES(IP, "timeout")},
	    {ROUTES_ARE(ELSEWHERE), KNOWS(IP), TRIES(IP, "timeout")}},
	"target-unreachable high h3,h4\n", "Ask the cloud", "by another way"},

    {"the other end of a tunnel is no gateway of the own network", DB, "",
	{WELL, WELL,
	    {ROUTES_ARE(ROUTES "0.0.0.0/1 via 10.8.0.1 dev tun0 \n"),
		PROBE("addrs", "3: tun0    inet 10.8.0.6/24 scope global tun0\n"), KNOWS(IP),
		TRIES(IP, "timeout")}},
	"target-unreachable high h3\n", "by another way than hosts that can: via 10.8.0.1", NULL},

    {"the way of the only host that is answered is contradicted", DB, "",
	{{ROUTES_ARE(ROUTES), KNOWS(IP), SENDS(IP, "via 10.1.0.66 dev eth0 src 10.1.0.7"),
	     TRIES(IP, "open")},
	    {ROUTES_ARE(LAN("10.1.0.66", "10.1.0.8", "10.1.0.0/24")), KNOWS(IP),
		TRIES(IP, "timeout")}},
	"target-unreachable high h2\npath-contradiction low h1\n", "not ruled out", "the same way"},

    /* One cause is one finding. */
    {"a container network over two targets", DB "," CACHE, "",
	{WELL_TWICE, WELL_TWICE,
	    {ROUTES_ARE(ROUTES BRIDGE("10.9.0.0/20")), KNOWS(IP), TRIES(IP, "timeout"), CACHE_KNOWN,
		CACHE_TRIES("timeout")}},
	"target-shadowed critical h3\n", "and those for cache.example:6379 (10.9.0.6)", NULL},
    {"the worst of them leads", DB "," CACHE, "",
	{WELL_TWICE, WELL_TWICE,
	    {ROUTES_ARE(ROUTES BRIDGE("10.9.0.0/20")), KNOWS(IP), CACHE_KNOWN,
		CACHE_TRIES("timeout")}},
	"target-shadowed critical h3\n", "cannot reach cache.example:6379", NULL},
    {"two targets are lost on different hosts", DB "," CACHE, "",
	{WELL_TWICE, {ROUTES_ARE(ROUTES BRIDGE("10.9.0.0/20")), KNOWS(IP), TRIES(IP, "timeout")},
	    {ROUTES_ARE(ROUTES BRIDGE("10.9.0.0/20")), KNOWS(IP), TRIES(IP, "timeout"), CACHE_KNOWN,
		CACHE_TRIES("timeout")}},
	"target-shadowed critical h3\ntarget-shadowed critical h2,h3\n", NULL, NULL},
    {"a wrong default route costs two targets", DB "," CACHE, "",
	{WELL_TWICE, WELL_TWICE,
	    {ROUTES_ARE(ASTRAY), KNOWS(IP), TRIES(IP, "timeout"), CACHE_KNOWN,
		CACHE_TRIES("timeout")}},
	"target-unreachable high h3\n", "via 10.1.0.99; nor cache.example:6379", NULL},
    {"no default route costs two targets", DB "," CACHE, "",
	{WELL_TWICE, WELL_TWICE,
	    {ROUTES_ARE("10.1.0.0/24 dev eth0 scope link src 10.1.0.7 \n"), KNOWS(IP),
		TRIES(IP, "unreachable"), CACHE_KNOWN, CACHE_TRIES("unreachable")}},
	"target-unreachable high h3\n", "there is no route to 10.9.0.5; nor cache", NULL},
    {"two ways of which the routes are not known", DB "," CACHE, "",
	{WELL_TWICE, WELL_TWICE,
	    {{"routes", "", PROBE_TIMEOUT, 124}, KNOWS(IP), TRIES(IP, "timeout"), CACHE_KNOWN,
		CACHE_TRIES("timeout"), SENDS(IP, "via 10.1.0.77 dev eth0 src 10.1.0.7"),
		PROBE("egress:" CACHE, "10.9.0.6 via 10.1.0.78 dev eth0 src 10.1.0.7 uid 0 \n")}},
	"target-unreachable high h3\ntarget-unreachable high h3\n", "via 10.1.0.78", "nor cache"},
    {"a route that costs nothing is an outlier", DB, "",
	{WELL, WELL, {ROUTES_ARE(ASTRAY), KNOWS(IP), TRIES(IP, "open")}},
	"route-outlier medium h3\n", NULL, NULL},

    /* Contradictions. */
    {"the table says bridge, the kernel says gateway, nothing answers", DB, "10.9.0.0/16=vpc",
	{WELL, WELL,
	    {ROUTES_ARE(ROUTES BRIDGE("10.9.0.0/20")), KNOWS(IP), SENDS(IP, GATEWAY),
		TRIES(IP, "timeout")}},
	"path-contradiction critical h3\n", "via 10.1.0.1, against on-link, docker bridge",
	"Nothing fails yet"},
    {"the same, and it answers: the network still waits", DB, "10.9.0.0/16=vpc",
	{WELL, WELL,
	    {ROUTES_ARE(ROUTES BRIDGE("10.9.0.0/20")), KNOWS(IP), SENDS(IP, GATEWAY),
		TRIES(IP, "open")}},
	"reserved-overlap high h3\npath-contradiction low h3\n", NULL, "never leave the host"},
    {"a network that was made between the probes", DB, "",
	{WELL, WELL, {ROUTES_ARE(ROUTES), KNOWS(IP), SENDS(IP, INSIDE), TRIES(IP, "unreachable")}},
	"path-contradiction critical h3\n", "docker makes or removes a network",
	"the route that wins"},
    {"two gateways, and nothing answers", DB, "",
	{WELL, WELL,
	    {ROUTES_ARE(ROUTES), KNOWS(IP), SENDS(IP, "via 10.1.0.66 dev eth0 src 10.1.0.7"),
		TRIES(IP, "timeout")}},
	"path-contradiction high h3\n", "via 10.1.0.66, against via 10.1.0.1", "Ask the cloud"},
    {"only those that fail are said to", DB, "",
	{WELL,
	    {ROUTES_ARE(ROUTES), KNOWS(IP), SENDS(IP, "via 10.1.0.66 dev eth0 src 10.1.0.7"),
		TRIES(IP, "open")},
	    {ROUTES_ARE(ROUTES), KNOWS(IP), SENDS(IP, "via 10.1.0.66 dev eth0 src 10.1.0.7"),
		TRIES(IP, "timeout")}},
	"path-contradiction high h3\npath-contradiction low h2\n", NULL, NULL},
    {"without the rules of IPv6 nothing contradicts", DB, "",
	{{PROBE("routes6", "default via fe80::1 dev eth0 metric 1024 pref medium\n"),
	    PROBE("dns:" DB, "2001:db8::5   STREAM db.example\n"),
	    PROBE("egress:" DB, "2001:db8::5 from :: via fe80::2 dev eth0 src 2001:db8:1::7\n"),
	    TRIES("2001:db8::5", "open")}},
	"", NULL, NULL},
    {"with them it does", DB, "",
	{{RULES6, PROBE("routes6", "default via fe80::1 dev eth0 metric 1024 pref medium\n"),
	    PROBE("dns:" DB, "2001:db8::5   STREAM db.example\n"),
	    PROBE("egress:" DB, "2001:db8::5 from :: via fe80::2 dev eth0 src 2001:db8:1::7\n"),
	    TRIES("2001:db8::5", "open")}},
	"path-contradiction low h1\n", NULL, NULL},
    {"the rules of wg-quick: the route is the tunnel's", DB, "",
	{WELL, WELL,
	    {ROUTES_ARE(ROUTES "default dev wg0 table 51820 scope link \n"),
		PROBE("rules", "0:\tfrom all lookup local\n"
			       "32764:\tfrom all lookup main suppress_prefixlength 0\n"
			       "32765:\tnot from all fwmark 0xca6c lookup 51820\n"
			       "32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n"),
		KNOWS(IP), SENDS(IP, "dev wg0 table 51820 src 10.8.0.4"), TRIES(IP, "timeout")}},
	"target-shadowed critical h3\n", "is default dev wg0 table 51820", "is default via"},
    {"docker's own list does not have the bridge", DB, "",
	{WELL, WELL,
	    {ROUTES_ARE(ROUTES BRIDGE("10.9.0.0/20")), KNOWS(IP), SENDS(IP, INSIDE),
		TRIES(IP, "timeout"),
		PROBE("docker_networks", LS "aaaaaaaaaaaa   bridge   bridge   local\n")}},
	"target-shadowed critical h3\n", "contradicts docker's own list", NULL},
    {"docker's list was not read whole", DB, "",
	{WELL, WELL,
	    {ROUTES_ARE(ROUTES BRIDGE("10.9.0.0/20")), KNOWS(IP), SENDS(IP, INSIDE),
		TRIES(IP, "timeout"),
		{"docker_networks", LS "aaaaaaaaaaaa   bridge   bridge   local\n", PROBE_TRUNCATED,
		    0}}},
	"target-shadowed critical h3\n", NULL, "contradicts docker's own list"},

    /* What is ruled out. */
    {"an address has no name to resolve", "10.9.0.5:3306", "",
	{{ROUTES_ARE(ROUTES), PROBE("dns:10.9.0.5:3306", IP "   STREAM 10.9.0.5\n"),
	     PROBE("tcp:10.9.0.5:3306", IP " port 3306: open (nc)\n")},
	    {ROUTES_ARE(ROUTES), PROBE("dns:10.9.0.5:3306", IP "   STREAM 10.9.0.5\n"),
		PROBE("tcp:10.9.0.5:3306", IP " port 3306: timeout (nc)\n")}},
	"target-unreachable high h2\n", "is not down", "Name resolution"},
    {"containers run on one of the failing hosts", DB, "",
	{WELL, {ROUTES_ARE(ROUTES), KNOWS(IP), TRIES(IP, "timeout"), RUNS},
	    {ROUTES_ARE(ROUTES), KNOWS(IP), TRIES(IP, "timeout"), PROBE("docker_ps", "")}},
	"target-unreachable high h2,h3\n", "The application on h2: its 1 running container is up",
	"The application on h2,h3"},
    {"a list of containers that is cut off", DB, "",
	{WELL, {ROUTES_ARE(ROUTES), KNOWS(IP), TRIES(IP, "timeout"),
		   {"docker_ps",
		       "{\"ID\":\"a\",\"Names\":\"web\",\"Image\":\"i\",\"Status\":\"Up 3 "
		       "days\"}\n{\"ID\":\"b",
		       PROBE_TRUNCATED, 0}}},
	"target-unreachable high h2\n", NULL, "The application on"},
    {"containers run, but what must answer does not", DB, "",
	{WELL, {ROUTES_ARE(ROUTES), KNOWS(IP), TRIES(IP, "timeout"), RUNS,
		   PROBE("local:8080", "127.0.0.1 port 8080: refused\n")}},
	"service-down high h2\ntarget-unreachable high h2\n", NULL, "The application on"},
    {"what must answer is not known to", DB, "",
	{WELL, {ROUTES_ARE(ROUTES), KNOWS(IP), TRIES(IP, "timeout"),
		   PROBE("local:8080", "127.0.0.1 port 8080: unknown\n")}},
	"target-unreachable high h2\n", NULL, "The application on"},
    {"what must answer does", DB, "",
	{WELL, {ROUTES_ARE(ROUTES), KNOWS(IP), TRIES(IP, "timeout"),
		   PROBE("local:8080", "127.0.0.1 port 8080: open\n")}},
	"target-unreachable high h2\n", "The application on h2: what must answer", NULL},
};

static void test_cases(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct scene s;
		scene_begin(&s, cases[i].targets, cases[i].reserved);
		scene_play(&s, cases[i].hosts);
		wrong += !scene_holds(
		    &s, cases[i].name, cases[i].findings, cases[i].says, cases[i].silent);
		scene_free(&s);
	}
	assert_int_equal(wrong, 0);
}

/* The confidence of a shadow: certain only where everything agrees. */
static void test_confidence(void **state)
{
	static const struct {
		const char *name;
		struct scene_probe_row host[SCENE_PROBES];
		enum confidence confidence;
	} rows[] = {
	    {"route, kernel and attempt agree",
		{ROUTES_ARE(ROUTES BRIDGE("10.9.0.0/20")), KNOWS(IP), SENDS(IP, INSIDE),
		    TRIES(IP, "timeout")},
		CONFIDENCE_CERTAIN},
	    {"the kernel was not asked",
		{ROUTES_ARE(ROUTES BRIDGE("10.9.0.0/20")), KNOWS(IP), TRIES(IP, "timeout")},
		CONFIDENCE_LIKELY},
	    {"the route is not known",
		{{"routes", "", PROBE_TIMEOUT, 124}, KNOWS(IP), SENDS(IP, INSIDE),
		    TRIES(IP, "timeout")},
		CONFIDENCE_LIKELY},
	    {"docker does not know the bridge",
		{ROUTES_ARE(ROUTES BRIDGE("10.9.0.0/20")), KNOWS(IP), SENDS(IP, INSIDE),
		    TRIES(IP, "timeout"),
		    PROBE("docker_networks", LS "aaaaaaaaaaaa   bridge   bridge   local\n")},
		CONFIDENCE_LIKELY},
	    {"a silent ping may be a filter's",
		{ROUTES_ARE(ROUTES BRIDGE("10.9.0.0/20")), KNOWS(IP), SENDS(IP, INSIDE),
		    PINGS(SILENCE)},
		CONFIDENCE_LIKELY},
	    {"the kernel looked in vain",
		{ROUTES_ARE(ROUTES BRIDGE("10.9.0.0/20")), KNOWS(IP), SENDS(IP, INSIDE),
		    PINGS(SILENCE), PROBE("neigh", IP " dev br-0123456789ab FAILED\n")},
		CONFIDENCE_CERTAIN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct scene_probe_row hosts[SCENE_HOSTS][SCENE_PROBES] = {WELL};
		struct scene s;
		memcpy(hosts[1], rows[i].host, sizeof hosts[1]);
		scene_begin(&s, DB, "");
		scene_play(&s, hosts);
		assert_string_equal(s.d->findings[0].rule, "target-shadowed");
		if (s.d->findings[0].confidence != rows[i].confidence)
			fail_msg(
			    "%s: %s", rows[i].name, confidence_name(s.d->findings[0].confidence));
		scene_free(&s);
	}
}

/* Of a name with two addresses the attempt at the one that is taken is quoted. */
static void test_evidence_is_of_the_address(void **state)
{
	static const struct scene_probe_row hosts[SCENE_HOSTS][SCENE_PROBES] = {
	    WELL_BY_BOTH, {ROUTES_ARE(ROUTES BRIDGE("10.60.0.0/20")), KNOWS_BOTH, PINGS(ANSWER),
			      TRIES_BOTH("open", "timeout")}};
	struct scene s;
	bool quoted = false;

	(void)state;
	scene_begin(&s, DB, "");
	scene_play(&s, hosts);
	const struct finding *f = &s.d->findings[0];
	for (size_t i = 0; i < f->n_evidence; i++) {
		assert_null(strstr(f->evidence[i].text, IP " port"));
		assert_string_not_equal(f->evidence[i].probe, "ping:" DB);
		quoted = quoted || strstr(f->evidence[i].text, OTHER " port 3306: timeout") != NULL;
	}
	assert_true(quoted);
	assert_string_equal(f->address, OTHER);
	scene_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cases),
	    cmocka_unit_test(test_confidence),
	    cmocka_unit_test(test_evidence_is_of_the_address),
	};

	return cmocka_run_group_tests_name("rules of reach", tests, NULL, NULL);
}
