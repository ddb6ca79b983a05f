/*
 * Outputs that are read without a host: what `parse` and `lookup` make of text that says nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "drive.h"

#define TABLE "tests/fixtures/parse/routes/ip-route.txt"
#define RULES "tests/fixtures/parse/rules/ip-rule.txt"

static const struct {
	const char *command;
	int status;
	const char *out; /* begins stdout; NULL: nothing may be there */
} rows[] = {
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

static void test_nothing_understood(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		print_message("             %s\n", rows[i].command);
		assert_int_equal(drive(rows[i].command), rows[i].status);
		struct buf out = drive_read(drive_path("%D/stdout"));
		if (rows[i].out == NULL)
			assert_int_equal(out.n, 0);
		else
			assert_true(view_starts(buf_view(&out), rows[i].out));
		buf_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nothing_understood),
	};

	return cmocka_run_group_tests_name("read", tests, NULL, NULL);
}
