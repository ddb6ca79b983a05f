/* A run beside an earlier one: what is new, what persists, what is resolved, what is not known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "oddhost/report/findings.h"
#include "oddhost/report/html.h"
#include "oddhost/report/markdown.h"
#include "oddhost/report/terminal.h"
#include "scene.h"

#define LAN                                                                                        \
	"default via 10.1.0.1 dev eth0 \n"                                                         \
	"10.1.0.0/24 dev eth0 proto kernel scope link src 10.1.0.7 \n"
#define LATENT LAN "192.168.32.0/20 dev br-0123456789ab proto kernel scope link src 192.168.32.1\n"
#define SECOND "192.168.64.0/20 dev br-aaaaaaaaaaaa proto kernel scope link src 192.168.64.1\n"
#define MOVED LAN "192.168.48.0/20 dev br-0123456789ab proto kernel scope link src 192.168.48.1\n"
/* Redeployed: the same network under another id. */
#define REMADE LAN "192.168.32.0/20 dev br-ba9876543210 proto kernel scope link src 192.168.32.1\n"

enum how { ANSWERS, HANGS, LOST, GONE }; /* the routes time out; not reached; no record */

struct side {
	const char *routes;
	enum how how;
};

static const struct {
	const char *name;
	struct side before[2], after[2]; /* of h1 and h2 */
	const char *states;              /* "RULE STATE\n" of findings, then of what is gone */
} cases[] = {
    {"nothing, as before", {{LAN, ANSWERS}, {LAN, ANSWERS}}, {{LAN, ANSWERS}, {LAN, ANSWERS}}, ""},
    {"new", {{LAN, ANSWERS}, {LAN, ANSWERS}}, {{LATENT, ANSWERS}, {LAN, ANSWERS}},
	"reserved-overlap new\n"},
    {"persisting", {{LATENT, ANSWERS}, {LAN, ANSWERS}}, {{LATENT, ANSWERS}, {LAN, ANSWERS}},
	"reserved-overlap persisting\n"},
    {"persisting, the bridge has another name", {{LATENT, ANSWERS}, {LAN, ANSWERS}},
	{{REMADE, ANSWERS}, {LAN, ANSWERS}}, "reserved-overlap persisting\n"},
    {"resolved", {{LATENT, ANSWERS}, {LAN, ANSWERS}}, {{LAN, ANSWERS}, {LAN, ANSWERS}},
	"reserved-overlap resolved\n"},
    {"moved on to the next pool", {{LATENT, ANSWERS}, {LAN, ANSWERS}},
	{{MOVED, ANSWERS}, {LAN, ANSWERS}}, "reserved-overlap new\nreserved-overlap resolved\n"},
    {"not known: the routes were not read", {{LATENT, ANSWERS}, {LAN, ANSWERS}},
	{{LAN, HANGS}, {LAN, ANSWERS}}, "reserved-overlap unverified\n"},
    {"not known: the host was not reached", {{LATENT, ANSWERS}, {LAN, ANSWERS}},
	{{LAN, LOST}, {LAN, ANSWERS}}, "host-unreachable new\nreserved-overlap unverified\n"},
    {"not known: the host was not asked", {{LATENT, ANSWERS}, {LAN, ANSWERS}},
	{{LAN, GONE}, {LAN, ANSWERS}}, "reserved-overlap unverified\n"},
    {"another host's output is of no account", {{LATENT, ANSWERS}, {LAN, ANSWERS}},
	{{LAN, ANSWERS}, {LAN, HANGS}}, "reserved-overlap resolved\n"},
    {"a host is back", {{LAN, LOST}, {LAN, ANSWERS}}, {{LAN, ANSWERS}, {LAN, ANSWERS}},
	"host-unreachable resolved\n"},
    {"one of two networks is left", {{LATENT SECOND, ANSWERS}, {LAN, ANSWERS}},
	{{LATENT, ANSWERS}, {LAN, ANSWERS}}, "reserved-overlap new\nreserved-overlap now F1\n"},
    {"another host has it, too", {{LATENT, ANSWERS}, {LAN, ANSWERS}},
	{{LATENT, ANSWERS}, {LATENT, ANSWERS}}, "reserved-overlap new\nreserved-overlap now F1\n"},
};

static void build(struct scene *s, const struct side sides[2], const struct scene *baseline)
{
	static const char *const names[] = {"h1", "h2"};

	scene_begin(s, "", "192.168.0.0/16=vpc");
	for (size_t h = 0; h < 2; h++) {
		if (sides[h].how == GONE)
			continue;
		struct host_record *record = scene_host(s, names[h]);
		if (sides[h].how == LOST) {
			record->status = HOST_CONNECT_TIMEOUT;
			record->error = "no answer";
			continue;
		}
		scene_probe(record, "host", "Linux 6.1.0 x86_64\n");
		if (sides[h].how == HANGS)
			scene_fail(record, "routes", PROBE_TIMEOUT);
		else
			scene_probe(record, "routes", sides[h].routes);
	}
	scene_diagnose_since(s, baseline);
}

static void print_states(const struct diagnosis *d, struct buf *out)
{
	for (size_t i = 0; i < d->n_findings; i++)
		buf_printf(
		    out, "%s %s\n", d->findings[i].rule, finding_state_name(d->findings[i].state));
	for (size_t i = 0; i < d->n_gone; i++)
		buf_printf(out, "%s %s%s\n", d->gone[i].finding->rule,
		    d->gone[i].now != NULL ? "now "
		    : d->gone[i].resolved  ? "resolved"
					   : "unverified",
		    d->gone[i].now != NULL ? d->gone[i].now->id : "");
}

static void test_states(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct scene before, after;
		struct buf got = {0};
		build(&before, cases[i].before, NULL);
		build(&after, cases[i].after, &before);
		print_states(after.d, &got);
		if (strcmp(buf_str(&got), cases[i].states) != 0)
			print_error("case: %s\n", cases[i].name);
		assert_string_equal(buf_str(&got), cases[i].states);
		buf_free(&got);
		scene_free(&after);
		scene_free(&before);
	}
}

#define PING(reply, n, loss)                                                                       \
	"PING db.example (10.9.0.6) 56(84) bytes of data.\n" reply                                 \
	"\n--- db.example ping statistics ---\n3 packets transmitted, " n " received, " loss       \
	"% packet loss, time 600ms\n"
#define ANSWERED PING("64 bytes from 10.9.0.6: icmp_seq=1 ttl=60 time=1.1 ms\n", "3", "0")
#define SILENT PING("", "0", "100")

/* A target's address against the baseline's. */
static void test_dns_changed(void **state)
{
	static const struct {
		const char *name, *then, *now, *ping; /* of h1; h2 is as h1, but always answered */
		const char *findings;
	} rows[] = {
	    {"as before", "10.9.0.6 STREAM\n", "10.9.0.6 STREAM\n", ANSWERED, ""},
	    {"moved, and all reach it", "10.9.0.5 STREAM\n", "10.9.0.6 STREAM\n", ANSWERED,
		"dns-changed info h1,h2\n"},
	    {"moved, and one does not reach it", "10.9.0.5 STREAM\n", "10.9.0.6 STREAM\n", SILENT,
		"dns-changed medium h1,h2\ntarget-unreachable medium h1\n"},
	    {"one of several rotates", "10.9.0.5 STREAM\n10.9.0.6 STREAM\n",
		"10.9.0.6 STREAM\n10.9.0.7 STREAM\n", ANSWERED, ""},
	    {"not known then", NULL, "10.9.0.6 STREAM\n", ANSWERED, ""},
	    {"not known now", "10.9.0.5 STREAM\n", NULL, NULL, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct scene then, now;
		scene_begin(&then, "db.example", "");
		scene_begin(&now, "db.example", "");
		for (int h = 1; h <= 2; h++) {
			const char *name = h == 1 ? "h1" : "h2";
			struct host_record *a = scene_host(&then, name),
					   *b = scene_host(&now, name);
			scene_probe(b, "routes", LAN);
			if (rows[i].then != NULL)
				scene_probe(a, "dns:db.example", rows[i].then);
			if (rows[i].now != NULL)
				scene_probe(b, "dns:db.example", rows[i].now);
			if (rows[i].ping != NULL)
				scene_probe(b, "ping:db.example", h == 1 ? rows[i].ping : ANSWERED);
		}
		scene_diagnose(&then);
		scene_diagnose_since(&now, &then);
		if (strcmp(scene_findings(&now), rows[i].findings) != 0)
			print_error("case: %s\n", rows[i].name);
		assert_string_equal(scene_findings(&now), rows[i].findings);
		scene_free(&now);
		scene_free(&then);
	}
}

/* What is absent has no line to quote: it is mended only where all was read again. */
static void test_without_evidence(void **state)
{
	static const struct {
		const char *name, *routes, *daemon; /* of h1 in the second run; NULL: timed out */
		const char *states;
	} rows[] = {
	    {"mended", LAN, "{\"default-address-pools\":[{\"base\":\"10.9.0.0/16\",\"size\":24}]}",
		"route-outlier resolved\npools-differ resolved\n"},
	    {"the routes were not read", NULL,
		"{\"default-address-pools\":[{\"base\":\"10.9.0.0/16\",\"size\":24}]}",
		"route-outlier unverified\npools-differ resolved\n"},
	    {"daemon.json was not read", LAN, NULL,
		"route-outlier unverified\npools-differ unverified\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct scene then, now;
		struct buf got = {0};
		scene_begin(&then, "", "192.168.0.0/16");
		scene_begin(&now, "", "192.168.0.0/16");
		for (int h = 1; h <= 3; h++) {
			char name[16];
			snprintf(name, sizeof name, "h%d", h);
			struct host_record *a = scene_host(&then, name),
					   *b = scene_host(&now, name);
			scene_probe(a, "routes",
			    h == 1 ? "10.1.0.0/24 dev eth0 scope link src 10.1.0.7 \n" : LAN);
			scene_probe(a, "docker_daemon", h == 1 ? "{}" : rows[0].daemon);
			scene_probe(b, "host", "Linux 6.1.0 x86_64\n");
			if (h > 1 || rows[i].routes != NULL)
				scene_probe(b, "routes", LAN);
			else
				scene_fail(b, "routes", PROBE_TIMEOUT);
			if (h > 1 || rows[i].daemon != NULL)
				scene_probe(b, "docker_daemon", rows[0].daemon);
			else
				scene_fail(b, "docker_daemon", PROBE_TIMEOUT);
		}
		scene_diagnose(&then);
		scene_diagnose_since(&now, &then);
		print_states(now.d, &got);
		if (strcmp(buf_str(&got), rows[i].states) != 0)
			print_error("case: %s\n", rows[i].name);
		assert_string_equal(buf_str(&got), rows[i].states);
		buf_free(&got);
		scene_free(&now);
		scene_free(&then);
	}
}

static void write_verdict(const struct diagnosis *d, struct buf *out)
{
	terminal_write_verdict(d, false, out);
}

/* Every report says it where there is a baseline, and nothing of it where there is none. */
static void test_reports(void **state)
{
	static const struct side before[] = {{LATENT, ANSWERS}, {LAN, ANSWERS}};
	static const struct side after[] = {{MOVED, ANSWERS}, {LAN, ANSWERS}};
	static void (*const writers[])(const struct diagnosis *d, struct buf *out) = {
	    findings_write, html_write, markdown_write, write_verdict};
	struct scene first, second;

	(void)state;
	build(&first, before, NULL);
	build(&second, after, &first);
	for (size_t i = 0; i < sizeof writers / sizeof *writers; i++) {
		struct buf alone = {0}, beside = {0};
		writers[i](first.d, &alone);
		writers[i](second.d, &beside);
		assert_null(strstr(buf_str(&alone), "resolved"));
		assert_non_null(strstr(buf_str(&beside), "resolved"));
		assert_non_null(strstr(buf_str(&beside), "new"));
		assert_non_null(strstr(buf_str(&beside), "192.168.32.0/20"));
		buf_free(&alone);
		buf_free(&beside);
	}
	scene_free(&second);
	scene_free(&first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_states),
	    cmocka_unit_test(test_without_evidence),
	    cmocka_unit_test(test_dns_changed),
	    cmocka_unit_test(test_reports),
	};

	return cmocka_run_group_tests_name("since", tests, NULL, NULL);
}
