#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/file.h"
#include "oddhost/inventory/connection.h"
#include "oddhost/inventory/hierarchy.h"
#include "oddhost/inventory/ini.h"
#include "oddhost/inventory/list.h"
#include "oddhost/inventory/targets.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct inventory *load(const char *text)
{
	struct inventory *inv = inventory_new();

	inv->source = "hosts.ini";
	ini_read(inv, view_of(text));
	hierarchy_finish(inv);
	return inv;
}

static void find(struct inventory *inv, size_t i, struct host_spec *ret)
{
	const struct connection_options options = {.ssh_config = "none"};
	struct connections *connections = connection_begin(inv, inv->arena, &options);
	struct ssh_options origins;

	connection_find(connections, inv->hosts[i], ret, &origins);
	connection_end(connections);
}

/* "user@address:port identities|known_hosts", '-' for what is not set. */
static const char *describe(struct inventory *inv)
{
	struct host_spec spec;
	struct buf out = {0};

	find(inv, 0, &spec);
	buf_printf(&out, "%s@%s:%u ", spec.user ? spec.user : "-", spec.address, spec.port);
	for (size_t i = 0; i < spec.n_identities; i++)
		buf_printf(&out, "%s%s", i ? "," : "", spec.identities[i]);
	buf_putc(&out, '|');
	for (size_t i = 0; i < spec.n_known_hosts; i++) {
		if (strncmp(spec.known_hosts[i], "/etc/ssh/", 9) != 0) /* the system's follow */
			buf_printf(&out, "%s%s", i ? "," : "", spec.known_hosts[i]);
	}
	const char *text = arena_dup(inv->arena, buf_str(&out));
	buf_free(&out);
	return text;
}

static void test_variables_become_a_connection(void **state)
{
	static const struct {
		const char *line, *expected;
	} rows[] = {
	    {"h1", "-@h1:0 |"},
	    {"h1:2222", "-@h1:2222 |"},
	    {"h1 ansible_host=192.0.2.1 ansible_port=22 ansible_user=ops", "ops@192.0.2.1:22 |"},
	    {"h1 ansible_port='\"22\"'", "-@h1:22 |"},
	    {"h1 ansible_host=a ansible_ssh_host=b ansible_port=1 ansible_ssh_port=2 "
	     "ansible_user=u "
	     "ansible_ssh_user=v",
		"v@b:2 |"},
	    {"h1 ansible_ssh_private_key_file=~/k", "-@h1:0 /home/me/k|"},
	    {"h1 ansible_private_key_file=/a ansible_ssh_private_key_file=/b", "-@h1:0 /b|"},
	    {"h1 ansible_ssh_common_args='-o Port=22 -oUser=u -o \"IdentityFile /k1\" -i /k2'",
		"u@h1:22 /k1,/k2|"},
	    {"h1 ansible_ssh_common_args='-p22 -lu -o hostname=192.0.2.9'", "u@192.0.2.9:22 |"},
	    {"h1 ansible_port=1 ansible_ssh_common_args='-p 2'", "-@h1:1 |"},
	    {"h1 ansible_port=1 ansible_ssh_args='-p 2'", "-@h1:2 |"},
	    {"h1 ansible_ssh_common_args='-p 2' ansible_ssh_extra_args='-p 3'", "-@h1:2 |"},
	    {"h1 ansible_ssh_common_args='-o \"UserKnownHostsFile=~/a /b\"'",
		"-@h1:0 |/home/me/a,/b"},
	    {"h1 ansible_ssh_common_args='-o UserKnownHostsFile=none'", "-@h1:0 |/dev/null"},
	    {"root@h1", "root@h1:0 |"},
	    {"h1 ansible_host=root@192.0.2.1 ansible_user=ops", "ops@192.0.2.1:0 |"},
	    {"h1 ansible_host= ansible_user=", "-@h1:0 |"},
	};

	(void)state;
	setenv("HOME", "/home/me", 1);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct inventory *inv = load(rows[i].line);
		const char *got = describe(inv);
		if (strcmp(got, rows[i].expected) != 0 || inv->errors.n + inv->warnings.n != 0)
			fail_msg("%s: got %s, %zu diagnostics", rows[i].line, got,
			    inv->errors.n + inv->warnings.n);
		inventory_free(inv);
	}
}

static void test_family_local_address_and_time(void **state)
{
	struct inventory *inv = load("h1 ansible_ssh_common_args='-6 -b ::1 -4'\n"
				     "h2 ansible_ssh_timeout=20 "
				     "ansible_ssh_common_args='-o ConnectTimeout=30'\n"
				     "h3 ansible_ssh_common_args='-b eth0'\n");
	struct host_spec spec;

	(void)state;
	find(inv, 0, &spec);
	assert_int_equal(spec.family, IP_V6);
	assert_string_equal(spec.bind_address, "::1");
	find(inv, 1, &spec);
	assert_int_equal(spec.family, IP_NONE);
	assert_int_equal(spec.connect_seconds, 20);
	assert_int_equal(inv->warnings.n, 0);
	find(inv, 2, &spec);
	assert_null(spec.bind_address);
	assert_int_equal(inv->warnings.n, 1);
	inventory_free(inv);
}

/* Neither by its name nor by what its value says. */
static void test_no_secret_is_shown(void **state)
{
	struct inventory *inv = load("h1 my_password=hunter2 vault_db=hunter2 api_token=hunter2 "
				     "ansible_ssh_extra_args='-o ProxyCommand=\"sshpass -p hunter2 "
				     "x\"' rack=r1\n");
	struct buf out = {0};
	struct json *vars = list_make_vars(inv, inv->hosts[0], true);

	(void)state;
	json_print(vars, false, &out);
	json_free(vars);
	assert_null(strstr(buf_str(&out), "hunter2"));
	assert_non_null(strstr(buf_str(&out), "\"r1\""));
	buf_free(&out);
	inventory_free(inv);
}

static void test_what_cannot_be_used_is_said_once(void **state)
{
	static const struct {
		const char *line;
		bool error;
		const char *text;
	} rows[] = {
	    {"ansible_port=99999", true, "ansible_port: expected a port from 1 to 65535"},
	    {"ansible_port=0", true, "ansible_port: expected a port from 1 to 65535"},
	    {"ansible_host=[1]", true, "ansible_host: expected a string or a number"},
	    {"ansible_ssh_common_args='", true, "ansible_ssh_common_args: expected shell words"},
	    {"ansible_user={{ me }}", false, "warning: ansible_user: holds a template"},
	    {"ansible_password=hunter2", false,
		"warning: ansible_password: secrets in an inventory"},
	    {"ansible_become_pass=hunter2", false, "warning: ansible_become_pass: secrets"},
	    {"ansible_ssh_common_args=-o ProxyCommand='sshpass -p hunter2 x'", false,
		"warning: ProxyCommand is not run"},
	    {"ansible_ssh_common_args=-o Ciphers=hunter2", false,
		"warning: ansible_ssh_common_args: Ciphers: this ssh option is not known here"},
	    {"ansible_ssh_common_args=-o Nix=hunter2", false,
		"warning: ansible_ssh_common_args: Nix: this ssh option is not known here"},
	    {"ansible_ssh_common_args=-D hunter2", false,
		"warning: ansible_ssh_common_args: -D: this"},
	    {"ansible_ssh_common_args=-o StrictHostKeyChecking=no", false,
		"warning: StrictHostKeyChecking is off: HOST KEYS ARE NOT CHECKED"},
	    {"ansible_host_key_checking=False", false,
		"warning: StrictHostKeyChecking is off: HOST KEYS ARE NOT CHECKED"},
	    {"ansible_ssh_common_args=-o StrictHostKeyChecking=hm", true,
		"ansible_ssh_common_args: expected StrictHostKeyChecking: yes, ask"},
	    {"ansible_ssh_common_args=-J a,", true,
		"ansible_ssh_common_args: expected ProxyJump: [user@]host"},
	    {"ansible_ssh_common_args=-J h2,h2", true, "ProxyJump: expected another host"},
	    {"ansible_ssh_common_args=-i /%z", true, "IdentityFile: expected of the tokens"},
	    {"ansible_connection=docker", false,
		"warning: ansible_connection: docker: hosts are reached"},
	    {"ansible_become=maybe", true, "ansible_become: expected yes or no"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[200];
		const struct connection_options no_files = {.ssh_config = "none"};
		struct host_spec spec = {0};
		struct ssh_options origins;
		snprintf(text, sizeof text, "h1\nh2\n[all:vars]\n%s\n", rows[i].line);
		struct inventory *inv = load(text);
		struct connections *connections = connection_begin(inv, inv->arena, &no_files);
		for (size_t k = 0; k < inv->n_hosts; k++)
			connection_find(connections, inv->hosts[k], &spec, &origins);
		connection_end(connections);
		const struct diag_list *list = rows[i].error ? &inv->errors : &inv->warnings;
		if (inv->errors.n + inv->warnings.n != 1 || list->n != 1 ||
		    list->items[0].line != 4 ||
		    strncmp(list->items[0].text, rows[i].text, strlen(rows[i].text)) != 0)
			fail_msg("%s: got %zu, %s", rows[i].line, list->n,
			    list->n ? list->items[0].text : "");
		assert_null(strstr(list->items[0].text, "hunter2"));
		assert_string_equal(spec.address, "h2");
		assert_null(spec.user);
		inventory_free(inv);
	}
}

static void test_no_secret_is_recorded(void **state)
{
	struct inventory *inv =
	    load("h1 ansible_user=ops ansible_password=hunter2 db_user=x oddhost_mesh=yes "
		 "ansible_ssh_pass=hunter2 ansible_ssh_private_key_file=/k "
		 "ansible_ssh_common_args='-o ProxyCommand=\"sshpass -p hunter2 x\"' "
		 "oddhost_token=hunter2\n");
	struct host_spec spec;

	(void)state;
	find(inv, 0, &spec);
	assert_int_equal(spec.n_vars, 3);
	assert_string_equal(spec.vars[0].name, "ansible_user");
	assert_string_equal(spec.vars[0].value, "ops");
	assert_string_equal(spec.vars[1].name, "oddhost_mesh");
	assert_string_equal(spec.vars[2].name, "ansible_ssh_private_key_file");
	inventory_free(inv);
}

/* The spec of host h with these files and options. */
static struct host_spec ask(struct inventory *inv, const char *config,
    struct connection_options options, struct ssh_options *ret_origins)
{
	char path[] = "/tmp/oddhost-ssh-config-XXXXXX";
	int fd = mkstemp(path);
	struct host_spec spec;

	if (fd < 0 || !file_write_all(fd, view_of(config)))
		fail_msg("%s cannot be written", path);
	close(fd);
	options.ssh_config = path;
	struct connections *connections = connection_begin(inv, inv->arena, &options);
	connection_find(connections, inv->hosts[0], &spec, ret_origins);
	connection_end(connections);
	unlink(path);
	return spec;
}

static void test_the_command_line_wins_then_the_inventory_then_ssh_config(void **state)
{
	static const char config[] = "Host h\nPort 1\nUser c\nIdentityFile /c\nHostName %h.c\n"
				     "StrictHostKeyChecking accept-new\nHostKeyAlias A\n";
	static const struct {
		const char *line;
		struct connection_options options;
		const char *expected; /* user@address:port identities policy */
		unsigned port_line;
	} rows[] = {
	    {"h", {0}, "c@h.c:1 /c 1", 2},
	    {"h ansible_port=2 ansible_user=i ansible_private_key_file=/i", {0}, "i@h.c:2 /i,/c 1",
		1},
	    {"h ansible_port=2 ansible_ssh_common_args='-o HostName=i -o "
	     "StrictHostKeyChecking=yes'",
		{.user = "o", .private_key = "/o"}, "o@i:2 /o 0", 1},
	    {"h ansible_port=2", {.ssh_args = "-p 3 -l o -i /o", .host_key = "strict"},
		"o@h.c:3 /o,/c 0", 0},
	    {"h ansible_port=2", {.user = "first", .ssh_args = "-p 3 -l o"}, "first@h.c:3 /c 1", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct inventory *inv = load(rows[i].line);
		struct ssh_options origins;
		struct buf text = {0};
		struct host_spec spec = ask(inv, config, rows[i].options, &origins);
		buf_printf(&text, "%s@%s:%u ", spec.user, spec.address, spec.port);
		for (size_t k = 0; k < spec.n_identities; k++)
			buf_printf(&text, "%s%s", k ? "," : "", spec.identities[k]);
		buf_printf(&text, " %d", (int)spec.host_key);
		assert_string_equal(buf_str(&text), rows[i].expected);
		assert_string_equal(spec.known_as, "a");
		assert_int_equal(origins.value[SSH_PORT]->line, rows[i].port_line);
		assert_int_equal(inv->errors.n + inv->warnings.n, 0);
		buf_free(&text);
		inventory_free(inv);
	}
}

static void test_jump_hosts_are_found_through_the_same_files(void **state)
{
	static const struct {
		const char *config;
		const char *jumps; /* user@address:port,... or NULL: an error */
	} rows[] = {
	    {"", ""},
	    {"ProxyJump none\n", ""},
	    {"Host h\nProxyJump u@a:22,b\nHost b\nHostName 10.0.0.2\nPort 24\n",
		"u@a:22,-@10.0.0.2:24"},
	    {"Host h\nProxyJump a\nHost a\nProxyJump b\nUser x\nHost b\nProxyJump c,d\n",
		"-@c:0,-@d:0,-@b:0,x@a:0"},
	    {"Host h\nProxyJump a,b\nHost b\nProxyJump c\n", "-@a:0,-@b:0"},
	    {"Host *\nProxyJump a\n", NULL},
	    {"Host * !a\nProxyJump a\n", "-@a:0"},
	    {"Host h\nProxyJump a\nHost a\nProxyJump b\nHost b\nProxyJump a\n", NULL},
	    {"Host h\nProxyJump %r-%h\nUser me\n", "-@me-h:0"},
	    {"Host h\nProxyCommand ssh -q -W %h:%p -p 24 %r@a\nUser me\nHost a\nHostName b\n",
		"me@b:24"},
	    {"Host h\nProxyCommand ssh -W %h:%p a\nHost a\nProxyJump c\n", "-@c:0,-@a:0"},
	    {"Host h\nProxyCommand nc %h %p\n", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct inventory *inv = load("h\n");
		struct ssh_options origins;
		struct buf text = {0};
		struct host_spec spec =
		    ask(inv, rows[i].config, (struct connection_options){0}, &origins);
		for (size_t k = 0; k < spec.n_jumps; k++)
			buf_printf(&text, "%s%s@%s:%u", k ? "," : "",
			    spec.jumps[k].user ? spec.jumps[k].user : "-", spec.jumps[k].address,
			    spec.jumps[k].port);
		assert_int_equal(inv->errors.n, rows[i].jumps == NULL);
		if (rows[i].jumps != NULL)
			assert_string_equal(buf_str(&text), rows[i].jumps);
		buf_free(&text);
		inventory_free(inv);
	}
}

/* As in ssh; but what one asked for on our command line about checks and time holds for all. */
static void test_what_the_command_line_says_of_jump_hosts(void **state)
{
	const struct connection_options options = {.user = "u",
	    .private_key = "/k",
	    .known_hosts = "/known",
	    .host_key = "accept-new",
	    .connect_timeout = 4,
	    .ssh_args = "-o IdentitiesOnly=yes -o ConnectTimeout=9"};
	struct inventory *inv = load("h\n");
	struct ssh_options origins;

	(void)state;
	struct host_spec spec =
	    ask(inv, "Host h\nProxyJump a\nHost *\nConnectTimeout 7\n", options, &origins);
	assert_int_equal(spec.n_jumps, 1);
	const struct host_spec *jump = &spec.jumps[0];
	assert_null(jump->user);
	assert_int_equal(jump->n_identities, 0);
	assert_false(jump->identities_only);
	assert_true(spec.identities_only);
	assert_string_equal(jump->known_hosts[0], "/known");
	assert_int_equal(jump->host_key, HOST_KEY_ACCEPT_NEW);
	assert_int_equal(jump->connect_seconds, 4);
	assert_int_equal(spec.connect_seconds, 4);
	inventory_free(inv);
}

static void test_local_and_become(void **state)
{
	struct inventory *inv =
	    load("h ansible_connection=local ansible_become=yes ansible_become_user=app\n");
	struct ssh_options origins;
	struct host_spec spec =
	    ask(inv, "Host *\nHostName x\n", (struct connection_options){0}, &origins);

	(void)state;
	assert_true(spec.local);
	assert_true(spec.become);
	assert_string_equal(spec.become_user, "app");
	assert_string_equal(spec.address, "h");
	inventory_free(inv);

	inv = load("h ansible_become_user=app\n");
	spec = ask(
	    inv, "", (struct connection_options){.become = true, .become_user = "db"}, &origins);
	assert_false(spec.local);
	assert_true(spec.become);
	assert_string_equal(spec.become_user, "db");
	inventory_free(inv);

	inv = load("localhost\n");
	spec = ask(inv, "", (struct connection_options){0}, &origins);
	assert_false(spec.local);
	assert_false(spec.become);
	inventory_free(inv);
}

static void test_targets_of_all_hosts_are_united(void **state)
{
	struct inventory *inv =
	    load("[web]\nw1\nw2\n[db]\nd1 oddhost_targets=\"['x.example:80', 'a,b']\"\n"
		 "[web:vars]\n"
		 "oddhost_targets= b, 192.0.2.1:3306 ,,b\n"
		 "oddhost_reserved=10.1.2.3/8=office,192.168.0.0/16\n"
		 "[db:vars]\noddhost_reserved=192.168.0.0/16=rds, 172.16.0.0/12=late\n");
	struct targets t;

	(void)state;
	targets_find(inv, inv->arena, inv->hosts, inv->n_hosts, &t);
	assert_int_equal(inv->errors.n, 0);
	assert_int_equal(t.n_targets, 4);
	assert_string_equal(t.targets[0].text, "b");
	assert_string_equal(t.targets[1].name, "192.0.2.1");
	assert_int_equal(t.targets[1].port, 3306);
	assert_string_equal(t.targets[2].text, "x.example:80");
	assert_string_equal(t.targets[3].text, "a");
	assert_int_equal(t.n_reserved, 3);
	char text[PREFIX_TEXT_SIZE];
	assert_string_equal(prefix_format(&t.reserved[0].prefix, text), "10.0.0.0/8");
	assert_string_equal(t.reserved[0].name, "office");
	assert_string_equal(t.reserved[1].name, "");
	assert_string_equal(t.reserved[2].name, "late");
	inventory_free(inv);
}

static void test_a_bad_entry_is_one_error_and_the_rest_stands(void **state)
{
	struct inventory *inv = load("h1\nh2\n[all:vars]\noddhost_targets=a/b, ok:80\n"
				     "oddhost_reserved=10.0.0.0/33, 10.0.0.0/8\n");
	struct targets t;

	(void)state;
	targets_find(inv, inv->arena, inv->hosts, inv->n_hosts, &t);
	assert_int_equal(inv->errors.n, 2);
	assert_int_equal(inv->errors.items[0].line + inv->errors.items[1].line, 9);
	assert_string_equal(inv->errors.items[0].source, "hosts.ini");
	assert_int_equal(t.n_targets, 1);
	assert_int_equal(t.n_reserved, 1);
	inventory_free(inv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_variables_become_a_connection),
	    cmocka_unit_test(test_family_local_address_and_time),
	    cmocka_unit_test(test_no_secret_is_shown),
	    cmocka_unit_test(test_what_cannot_be_used_is_said_once),
	    cmocka_unit_test(test_no_secret_is_recorded),
	    cmocka_unit_test(test_the_command_line_wins_then_the_inventory_then_ssh_config),
	    cmocka_unit_test(test_jump_hosts_are_found_through_the_same_files),
	    cmocka_unit_test(test_what_the_command_line_says_of_jump_hosts),
	    cmocka_unit_test(test_local_and_become),
	    cmocka_unit_test(test_targets_of_all_hosts_are_united),
	    cmocka_unit_test(test_a_bad_entry_is_one_error_and_the_rest_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
