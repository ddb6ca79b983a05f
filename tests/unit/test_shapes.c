/* The JSON that scripts rely on, word for word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "oddhost/report/shapes.h"

static void check(struct json *shape, const char *expected)
{
	struct buf out = {0};

	json_print(shape, false, &out);
	json_free(shape);
	out.n--; /* the line break */
	assert_string_equal(buf_str(&out), expected);
	buf_free(&out);
}

static void test_route(void **state)
{
	struct route route = {.dst = {{IP_V4, {192, 168}}, 20},
	    .dev = "br-c3c094fc6759",
	    .table = "main",
	    .scope = ROUTE_SCOPE_LINK};

	(void)state;
	check(shapes_route(&route),
	    "{\"family\":\"inet\",\"dst\":\"192.168.0.0/20\",\"gateway\":null,"
	    "\"dev\":\"br-c3c094fc6759\",\"metric\":0,\"scope\":\"link\",\"type\":\"unicast\","
	    "\"table\":\"main\",\"src\":null}");
	route = (struct route){.dst = {{IP_V6, {0}}, 0},
	    .gateway = {IP_V6, {0xfe, 0x80, [15] = 1}},
	    .dev = "e\xff\"",
	    .table = "main",
	    .metric = 4294967295};
	check(shapes_route(&route),
	    "{\"family\":\"inet6\",\"dst\":\"::/0\",\"gateway\":\"fe80::1\",\"dev\":\"e\xef\xbf\xbd\\\"\","
	    "\"metric\":4294967295,\"scope\":\"global\",\"type\":\"unicast\",\"table\":\"main\","
	    "\"src\":null}");
}

static void test_ping(void **state)
{
	struct ping_error error = {{IP_V4, {192, 168, 0, 1}}, 1, "Destination Host Unreachable", 2};
	struct ping_reply reply = {{IP_NONE, {0}}, -1, -1, 0.5, false, 3};
	struct ping ping = {.target = "db",
	    .transmitted = -1,
	    .received = -1,
	    .duplicates = -1,
	    .loss_percent = -1,
	    .rtt_min = -1,
	    .errors = &error,
	    .n_errors = 1,
	    .replies = &reply,
	    .n_replies = 1,
	    .status = PING_LOSS};

	(void)state;
	check(shapes_ping(&ping),
	    "{\"target\":\"db\",\"address\":null,\"transmitted\":null,\"received\":null,"
	    "\"loss_percent\":null,\"duplicates\":null,\"rtt_ms\":null,"
	    "\"replies\":[{\"from\":null,\"seq\":null,\"ttl\":null,\"ms\":0.5}],"
	    "\"errors\":[{\"from\":\"192.168.0.1\",\"seq\":1,\"kind\":\"Destination Host Unreachable\"}],"
	    "\"status\":\"loss\"}");
}

static void test_networks(void **state)
{
	struct prefix subnet = {{IP_V4, {172, 19}}, 24};
	const char *containers[] = {"web_1"};
	struct docker_network networks[] = {
	    {.id = "df03b027a5e8", .name = "traefik"},
	    {.id = "5089b1504e22",
		.name = "shop",
		.driver = "bridge",
		.inspected = true,
		.subnets = &subnet,
		.n_subnets = 1,
		.containers = containers,
		.n_containers = 1},
	};

	(void)state;
	check(shapes_networks(networks, 2),
	    "{\"networks\":[{\"id\":\"df03b027a5e8\",\"name\":\"traefik\",\"driver\":null,\"scope\":null,"
	    "\"bridge\":null,\"project\":null,\"created\":null,\"subnets\":null,\"containers\":null},"
	    "{\"id\":\"5089b1504e22\",\"name\":\"shop\",\"driver\":\"bridge\",\"scope\":null,"
	    "\"bridge\":null,\"project\":null,\"created\":null,\"subnets\":[\"172.19.0.0/24\"],"
	    "\"containers\":[\"web_1\"]}]}");
}

/* Not known, not there, there but broken, there: four different things. */
static void test_daemon(void **state)
{
	struct docker_daemon unknown = {0}, absent = {.known = true};
	struct docker_daemon broken = {.known = true, .present = true};
	struct docker_daemon empty = {.known = true, .present = true, .valid = true};

	(void)state;
	check(shapes_daemon(&unknown),
	    "{\"present\":null,\"valid\":null,\"bip\":null,\"pools\":null}");
	check(shapes_daemon(&absent),
	    "{\"present\":false,\"valid\":null,\"bip\":null,\"pools\":null}");
	check(shapes_daemon(&broken),
	    "{\"present\":true,\"valid\":false,\"bip\":null,\"pools\":null}");
	check(shapes_daemon(&empty), "{\"present\":true,\"valid\":true,\"bip\":null,\"pools\":[]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_route),
	    cmocka_unit_test(test_ping),
	    cmocka_unit_test(test_networks),
	    cmocka_unit_test(test_daemon),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
