/* docker's outputs: a real engine's (tests/fixtures/parse/README.md) and single cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "oddhost/base/file.h"
#include "oddhost/parse/docker.h"

#define DIR "tests/fixtures/parse/"

struct parsed {
	struct arena *arena;
	struct network_list networks;
	struct container_list containers;
	struct diag_list diags;
};

static struct parsed parsed_new(void)
{
	struct parsed p = {.arena = arena_new()};

	p.networks.arena = p.containers.arena = p.diags.arena = p.arena;
	return p;
}

static struct view read_fixture(struct arena *arena, const char *path)
{
	struct buf text = {0};
	struct err err;

	assert_true(file_read(path, 1 << 20, &text, &err));
	struct view copy = arena_view(arena, buf_view(&text));
	buf_free(&text);
	return copy;
}

static bool read_networks(struct parsed *p, const char *file, const char *command)
{
	return parse_docker_networks(
	    read_fixture(p->arena, file), command, NULL, &p->networks, &p->diags);
}

static const char *or_none(const char *s)
{
	return s == NULL ? "-" : s;
}

/* "id name driver bridge project internal subnets containers", a network a line. */
static const char *describe(struct parsed *p)
{
	struct buf out = {0};
	char text[PREFIX_TEXT_SIZE];

	for (size_t i = 0; i < p->networks.n; i++) {
		const struct docker_network *n = &p->networks.v[i];
		buf_printf(&out, "%.12s %s %s %s %s%s", or_none(n->id), n->name, or_none(n->driver),
		    or_none(n->bridge), or_none(n->project), n->internal ? " internal" : "");
		for (size_t k = 0; k < n->n_subnets; k++)
			buf_printf(&out, " %s@%u", prefix_format(&n->subnets[k], text),
			    n->subnet_lines[k]);
		for (size_t k = 0; k < n->n_containers; k++)
			buf_printf(&out, " [%s]", n->containers[k]);
		buf_printf(&out, "%s\n", n->inspected ? "" : " ?");
	}
	const char *copy = arena_dup(p->arena, buf_str(&out));
	buf_free(&out);
	return copy;
}

#define LISTED                                                                                     \
	"a3c28ec4f3c0 bridge bridge docker0 - ?\n"                                                 \
	"c06e9853744b dual bridge br-c06e9853744b -%s ?\n"                                         \
	"ebadf28db61b host host - - ?\n"                                                           \
	"3d1ce7d08ebf named bridge br-3d1ce7d08ebf - ?\n"                                          \
	"631d0a95595b none null - - ?\n"                                                           \
	"820dc007f53f shop_default bridge br-820dc007f53f %s ?\n"                                  \
	"cf52e2c3c9c9 two words bridge br-cf52e2c3c9c9 - ?\n"

#define INSPECTED                                                                                  \
	"a3c28ec4f3c0 bridge bridge docker0 - 172.17.0.0/16@%u\n"                                  \
	"c06e9853744b dual bridge br-c06e9853744b - internal 10.5.0.0/24@%u 2001:db8:5::/64@%u\n"  \
	"ebadf28db61b host host - -\n"                                                             \
	"3d1ce7d08ebf named bridge shop0 - 192.168.0.0/20@%u\n"                                    \
	"631d0a95595b none null - -\n"                                                             \
	"820dc007f53f shop_default bridge br-820dc007f53f shop 172.18.0.0/16@%u\n"                 \
	"cf52e2c3c9c9 two words bridge br-cf52e2c3c9c9 - 172.19.0.0/16@%u\n"

static void test_listed(void **state)
{
	struct parsed p = parsed_new();

	(void)state;
	assert_true(read_networks(&p, DIR "docker-networks/ls.txt", "docker network ls"));
	assert_string_equal(describe(&p), arena_printf(p.arena, LISTED, "", "-"));
	assert_int_equal(p.networks.v[0].listed.line, 2);
	assert_int_equal(p.networks.v[6].listed.line, 8);
	assert_string_equal(p.networks.v[4].scope, "local");
	assert_int_equal(p.diags.n, 0);

	/* The same, as JSON, adds what the table does not say; nothing is doubled. */
	assert_true(read_networks(&p, DIR "docker-networks/ls.jsonl", ""));
	assert_string_equal(describe(&p), arena_printf(p.arena, LISTED, " internal", "shop"));
	arena_free(p.arena);
}

/* The array over many lines, and an object a line: the same networks, other lines. */
static void test_inspected(void **state)
{
	struct parsed p = parsed_new();

	(void)state;
	assert_true(read_networks(&p, DIR "docker-networks/ls.txt", ""));
	assert_true(
	    read_networks(&p, DIR "docker-networks/inspect.jsonl", "docker network inspect"));
	assert_string_equal(describe(&p), arena_printf(p.arena, INSPECTED, 1, 2, 2, 4, 6, 7));
	assert_int_equal(p.networks.v[3].detail.line, 4);
	assert_int_equal(p.networks.v[3].listed.line, 5);
	assert_int_equal(strlen(p.networks.v[3].id), 64);
	arena_free(p.arena);

	p = parsed_new();
	assert_true(read_networks(&p, DIR "docker-networks/inspect.json", ""));
	assert_string_equal(
	    describe(&p), arena_printf(p.arena, INSPECTED, 14, 48, 51, 101, 154, 185));
	assert_int_equal(p.networks.v[1].detail.line, 38);
	assert_int_equal(p.diags.n, 0);
	arena_free(p.arena);
}

/* `--format '{{json .IPAM.Config}}'` prints no names: the command has them. */
static void test_ipam_config(void **state)
{
	static const char *const commands[] = {
	    "docker inspect named dual host --format='{{json .IPAM.Config}}'",
	    "docker network inspect -f '{{json .IPAM.Config}}' named dual host",
	    "docker inspect --format {{json_.IPAM.Config}} named dual host",
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct parsed p = parsed_new();
		assert_true(read_networks(&p, DIR "docker-networks/ls.txt", ""));
		assert_true(read_networks(&p, DIR "docker-networks/ipam-config.txt", commands[i]));
		assert_int_equal(p.networks.n, 7);
		assert_int_equal(p.networks.v[1].n_subnets, 2);
		assert_int_equal(p.networks.v[1].subnet_lines[1], 2);
		assert_true(p.networks.v[2].inspected);
		assert_int_equal(p.networks.v[2].n_subnets, 0);
		assert_int_equal(p.networks.v[3].n_subnets, 1);
		assert_false(p.networks.v[0].inspected);
		arena_free(p.arena);
	}
}

static const struct {
	const char *name, *text, *command, *networks;
	bool understood;
	size_t diags;
} cases[] = {
    {"nothing", "\n", "docker network ls", "", true, 0},
    {"header only", "NETWORK ID   NAME   DRIVER   SCOPE\n", "", "", true, 0},
    {"no header", "df03b027a5e8        traefik             bridge              local\n", "",
	"df03b027a5e8 traefik bridge br-df03b027a5e8 - ?\n", true, 0},
    {"run together by a paste", "NETWORK ID NAME DRIVER SCOPE\ndf03b027a5e8 traefik bridge local\n",
	"", "df03b027a5e8 traefik bridge br-df03b027a5e8 - ?\n", true, 0},
    {"podman", "NETWORK ID    NAME        DRIVER\n2f259bab93aa  podman      bridge\n", "",
	"2f259bab93aa podman bridge - - ?\n", true, 0},
    {"podman inspect",
	"[{\"name\":\"podman\",\"id\":\"2f259bab93aa\",\"driver\":\"bridge\",\"network_interface\":"
	"\"podman0\","
	"\"subnets\":[{\"subnet\":\"10.88.0.0/"
	"16\",\"gateway\":\"10.88.0.1\"}],\"internal\":false}]",
	"", "2f259bab93aa podman bridge podman0 - 10.88.0.0/16@1\n", true, 0},
    {"containers",
	"[{\"Name\":\"a\",\"Id\":\"2f259bab93aa\",\"Driver\":\"bridge\",\"IPAM\":{\"Config\":null},"
	"\"Containers\":{\"77\":{\"Name\":\"web_1\"},\"78\":{\"Name\":\"web_2\"}}}]",
	"", "2f259bab93aa a bridge br-2f259bab93aa - [web_1] [web_2]\n", true, 0},
    {"a bad subnet",
	"[{\"Name\":\"a\",\"Id\":\"2f259bab93aa\",\"Driver\":\"bridge\",\"IPAM\":{\"Config\":[\n{"
	"\"Subnet\":\"10.0.0.0\\/8x\"}]}}]",
	"", "2f259bab93aa a bridge br-2f259bab93aa -\n", true, 1},
    {"no such network", "[]\n", "docker network inspect nosuch", "", true, 0},
    {"an id that the list does not have",
	"[{\"Subnet\":\"172.19.0.0/24\",\"Gateway\":\"172.19.0.1\"}]\n",
	"docker inspect 5089b1504e22 --format='{{json .IPAM.Config}}'",
	"5089b1504e22 5089b1504e22 - - - 172.19.0.0/24@1\n", true, 0},
    {"subnets of nobody", "[{\"Subnet\":\"172.19.0.0/24\"}]\n",
	"docker inspect -f x $(docker network ls -q)", "", true, 0},
    {"a container's inspect", "[{\"Id\":\"77\",\"Name\":\"/web\",\"State\":{}}]\n",
	"docker inspect web", "", false, 1},
    {"an error", "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\n", "", "",
	false, 1},
    {"--format json on 20.10", "json\njson\n", "", "", false, 2},
    {"cut off", "[{\"Name\":\"a\",\n\"Id\":\"2f25", "", "", false, 1},
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct parsed p = parsed_new();
		print_message("  %s\n", cases[i].name);
		assert_int_equal(parse_docker_networks(view_of(cases[i].text), cases[i].command,
				     NULL, &p.networks, &p.diags),
		    cases[i].understood);
		assert_string_equal(describe(&p), cases[i].networks);
		assert_int_equal(p.diags.n, cases[i].diags);
		arena_free(p.arena);
	}
}

/* Two networks of one name; one that was renamed; and more than are taken. */
static void test_which(void **state)
{
	struct parsed p = parsed_new();
	struct buf text = {0};

	(void)state;
	assert_true(parse_docker_networks(
	    view_of("c3c094fc6751   a   bridge   local\nc3c094fc6752   a   bridge   local\n"
		    "c3c094fc6753   b   bridge   local\n"),
	    "", NULL, &p.networks, &p.diags));
	assert_true(parse_docker_networks(
	    view_of(
		"[{\"Name\":\"a\",\"Id\":\"c3c094fc6752ff\",\"Driver\":\"bridge\",\"IPAM\":{}},\n"
		"{\"Name\":\"c\",\"Id\":\"c3c094fc6753\",\"Driver\":\"bridge\",\"IPAM\":{}},\n"
		"{\"Name\":\"b\",\"Id\":\"c3c094fc6754\",\"Driver\":\"bridge\",\"IPAM\":{}}]\n"
		"[{\"Name\":\"d\",\"Id\":\"c3c094fc6755\",\"Driver\":\"bridge\",\"IPAM\":{}}]\n"),
	    "", NULL, &p.networks, &p.diags));
	assert_string_equal(describe(&p),
	    "c3c094fc6751 a bridge br-c3c094fc6751 - ?\nc3c094fc6752 a bridge br-c3c094fc6752 -\n"
	    "c3c094fc6753 c bridge br-c3c094fc6753 -\nc3c094fc6754 b bridge br-c3c094fc6754 -\n"
	    "c3c094fc6755 d bridge br-c3c094fc6755 -\n");
	assert_int_equal(p.networks.v[2].detail.line, 2);
	assert_int_equal(p.networks.v[4].detail.line, 4);
	assert_int_equal(p.diags.n, 0);

	for (unsigned i = 0; i < DOCKER_MOST; i++)
		buf_printf(&text, "%012x   n%u   bridge   local\n", i, i);
	buf_puts(&text, "c3c094fc6751   a   overlay   local\n");
	assert_true(parse_docker_networks(buf_view(&text), "", NULL, &p.networks, &p.diags));
	assert_int_equal(p.networks.n, DOCKER_MOST);
	assert_int_equal(p.diags.n, 5);
	assert_string_equal(p.networks.v[0].driver, "overlay");
	buf_free(&text);
	arena_free(p.arena);
}

static const char *describe_containers(struct parsed *p)
{
	struct buf out = {0};

	for (size_t i = 0; i < p->containers.n; i++) {
		const struct container *c = &p->containers.v[i];
		buf_printf(&out, "%.12s|%s|%s|%s|%d|%d|%s|%s@%u\n", c->id, c->image, c->name,
		    c->status, c->state, c->health, or_none(c->networks), or_none(c->project),
		    c->line);
	}
	const char *copy = arena_dup(p->arena, buf_str(&out));
	buf_free(&out);
	return copy;
}

static const struct {
	const char *name, *text, *file, *containers;
	size_t diags;
} ps_cases[] = {
    {"table", NULL, DIR "docker-ps/ps.txt",
	"1cb2c2658610|empty:1|job|Created|1|0|-|-@2\n36bf06fa8b17|empty:1|web_1|Created|1|0|-|-@"
	"3\n",
	0},
    {"no-trunc", NULL, DIR "docker-ps/ps-no-trunc.txt",
	"1cb2c2658610|empty:1|job|Created|1|0|-|-@2\n36bf06fa8b17|empty:1|web_1|Created|1|0|-|-@"
	"3\n",
	0},
    {"json", NULL, DIR "docker-ps/ps.jsonl",
	"1cb2c2658610|empty:1|job|Created|1|0|bridge|-@1\n"
	"36bf06fa8b17|empty:1|web_1|Created|1|0|shop_default|shop@2\n",
	0},
    {"columns", NULL, DIR "docker-ps/ps-columns.txt",
	"||job|Created|1|0|bridge|-@2\n||web_1|Created|1|0|shop_default|-@3\n", 0},
    {"the article's fragment", NULL, "tests/fixtures/incident/docker-ps-host-pre.txt",
	"c092f8c5f41e|docker.dev.baai.ac.cn/nesletter-api:0.9.1|newsletter-api|Up 4 months "
	"(healthy)|2|2|-|-@3\n"
	"ed0c7fb1945f|docker.dev.baai.ac.cn/hub-node-gate:14|xxxxx_1|Up 4 months|2|0|-|-@4\n"
	"7aba2cbc2e21|traefik:v2.2.0|traefik|Up 5 months (healthy)|2|2|-|-@5\n"
	"1a9e0a150133|xxx:4.7.6-xxx|xxx_1|Up 7 months|2|0|-|-@6\n",
	2},
    {"our own format",
	"{\"ID\":\"c092f8c5f41e\",\"Image\":\"a:1\",\"Names\":\"x\",\"Status\":\"Exited (137) 2 "
	"days ago\",\"Networks\":\"n1,n2\",\"Ports\":\"\",\"Project\":\"\"}\n"
	"\n{\"ID\":\"c092f8c5f41f\",\"Image\":\"a:1\",\"Names\":\"y\",\"Status\":\"Up 3 hours "
	"(Paused)\",\"Networks\":\"\",\"Ports\":\"\",\"Project\":\"p\"}\n",
	NULL,
	"c092f8c5f41e|a:1|x|Exited (137) 2 days ago|5|0|n1,n2|-@1\nc092f8c5f41f|a:1|y|Up 3 hours "
	"(Paused)|3|0|-|p@3\n",
	0},
    {"states",
	"c092f8c5f411   a   \"x\"   1 hour ago   Restarting (1) 5 seconds ago             n1\n"
	"c092f8c5f412   a   \"x\"   1 hour ago   Up 9 seconds (health: starting)   80/tcp   n2\n"
	"c092f8c5f413   a   \"x  y\"   1 hour ago   Up 2 days (unhealthy)   80/tcp, 443/tcp   n3\n"
	"c092f8c5f414   a   \"x\"   1 hour ago   Removal In Progress   n4\nc092f8c5f415   a   "
	"\"x\"   1 hour ago   Wobbling   n5\n",
	NULL,
	"c092f8c5f411|a|n1|Restarting (1) 5 seconds ago|4|0|-|-@1\nc092f8c5f412|a|n2|Up 9 seconds "
	"(health: starting)|2|1|-|-@2\n"
	"c092f8c5f413|a|n3|Up 2 days (unhealthy)|2|3|-|-@3\nc092f8c5f414|a|n4|Removal In "
	"Progress|7|0|-|-@4\n",
	1},
    {"podman's states",
	"{\"ID\":\"c092f8c5f411\",\"Names\":\"a\",\"Status\":\"Stopping\"}\n"
	"{\"ID\":\"c092f8c5f412\",\"Names\":\"b\",\"Status\":\"Removing\"}\n"
	"{\"ID\":\"c092f8c5f413\",\"Names\":\"c\",\"Status\":\"Unknown\"}\n"
	"{\"ID\":\"c092f8c5f414\",\"Names\":\"d\",\"Status\":\"Initialized\",\"Networks\":[\"n1\",\"n2\"]}\n",
	NULL,
	"c092f8c5f411||a|Stopping|8|0|-|-@1\nc092f8c5f412||b|Removing|7|0|-|-@2\n"
	"c092f8c5f413||c|Unknown|0|0|-|-@3\nc092f8c5f414||d|Initialized|1|0|n1,n2|-@4\n",
	0},
    {"words that begin like a state",
	"{\"ID\":\"c092f8c5f411\",\"Names\":\"a\",\"Status\":\"Upset\"}\n"
	"{\"ID\":\"c092f8c5f412\",\"Names\":\"b\",\"Status\":\"Deadly\"}\n"
	"{\"ID\":\"c092f8c5f413\",\"Names\":\"c\",\"Status\":\"Up\"}\n",
	NULL, "c092f8c5f413||c|Up|2|0|-|-@3\n", 2},
    {"names only", "web_1\njob\n", NULL, "", 2},
    {"one broken line",
	"{\"ID\":\"c092f8c5f41e\",\"Status\"\n{\"ID\":\"c092f8c5f41f\",\"Names\":\"y\",\"Status\":"
	"\"Created\"}\n",
	NULL, "c092f8c5f41f||y|Created|1|0|-|-@2\n", 1},
};

static void test_ps(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof ps_cases / sizeof *ps_cases; i++) {
		struct parsed p = parsed_new();
		struct view text = ps_cases[i].file != NULL
				       ? read_fixture(p.arena, ps_cases[i].file)
				       : view_of(ps_cases[i].text);
		print_message("  %s\n", ps_cases[i].name);
		assert_int_equal(parse_docker_ps(text, &p.containers, &p.diags),
		    *ps_cases[i].containers != '\0');
		assert_string_equal(describe_containers(&p), ps_cases[i].containers);
		assert_int_equal(p.diags.n, ps_cases[i].diags);
		arena_free(p.arena);
	}
}

static const struct {
	const char *name, *text;
	bool valid;
	size_t pools, diags;
	unsigned line;
} daemons[] = {
    {"empty file", " \n", true, 0, 0, 0},
    {"empty object", "{}", true, 0, 0, 0},
    {"pools",
	"{\"default-address-pools\":[{\"base\":\"10.0.0.0/8\",\"size\":24},{\"base\":\"172.30.0.0/"
	"16\",\"size\":16}]}",
	true, 2, 0, 0},
    {"size below the base", "{\"default-address-pools\":[\n{\"base\":\"10.0.0.0/16\",\"size\":8}]}",
	false, 0, 1, 2},
    {"size missing", "{\"default-address-pools\":[\n\n{\"base\":\"10.0.0.0/16\"}]}", false, 0, 1,
	3},
    {"half a size", "{\"default-address-pools\":[{\"base\":\"10.0.0.0/16\",\"size\":24.7}]}", false,
	0, 1, 1},
    {"size as a string", "{\"default-address-pools\":[{\"base\":\"10.0.0.0/16\",\"size\":\"24\"}]}",
	false, 0, 1, 1},
    {"no base", "{\"default-address-pools\":[{\"size\":8}]}", false, 0, 1, 0},
    {"capitals", "{\"default-address-pools\":[{\"Base\":\"10.0.0.0/8\",\"Size\":24}]}", true, 1, 0,
	0},
    {"no pools", "{\"default-address-pools\":null}", true, 0, 0, 0},
    {"pools of another kind", "{\"default-address-pools\":\"x\"}", false, 0, 1, 0},
    {"bip of another kind", "{\"bip\":7}", false, 0, 1, 0},
    {"a comma too many", "{\n\"bip\": \"10.1.0.1/24\",\n}\n", false, 0, 1, 3},
    {"an array", "\n[]\n", false, 0, 1, 1},
    {"two values", "{}\n{}\n", false, 0, 1, 1},
    {"cut off", "{\n\"bip\":", false, 0, 1, 2},
};

static void test_daemon(void **state)
{
	struct arena *arena = arena_new();
	struct docker_daemon daemon;

	(void)state;
	for (size_t i = 0; i < sizeof daemons / sizeof *daemons; i++) {
		struct diag_list diags = {.arena = arena};
		print_message("  %s\n", daemons[i].name);
		parse_docker_daemon(view_of(daemons[i].text), arena, &daemon, &diags);
		assert_true(daemon.known && daemon.present);
		assert_int_equal(daemon.valid, daemons[i].valid);
		assert_int_equal(daemon.n_pools, daemons[i].pools);
		assert_int_equal(diags.n, daemons[i].diags);
		if (diags.n > 0)
			assert_int_equal(diags.items[0].line, daemons[i].line);
	}
	parse_docker_daemon(
	    read_fixture(arena, "tests/fixtures/incident/daemon.json"), arena, &daemon, NULL);
	assert_int_equal(daemon.n_pools, 5);
	assert_int_equal(daemon.pools[4].size, 24);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_listed),
	    cmocka_unit_test(test_inspected),
	    cmocka_unit_test(test_ipam_config),
	    cmocka_unit_test(test_cases),
	    cmocka_unit_test(test_which),
	    cmocka_unit_test(test_ps),
	    cmocka_unit_test(test_daemon),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
