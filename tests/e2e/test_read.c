/*
 * Outputs that are read without a host: what `parse` and `lookup` make of text that says nothing,
 * and `lookup` and `diff` of runs in which something is not known.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "drive.h"

#define TABLE "tests/fixtures/parse/routes/ip-route.txt"
#define RULES "tests/fixtures/parse/rules/ip-rule.txt"

/* Runs of one host each: h1 with IPv4 routes; not reached; h2; h1 without routes. */
#define RECORD(name, status, probes)                                                               \
	"{\"host\":\"" name "\",\"address\":\"10.1.0.7\",\"status\":\"" status                     \
	"\",\"probes\":[" probes "]}"
#define PROBE(name, out)                                                                           \
	"{\"name\":\"" name "\",\"status\":\"ok\",\"exit\":0,\"stdout\":\"" out "\"}"
#define RUN(dir, record)                                                                           \
	"mkdir -p %D/" dir "; echo '{\"schema\":\"oddhost.run/1\",\"hosts\":1}' >%D/" dir          \
	"/run.json; printf '%s\\n' '" record "' >%D/" dir "/hosts.jsonl; "
#define MAKE_RUNS                                                                                  \
	RUN("one", RECORD("h1", "ok", PROBE("routes", "default via 10.1.0.1 dev eth0")))           \
	RUN("two", RECORD("h1", "connect-timeout", ""))                                            \
	RUN("three", RECORD("h2", "ok", PROBE("host", "Linux 6.1.0 x86_64")))                      \
	RUN("four", RECORD("h1", "ok", PROBE("host", "Linux 6.1.0 x86_64")))

struct row {
	const char *command;
	int status;
	const char *out; /* begins stdout; NULL: nothing may be there */
};

static const struct row rows[] = {
    {"%O lookup --routes " TABLE " 10.9.0.9", 0, "10.9.0.9: "},
    {"printf 'default via \\033[35m10.0.0.1 \\033[0mdev eth0\\n' | %O lookup --routes - 8.8.8.8", 0,
	"8.8.8.8: default via 10.0.0.1 dev eth0\n"},
    {"echo garbage | %O lookup --routes - 8.8.8.8", 3, NULL},
    {"echo garbage | %O lookup --json --routes - 8.8.8.8", 3, NULL},
    {"%O lookup --routes /dev/null 8.8.8.8", 3, NULL},
    {"%O lookup --routes " TABLE " --rules /dev/null 8.8.8.8", 3, NULL},
    {"echo garbage | %O lookup --routes " TABLE " --rules - 8.8.8.8", 3, NULL},
    {"%O lookup --routes /nowhere 8.8.8.8", 2, NULL},
    {"printf 'Destination Gateway Genmask Flags Metric Ref Use Iface\\nx\\n' | "
     "%O lookup --routes - 8.8.8.8",
	3, NULL},
    /* A family that is not in the listing is not known, and no answer. */
    {"%O lookup --routes " TABLE " 2001:db8::1", 3, "2001:db8::1: not known"},
    {"%O lookup --json --routes " TABLE " 2001:db8::1 | grep -c 'reason\":.*\"unknown\"'", 0,
	"1\n"},
    {"%O lookup --json --routes " TABLE " 10.9.0.9 | grep -c 'uncertain\":.*false'", 0, "1\n"},
    {"printf 'default via 10.0.0.1 dev eth0\\nnonsense\\n' | %O lookup --json --routes - 8.8.8.8 | "
     "grep -c 'uncertain\":.*true'",
	0, "1\n"},
    {"echo '[]' | %O lookup --routes - 8.8.8.8", 0, "8.8.8.8: no-route\n"},
    {"%O parse rules " RULES, 0, "{"},
    {"printf 'default dev \\033[36meth0\\033[0m\\n' | %O parse routes | grep '\"eth0\"'", 0, "\t"},
    {"echo garbage | %O parse routes", 3, "{\n\t\"routes\":\tnull\n}"},
    {"echo garbage | %O parse host", 3, "{"},
    {"echo garbage | %O parse sysctl", 3, "{"},
    {"echo garbage | %O parse ping", 3, "{"},
    {"echo garbage | %O parse docker-info", 3, "{"},
    {"echo garbage | %O parse docker-daemon", 3, "{"},
    {"echo '{}' | %O parse docker-daemon", 0, "{"},
    {"%O parse docker-networks /dev/null", 3, "{\n\t\"networks\":\tnull\n}"},
    {"%O parse dns /dev/null", 3, "{\n\t\"addresses\":\tnull,\n\t\"failed\":\tnull\n}"},
    {"echo '[[]]' | %O parse docker-ps 2>&1 >/dev/null | grep -c expected", 0, "1\n"},
    {"echo '[[]]' | %O parse addrs 2>&1 >/dev/null | grep -c expected", 0, "1\n"},
    {"printf '1: lo: <UP> mtu 65536 qdisc noqueue state UP mode DEFAULT\\n    link/loopback\\n' | "
     "%O parse addrs",
	3, "{\n\t\"addresses\":\tnull\n}"},
    {"%O parse egress /dev/null", 0, "{\n\t\"egress\":\t[]\n}"},
    {"%O parse nothing /dev/null", 2, NULL},
    {"%O parse --help | grep -c 'docker-networks  docker network ls'", 0, "1\n"},
};

/* What cannot be looked up or compared is not known, and never none or alike. */
static const struct row run_rows[] = {
    {"%O lookup %D/one h1 10.9.0.9", 0, "10.9.0.9: default via 10.1.0.1"},
    {"%O lookup %D/one h1 10.9.0.9 2001:db8::1", 3, "10.9.0.9: default via 10.1.0.1"},
    {"%O lookup %D/one h1 2001:db8::1", 3, "2001:db8::1: not known"},
    {"%O lookup %D/two h1 10.9.0.9", 3, NULL},
    {"%O diff %D/one %D/one", 0, "Nothing differs between the two runs on the 1 host"},
    {"%O diff %D/one %D/two", 3, "h1: not compared: not examined in one of the runs"},
    {"%O diff --json %D/one %D/two", 3, "[]"},
    {"%O diff %D/one %D/three", 3, "h1: not compared: only in the first run"},
    {"%O diff %D/two h1 h1", 3, "h1: not compared: nothing is known of it"},
    {"%O diff %D/one %D/four | grep 'h1 after'", 0,
	"not known, or not all of it, of h1 after: route"},
};

static void play(const struct row *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		print_message("             %s\n", v[i].command);
		assert_int_equal(drive(v[i].command), v[i].status);
		struct buf out = drive_read(drive_path("%D/stdout"));
		if (v[i].out == NULL)
			assert_int_equal(out.n, 0);
		else
			assert_true(view_starts(buf_view(&out), v[i].out));
		buf_free(&out);
	}
}

static void test_nothing_understood(void **state)
{
	(void)state;
	play(rows, sizeof rows / sizeof *rows);
}

static void test_nothing_known(void **state)
{
	(void)state;
	assert_int_equal(drive(MAKE_RUNS "true"), 0);
	play(run_rows, sizeof run_rows / sizeof *run_rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nothing_understood),
	    cmocka_unit_test(test_nothing_known),
	};

	return cmocka_run_group_tests_name("read", tests, NULL, NULL);
}
