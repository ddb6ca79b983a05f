#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "oddhost/base/file.h"
#include "oddhost/cli/resume.h"
#include "oddhost/cli/scope.h"

static const struct command command = {.name = "run", .args = "", .options = "i l"};

static char path[] = "/tmp/oddhost-scope-XXXXXX";

static int write_inventory(void **state)
{
	static const char text[] = "[api-hosts]\nh1 ansible_user=ops ansible_port=2222\nh2\n"
				   "[api-hosts:vars]\nansible_ssh_private_key_file=/k\n"
				   "oddhost_targets=db:3306\noddhost_reserved=10.0.0.0/8=office\n"
				   "[other]\no1 oddhost_targets=a/b\n";
	int fd = mkstemp(path);
	bool ok = fd >= 0 && file_write_all(fd, view_of(text));

	(void)state;
	close(fd);
	return !ok;
}

static int remove_inventory(void **state)
{
	(void)state;
	return unlink(path);
}

static bool load(struct options options, struct scope *ret)
{
	const char *files[] = {path};

	options.inventories = files;
	options.n_inventories = 1;
	return scope_load(&command, &options, ret);
}

static void test_the_inventory_says_how_hosts_are_reached(void **state)
{
	struct scope scope;

	(void)state;
	assert_true(load((struct options){.limit = "api-hosts"}, &scope));
	assert_int_equal(scope.n_hosts, 2);
	assert_string_equal(scope.hosts[0].user, "ops");
	assert_int_equal(scope.hosts[0].port, 2222);
	assert_string_equal(scope.hosts[1].identities[0], "/k");
	assert_null(scope.hosts[1].user);
	assert_int_equal(scope.n_targets, 1);
	assert_string_equal(scope.targets[0].name, "db");
	assert_int_equal(scope.n_reserved, 1);
	assert_string_equal(scope.reserved[0].name, "office");
	scope_free(&scope);
}

static void test_options_win_over_the_inventory(void **state)
{
	struct scope scope;

	(void)state;
	assert_true(load(
	    (struct options){
		.limit = "h1", .user = "me", .private_key = "/mine", .known_hosts = "/known"},
	    &scope));
	assert_string_equal(scope.hosts[0].user, "me");
	assert_int_equal(scope.hosts[0].n_identities, 1);
	assert_string_equal(scope.hosts[0].identities[0], "/mine");
	assert_int_equal(scope.hosts[0].n_known_hosts, 1);
	assert_string_equal(scope.hosts[0].known_hosts[0], "/known");
	assert_int_equal(scope.hosts[0].port, 2222);
	scope_free(&scope);
}

static void test_the_group_can_be_a_file_name(void **state)
{
	static const struct {
		const char *limit, *group;
	} rows[] = {
	    {NULL, "all"},
	    {"api-hosts", "api-hosts"},
	    {"h1", "h1"},
	    {"api-hosts:!h2", "api-hosts-h2"},
	    {"~(h|o)1", "h-o-1"},
	    {"*", "all"},
	    {"h1,../../etc", "h1-etc"},
	};
	struct scope scope;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		load((struct options){.limit = rows[i].limit}, &scope);
		assert_string_equal(scope.group, rows[i].group);
		assert_null(strchr(scope.group, '/'));
		scope_free(&scope);
	}
}

static void test_trouble_ends_the_command(void **state)
{
	const struct options none = {0};
	struct scope scope;

	(void)state;
	assert_false(scope_load(&command, &none, &scope));
	scope_free(&scope);
	assert_false(load((struct options){.limit = "nix"}, &scope));
	scope_free(&scope);
	assert_false(load((struct options){.limit = "other"}, &scope)); /* its target is none */
	assert_int_equal(scope.n_hosts, 1);
	scope_free(&scope);
}

static void test_a_run_says_its_weakest_host_key_policy(void **state)
{
	static struct host_spec off = {.address = "j", .host_key = HOST_KEY_OFF};
	struct {
		struct host_spec host;
		const char *policy;
	} rows[] = {
	    {{.address = "h"}, "strict"},
	    {{.address = "h", .host_key = HOST_KEY_ACCEPT_NEW}, "accept-new"},
	    {{.address = "h", .host_key = HOST_KEY_ACCEPT_NEW, .jumps = &off, .n_jumps = 1}, "off"},
	    {{.address = "h", .host_key = HOST_KEY_OFF, .local = true}, "strict"},
	};
	const struct options none = {0};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct scope scope = {.arena = arena_new(), .hosts = &rows[i].host, .n_hosts = 1};
		struct run_meta meta = {0};
		const char *policy = NULL;
		resume_keep(&meta, &none, &scope);
		for (size_t k = 0; k < meta.n_options; k++) {
			if (strcmp(meta.options[k].name, "host-key-policy") == 0)
				policy = meta.options[k].value;
		}
		assert_string_equal(policy, rows[i].policy);
		arena_free(scope.arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_the_inventory_says_how_hosts_are_reached),
	    cmocka_unit_test(test_options_win_over_the_inventory),
	    cmocka_unit_test(test_the_group_can_be_a_file_name),
	    cmocka_unit_test(test_trouble_ends_the_command),
	    cmocka_unit_test(test_a_run_says_its_weakest_host_key_policy),
	};

	return cmocka_run_group_tests(tests, write_inventory, remove_inventory);
}
