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

static const struct pools_case {
	const char *name, *reserved;
	const char *routes[3], *info[3]; /* of h1, h2 …; NULL: no more hosts; not known */
	const char *want;                /* pools; "own"; "none" */
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

#define NETWORK(name, id, subnet, labels, containers)                                              \
	"{\"Name\":\"" name "\",\"Id\":\"" id "23456789ab\",\"Scope\":\"local\","                  \
	"\"Driver\":\"bridge\",\"IPAM\":{\"Config\":[{\"Subnet\":\"" subnet "\"}]},"               \
	"\"Labels\":{" labels "},\"Containers\":{" containers "}}\n"
#define PROJECT "\"com.docker.compose.project\":\"shop\""
#define ON(name) "\"id-" name "\":{\"Name\":\"" name "\"}"
#define PS(name, networks, project)                                                                \
	"{\"ID\":\"0\",\"Image\":\"i\",\"Names\":\"" name "\",\"Status\":\"Exited (0)\","          \
	"\"Networks\":\"" networks "\",\"Project\":\"" project "\"}\n"

static const struct advice_case {
	const char *name, *daemon, *info, *networks, *ps;
	const char *json;     /* daemon.json merged, on one line; NULL: not known */
	const char *recreate; /* "NETWORK SUBNET CONTAINER…" each, comma separated */
	const char *has[6];   /* among the commands and the verification, in this order */
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
	{"[ ! -e /etc/docker/daemon.json ] && cat"}},
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
    {"networks from other pools, not those with a subnet of their own", DAEMON("10.7.0.0/16"),
	INFO(POOL("10.7.0.0/16")),
	NETWORK("old", "01", "172.25.0.0/16", "", ON("a"))
	    NETWORK("own", "02", "10.250.3.0/24", "", ""),
	PS("a", "old", "") PS("b", "bridge,old", "") PS("c", "own", ""),
	"{\"default-address-pools\":[{\"base\":\"10.7.0.0/16\",\"size\":24}]}\n",
	"old 172.25.0.0/16 a b",
	{"docker network disconnect -f old a", "docker network disconnect -f old b",
	    "docker network rm old && ", "docker network connect old a",
	    "! ip -4 route show exact 172.25.0.0/16"}},
    {"what is in the way comes first, whoever chose it", DAEMON("10.7.0.0/16"),
	INFO(POOL("10.7.0.0/16")),
	NETWORK("old", "01", "172.25.0.0/16", "", "")
	    NETWORK("own", "02", "192.168.3.0/24", "", ""),
	NULL, "{\"default-address-pools\":[{\"base\":\"10.7.0.0/16\",\"size\":24}]}\n",
	"own 192.168.3.0/24,old 172.25.0.0/16", {"rm own && ", "rm old && "}},
    {"a compose project goes down and up once", DAEMON("10.7.0.0/16"), INFO(POOL("10.7.0.0/16")),
	NETWORK("shop_a", "01", "172.25.0.0/16", PROJECT, ON("web"))
	    NETWORK("shop_b", "02", "172.26.0.0/16", PROJECT, ""),
	PS("web", "shop_a", "shop"),
	"{\"default-address-pools\":[{\"base\":\"10.7.0.0/16\",\"size\":24}]}\n",
	"shop_a 172.25.0.0/16 web,shop_b 172.26.0.0/16",
	{"working_dir\"}}' web)\" && docker compose -p shop config -q && docker compose -p shop down && "
	 "docker compose -p shop up -d)",
	    "docker network inspect"}},
    {"hostile names are words", DAEMON("10.7.0.0/16"), INFO(POOL("10.7.0.0/16")),
	NETWORK("x; reboot", "01", "172.25.0.0/16", "", ON("$(y)")), NULL,
	"{\"default-address-pools\":[{\"base\":\"10.7.0.0/16\",\"size\":24}]}\n",
	"x; reboot 172.25.0.0/16 $(y)",
	{"docker network disconnect -f 'x; reboot' '$(y)'", "docker network rm 'x; reboot' && "}},
};

static void add_lines(struct buf *out, const struct line_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		buf_printf(out, "%s\n", list->v[i]);
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
	add_lines(&lines, &advice->commands);
	add_lines(&lines, &advice->verify);
	const char *at = buf_str(&lines);
	for (size_t i = 0; i < 6 && c->has[i] != NULL; i++) {
		const char *found = strstr(at, c->has[i]);
		if (found == NULL)
			fail_msg("%s: no '%s' in:\n%s", c->name, c->has[i], buf_str(&lines));
		at = found + 1;
	}
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
	struct json *root = json_parse(view_of(advice->daemon_json), &err);
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
		scene_begin(&s, "", "192.168.0.0/16=vpc,172.31.0.0/16");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pools),
	    cmocka_unit_test(test_advice),
	};
	return cmocka_run_group_tests_name("advise", tests, NULL, NULL);
}
