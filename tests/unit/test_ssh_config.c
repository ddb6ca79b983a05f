#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "oddhost/base/file.h"
#include "oddhost/inventory/ssh_config.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct ssh_local local = {.user = "me", .home = "/home/me", .host = "here.org"};

static struct ssh_config *read_config(struct inventory *inv, const char *text)
{
	struct ssh_config *config = ssh_config_new(inv, inv->arena, &local);

	ssh_config_read(config, view_of(text), "config", false);
	return config;
}

static void test_the_first_value_that_holds_wins(void **state)
{
	static const struct {
		const char *text, *port; /* of host web-1; NULL: not set */
	} rows[] = {
	    {"Port 1\nPort 2\n", "1"},
	    {"  pOrT\t=\t1  # c\r\n", "1"},
	    {"Port=1", "1"},
	    {"Port \"1\"", "1"},
	    {"Host web-1\nPort 1\n", "1"},
	    {"Host x web-1\nPort 1\n", "1"},
	    {"Host \"x y\" 'web-1'\nPort 1\n", "1"},
	    {"Host web\nPort 1\nHost *\nPort 2\n", "2"},
	    {"Host WEB-1\nPort 1\n", NULL},
	    {"Host w*b-? !web-1\nPort 1\n", NULL},
	    {"Host !web-2\nPort 1\n", NULL},
	    {"Host * !web-2\nPort 1\n", "1"},
	    {"Host web-1,x\nPort 1\n", NULL},
	    {"Host x # web-1\nPort 1\n", NULL},
	    {"Match all\nPort 1\n", "1"},
	    {"Match !all\nPort 1\n", NULL},
	    {"Match host WEB-*\nPort 1\n", "1"},
	    {"Match host=web-*,!web-1\nPort 1\n", NULL},
	    {"Match host real\nPort 1\nHost *\nHostName real\nMatch host real\nPort 2\n", "2"},
	    {"HostName real\nMatch originalhost web-1 host real\nPort 1\n", "1"},
	    {"Match user me localuser m?\nPort 1\n", "1"},
	    {"User you\nMatch user me\nPort 1\n", NULL},
	    {"Match !user you\nPort 1\n", "1"},
	    {"Match canonical\nPort 1\nMatch !final\nPort 2\n", "2"},
	    {"Match final\nPort 1\nHost real\nPort 2\nHost web-1\nHostName real\n", "1"},
	    {"Match final host x\nPort 1\nHost real\nPort 2\nHost web-1\nHostName real\n", "2"},
	    {"Match exec \"echo Port 1\"\nPort 1\n", NULL},
	    {"Match !exec false\nPort 1\n", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct inventory *inv = inventory_new();
		struct ssh_config *config = read_config(inv, rows[i].text);
		struct ssh_options options = {0};
		ssh_config_apply(config, "web-1", &options);
		const char *port = ssh_option_text(&options, SSH_PORT, "none");
		if (strcmp(port, rows[i].port ? rows[i].port : "none") != 0 || inv->errors.n != 0)
			fail_msg("%s: got %s, %zu errors", rows[i].text, port, inv->errors.n);
		ssh_config_free(config);
		inventory_free(inv);
	}
}

static void test_a_bad_line_is_said_and_the_rest_stands(void **state)
{
	static const struct {
		const char *line, *error; /* NULL: a warning */
		const char *warning;
	} rows[] = {
	    {"Port 0", "Port: expected a port from 1 to 65535", NULL},
	    {"Port", "Port: expected a value", NULL},
	    {"Port 1 2", "Port: expected one value only", NULL},
	    {"User \"x", "User: expected a closing \"", NULL},
	    {"Compression \"x", "Compression: expected a closing \"", NULL},
	    {"StrictHostKeyChecking hm", "StrictHostKeyChecking: expected yes, ask", NULL},
	    {"IdentitiesOnly hm", "IdentitiesOnly: expected yes or no", NULL},
	    {"ProxyJump a, b", "ProxyJump: expected hosts separated by commas, without", NULL},
	    {"ProxyJump a,,b", "ProxyJump: expected [user@]host[:port]", NULL},
	    {"UserKnownHostsFile none /x", "UserKnownHostsFile: expected none to stand alone",
		NULL},
	    {"ConnectTimeout soon", "ConnectTimeout: expected a time", NULL},
	    {"User \x01", "line: expected UTF-8 without control characters", NULL},
	    {"User \xff", "line: expected UTF-8 without control characters", NULL},
	    {"Foo bar", NULL, "warning: 'Foo' is no option of ssh"},
	    {"Match exec true", NULL,
		"warning: Match exec is not evaluated (its command is never run): its lines are left"},
	    {"Match tagged x", NULL, "warning: Match tagged is not evaluated"},
	    {"Match foo x", "Match: expected all, host", NULL},
	    {"Match host", "Match: expected patterns behind 'host'", NULL},
	    {"Match all host x", "Match: expected nothing behind 'all'", NULL},
	    {"Host \"\"", "Host: expected no empty pattern", NULL},
	    {"Ciphers anything", NULL, NULL},
	    {"IgnoreUnknown F*\nFoo bar", NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[200];
		struct inventory *inv = inventory_new();
		struct ssh_options options = {0};
		snprintf(text, sizeof text, "# first\n%s\nHost *\nUser rest\n", rows[i].line);
		struct ssh_config *config = read_config(inv, text);
		ssh_config_apply(config, "h", &options);
		assert_string_equal(ssh_option_text(&options, SSH_USER, ""), "rest");
		assert_int_equal(inv->errors.n, rows[i].error != NULL);
		assert_int_equal(inv->warnings.n, rows[i].warning != NULL);
		const char *expected = rows[i].error != NULL ? rows[i].error : rows[i].warning;
		const struct diag_list *list = rows[i].error ? &inv->errors : &inv->warnings;
		if (expected != NULL) {
			assert_int_equal(list->items[0].line, 2);
			assert_string_equal(list->items[0].source, "config");
			if (strncmp(list->items[0].text, expected, strlen(expected)) != 0)
				fail_msg("%s: got %s", rows[i].line, list->items[0].text);
		}
		ssh_config_free(config);
		inventory_free(inv);
	}
}

static void test_host_name_and_identities(void **state)
{
	struct inventory *inv = inventory_new();
	struct ssh_config *config = read_config(inv,
	    "Host Web\nHostName %h.Example.Org\nIdentityFile a\nHost *\nIdentityFile b\n"
	    "IdentityFile a\nProxyCommand none\nProxyJump x\n");
	struct ssh_options options = {0};

	(void)state;
	assert_string_equal(ssh_config_apply(config, "Web", &options), "web.example.org");
	assert_int_equal(options.n_identities, 2);
	assert_string_equal(options.identities[1]->words[0], "b");
	assert_int_equal(options.identities[1]->line, 5);
	assert_null(options.value[SSH_PROXY_JUMP]);
	options = (struct ssh_options){0};
	assert_string_equal(ssh_config_apply(config, "2001:DB8::0:1", &options), "2001:db8::1");
	assert_int_equal(options.n_identities, 2);
	ssh_config_free(config);
	inventory_free(inv);
}

/* As libc reads addresses, and `ssh -G` prints them. */
static void test_old_forms_of_addresses(void **state)
{
	static const struct {
		const char *name, *address;
	} rows[] = {
	    {"0x7f.1", "127.0.0.1"},
	    {"1.2.3", "1.2.0.3"},
	    {"010.0.0.1", "8.0.0.1"},
	    {"17", "0.0.0.17"},
	    {"1.2.3.256", "1.2.3.256"},
	    {"0xG.1", "0xg.1"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct inventory *inv = inventory_new();
		struct ssh_config *config = read_config(inv, "Host nobody\n");
		struct ssh_options options = {0};
		assert_string_equal(
		    ssh_config_apply(config, rows[i].name, &options), rows[i].address);
		ssh_config_free(config);
		inventory_free(inv);
	}
}

static char dir[] = "/tmp/oddhost-ssh-XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) == NULL;
}

static int remove_dir(void **state)
{
	static const char *const names[] = {"main", "a.inc", "b.inc", "self"};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		char path[100];
		snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		unlink(path);
	}
	return rmdir(dir);
}

static const char *write_file(struct arena *arena, const char *name, mode_t mode, const char *text)
{
	const char *path = arena_printf(arena, "%s/%s", dir, name);
	struct err err;

	if (!file_write(path, mode, view_of(text), &err))
		fail_msg("%s", err.text);
	assert_int_equal(chmod(path, mode), 0);
	return path;
}

static void test_included_files_hold_where_they_are_included(void **state)
{
	struct inventory *inv = inventory_new();
	struct ssh_config *config = ssh_config_new(inv, inv->arena, &local);
	struct ssh_options web = {0}, db = {0};
	struct arena *arena = inv->arena;

	(void)state;
	write_file(arena, "a.inc", 0600, "Port 1\nHost nobody\nUser nobody\n");
	write_file(arena, "b.inc", 0600, "HostKeyAlias b\n");
	const char *path = write_file(arena, "main", 0600,
	    arena_printf(arena, "Host web\nInclude %s/*.inc %s/missing\nUser web\nHost *\nPort 2\n",
		dir, dir));
	ssh_config_load(config, path);
	ssh_config_apply(config, "web", &web);
	ssh_config_apply(config, "db", &db);
	assert_string_equal(ssh_option_text(&web, SSH_PORT, ""), "1");
	assert_string_equal(ssh_option_text(&web, SSH_USER, ""), "web");
	assert_string_equal(ssh_option_text(&web, SSH_HOST_KEY_ALIAS, ""), "b");
	assert_string_equal(ssh_option_text(&db, SSH_PORT, ""), "2");
	assert_null(db.value[SSH_USER]);
	assert_null(db.value[SSH_HOST_KEY_ALIAS]);
	assert_true(strcmp(web.value[SSH_PORT]->source, path) != 0);
	assert_int_equal(inv->errors.n, 0);
	ssh_config_free(config);
	inventory_free(inv);
}

static void test_files_that_cannot_be_used(void **state)
{
	struct inventory *inv = inventory_new();
	struct ssh_config *config = ssh_config_new(inv, inv->arena, &local);
	struct arena *arena = inv->arena;

	(void)state;
	ssh_config_load_usual(config); /* /home/me/.ssh/config is not there */
	assert_int_equal(inv->errors.n, 0);
	ssh_config_load(config, "/nonexistent/config");
	assert_int_equal(inv->errors.n, 1);
	/* Twice itself: without a bound, 2^16 files. */
	const char *self = write_file(arena, "self", 0600,
	    arena_printf(arena, "Include %s/self %s/self\nPort 1\n", dir, dir));
	ssh_config_load(config, self);
	assert_true(inv->errors.n > 1);
	ssh_config_free(config);

	size_t before = inv->errors.n;
	config = ssh_config_new(inv, inv->arena, &local);
	const char *loose = write_file(arena, "a.inc", 0666, "Port 1\n");
	ssh_config_load(
	    config, write_file(arena, "main", 0600, arena_printf(arena, "Include %s\n", loose)));
	assert_int_equal(inv->errors.n, before + 1);
	struct ssh_options options = {0};
	ssh_config_apply(config, "h", &options);
	assert_null(options.value[SSH_PORT]);
	ssh_config_free(config);
	inventory_free(inv);
}

static void test_a_proxy_command_may_be_a_jump(void **state)
{
	static const struct {
		const char *command, *jump;
	} rows[] = {
	    {"ssh -W %h:%p gw", "gw"},
	    {"ssh gw -W [%h]:%p", "gw"},
	    {"exec /usr/bin/ssh -q -W '%h:%p' ops@gw.example.org", "ops@gw.example.org"},
	    {"ssh -a -x -T -p 2022 -lops -W%h:%p gw", "ops@gw:2022"},
	    {"ssh -W %h:%p %r@gw-%h", "%r@gw-%h"},
	    {"ssh -p2022 -l a -W %h:%p b@gw", "a@gw:2022"},
	    {"ssh -W %h:22 gw", NULL},
	    {"ssh -W %h:%p", NULL},
	    {"ssh gw", NULL},
	    {"ssh gw nc %h %p", NULL},
	    {"ssh -W %h:%p gw extra", NULL},
	    {"ssh -i key -W %h:%p gw", NULL},
	    {"ssh -o User=x -W %h:%p gw", NULL},
	    {"ssh -W %h:%p -p 0 gw", NULL},
	    {"ssh -W %h:%p gw 2>/dev/null", NULL},
	    {"ssh -W %h:%p $(gw)", NULL},
	    {"ssh -W %h:%p gw:22", NULL},
	    {"ssh -W %h:%p 'gw", NULL},
	    {"ssh -W", NULL},
	    {"nc %h %p", NULL},
	    {"none", NULL},
	    {"", NULL},
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *jump = ssh_option_proxy_jump(arena, rows[i].command);
		if ((jump == NULL) != (rows[i].jump == NULL) ||
		    (jump != NULL && strcmp(jump, rows[i].jump) != 0))
			fail_msg("%s: got %s", rows[i].command, jump == NULL ? "none" : jump);
	}
	arena_free(arena);
}

static void test_times(void **state)
{
	static const struct {
		const char *text;
		unsigned seconds;
	} rows[] = {{"", 0}, {"none", 0}, {"90", 90}, {"1m30", 90}, {"1M30S", 90}, {"2h", 7200},
	    {"1w1d", 691200}, {"99999999999999999999w", UINT_MAX}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(ssh_option_seconds(rows[i].text), rows[i].seconds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_the_first_value_that_holds_wins),
	    cmocka_unit_test(test_a_bad_line_is_said_and_the_rest_stands),
	    cmocka_unit_test(test_host_name_and_identities),
	    cmocka_unit_test(test_old_forms_of_addresses),
	    cmocka_unit_test(test_included_files_hold_where_they_are_included),
	    cmocka_unit_test(test_files_that_cannot_be_used),
	    cmocka_unit_test(test_a_proxy_command_may_be_a_jump),
	    cmocka_unit_test(test_times),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
