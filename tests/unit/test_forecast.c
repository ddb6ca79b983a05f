/* The forecast on hosts as they may be found: what comes next, what it cuts off, what is assumed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "oddhost/check/forecast.h"
#include "scene.h"

#define LAN                                                                                        \
	"default via 10.1.0.1 dev eth0 \n"                                                         \
	"10.1.0.0/24 dev eth0 proto kernel scope link src 10.1.0.7 \n"
#define DOCKER0 "172.17.0.0/16 dev docker0 proto kernel scope link src 172.17.0.1 linkdown \n"
#define BRIDGE(subnet) subnet " dev br-0123456789ab proto kernel scope link \n"
#define INFO(version, pools)                                                                       \
	"{\"Started\":1600000000}\n{\"ServerVersion\":\"" version                                  \
	"\",\"LiveRestoreEnabled\":false,\"DefaultAddressPools\":" pools "}\n"
#define AT(month) "2020-" month "-01T00:00:00Z" /* 2020-09-13 is when docker started */
#define NETWORK_OF(name, id, when, driver, subnet, gateway)                                        \
	"{\"Name\":\"" name "\",\"Id\":\"" id "23456789ab\",\"Created\":\"" when                   \
	"\",\"Scope\":\"local\",\"Driver\":\"" driver                                              \
	"\",\"IPAM\":{\"Config\":[{\"Subnet\":\"" subnet "\"" gateway "}]}}\n"
#define NETWORK(name, id, when, subnet)                                                            \
	NETWORK_OF(name, id, when, "bridge", subnet, ",\"Gateway\":\"10.0.0.1\"")
#define ASKED(name, id, when, subnet) NETWORK_OF(name, id, when, "bridge", subnet, "")
#define BRIDGE0 NETWORK("bridge", "00", AT("10"), "172.17.0.0/16")
#define SMALL "[{\"Base\":\"10.9.0.0/22\",\"Size\":24}]"

static const struct forecast_case {
	const char *name, *reserved, *routes, *info, *networks, *resolv;
	const char *want; /* the first three, or all; the collision; "firm" or "known"; a part of
			     the assumption */
} cases[] = {
    {"a fresh engine", "192.168.0.0/16=vpc", LAN DOCKER0, INFO("20.10.24", "null"), BRIDGE0, "",
	"rotating 172.18.0.0/16 172.19.0.0/16 172.20.0.0/16; 15: 192.168.0.0/20 reserved "
	"192.168.0.0/16 (vpc); known; if no network was made and removed since it was started"},
    {"behind the newest network since the start", "", LAN DOCKER0, INFO("20.10.24", "null"),
	BRIDGE0 NETWORK("old", "01", AT("02"), "172.29.0.0/16") NETWORK("new", "02", AT("11"),
	    "172.20.0.0/16") NETWORK("older", "03", AT("10"), "172.25.0.0/16"),
	"",
	"rotating 172.21.0.0/16 172.22.0.0/16 172.23.0.0/16; 0; known; behind 172.20.0.0/16 (new)"},
    {"a network from before the start says nothing", "", LAN DOCKER0, INFO("20.10.24", "null"),
	BRIDGE0 NETWORK("old", "01", AT("02"), "172.29.0.0/16"), "",
	"rotating 172.18.0.0/16 172.19.0.0/16 172.20.0.0/16; 0; known; is at the head of its pools, if no network"},
    {"an explicit subnet of docker's own list says nothing", "", LAN DOCKER0,
	INFO("20.10.24", "null"),
	BRIDGE0 NETWORK("a", "01", AT("10"), "172.18.0.0/16")
	    ASKED("b", "02", AT("11"), "172.29.0.0/16"),
	"",
	"rotating 172.19.0.0/16 172.20.0.0/16 172.21.0.0/16; 0; known; behind 172.18.0.0/16 (a)"},
    {"a macvlan network moves on, too", "", LAN DOCKER0, INFO("20.10.24", "null"),
	BRIDGE0 NETWORK_OF(
	    "mac", "01", AT("11"), "macvlan", "172.20.0.0/16", ",\"Gateway\":\"172.20.0.1\""),
	"",
	"rotating 172.21.0.0/16 172.22.0.0/16 172.23.0.0/16; 0; known; behind 172.20.0.0/16 (mac)"},
    {"and holds its subnet, with first fit", "", LAN DOCKER0, INFO("28.5.2", "null"),
	BRIDGE0 NETWORK_OF(
	    "mac", "01", AT("11"), "macvlan", "172.18.0.0/16", ",\"Gateway\":\"172.18.0.1\""),
	"", "first-fit 172.19.0.0/16 172.20.0.0/16 172.21.0.0/16; 0; firm; gets the same"},
    {"an overlay network does not", "", LAN DOCKER0, INFO("28.5.2", "null"),
	BRIDGE0 NETWORK_OF(
	    "over", "01", AT("11"), "overlay", "172.18.0.0/16", ",\"Gateway\":\"172.18.0.1\""),
	"", "first-fit 172.18.0.0/16 172.19.0.0/16 172.20.0.0/16; 0; firm; gets the same"},
    {"routes that are cut off", "", LAN DOCKER0 "172.19.0.0/16 dev\n", INFO("28.5.2", "null"),
	BRIDGE0, "",
	"first-fit 172.18.0.0/16 172.19.0.0/16 172.20.0.0/16; 0; weak; not known whole"},
    {"no routes", "", NULL, INFO("28.5.2", "null"), BRIDGE0, "",
	"first-fit 172.18.0.0/16 172.19.0.0/16 172.20.0.0/16; 0; weak; its routes are not known,"},
    {"no nameservers", "", LAN DOCKER0, INFO("28.5.2", "null"), BRIDGE0, NULL,
	"first-fit 172.18.0.0/16 172.19.0.0/16 172.20.0.0/16; 0; weak; its nameservers are not known"},
    {"an explicit subnet says nothing", "", LAN DOCKER0, INFO("20.10.24", "null"),
	BRIDGE0 NETWORK("own", "01", AT("11"), "172.20.7.0/24"), "",
	"rotating 172.18.0.0/16 172.19.0.0/16 172.21.0.0/16; 0; known; is at the head of its pools, if no network"},
    {"routes alone", "192.168.0.0/16=vpc", LAN DOCKER0 BRIDGE("172.28.0.0/16"), NULL, NULL, NULL,
	"rotating 172.29.0.0/16 172.30.0.0/16 172.31.0.0/16; 4: 192.168.0.0/20 reserved "
	"192.168.0.0/16 (vpc); weak; which one is the newest is not known"},
    {"first fit", "172.19.0.0/16=vpc", LAN DOCKER0, INFO("28.5.2", "null"),
	BRIDGE0 NETWORK("new", "02", AT("11"), "172.20.0.0/16"), "",
	"first-fit 172.18.0.0/16 172.19.0.0/16 172.21.0.0/16; 2: 172.19.0.0/16 reserved "
	"172.19.0.0/16 (vpc); firm; gets the same one again"},
    {"nameservers and on-link networks are left out", "",
	LAN DOCKER0 "172.18.4.0/22 dev eth1 proto kernel scope link src 172.18.4.4 \n",
	INFO("20.10.24", "null"), BRIDGE0, "nameserver 172.19.0.2\nnameserver fd00::53\n",
	"rotating 172.20.0.0/16 172.21.0.0/16 172.22.0.0/16; 0; known; "},
    {"a gateway's network is not seen by docker, but by us", "",
	LAN DOCKER0 "172.19.0.0/16 via 10.1.0.2 dev eth0 \n", INFO("20.10.24", "null"), BRIDGE0, "",
	"rotating 172.18.0.0/16 172.19.0.0/16 172.20.0.0/16; 2: 172.19.0.0/16 172.19.0.0/16, which h1 "
	"reaches by a gateway; known; "},
    {"until 20.10.14 it is seen", "", LAN DOCKER0 "172.19.0.0/16 via 10.1.0.2 dev eth0 \n",
	INFO("19.03.15", "null"), BRIDGE0, "",
	"rotating 172.18.0.0/16 172.20.0.0/16 172.21.0.0/16; 0; weak; its pools are not known"},
    {"pools of its own, until they are used up", "", LAN, INFO("20.10.24", SMALL),
	NETWORK("bridge", "00", AT("10"), "10.9.0.0/24")
	    NETWORK("own", "01", AT("11"), "10.9.2.0/24"),
	"", "rotating 10.9.3.0/24 10.9.1.0/24; 0; known; behind 10.9.2.0/24 (own)"},
    {"with pools docker0 is chosen at the start", "", LAN, INFO("20.10.24", SMALL),
	NETWORK("bridge", "00", AT("10"), "10.9.1.0/24"), "",
	"rotating 10.9.2.0/24 10.9.3.0/24 10.9.0.0/24; 0; known; behind 10.9.1.0/24 (bridge)"},
    {"podman", "", LAN, "{\"PodmanVersion\":\"4.3.1\"}\n", NULL, NULL, "podman"},
    {"nothing is known", "", LAN, NULL, NULL, NULL, "docker's networks are not known"},
};

static const char *text_of(struct check *check, const struct forecast *f, struct buf *out)
{
	char text[PREFIX_TEXT_SIZE];

	if (!f->possible)
		return f->assumption;
	buf_puts(out, f->model == POOLS_ROTATING ? "rotating" : "first-fit");
	for (size_t i = 0; i < f->n && i < 3; i++)
		buf_printf(out, " %s", prefix_format(&f->next[i], text));
	buf_printf(out, "; %zu", f->creations);
	if (f->creations > 0)
		buf_printf(out, ": %s %s", prefix_format(&f->subnet, text),
		    need_text(check->arena, f->with));
	buf_printf(out, "; %s; %s", f->firm ? "firm" : f->known ? "known" : "weak", f->assumption);
	return buf_str(out);
}

/* All but the last part of `want` begins the text; the last is somewhere in it. */
static bool matches(const char *got, const char *want)
{
	const char *last = strrchr(want, ';');

	if (last == NULL)
		return strstr(got, want) != NULL;
	return strncmp(got, want, (size_t)(last - want)) == 0 && strstr(got, last + 2) != NULL;
}

static void test_forecasts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct forecast_case *c = &cases[i];
		struct buf out = {0};
		struct forecast forecast;
		struct scene s;
		scene_begin(&s, "", c->reserved);
		struct host_record *record = scene_host(&s, "h1");
		if (c->routes != NULL)
			scene_probe(record, "routes", c->routes);
		if (c->info != NULL)
			scene_probe(record, "docker_info", c->info);
		if (c->networks != NULL)
			scene_probe(record, "docker_inspect", c->networks);
		if (c->resolv != NULL)
			scene_probe(record, "resolv", c->resolv);
		scene_diagnose(&s);
		struct check check = {
		    .arena = s.run->arena, .run = s.run, .hosts = s.hosts, .n = 1};
		check_prepare(&check);
		forecast_host(&check, 0, &forecast);
		const char *got = text_of(&check, &forecast, &out);
		if (!matches(got, c->want))
			fail_msg("%s: got\n%s\nwanted\n%s", c->name, got, c->want);
		buf_free(&out);
		scene_free(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_forecasts)};

	return cmocka_run_group_tests_name("forecast", tests, NULL, NULL);
}
