/* The rules about docker's address pools, each on small fleets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "scene.h"

#define LAN                                                                                        \
	"default via 10.1.0.1 dev eth0 \n"                                                         \
	"10.1.0.0/24 dev eth0 proto kernel scope link src 10.1.0.7 \n"
#define INFO(version, pools)                                                                       \
	"{\"Started\":1600000000}\n{\"ServerVersion\":\"" version                                  \
	"\",\"LiveRestoreEnabled\":false,\"DefaultAddressPools\":" pools "}\n"
#define OWN INFO("20.10.24", "null")
#define NEW INFO("28.5.2", "null")
#define POOL(base) INFO("20.10.24", "[{\"Base\":\"" base "\",\"Size\":24}]")
#define DAEMON(base) "{\"default-address-pools\":[{\"base\":\"" base "\",\"size\":24}]}"
#define BEFORE "2020-02-01T00:00:00Z" /* docker started on 2020-09-13 */
#define SINCE "2020-10-01T00:00:00Z"
#define LATER "2020-11-01T00:00:00Z"
#define NETWORK_OF(name, id, when, subnet, gateway)                                                \
	"{\"Name\":\"" name "\",\"Id\":\"" id "23456789ab\",\"Created\":\"" when                   \
	"\",\"Scope\":\"local\",\"Driver\":\"bridge\",\"IPAM\":{\"Config\":[{\"Subnet\":\"" subnet \
	"\"" gateway "}]}}\n"
#define NETWORK(name, id, when, subnet)                                                            \
	NETWORK_OF(name, id, when, subnet, ",\"Gateway\":\"10.0.0.1\"")
#define BRIDGE NETWORK("bridge", "00", SINCE, "172.17.0.0/16")

#define APP NETWORK("app", "01", LATER, "172.18.0.0/16")

struct host_case {
	const char *info, *networks, *daemon; /* NULL: not known */
};

struct rule_case {
	const char *name, *rule, *reserved;
	struct host_case hosts[5]; /* h1 …, up to one without networks */
	const char *findings;      /* of that rule: "SEVERITY HOSTS CONFIDENCE\n" each */
};

#define NEXT "next-subnet-collides"
#define STALE "stale-networks"
#define DIFFER "pools-differ"
#define VPC "192.168.0.0/16=vpc"

static const struct rule_case cases[] = {
    {"nothing is reserved", NEXT, "", {{OWN, BRIDGE, NULL}}, ""},
    {"no network has its subnet from docker", NEXT, VPC,
	{{OWN, BRIDGE NETWORK("own", "01", LATER, "10.29.0.0/16"), NULL}}, ""},
    {"far away", NEXT, VPC, {{OWN, BRIDGE APP, NULL}}, "info h1 possible\n"},
    {"the next deploys reach it", NEXT, VPC,
	{{OWN, BRIDGE NETWORK("app", "01", LATER, "172.29.0.0/16"), NULL}}, "medium h1 possible\n"},
    {"one network fewer away it is far", NEXT, VPC,
	{{OWN, BRIDGE NETWORK("app", "01", LATER, "172.28.0.0/16"), NULL}}, "info h1 possible\n"},
    {"a deploy of many networks goes farther", NEXT, VPC,
	{{OWN,
	    BRIDGE NETWORK("a", "01", SINCE, "172.25.0.0/16") NETWORK(
		"b", "02", SINCE, "172.26.0.0/16") NETWORK("c", "03", SINCE, "172.27.0.0/16")
		NETWORK("d", "04", LATER, "172.28.0.0/16"),
	    NULL}},
	"medium h1 possible\n"},
    {"when docker started is not known", NEXT, VPC,
	{{"{\"ServerVersion\":\"20.10.24\",\"DefaultAddressPools\":null}\n",
	    BRIDGE NETWORK("app", "01", LATER, "172.29.0.0/16"), NULL}},
	"low h1 possible\n"},
    {"which engine it is is not known", NEXT, VPC,
	{{NULL, BRIDGE NETWORK("app", "01", LATER, "172.29.0.0/16"), NULL}}, "low h1 possible\n"},
    {"one is in the way already: that one is the news", NEXT, VPC,
	{{OWN, BRIDGE NETWORK("app", "01", LATER, "192.168.0.0/20"), NULL}}, ""},
    {"first fit: a network that is re-created moves nothing", NEXT, VPC,
	{{NEW, BRIDGE NETWORK("app", "01", LATER, "172.29.0.0/16"), NULL}}, "info h1 likely\n"},
    {"first fit: the very next one", NEXT, "172.18.0.0/16",
	{{NEW, BRIDGE NETWORK("app", "01", LATER, "172.29.0.0/16"), NULL}}, "medium h1 likely\n"},
    {"first fit: the second next takes two networks at once", NEXT, "172.19.0.0/16",
	{{NEW, BRIDGE NETWORK("app", "01", LATER, "172.29.0.0/16"), NULL}}, "info h1 likely\n"},
    {"pools that are clear", NEXT, VPC,
	{{POOL("10.9.0.0/16"), BRIDGE NETWORK("app", "01", LATER, "10.9.0.0/24"), NULL}}, ""},
    {"hosts alike: one finding", NEXT, VPC, {{OWN, BRIDGE APP, NULL}, {OWN, BRIDGE APP, NULL}},
	"info h1,h2 possible\n"},
    {"near and far are two", NEXT, VPC,
	{{OWN, BRIDGE APP, NULL}, {OWN, BRIDGE NETWORK("app", "01", LATER, "172.30.0.0/16"), NULL}},
	"medium h2 possible\ninfo h1 possible\n"},

    {"made before the pools", STALE, "",
	{{POOL("10.9.0.0/16"), BRIDGE NETWORK("app", "01", BEFORE, "172.25.0.0/16"),
	    DAEMON("10.9.0.0/16")}},
	"low h1 likely\n"},
    {"when it was made is not known", STALE, "",
	{{POOL("10.9.0.0/16"), BRIDGE NETWORK("app", "01", "", "172.25.0.0/16"),
	    DAEMON("10.9.0.0/16")}},
	"low h1 likely\n"},
    {"made since: it was asked for", STALE, "",
	{{POOL("10.9.0.0/16"), BRIDGE NETWORK("app", "01", LATER, "172.25.0.0/16"),
	    DAEMON("10.9.0.0/16")}},
	""},
    {"asked for, out of docker's own list", STALE, "",
	{{POOL("10.9.0.0/16"), BRIDGE NETWORK_OF("app", "01", BEFORE, "172.25.0.0/16", ""),
	    DAEMON("10.9.0.0/16")}},
	""},
    {"a subnet that docker does not choose", STALE, "",
	{{POOL("10.9.0.0/16"), BRIDGE NETWORK("app", "01", BEFORE, "10.25.0.0/16"),
	    DAEMON("10.9.0.0/16")}},
	""},
    {"inside the pools", STALE, "",
	{{POOL("172.25.0.0/16"), BRIDGE NETWORK("app", "01", BEFORE, "172.25.0.0/24"), NULL}}, ""},
    {"docker's own pools", STALE, "",
	{{OWN, BRIDGE NETWORK("app", "01", BEFORE, "172.25.0.0/16"), "{}"}}, ""},
    {"nothing is known of the pools", STALE, "",
	{{NULL, BRIDGE NETWORK("app", "01", BEFORE, "172.25.0.0/16"), NULL}}, ""},
    {"declared, not in force", STALE, "", {{OWN, BRIDGE, DAEMON("10.9.0.0/16")}},
	"low h1 certain\n"},
    {"declared and in force", STALE, "", {{POOL("10.9.0.0/16"), BRIDGE, DAEMON("10.9.0.0/16")}},
	""},
    {"given by an option, not by the file", STALE, "", {{POOL("10.9.0.0/16"), BRIDGE, "{}"}}, ""},

    {"alike", DIFFER, VPC, {{OWN, BRIDGE, NULL}, {OWN, BRIDGE, NULL}}, ""},
    {"one host", DIFFER, VPC, {{OWN, BRIDGE, NULL}}, ""},
    {"the file's word and the engine's", DIFFER, "",
	{{POOL("10.9.0.0/16"), BRIDGE, NULL}, {NULL, BRIDGE, DAEMON("10.9.0.0/16")}}, ""},
    {"a host that is not known counts for nothing", DIFFER, "",
	{{POOL("10.9.0.0/16"), BRIDGE, NULL}, {NULL, BRIDGE, NULL}}, ""},
    {"one against two thirds", DIFFER, "",
	{{OWN, BRIDGE, NULL}, {POOL("10.9.0.0/16"), BRIDGE, NULL}, {OWN, BRIDGE, NULL}},
	"info h2 certain\n"},
    {"no majority: all", DIFFER, "", {{OWN, BRIDGE, NULL}, {POOL("10.9.0.0/16"), BRIDGE, NULL}},
	"info h1,h2 certain\n"},
    {"those in the way are named, be they many", DIFFER, VPC,
	{{OWN, BRIDGE, NULL}, {POOL("10.9.0.0/16"), BRIDGE, NULL}, {OWN, BRIDGE, NULL}},
	"low h1,h3 certain\n"},
};

static void add(struct host_record *record, const char *probe, const char *out)
{
	if (out != NULL)
		scene_probe(record, probe, out);
}

static const char *findings_of(struct scene *s, const char *rule)
{
	s->text.n = 0;
	for (size_t i = 0; i < s->d->n_findings; i++) {
		const struct finding *f = &s->d->findings[i];
		if (strcmp(f->rule, rule) != 0)
			continue;
		buf_printf(&s->text, "%s ", severity_name(f->severity));
		for (size_t k = 0; k < f->n_hosts; k++)
			buf_printf(&s->text, "%s%s", k ? "," : "", f->hosts[k]);
		buf_printf(&s->text, " %s\n", confidence_name(f->confidence));
		if (f->n_fix == 0 || *f->why == '\0')
			buf_puts(&s->text, "(without a reason or a fix)\n");
	}
	return buf_str(&s->text);
}

static void test_rules(void **state)
{
	char name[24];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct rule_case *c = &cases[i];
		struct scene s;
		scene_begin(&s, "", c->reserved);
		for (int h = 0; h < 5 && c->hosts[h].networks != NULL; h++) {
			snprintf(name, sizeof name, "h%d", h + 1);
			struct host_record *record = scene_host(&s, name);
			add(record, "routes", LAN);
			add(record, "resolv", "nameserver 10.1.0.2\n");
			add(record, "docker_info", c->hosts[h].info);
			add(record, "docker_inspect", c->hosts[h].networks);
			add(record, "docker_daemon", c->hosts[h].daemon);
		}
		scene_diagnose(&s);
		const char *got = findings_of(&s, c->rule);
		if (strcmp(got, c->findings) != 0)
			fail_msg("%s: %s: got\n%swanted\n%s", c->rule, c->name, got, c->findings);
		scene_free(&s);
	}
}

/* What is quoted of docker is the line that says its pools; where no network shows docker's place,
 * that line is all there is. */
static void test_evidence(void **state)
{
	static const char *const rules[] = {STALE, NEXT};

	(void)state;
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		struct scene s;
		scene_begin(&s, "", VPC);
		struct host_record *record = scene_host(&s, "h1");
		add(record, "routes", LAN);
		add(record, "docker_info", OWN);
		add(record, "docker_inspect", BRIDGE NETWORK("old", "01", BEFORE, "172.25.0.0/16"));
		add(record, "docker_daemon", DAEMON("10.9.0.0/16"));
		scene_diagnose(&s);
		bool quoted = false;
		for (size_t f = 0; f < s.d->n_findings; f++) {
			const struct finding *finding = &s.d->findings[f];
			for (size_t k = 0; k < finding->n_evidence; k++)
				quoted = quoted || (strcmp(finding->rule, rules[i]) == 0 &&
						       strstr(finding->evidence[k].text,
							   "DefaultAddressPools"));
		}
		if (!quoted)
			fail_msg("%s: %s", rules[i], scene_findings(&s));
		scene_free(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rules), cmocka_unit_test(test_evidence)};

	return cmocka_run_group_tests_name("rules_pools", tests, NULL, NULL);
}
