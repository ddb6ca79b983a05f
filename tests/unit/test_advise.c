/* The pools for a group, and what to do about them on a host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "oddhost/base/json.h"
#include "oddhost/check/advise.h"
#include "scene.h"

#define LAN                                                                                        \
	"default via 10.1.0.1 dev eth0 \n"                                                         \
	"10.1.0.0/24 dev eth0 proto kernel scope link src 10.1.0.7 \n"
#define DOCKER0 "172.17.0.0/16 dev docker0 proto kernel scope link src 172.17.0.1 \n"
#define BRIDGE(subnet) subnet " dev br-0123456789ab proto kernel scope link \n"
#define INFO(pools)                                                                                \
	"{\"ServerVersion\":\"20.10.24\",\"LiveRestoreEnabled\":false,"                            \
	"\"DefaultAddressPools\":" pools "}\n"
#define POOL(base) "[{\"Base\":\"" base "\",\"Size\":24}]"
#define DAEMON(base) "{\"default-address-pools\":[{\"base\":\"" base "\",\"size\":24}]}"

#define POOLS(base) "[{\"Base\":\"fd00:1::/104\",\"Size\":112},{\"Base\":\"" base "\",\"Size\":24}]"

static const struct pools_case {
	const char *name, *reserved;
	const char *routes[3]; /* of h1, h2 …; "@ADDRESS" of one that is not reached */
	const char *info[3];   /* NULL: not known */
	const char *want;      /* pools; "own"; "none" */
} pools_cases[] = {
    {"docker's own are clear", "192.0.2.0/24", {LAN DOCKER0}, {INFO("null")}, "own"},
    {"not where they are not known", "192.0.2.0/24", {LAN DOCKER0}, {NULL}, "172.18.0.0/16/24"},
    {"clear of reserved, routes and containers, on any host", "172.18.0.0/16",
	{LAN DOCKER0 "172.19.4.0/24 via 10.1.0.2 dev eth0 \n", LAN BRIDGE("172.20.0.0/16"),
	    LAN "172.21.9.9 dev eth0 scope link \n"},
	{INFO("null"), INFO("null"), INFO("null")}, "172.22.0.0/16/24"},
    {"half a default route takes nothing", "172.16.0.0/12",
	{LAN DOCKER0 "0.0.0.0/1 dev tun0 scope link \n128.0.0.0/1 dev tun0 scope link \n"}, {NULL},
	"10.200.0.0/16/24"},
    {"the last resort", "172.16.0.0/12,10.0.0.0/8", {LAN DOCKER0}, {NULL}, "192.168.0.0/16/24"},
    {"smaller, where no /16 is left", "172.16.0.0/12,10.0.0.0/8,192.168.128.0/17",
	{LAN DOCKER0 "192.168.1.0/24 via 10.1.0.2 dev eth0 \n"}, {NULL}, "192.168.64.0/18/24"},
    {"several, where no one block is left",
	"172.16.0.0/12,10.0.0.0/8,192.168.0.0/20,192.168.24.0/21,192.168.32.0/19,192.168.64.0/18,"
	"192.168.136.0/21,192.168.144.0/20,192.168.160.0/19,192.168.192.0/18",
	{LAN DOCKER0}, {NULL}, "192.168.16.0/21/24 192.168.128.0/21/24"},
    {"nothing is left", "172.16.0.0/12,10.0.0.0/8,192.168.0.0/16", {LAN DOCKER0}, {NULL}, "none"},
    {"pools that are good are kept, the most common ones", "172.16.0.0/12", {LAN DOCKER0, LAN, LAN},
	{INFO(POOL("10.7.0.0/16")), INFO(POOL("10.8.0.0/16")), INFO(POOL("10.8.0.0/16"))},
	"10.8.0.0/16/24"},
    {"those in the way are not", "10.8.0.0/24", {LAN DOCKER0, LAN, LAN},
	{INFO(POOL("10.7.0.0/16")), INFO(POOL("10.8.0.0/16")), INFO(POOL("10.8.0.0/16"))},
	"10.7.0.0/16/24"},
    {"nor those that are too small", "", {LAN DOCKER0}, {INFO(POOL("10.7.0.0/22"))},
	"172.18.0.0/16/24"},
    {"nor those that a host's own network blocks", "", {LAN DOCKER0, LAN BRIDGE("10.0.0.0/9")},
	{INFO(POOL("10.7.0.0/16")), INFO("null")}, "172.18.0.0/16/24"},
    {"IPv6 pools make no others of good ones", "172.16.0.0/12", {LAN DOCKER0},
	{INFO(POOLS("10.7.0.0/16"))}, "10.7.0.0/16/24"},
    {"IPv6 pools alone are not docker's own", "192.0.2.0/24", {LAN DOCKER0},
	{INFO("[{\"Base\":\"fd00:1::/104\",\"Size\":112}]")}, "172.18.0.0/16/24"},
    {"clear of a host that was not reached", "172.17.0.0/16", {LAN DOCKER0, "@172.18.5.5"},
	{INFO("null")}, "172.19.0.0/16/24"},
    {"clear of a host with an address of its own", "172.17.0.0/16", {LAN DOCKER0, "@10.1.0.9"},
	{INFO("null")}, "172.18.0.0/16/24"},
    {"a short prefix that is reserved counts", "172.16.0.0/12,10.0.0.0/7", {LAN DOCKER0}, {NULL},
	"192.168.0.0/16/24"},
};

static struct check check_of(struct scene *s)
{
	struct check check = {
	    .arena = s->run->arena, .run = s->run, .hosts = s->hosts, .n = s->run->n_hosts};

	scene_diagnose(s);
	check_prepare(&check);
	return check;
}

static void test_pools(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof pools_cases / sizeof *pools_cases; i++) {
		const struct pools_case *c = &pools_cases[i];
		char name[8], text[PREFIX_TEXT_SIZE];
		struct buf got = {0};
		struct scene s;
		scene_begin(&s, "", c->reserved);
		for (int h = 0; h < 3 && c->routes[h] != NULL; h++) {
			snprintf(name, sizeof name, "h%d", h + 1);
			struct host_record *record = scene_host(&s, name);
			if (*c->routes[h] == '@') {
				record->status = HOST_CONNECT_TIMEOUT;
				record->address = c->routes[h] + 1;
				continue;
			}
			scene_probe(record, "routes", c->routes[h]);
			if (c->info[h] != NULL)
				scene_probe(record, "docker_info", c->info[h]);
		}
		struct check check = check_of(&s);
		const struct group_pools *pools = group_pools_of(&check);
		for (size_t k = 0; !pools->own && k < pools->n; k++)
			buf_printf(&got, "%s%s/%u", k ? " " : "",
			    prefix_format(&pools->v[k].base, text), pools->v[k].size);
		if (pools->own || pools->n == 0)
			buf_puts(&got, pools->own ? "own" : "none");
		if (strcmp(buf_str(&got), c->want) != 0)
			fail_msg("%s: got %s, wanted %s", c->name, buf_str(&got), c->want);
		buf_free(&got);
		scene_free(&s);
	}
}

#define CONFIG(subnet, gateway) "{\"Subnet\":\"" subnet "\"" gateway "}"
#define GATEWAY ",\"Gateway\":\"10.0.0.1\"" /* of a subnet that docker chose */
#define NETWORK_OF(name, id, config, labels, containers)                                           \
	"{\"Name\":\"" name "\",\"Id\":\"" id "23456789ab\",\"Scope\":\"local\","                  \
	"\"Driver\":\"bridge\",\"IPAM\":{\"Config\":[" config "]},"                                \
	"\"Labels\":{" labels "},\"Containers\":{" containers "}}\n"
#define NETWORK(name, id, subnet, labels, containers)                                              \
	NETWORK_OF(name, id, CONFIG(subnet, GATEWAY), labels, containers)
#define ASKED(name, id, subnet, labels, containers)                                                \
	NETWORK_OF(name, id, CONFIG(subnet, ""), labels, containers)
#define PROJECT "\"com.docker.compose.project\":\"shop\""
#define COMPOSE(version) PROJECT ",\"com.docker.compose.version\":\"" version "\""
#define ON(name) "\"id-" name "\":{\"Name\":\"" name "\"}"
#define PS(name, networks, project)                                                                \
	"{\"ID\":\"0\",\"Image\":\"i\",\"Names\":\"" name "\",\"Status\":\"Exited (0)\","          \
	"\"Networks\":\"" networks "\",\"Project\":\"" project "\"}\n"
#define GOOD "{\"default-address-pools\":[{\"base\":\"10.7.0.0/16\",\"size\":24}]}\n"
#define NEW "\"default-address-pools\":[{\"base\":\"172.18.0.0/16\",\"size\":24}]"

static const struct advice_case {
	const char *name, *daemon, *info, *networks, *ps;
	const char *json;     /* daemon.json merged, on one line; NULL: not known */
	const char *recreate; /* "NETWORK SUBNET CONTAINER…" each, comma separated */
	const char *has[6]; /* among remarks, commands and verification, in this order; "!…": not */
} advice_cases[] = {
    {"other members stay, in their order",
	"{\"log-level\":\"warn\",\"default-address-pools\":[],\"debug\":true}", INFO("null"), "",
	NULL,
	"{\"log-level\":\"warn\",\"default-address-pools\":[{\"base\":\"172.18.0.0/16\",\"size\":24}],"
	"\"debug\":true}\n",
	"", {"cp -p ", "cat >/etc/docker/daemon.json", "systemctl restart docker", "docker start"}},
    {"a file that is not there is made", "", INFO("null"), "", NULL,
	"{\"default-address-pools\":[{\"base\":\"172.18.0.0/16\",\"size\":24}]}\n", "",
	{"mkdir -p /etc/docker", "cat >/etc/docker/daemon.json"}},
    {"a file that was not read is not written over", NULL, INFO("null"), "", NULL,
	"{\"default-address-pools\":[{\"base\":\"172.18.0.0/16\",\"size\":24}]}\n", "",
	{"(set -e\n", "if [ -e /etc/docker/daemon.json ]\nthen echo", "\nexit 1\nfi\ncat >/etc"}},
    {"numbers stay as they are written", "{\"a\":9223372036854775807,\"b\":[1.0,1e2]}",
	INFO("null"), "", NULL, "{\"a\":9223372036854775807,\"b\":[1.0,1e2]," NEW "}\n", "",
	{"systemctl restart docker || {", "cp -p /etc/docker/daemon.json.before-oddhost "}},
    {"IPv6 pools stay",
	"{\"default-address-pools\":[{\"base\":\"fd00:1::/104\",\"size\":112},"
	"{\"base\":\"192.168.0.0/20\",\"size\":24}]}",
	INFO("null"), "", NULL,
	"{\"default-address-pools\":[{\"base\":\"172.18.0.0/16\",\"size\":24},"
	"{\"base\":\"fd00:1::/104\",\"size\":112}]}\n",
	"", {"systemctl restart docker"}},
    {"pools by an option of dockerd's", "{}", INFO(POOL("192.168.0.0/16")), "", NULL, "{" NEW "}\n",
	"", {"with an option --default-address-pool", "systemctl restart docker"}},
    {"a fixed-cidr of the old docker0",
	"{\"bip\":\"192.168.9.1/24\",\"fixed-cidr\":\"192.168.9.0/25\"}", INFO("null"), "", NULL,
	"{\"bip\":\"172.18.0.1/24\",\"fixed-cidr\":\"192.168.9.0/25\"," NEW "}\n", "",
	{"fixed-cidr in /etc/docker/daemon.json has no effect outside the new bip",
	    "!with an option"}},
    {"a file that dockerd would not read either", "{\"debug\":", INFO("null"), "", NULL, NULL, "",
	{NULL}},
    {"docker0 in the way gets a bip", "{\"bip\":\"192.168.9.1/24\",\"debug\":true}", INFO("null"),
	"", NULL,
	"{\"bip\":\"172.18.0.1/24\",\"debug\":true,\"default-address-pools\":[{\"base\":\"172.18.0.0/16\","
	"\"size\":24}]}\n",
	"", {"systemctl restart docker"}},
    {"a bip that is not in the way stays", "{\"bip\":\"10.5.0.1/24\"}", INFO("null"), "", NULL,
	"{\"bip\":\"10.5.0.1/24\",\"default-address-pools\":[{\"base\":\"172.18.0.0/16\",\"size\":24}]}\n",
	"", {NULL}},
    {"declared, not in force: only a restart", DAEMON("10.7.0.0/16"), INFO("null"), "", NULL,
	"{\"default-address-pools\":[{\"base\":\"10.7.0.0/16\",\"size\":24}]}\n", "",
	{"running=$(docker ps -q)\nsystemctl restart docker\n"}},
    {"good pools, good networks: nothing", DAEMON("10.7.0.0/16"), INFO(POOL("10.7.0.0/16")),
	NETWORK("app", "01", "10.7.1.0/24", "", ""), NULL,
	"{\"default-address-pools\":[{\"base\":\"10.7.0.0/16\",\"size\":24}]}\n", "", {NULL}},
    {"networks from other pools, not those with a subnet of their own", GOOD,
	INFO(POOL("10.7.0.0/16")),
	NETWORK("old", "01", "172.25.0.0/16", "", ON("a")) NETWORK(
	    "own", "02", "10.250.3.0/24", "", "") ASKED("asked", "03", "172.26.0.0/16", "", ""),
	PS("a", "old", "") PS("b", "bridge,old", "") PS("c", "own", ""), GOOD,
	"old 172.25.0.0/16 a b",
	{"fixed address on old", "recreate() {", "recreate old\n",
	    "! ip -4 route show exact 172.25.0.0/16", "!seems to"}},
    {"what is in the way comes first, whoever chose it", GOOD, INFO(POOL("10.7.0.0/16")),
	NETWORK("old", "01", "172.25.0.0/16", "", "") ASKED("own", "02", "192.168.3.0/24", "", ""),
	NULL, GOOD, "own 192.168.3.0/24,old 172.25.0.0/16",
	{"the subnet 192.168.3.0/24 of own seems to have been named",
	    "recreate own\nrecreate old\n", "!systemctl"}},
    {"a compose project goes down and up once", GOOD, INFO(POOL("10.7.0.0/16")),
	NETWORK("shop_a", "01", "172.25.0.0/16", PROJECT, ON("web"))
	    NETWORK("shop_b", "02", "172.26.0.0/16", COMPOSE("2.20.0"), ""),
	PS("web", "shop_a", "shop"), GOOD, "shop_a 172.25.0.0/16 web,shop_b 172.26.0.0/16",
	{"working_dir\"}}' web)/.\"\nexport COMPOSE_PATH_SEPARATOR=, COMPOSE_FILE=",
	    "docker compose -p shop config -q\nif docker compose -p shop config | grep -F "
	    "-e 172.25.0.0/16 -e 172.26.0.0/16\n",
	    "docker compose -p shop down\ndocker compose -p shop up -d)", "docker network inspect",
	    "!recreate() {"}},
    {"version 1 of compose is a program of its own", GOOD, INFO(POOL("10.7.0.0/16")),
	NETWORK("shop_a", "01", "172.25.0.0/16", COMPOSE("1.27.4"), ON("web")),
	PS("web", "shop_a", "shop"), GOOD, "shop_a 172.25.0.0/16 web",
	{"\ndocker-compose -p shop config -q\n",
	    "docker-compose -p shop down\ndocker-compose -p shop up -d)", "!docker compose"}},
    {"a compose file that names the subnet", GOOD, INFO(POOL("10.7.0.0/16")),
	ASKED("shop_a", "01", "192.168.0.0/20", COMPOSE("2.20.0"), ON("web")),
	PS("web", "shop_a", "shop"), GOOD, "shop_a 192.168.0.0/20 web",
	{"the compose file of shop seems to name the subnet 192.168.0.0/20 (under ipam): change it there"}},
    {"a project of which no container is known is left alone by compose", GOOD,
	INFO(POOL("10.7.0.0/16")), NETWORK("shop_a", "01", "172.25.0.0/16", COMPOSE("2.20.0"), ""),
	NULL, GOOD, "shop_a 172.25.0.0/16", {"recreate shop_a\n", "!docker compose"}},
    {"swarm's own network is left alone", GOOD, INFO(POOL("10.7.0.0/16")),
	NETWORK("docker_gwbridge", "01", "192.168.0.0/20", "", ON("gateway_ingress-sbox")), NULL,
	GOOD, "",
	{"docker_gwbridge (192.168.0.0/20) is in the way, too, and is left alone", "!(set -e"}},
    {"a macvlan network in a reserved prefix is left alone, and one elsewhere", GOOD,
	INFO(POOL("10.7.0.0/16")),
	"{\"Name\":\"mv\",\"Id\":\"0123456789ab\",\"Driver\":\"macvlan\",\"IPAM\":{\"Config\":["
	"{\"Subnet\":\"192.168.0.0/20\"}]}}\n"
	"{\"Name\":\"else\",\"Id\":\"1123456789ab\",\"Driver\":\"macvlan\",\"IPAM\":{\"Config\":["
	"{\"Subnet\":\"10.3.0.0/20\"}]}}\n",
	NULL, GOOD, "",
	{"mv (macvlan, 192.168.0.0/20) keeps its containers from reserved 192.168.0.0/16 (vpc)",
	    "!(set -e", "!else"}},
    {"swarm's own network from other pools", GOOD, INFO(POOL("10.7.0.0/16")),
	NETWORK("docker_gwbridge", "01", "172.25.0.0/16", "", ""), NULL, GOOD, "", {"!swarm"}},
    {"IPv6 in the way: another prefix, no other pools", GOOD, INFO(POOL("10.7.0.0/16")),
	NETWORK_OF(
	    "six", "01", CONFIG("10.7.1.0/24", GATEWAY) "," CONFIG("fd00:db::/64", ""), "", ""),
	NULL, GOOD, "six fd00:db::/64",
	{"recreate six --subnet=fd01:2345:6789::/64\n", "! ip -6 route show exact fd00:db::/64",
	    "!systemctl"}},
    {"both in the way: one network", GOOD, INFO(POOL("10.7.0.0/16")),
	NETWORK_OF(
	    "six", "01", CONFIG("192.168.3.0/24", "") "," CONFIG("fd00:db::/64", ""), "", ""),
	NULL, GOOD, "six 192.168.3.0/24", {"recreate six --subnet=fd01:2345:6789::/64\n"}},
    {"the IPv4 subnet that was named stays", GOOD, INFO(POOL("10.7.0.0/16")),
	NETWORK_OF("six", "01", CONFIG("10.250.3.0/24", "") "," CONFIG("fd00:db::/64", ""), "", ""),
	NULL, GOOD, "six fd00:db::/64",
	{"recreate six --subnet=10.250.3.0/24 --subnet=fd01:2345:6789::/64\n"}},
    {"hostile names are words", GOOD, INFO(POOL("10.7.0.0/16")),
	NETWORK("x; reboot", "01", "172.25.0.0/16", "", ON("$(y)")), NULL, GOOD,
	"x; reboot 172.25.0.0/16 $(y)", {"recreate 'x; reboot'\n"}},
};

static void add_lines(struct buf *out, const struct line_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		buf_printf(out, "%s\n", list->v[i]);
}

/* Each stands behind the one before; "!WORDS" do not stand there at all. */
static void check_has(const char *name, const char *text, const char *const has[6])
{
	const char *at = text;

	for (size_t i = 0; i < 6 && has[i] != NULL; i++) {
		bool never = *has[i] == '!' && has[i][1] != ' ';
		const char *found = strstr(never ? text : at, has[i] + never);
		if (never != (found == NULL))
			fail_msg("%s: %s'%s' in:\n%s", name, never ? "" : "no ", has[i], text);
		at = never ? at : found + 1;
	}
}

static void check_advice(const struct advice_case *c, const struct advice *advice)
{
	struct buf recreate = {0}, lines = {0};
	char text[PREFIX_TEXT_SIZE];

	for (size_t i = 0; i < advice->n_recreate; i++) {
		const struct advice_network *n = &advice->recreate[i];
		buf_printf(
		    &recreate, "%s%s %s", i ? "," : "", n->name, prefix_format(&n->subnet, text));
		for (size_t k = 0; k < n->containers.n; k++)
			buf_printf(&recreate, " %s", n->containers.v[k]);
	}
	if (strcmp(buf_str(&recreate), c->recreate) != 0)
		fail_msg("%s: re-created: %s", c->name, buf_str(&recreate));
	add_lines(&lines, &advice->remarks);
	add_lines(&lines, &advice->commands);
	add_lines(&lines, &advice->verify);
	check_has(c->name, buf_str(&lines), c->has);
	if (c->has[0] == NULL && strcmp(c->recreate, "") == 0 && !advice->restart && lines.n > 0)
		fail_msg("%s: there is nothing to do, but: %s", c->name, buf_str(&lines));
	buf_free(&recreate);
	buf_free(&lines);
}

static void check_json(const struct advice_case *c, const struct advice *advice)
{
	struct buf line = {0};
	struct err err;

	if (c->json == NULL) {
		assert_null(advice->daemon_json);
		assert_non_null(advice->unknown);
		return;
	}
	assert_non_null(advice->daemon_json);
	struct json *root = json_parse_exact(view_of(advice->daemon_json), &err);
	assert_non_null(root);
	json_print(root, false, &line);
	if (strcmp(buf_str(&line), c->json) != 0)
		fail_msg("%s: daemon.json: %s", c->name, buf_str(&line));
	json_free(root);
	buf_free(&line);
}

static void test_advice(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof advice_cases / sizeof *advice_cases; i++) {
		const struct advice_case *c = &advice_cases[i];
		struct advice advice;
		struct scene s;
		scene_begin(&s, "", "192.168.0.0/16=vpc,172.31.0.0/16,fd00:db::/48");
		struct host_record *record = scene_host(&s, "h1");
		scene_probe(record, "routes", LAN);
		scene_probe(record, "docker_info", c->info);
		scene_probe(record, "docker_inspect", *c->networks ? c->networks : "[]");
		if (c->ps != NULL)
			scene_probe(record, "docker_ps", c->ps);
		if (c->daemon != NULL)
			scene_probe(record, "docker_daemon",
			    *c->daemon
				? c->daemon
				: "cat: /etc/docker/daemon.json: No such file or directory\n");
		struct check check = check_of(&s);
		advise_host(&check, 0, &advice);
		check_json(c, &advice);
		check_advice(c, &advice);
		scene_free(&s);
	}
}

/* What the report says of the first network: the same as the advice, in words. */
static const struct fix_case {
	const char *name, *daemon, *info, *networks;
	const char *has[6];
} fix_cases[] = {
    {"docker chose it", "{}", INFO("null"), NETWORK("app", "01", "192.168.0.0/20", "", ON("a")),
	{"On every host of the group that has docker, merge", "$ systemctl restart docker",
	    "Re-create the network, so that it takes a subnet from the new pools",
	    "stop meanwhile: a", "$ docker network rm app && docker network create app",
	    "!seems to"}},
    {"somebody named it, and the pools are right", GOOD, INFO(POOL("10.7.0.0/16")),
	ASKED("app", "01", "192.168.0.0/20", "", ""),
	{"docker uses here are clear of 192.168.0.0/16 already", "seems to have been named",
	    "Re-create the network. ", "!new pools", "!systemctl"}},
    {"the pools are declared", GOOD, INFO("null"), NETWORK("app", "01", "192.168.0.0/20", "", ""),
	{"that daemon.json declares are clear", "$ systemctl restart docker", "!merge"}},
    {"a daemon.json that cannot be read", "{\"debug\":", INFO("null"),
	NETWORK("app", "01", "192.168.0.0/20", "", ""), {"Mend /etc/docker/daemon.json of h1"}},
    {"version 1 of compose", "{}", INFO("null"),
	NETWORK("shop_a", "01", "192.168.0.0/20", COMPOSE("1.27.4"), ""),
	{"$ docker-compose -p shop down && docker-compose -p shop up -d", "!docker compose"}},
    {"docker0", "{}", INFO("null"), NETWORK("bridge", "01", "192.168.0.0/20", "", ""),
	{"On every host whose docker0 is in the way", "\"bip\": \"172.18.0.1/24\"",
	    "$ systemctl restart docker", "!network rm"}},
    {"IPv6", "{}", INFO("null"),
	NETWORK_OF(
	    "six", "01", CONFIG("172.18.0.0/16", GATEWAY) "," CONFIG("fd00:db::/64", ""), "", ""),
	{"with another IPv6 subnet, one that is clear of fd00:db::/48",
	    "docker network create --ipv6 --subnet fd01:2345:6789::/64 six", "!pools",
	    "!systemctl"}},
    {"swarm's own", "{}", INFO("null"),
	NETWORK("docker_gwbridge", "01", "192.168.0.0/20", "", ON("gateway_ingress-sbox")),
	{"docker swarm leave", "!network rm", "!systemctl"}},
    {"podman", NULL, "{\"PodmanVersion\":\"4.3.1\"}\n",
	"{\"name\":\"app\",\"id\":\"0123456789ab\",\"driver\":\"bridge\",\"network_interface\":\"podman1\","
	"\"subnets\":[{\"subnet\":\"192.168.0.0/20\",\"gateway\":\"192.168.0.1\"}]}\n",
	{"/etc/containers/containers.conf", "default_subnet_pools = [{\"base\" = \"172.18.0.0/16\"",
	    "$ podman network rm app && podman network create app", "!systemctl", "!daemon.json",
	    "!docker"}},
};

static void test_fixes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof fix_cases / sizeof *fix_cases; i++) {
		const struct fix_case *c = &fix_cases[i];
		struct buf text = {0};
		struct scene s;
		scene_begin(&s, "", "192.168.0.0/16=vpc,fd00:db::/48");
		struct host_record *record = scene_host(&s, "h1");
		scene_probe(record, "routes", LAN);
		scene_probe(record, "docker_info", c->info);
		scene_probe(record, "docker_inspect", c->networks);
		if (c->daemon != NULL)
			scene_probe(record, "docker_daemon", c->daemon);
		scene_diagnose(&s);
		if (s.d->n_findings == 0 || strcmp(s.d->findings[0].rule, "reserved-overlap") != 0)
			fail_msg("%s: no finding", c->name);
		for (size_t k = 0; k < s.d->findings[0].n_fix; k++)
			buf_printf(&text, "%s\n", s.d->findings[0].fix[k]);
		check_has(c->name, buf_str(&text), c->has);
		buf_free(&text);
		scene_free(&s);
	}
}

/* All but a pool is taken, and containers hold the whole of that, on one host or another. */
static void test_no_room_for_docker0(void **state)
{
	struct advice advice;
	struct scene s;

	(void)state;
	scene_begin(&s, "",
	    "172.16.0.0/12,192.168.0.0/16,10.0.0.0/13,10.16.0.0/12,10.32.0.0/11,"
	    "10.64.0.0/10,10.128.0.0/9");
	for (int h = 0; h < 3; h++) {
		struct host_record *record = scene_host(&s, (const char *[]){"h1", "h2", "h3"}[h]);
		struct buf routes = {0};
		buf_puts(&routes, LAN DOCKER0);
		for (int i = 8; i < 16; i += i == 8 ? 2 : 1)
			buf_printf(&routes, "10.%d.0.0/16 via 10.1.0.2 dev eth0 \n", i);
		for (int i = 4; i < 8; i++)
			buf_printf(
			    &routes, "10.9.%d.0/%d via 10.1.0.2 dev eth0 \n", 1 << i, 24 - i);
		for (int i = h; i < 16; i += 3)
			buf_printf(&routes,
			    "10.9.%d.0/24 dev br-0123456789%02d proto kernel scope link \n", i, i);
		scene_probe(record, "routes", buf_str(&routes));
		scene_probe(record, "docker_info", INFO(POOL("10.9.0.0/20")));
		scene_probe(record, "docker_daemon", DAEMON("10.9.0.0/20"));
		buf_free(&routes);
	}
	struct check check = check_of(&s);
	advise_host(&check, 0, &advice);
	assert_null(group_pools_of(&check)->bip);
	assert_non_null(advice.daemon_json);
	assert_null(strstr(advice.daemon_json, "bip"));
	assert_int_equal(advice.remarks.n, 1);
	assert_non_null(strstr(advice.remarks.v[0], "no private space is left for it"));
	scene_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pools),
	    cmocka_unit_test(test_advice),
	    cmocka_unit_test(test_fixes),
	    cmocka_unit_test(test_no_room_for_docker0),
	};
	return cmocka_run_group_tests_name("advise", tests, NULL, NULL);
}
