/*
 * The rules with the tcp probe's word beside ping's: silence of ICMP accuses nobody whose port is
 * open, and a refusal is the service's, not the path's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "scene.h"

#define TARGET "db.example:3306"
#define LAN                                                                                        \
	"default via 10.1.0.1 dev eth0 \n"                                                         \
	"10.1.0.0/24 dev eth0 proto kernel scope link src 10.1.0.7 \n"
#define SHADOW LAN "10.9.0.0/20 dev br-0123456789ab proto kernel scope link src 10.9.0.1 \n"
#define DNS "10.9.0.5   STREAM db.example\n"
#define HEAD "PING db.example (10.9.0.5) 56(84) bytes of data.\n"
#define COUNTS(n, loss)                                                                            \
	"\n--- db.example ping statistics ---\n3 packets transmitted, " n " received, " loss       \
	"% packet loss, time 1000ms\n"
#define OK HEAD "64 bytes from 10.9.0.5: icmp_seq=1 ttl=60 time=1.1 ms\n" COUNTS("3", "0")
#define SILENT HEAD COUNTS("0", "100")
#define ERRORS HEAD "From 10.1.0.1 icmp_seq=1 Destination Host Unreachable\n" COUNTS("0", "100")
#define OPEN "10.9.0.5 port 3306: open (bash)\n"
#define REFUSED "10.9.0.5 port 3306: refused (bash)\n"
#define TIMEOUT "10.9.0.5 port 3306: timeout (bash)\n"
#define UNREACHABLE "10.9.0.5 port 3306: unreachable (bash)\n"
#define UNKNOWN "10.9.0.5 port 3306: unknown\n"

struct host_case {
	const char *routes, *ping, *tcp; /* NULL: not asked */
};

static const struct {
	const char *name;
	struct host_case hosts[4]; /* h1, h2 …; ends with one without routes */
	const char *findings;
	const char *says, *silent;
} cases[] = {
    {"all is well", {{LAN, OK, OPEN}, {LAN, OK, OPEN}}, "", NULL, NULL},
    {"ICMP dropped everywhere, TCP fine: nobody is accused",
	{{LAN, SILENT, OPEN}, {LAN, SILENT, OPEN}, {LAN, SILENT, OPEN}}, "", NULL, NULL},
    {"ICMP dropped on one host, TCP fine", {{LAN, SILENT, OPEN}, {LAN, OK, OPEN}}, "", NULL, NULL},
    {"ICMP rejected with errors, TCP fine", {{LAN, ERRORS, OPEN}, {LAN, OK, OPEN}}, "", NULL, NULL},
    {"ping not allowed for the user, TCP fine",
	{{LAN, "ping: socket: Operation not permitted\n", OPEN}, {LAN, NULL, OPEN}}, "", NULL,
	NULL},
    {"no tool to connect with: ping decides",
	{{LAN, SILENT, UNKNOWN}, {LAN, OK, OPEN}, {LAN, OK, UNKNOWN}},
	"target-unreachable medium h1\n", NULL, NULL},
    {"the service refuses everybody: the path is not accused",
	{{LAN, OK, REFUSED}, {LAN, SILENT, REFUSED}}, "target-unreachable high h1,h2\n",
	"The service does not run", "Ask the cloud"},
    {"the service refuses one host", {{LAN, OK, REFUSED}, {LAN, OK, OPEN}, {LAN, OK, OPEN}},
	"target-unreachable high h1\n", "Other hosts are let in", "Ask the cloud"},
    {"ping answers and the port does not: a filter before it",
	{{LAN, OK, TIMEOUT}, {LAN, OK, OPEN}, {LAN, OK, OPEN}}, "target-unreachable high h1\n",
	"Ask the cloud", "errors come back"},
    {"the port answers nobody", {{LAN, OK, TIMEOUT}, {LAN, OK, TIMEOUT}},
	"target-unreachable high h1,h2\n", "No host is accused", "Ask the cloud"},
    {"unreachable for one", {{LAN, ERRORS, UNREACHABLE}, {LAN, OK, OPEN}},
	"target-unreachable high h1\n", "errors come back", NULL},
    {"a shadow whose port times out, and ping was not tried",
	{{SHADOW, NULL, TIMEOUT}, {LAN, NULL, OPEN}, {LAN, NULL, OPEN}},
	"target-shadowed critical h1\n", "port 3306: open (bash)", NULL},
    {"a shadow where a container refuses in the target's place",
	{{SHADOW, OK, REFUSED}, {LAN, OK, OPEN}, {LAN, OK, OPEN}}, "target-shadowed critical h1\n",
	NULL, NULL},
    {"a service in a container of every host",
	{{SHADOW, OK, OPEN}, {SHADOW, OK, OPEN}, {SHADOW, SILENT, OPEN}}, "", NULL, NULL},
};

static void add(struct host_record *record, const char *probe, const char *out)
{
	if (out != NULL)
		scene_probe(record, probe, out);
}

/* Whatever the report says of findings and of what is ruled out. */
static bool report_says(const struct diagnosis *d, const char *text)
{
	for (size_t i = 0; i < d->n_findings; i++) {
		const struct finding *f = &d->findings[i];
		if (strstr(f->summary, text) != NULL || strstr(f->why, text) != NULL)
			return true;
		for (size_t k = 0; k < f->n_fix; k++) {
			if (strstr(f->fix[k], text) != NULL)
				return true;
		}
		for (size_t k = 0; k < f->n_evidence; k++) {
			if (strstr(f->evidence[k].text, text) != NULL)
				return true;
		}
	}
	return false;
}

static void test_rules(void **state)
{
	char name[24];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct scene s;
		scene_begin(&s, TARGET, "");
		for (int h = 0; h < 4 && cases[i].hosts[h].routes != NULL; h++) {
			const struct host_case *c = &cases[i].hosts[h];
			snprintf(name, sizeof name, "h%d", h + 1);
			struct host_record *record = scene_host(&s, name);
			add(record, "routes", c->routes);
			add(record, "dns:" TARGET, DNS);
			add(record, "ping:" TARGET, c->ping);
			add(record, "tcp:" TARGET, c->tcp);
		}
		scene_diagnose(&s);
		if (strcmp(scene_findings(&s), cases[i].findings) != 0)
			print_error("case: %s\n", cases[i].name);
		assert_string_equal(scene_findings(&s), cases[i].findings);
		if ((cases[i].says != NULL && !report_says(s.d, cases[i].says)) ||
		    (cases[i].silent != NULL && report_says(s.d, cases[i].silent)))
			fail_msg("case: %s: %s", cases[i].name, s.d->findings[0].why);
		scene_free(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rules),
	};

	return cmocka_run_group_tests_name("rules_tcp", tests, NULL, NULL);
}
