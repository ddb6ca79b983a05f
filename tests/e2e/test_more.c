/*
 * What the plain tests cannot ask for: another program's word for the same question (the kernel,
 * Ansible), a browser, and another user. Where one is missing the test says so and is skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "drive.h"

static const char *const hosts[] = {"host-pre", "host-01", "host-02", "host-03"};

#define HOSTS (sizeof hosts / sizeof *hosts)

/* Skip the test where the command fails: what it checks is not there. */
static void need(const char *command, const char *what)
{
	if (drive(command) != 0) {
		print_message("             skipped: %s\n", what);
		skip();
	}
}

static struct json *read_json(const char *path)
{
	struct buf content = drive_read(drive_path(path));
	struct err err;
	struct json *root = json_parse(buf_view(&content), &err);

	if (root == NULL)
		fail_msg("%s: %s", path, err.text);
	buf_free(&content);
	return root;
}

/* The kernel's choice for an address must be the one of `oddhost lookup`. */
#define ADDRESSES                                                                                  \
	"192.168.0.166 192.168.15.254 192.168.16.1 192.168.40.2 192.168.73.253 192.168.73.12 "     \
	"172.17.0.9 172.18.255.254 172.19.0.77 172.19.1.1 172.28.3.4 8.8.8.8 127.0.0.1 10.1.2.3"

/* Of a multipath route every next hop is shown. */
static void test_lookup_shows_every_hop(void **state)
{
	(void)state;
	assert_int_equal(drive("%O lookup --json --routes tests/fixtures/parse/routes/more-ip.txt "
			       "8.8.8.8 10.5.0.1"),
	    0);
	struct json *root = read_json("%D/stdout");
	const struct json *row = json_first(root), *hops = json_get(row, "hops");
	assert_int_equal(json_size(hops), 2);
	assert_string_equal(json_get_string(json_first(hops), "dev", ""), "eth0");
	assert_string_equal(json_get_string(json_next(json_first(hops)), "dev", ""), "eth1");
	assert_null(json_get(json_next(row), "hops"));
	json_free(root);
}

/* `lookup` on one listing of the host's routes, against what the kernel answered there. */
static void check_listing(const char *host, const char *listing)
{
	char command[512];
	size_t n = 0;

	snprintf(command, sizeof command,
	    "%%O lookup --json --routes %%D/kernel/%s.%s --rules %%D/kernel/%s.rules " ADDRESSES,
	    host, listing, host);
	assert_int_equal(drive(command), 0);
	struct json *ours = read_json("%D/stdout");
	const struct json *row = json_first(ours);
	snprintf(command, sizeof command, "%%D/kernel/%s.get", host);
	struct buf text = drive_read(drive_path(command));
	struct view lines = buf_view(&text), line;

	while (view_next_line(&lines, &line)) {
		struct err err;
		struct json *kernel = json_parse(line, &err);
		const struct json *answer = json_first(kernel), *route = json_get(row, "route");
		const char *dev = json_get_string(answer, "dev", "(none)");
		const char *gateway = json_get_string(answer, "gateway", "(on-link)");
		/* For its own addresses the kernel names lo, the table their interface. */
		if (strcmp(json_get_string(answer, "type", ""), "local") == 0)
			assert_string_equal(json_get_string(route, "type", ""), "local");
		else
			assert_string_equal(json_get_string(route, "dev", "(none)"), dev);
		assert_string_equal(json_get_string(route, "gateway", "(on-link)"), gateway);
		json_free(kernel);
		row = json_next(row);
		n++;
	}
	assert_null(row);
	assert_int_equal(n, 14);
	buf_free(&text);
	json_free(ours);
}

static void test_lookup_agrees_with_the_kernel(void **state)
{
	(void)state;
	need("unshare -n ip link show lo || unshare -rn ip link show lo",
	    "no network namespace can be made here, or there is no ip");
	assert_int_equal(drive("rm -rf %D/kernel; mkdir %D/kernel"), 0);
	assert_int_equal(drive("tests/e2e/kernel.sh %D/kernel " ADDRESSES), 0);

	for (size_t i = 0; i < HOSTS; i++) {
		check_listing(hosts[i], "routes");
		check_listing(hosts[i], "json");
	}
}

static void ask_oracle(const char *command)
{
	int code = drive(command);
	struct buf log = drive_read(drive_path("%D/stdout"));

	if (code != 0) {
		struct buf errors = drive_read(drive_path("%D/stderr"));
		fail_msg("%s%s", buf_str(&log), buf_str(&errors));
	}
	print_message("             %s", buf_str(&log)); /* the seed */
	buf_free(&log);
}

/* Ansible must read the same from our inventories, from the fixtures, and from generated ones. */
static void test_inventory_agrees_with_ansible(void **state)
{
	(void)state;
	need("ansible-inventory --version", "there is no ansible-inventory");
	ask_oracle("tests/oracle_inventory.py %O");
}

/* ssh must say the same about our reading of its configuration, jump hosts included. */
static void test_ssh_config_agrees_with_ssh(void **state)
{
	(void)state;
	need("ssh -V", "there is no ssh");
	ask_oracle("tests/oracle_ssh_config.py %O");
}

/* Limits must select what Ansible and ClusterShell select, and lists be folded as nodeset does. */
static void test_limits_agree_with_ansible_and_clustershell(void **state)
{
	(void)state;
	need("ansible-inventory --version", "there is no ansible-inventory");
	need("nodeset --version", "there is no nodeset");
	ask_oracle("tests/oracle_limit.py %O");
}

/* A browser without a network shows the report, and finds nothing in it to complain about. */
static void test_report_opens_in_a_browser(void **state)
{
	(void)state;
	need("chromium --version", "there is no chromium");
	assert_int_equal(drive("rm -rf %D/shown; %O run -i %D/demo.ini -l api -o %D/shown"), 1);
	if (drive("tests/report_browser.sh %D/shown/report.html") != 0) {
		struct buf log = drive_read(drive_path("%D/stderr"));
		fail_msg("%s", buf_str(&log));
	}
	assert_int_equal(drive("tests/report_browser.sh"), 0);
}

/* Root runs the demo as a user without a name, privileges, or access to the checkout. */
static void test_demo_as_another_user(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		print_message("             skipped: only root can become another user\n");
		skip();
	}
	assert_int_equal(
	    drive(
		"d=$(mktemp -d) && trap 'rm -rf \"$d\"' EXIT"
		" && mkdir -p \"$d/.build/sshd/usr\" \"$d/reports\""
		" && cp -R inventory tests \"$d\" && cp %O \"$d/oddhost\""
		" && { [ ! -d .build/sshd ] || cp -R .build/sshd/usr/sbin \"$d/.build/sshd/usr\"; }"
		" && sed -i \"s/47222/$((ODDHOST_REPLAY_PORT + 1))/\" \"$d/inventory/demo.ini\""
		" && chown -R 54321:54321 \"$d\" && cd \"$d\""
		" && env ODDHOST_REPLAY_PORT=$((ODDHOST_REPLAY_PORT + 1)) HOME=\"$d\""
		" setpriv --reuid=54321 --regid=54321 --clear-groups tests/replay/demo.sh "
		"./oddhost"),
	    0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lookup_shows_every_hop),
	    cmocka_unit_test(test_lookup_agrees_with_the_kernel),
	    cmocka_unit_test(test_inventory_agrees_with_ansible),
	    cmocka_unit_test(test_limits_agree_with_ansible_and_clustershell),
	    cmocka_unit_test(test_ssh_config_agrees_with_ssh),
	    cmocka_unit_test(test_report_opens_in_a_browser),
	    cmocka_unit_test(test_demo_as_another_user),
	};

	return cmocka_run_group_tests_name("with other programs and users", tests, NULL, NULL);
}
