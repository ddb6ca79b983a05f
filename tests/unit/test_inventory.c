#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/clock.h"
#include "oddhost/base/file.h"
#include "oddhost/inventory/hierarchy.h"
#include "oddhost/inventory/hostname.h"
#include "oddhost/inventory/ini.h"
#include "oddhost/inventory/inventory.h"
#include "oddhost/inventory/json.h"
#include "oddhost/inventory/list.h"
#include "oddhost/inventory/literal.h"
#include "oddhost/inventory/load.h"
#include "oddhost/inventory/words.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct inventory *from_ini(const char *text)
{
	struct inventory *inv = inventory_new();

	inv->source = "hosts.ini";
	inv->source_number = 1;
	ini_read(inv, view_of(text));
	hierarchy_finish(inv);
	return inv;
}

/* The first diagnostic as "LINE TEXT", or "" where there is none. */
static const char *first(const struct inventory *inv, const struct diag_list *list)
{
	if (list->n == 0)
		return "";
	return arena_printf(inv->arena, "%u %s", list->items[0].line, list->items[0].text);
}

/* A host's variable as "KIND TEXT@LINE". */
static const char *var_of(struct inventory *inv, const char *host, const char *name)
{
	static const char kinds[] = "snb0ld";
	size_t n;
	const struct inventory_var **vars =
	    hierarchy_vars(inv, inventory_host(inv, view_of(host)), &n);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(vars[i]->name->text, name) == 0)
			return arena_printf(inv->arena, "%c %s@%u", kinds[vars[i]->value.kind],
			    vars[i]->value.text, vars[i]->line);
	}
	return "unset";
}

static const char *host_names(const struct inventory *inv)
{
	struct buf out = {0};

	for (size_t i = 0; i < inv->n_hosts; i++)
		buf_printf(&out, "%s%s", i ? " " : "", inv->hosts[i]->name);
	const char *text = arena_dup(inv->arena, buf_str(&out));
	buf_free(&out);
	return text;
}

static void test_literals_are_typed_as_python_types_them(void **state)
{
	static const struct {
		const char *text;
		enum inventory_kind kind;
		const char *value;
	} rows[] = {
	    {"8080", INVENTORY_NUMBER, "8080"},
	    {"8080 # comment", INVENTORY_NUMBER, "8080"},
	    {"abc # comment", INVENTORY_STRING, "abc # comment"},
	    {"'abc' # comment", INVENTORY_STRING, "abc"},
	    {"", INVENTORY_STRING, ""},
	    {"0640", INVENTORY_STRING, "0640"},
	    {"00", INVENTORY_NUMBER, "0"},
	    {"0x1F", INVENTORY_NUMBER, "31"},
	    {"0xffffffffffffffffffff", INVENTORY_NUMBER, "1208925819614629174706175"},
	    {"-0o7_000_000_000_000_000_000_000", INVENTORY_NUMBER, "-64563604257983430656"},
	    {"0x3b9aca00", INVENTORY_NUMBER, "1000000000"},
	    {"0x", INVENTORY_STRING, "0x"},
	    {"0b101", INVENTORY_NUMBER, "5"},
	    {"0o17", INVENTORY_NUMBER, "15"},
	    {"1_000", INVENTORY_NUMBER, "1000"},
	    {"1__0", INVENTORY_STRING, "1__0"},
	    {"123456789012345678901234567890", INVENTORY_NUMBER, "123456789012345678901234567890"},
	    {"1.", INVENTORY_NUMBER, "1.0"},
	    {".5", INVENTORY_NUMBER, "0.5"},
	    {"0.1", INVENTORY_NUMBER, "0.1"},
	    {"1e5", INVENTORY_NUMBER, "100000.0"},
	    {"1e999", INVENTORY_STRING, "1e999"},
	    {"1.2.3", INVENTORY_STRING, "1.2.3"},
	    {"10.0.0.1", INVENTORY_STRING, "10.0.0.1"},
	    {"-5", INVENTORY_NUMBER, "-5"},
	    {"--5", INVENTORY_STRING, "--5"},
	    {"-(5)", INVENTORY_NUMBER, "-5"},
	    {"-True", INVENTORY_STRING, "-True"},
	    {"3j", INVENTORY_STRING, "3j"},
	    {"True", INVENTORY_BOOL, "true"},
	    {"true", INVENTORY_STRING, "true"},
	    {"Truex", INVENTORY_STRING, "Truex"},
	    {"None", INVENTORY_NULL, "null"},
	    {"'a' \"b\"", INVENTORY_STRING, "ab"},
	    {"'a", INVENTORY_STRING, "'a"},
	    {"r'\\d'", INVENTORY_STRING, "\\d"},
	    {"b'x'", INVENTORY_STRING, "x"},
	    {"'\\x41\\u00e9\\101\\q'", INVENTORY_STRING, "A\u00e9A\\q"},
	    {"'\\0'", INVENTORY_STRING, "'\\0'"},
	    {"'''it's'''", INVENTORY_STRING, "it's"},
	    {"1,2", INVENTORY_LIST, "[1,2]"},
	    {"1,", INVENTORY_LIST, "[1]"},
	    {"(1)", INVENTORY_NUMBER, "1"},
	    {"(1,)", INVENTORY_LIST, "[1]"},
	    {"(('a'))", INVENTORY_STRING, "a"},
	    {"[]", INVENTORY_LIST, "[]"},
	    {"[1, ['x\"', None,],]", INVENTORY_LIST, "[1,[\"x\\\"\",null]]"},
	    {"[1 2]", INVENTORY_STRING, "[1 2]"},
	    {"[,]", INVENTORY_STRING, "[,]"},
	    {"{'k': 1, 2: True}", INVENTORY_DICT, "{\"k\":1,\"2\":true}"},
	    {"{1, 2}", INVENTORY_STRING, "{1, 2}"},
	    {"{{ var }}", INVENTORY_STRING, "{{ var }}"},
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct inventory_value value = literal_parse(arena, view_of(rows[i].text));
		if (value.kind != rows[i].kind || strcmp(value.text, rows[i].value) != 0)
			fail_msg("%s: got kind %d, %s", rows[i].text, (int)value.kind, value.text);
	}
	arena_free(arena);
}

static void test_deep_nesting_is_a_string(void **state)
{
	struct arena *arena = arena_new();
	static char deep[200001];

	(void)state;
	memset(deep, '[', 100000);
	memset(deep + 100000, ']', 100000);
	assert_int_equal(literal_parse(arena, view_of(deep)).kind, INVENTORY_STRING);
	arena_free(arena);
}

static void test_words_are_split_as_shlex_does(void **state)
{
	static const struct {
		const char *line, *words; /* NULL: an error */
	} rows[] = {
	    {"a  b\tc", "<a><b><c>"},
	    {"b=x#y", "<b=x>"},
	    {"b=x;y", "<b=x;y>"},
	    {"a #b", "<a>"},
	    {"'a b'c \"d # e\"", "<a bc><d # e>"},
	    {"k='a b' \"k=a b\"", "<k=a b><k=a b>"},
	    {"a\\ b \"c\\\"d\\n\" 'e\\f'", "<a b><c\"d\\n><e\\f>"},
	    {"''", "<>"},
	    {"", ""},
	    {"a 'b", NULL},
	    {"a\\", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct view line = view_of(rows[i].line);
		struct buf word = {0}, all = {0};
		struct err err;
		bool found, ok;
		while ((ok = words_next(&line, true, &word, &found, &err)) && found)
			buf_printf(&all, "<%.*s>", VIEW_ARG(buf_view(&word)));
		if (ok != (rows[i].words != NULL) ||
		    (ok && strcmp(buf_str(&all), rows[i].words) != 0))
			fail_msg("%s: got %s", rows[i].line, buf_str(&all));
		buf_free(&word);
		buf_free(&all);
	}
}

static bool add_name(void *arg, struct view name)
{
	struct buf *out = arg;

	buf_printf(out, "%s%.*s", out->n ? " " : "", VIEW_ARG(name));
	return out->n < 60;
}

static void test_ranges_expand(void **state)
{
	static const struct {
		const char *pattern, *names; /* NULL: an error */
	} rows[] = {
	    {"plain", "plain"},
	    {"n[1:3]", "n1 n2 n3"},
	    {"n[01:03]x", "n01x n02x n03x"},
	    {"n[8:11]", "n8 n9 n10 n11"},
	    {"n[a:c]", "na nb nc"},
	    {"n[y:B]", "ny nz nA nB"},
	    {"n[1:9:4]", "n1 n5 n9"},
	    {"n[:2]", "n0 n1 n2"},
	    {"n[1:2]-[a:b]", "n1-a n1-b n2-a n2-b"},
	    {"n[1:]", NULL},
	    {"n[01:9]", NULL},
	    {"n[1]", NULL},
	    {"n[1:2:3:4]", NULL},
	    {"n[1:2:0]", NULL},
	    {"n[1:2:]", NULL},
	    {"n[3:1]", NULL},
	    {"n[a:3]", NULL},
	    {"n[1:2", NULL},
	    {"n]1:2[", NULL},
	    {"n[-1:2]", NULL},
	    {"n[1:99999999999]", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf out = {0};
		struct err err;
		bool ok = hostname_expand(view_of(rows[i].pattern), add_name, &out, &err);
		if (ok != (rows[i].names != NULL) ||
		    (ok && strcmp(buf_str(&out), rows[i].names) != 0))
			fail_msg("%s: got %s", rows[i].pattern, buf_str(&out));
		buf_free(&out);
	}
}

static void test_ports_are_split_off(void **state)
{
	static const struct {
		const char *text, *host; /* NULL: neither name nor address */
		unsigned port;
	} rows[] = {
	    {"web", "web", 0},
	    {"web:22", "web", 22},
	    {"web[1:3]:2222", "web[1:3]", 2222},
	    {"web.example.org:22", "web.example.org", 22},
	    {"192.0.2.1:22", "192.0.2.1", 22},
	    {"fe80::1", "fe80::1", 0},
	    {"[fe80::1]:22", "fe80::1", 22},
	    {"fe80::[1:3]", "fe80::[1:3]", 0},
	    {"[fe80::1]", NULL, 0},
	    {"web:", NULL, 0},
	    {"web:x", NULL, 0},
	    {"a:b:1", NULL, 0},
	    {"web-", NULL, 0},
	    {"-web", NULL, 0},
	    {"web.", NULL, 0},
	    {"we b", NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct view host;
		unsigned port = 0;
		bool ok = hostname_split(view_of(rows[i].text), &host, &port);
		if (ok != (rows[i].host != NULL) ||
		    (ok && (!view_eq(host, rows[i].host) || port != rows[i].port)))
			fail_msg("%s: got %d, port %u", rows[i].text, ok, port);
	}
}

static void test_bad_lines_are_errors_and_the_rest_is_read(void **state)
{
	static const struct {
		const char *text, *error, *hosts;
	} rows[] = {
	    {"[web x]\nlost\n[db]\nd1\n", "1 '[web x]': expected [GROUP]", "d1"},
	    {"[web:stuff]\nlost\n[db]\nd1\n", "1 section [web:stuff]: expected [GROUP]", "d1"},
	    {"h1\nh2 'open\nh3\n", "2 the quote ' is not closed", "h1 h2 h3"},
	    {"h1 novalue a=1\n", "1 expected NAME=VALUE behind the host", "h1"},
	    {"h1:\nh2\n", "1 'h1:': expected a port behind the colon", "h2"},
	    {"---\n", "1 '---' begins a YAML file", ""},
	    {"h[1:x]\nh2\n", "1 [1:x]: expected a range of numbers", "h2"},
	    {"[a:vars]\nx=1\n", "1 [a:vars]: there is no group 'a'", ""},
	    {"[a:children]\n\nb\n", "3 there is no group 'b' to be a child of 'a'", ""},
	    {"[a:children]\nb c\n[b]\n", "2 expected the name of one group in [a:children]", ""},
	    {"[a]\n[a:vars]\nsecret\n", "3 expected NAME=VALUE in [a:vars]", ""},
	    {"[a:children]\na\n", "2 group 'a' cannot be a child of 'a'", ""},
	    {"[a:children]\nb\n[b:children]\na\n", "4 group 'a' cannot be a child of 'b'", ""},
	    {"[a:children]\nall\n", "2 group 'all' cannot be a child of 'a'", ""},
	    {"[a:vars]\nansible_group_priority=x\n[a]\n", "2 ansible_group_priority: expected", ""},
	    {"h\xff\nh2\n", "1 expected UTF-8 text", "h2"},
	    {"''\nh2\n", "1 '': expected a host name", "h2"},
	    {"'h\x1b'\nh2\n", "1 'h\x1b': expected a host name", "h2"},
	    {"'h\xc2\x9b'\nh2\n", "1 'h\xc2\x9b': expected a host name", "h2"},
	    {"'h\xe2\x80\xae'\nh2\n", "1 'h\xe2\x80\xae': expected a host name", "h2"},
	    {"# \xff\nh[1:999999999]\n", "2 more than 300000 hosts", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct inventory *inv = from_ini(rows[i].text);
		const char *error = first(inv, &inv->errors);
		if (inv->errors.n != 1 || strncmp(error, rows[i].error, strlen(rows[i].error)) != 0)
			fail_msg("%s: got %zu, %s", rows[i].text, inv->errors.n, error);
		assert_string_equal(inv->errors.items[0].source, "hosts.ini");
		if (rows[i].hosts != NULL)
			assert_string_equal(host_names(inv), rows[i].hosts);
		inventory_free(inv);
	}
}

static void test_the_line_of_a_bad_variable_is_not_quoted(void **state)
{
	struct inventory *inv = from_ini("[a]\nh1 hunter2\n[a:vars]\nhunter2\n");

	(void)state;
	assert_int_equal(inv->errors.n, 2);
	for (size_t i = 0; i < 2; i++)
		assert_null(strstr(inv->errors.items[i].text, "hunter2"));
	inventory_free(inv);
}

static void test_the_nearer_variable_wins_and_tells_its_line(void **state)
{
	struct inventory *inv =
	    from_ini("\xef\xbb\xbf[web]\n"        /* 1, with a byte order mark */
		     "w1 own=1\n"                 /* 2 */
		     "\u3000w2:2222\u00a0\n"      /* 3 */
		     "[web:vars]\n"               /* 4 */
		     "own = 2\nmid=2\n"           /* 5 6 */
		     "[top:children]\nweb\n"      /* 7 8 */
		     "[top:vars]\nmid=3\ntop=3\n" /* 9 10 11 */
		     "[all:vars]\ntop=4\nall=4\n" /* 12 13 14 */
		     "[b]\nw1\n[a]\nw1\n"         /* 15 to 18 */
		     "[a:vars]\nwho=a\nrank=a\nansible_group_priority=9\n" /* 19 to 22 */
		     "[b:vars]\nwho=b\nrank=b\nansible_group_priority=8\n");

	(void)state;
	assert_int_equal(inv->errors.n, 0);
	assert_string_equal(var_of(inv, "w1", "own"), "n 1@2");
	assert_string_equal(var_of(inv, "w2", "own"), "n 2@5");
	assert_string_equal(var_of(inv, "w2", "mid"), "n 2@6");
	assert_string_equal(var_of(inv, "w2", "top"), "n 3@11");
	assert_string_equal(var_of(inv, "w2", "all"), "n 4@14");
	assert_string_equal(var_of(inv, "w2", "ansible_port"), "n 2222@3");
	assert_string_equal(var_of(inv, "w1", "who"), "s a@20");
	assert_string_equal(var_of(inv, "w1", "ansible_group_priority"), "unset");
	inventory_free(inv);
}

/* str.strip() and str.splitlines(): U+2003, U+2028, a carriage return alone. */
static void test_blanks_and_lines_are_pythons(void **state)
{
	struct inventory *inv =
	    from_ini("\u2003h1\u205f\rh2\u2003\r\nh3 a='x\u2028h4\fh5\xc2\x85h6 b=1");

	(void)state;
	assert_string_equal(host_names(inv), "h1 h2 h3 h4 h5 h6");
	assert_string_equal(first(inv, &inv->errors), "3 the quote ' is not closed");
	assert_string_equal(var_of(inv, "h6", "b"), "n 1@6");
	inventory_free(inv);
	inv = from_ini("h1\rh2 # \xff\n# \xff\u2028h3\n"); /* not UTF-8: bytes.splitlines() */
	assert_string_equal(host_names(inv), "h1");
	assert_int_equal(inv->errors.n, 1);
	inventory_free(inv);
}

static void test_json_takes_lists_mappings_and_single_hosts(void **state)
{
	static const struct {
		const char *text, *hosts, *error;
	} rows[] = {
	    {"{\"web\": [\"a\", \"b\"]}", "a b", ""},
	    {"{\"web\": {\"hosts\": [\"a\"]}, \"_meta\": {\"hostvars\": {\"a\": {\"x\": 1}, \"z\": "
	     "{}}}}",
		"a", ""},
	    {"{\"one\": {\"x\": 1}}", "one", ""},
	    {"{\"empty\": {}, \"none\": null}", "", ""},
	    {"{\"all\": {\"hosts\": {\"h[1:2]:22\": {\"x\": 1}, \"i\": null}}}", "h1 h2 i", ""},
	    {"{\"all\": {\"children\": {\"web\": {\"hosts\": {\"a\": {}}}}}}", "a", ""},
	    {"{\"web\": {\"hosts\": [1, \"a\"]}}", "a",
		"0 group 'web': expected the name of a host"},
	    {"{\"web\": {\"hosts\": \"a\"}}", "", "0 group 'web': expected a list of hosts"},
	    {"{\"web\": {\"vars\": 1}}", "", "0 group 'web': expected an object of variables"},
	    {"{\"web\": {\"children\": [\"\"]}}", "",
		"0 group 'web': expected the name of a child"},
	    {"{\"web\":\n[}", "", "2 not valid JSON"},
	    {"{\"web\":{\"hosts\":[\"a\"]},\"db\":[\"c\"],\"web\":[\"b\"]}", "b c", ""},
	    {"{\"web\":\n\n[\"we\\u0000b\"]}", "", "3 a string with a NUL character in it"},
	    {"[]", "", "0 expected a JSON object of groups"},
	    {"{\"\": []}", "", "0 expected the name of a group"},
	};
	bool hostvars;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct inventory *inv = inventory_new();
		inv->source_number = 1;
		inventory_json_read(inv, view_of(rows[i].text), false, &hostvars);
		hierarchy_finish(inv);
		assert_string_equal(host_names(inv), rows[i].hosts);
		const char *error = first(inv, &inv->errors);
		if (strncmp(error, rows[i].error, strlen(rows[i].error)) != 0 ||
		    (*error == '\0') != (*rows[i].error == '\0'))
			fail_msg("%s: got %s", rows[i].text, error);
		inventory_free(inv);
	}
}

/* As they were written: a double would make 9.00719925474099e+15 of the first. */
static void test_json_numbers_keep_their_text(void **state)
{
	static const char *const rows[] = {
	    "9007199254740991", "12345678901234567890", "-0", "1.0", "1e2", "[1.50,{\"k\":0.10}]"};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct inventory *inv = inventory_new();
		bool hostvars;
		const char *text =
		    arena_printf(inv->arena, "{\"all\":{\"hosts\":{\"a\":{\"v\":%s}}}}", rows[i]);
		inventory_json_read(inv, view_of(text), false, &hostvars);
		hierarchy_finish(inv);
		assert_string_equal(
		    var_of(inv, "a", "v") + 2, arena_printf(inv->arena, "%s@0", rows[i]));
		inventory_free(inv);
	}
}

static void test_list_prints_what_the_file_says(void **state)
{
	struct inventory *inv =
	    from_ini("h1 a=[1] n=0x10 inventory_dir=x\n[web]\nh2\n[top:children]\nweb\n");
	struct json *root = list_make(inv, inv->hosts, inv->n_hosts);
	struct buf out = {0};

	(void)state;
	json_print(root, false, &out);
	assert_string_equal(buf_str(&out),
	    "{\"all\":{\"children\":[\"ungrouped\",\"top\"]},\"ungrouped\":{\"hosts\":[\"h1\"]},"
	    "\"web\":{\"hosts\":[\"h2\"]},\"top\":{\"children\":[\"web\"]},"
	    "\"_meta\":{\"hostvars\":{\n\t\t\t\"h1\":{\"a\":[1],\"n\":16}\n\t\t}}}\n");
	buf_free(&out);
	json_free(root);
	inventory_free(inv);
}

/* ---- sources ---- */

static char directory[] = "/tmp/oddhost-inventory-XXXXXX";

static const char *write_file(
    struct inventory *inv, const char *name, mode_t mode, const char *text)
{
	const char *path = arena_printf(inv->arena, "%s/%s", directory, name);
	struct err err;

	assert_true(file_write(path, mode, view_of(text), &err));
	assert_int_equal(chmod(path, mode), 0);
	return path;
}

static void test_a_host_list_has_a_comma(void **state)
{
	struct inventory *inv = inventory_new();

	(void)state;
	inventory_load(inv, " h1, h2:2222,[fe80::1]:22,,h[1:3]");
	hierarchy_finish(inv);
	assert_int_equal(inv->errors.n, 0);
	assert_string_equal(host_names(inv), "h1 h2 fe80::1 h[1:3]");
	assert_string_equal(var_of(inv, "h2", "ansible_port"), "n 2222@0");
	inventory_free(inv);
}

static void test_sources_merge(void **state)
{
	struct inventory *inv = inventory_new();

	(void)state;
	inventory_load(inv, write_file(inv, "one", 0644, "[web]\nh1 a=1 b=1\n[web:vars]\nc=1\n"));
	inventory_load(
	    inv, write_file(inv, "two", 0644, "[web]\nh2\nh1 b=2\n[top:children]\nweb\n"));
	hierarchy_finish(inv);
	assert_int_equal(inv->errors.n, 0);
	assert_string_equal(host_names(inv), "h1 h2");
	assert_string_equal(var_of(inv, "h1", "a"), "n 1@2");
	assert_string_equal(var_of(inv, "h1", "b"), "n 2@3");
	assert_string_equal(var_of(inv, "h2", "c"), "n 1@4");
	inventory_free(inv);
}

static void test_a_script_is_asked(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
		const char *hosts, *error, *warning;
	} rows[] = {
	    {"#!/bin/sh\necho '{\"web\":[\"a\"]}'; echo oh >&2\n", 0755, "a", "",
		"0 warning: the script says: oh"},
	    {"#!/bin/sh\n[ $1 = --list ] && echo '{\"web\":[\"a\",\"b\"]}' || echo "
	     "'{\"n\":\"'$2'\"}'\n",
		0755, "a b", "", ""},
	    {"#!/bin/sh\n[ $1 = --list ] && echo '{\"web\":[\"a\"]}' || exit 3\n", 0755, "a",
		"0 --host a: the script ended with exit status 3", ""},
	    {"#!/bin/sh\nexit 4\n", 0755, "", "0 the script ended with exit status 4", ""},
	    {"#!/bin/sh\nkill -9 $$\n", 0755, "", "0 the script was ended by signal 9", ""},
	    {"#!/bin/sh\necho no\n", 0755, "", "0 its output: line 1: not valid JSON", ""},
	    {"#!/nowhere/sh\n", 0755, "", "0 the script cannot be run", ""},
	    {"#!/usr/bin/env ansible-inventory\nh1\n", 0644, "h1", "", ""},
	    {"h1\n", 0755, "h1", "", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct inventory *inv = inventory_new();
		inventory_load(inv, write_file(inv, "script", rows[i].mode, rows[i].text));
		hierarchy_finish(inv);
		assert_string_equal(host_names(inv), rows[i].hosts);
		const char *error = first(inv, &inv->errors);
		if (strncmp(error, rows[i].error, strlen(rows[i].error)) != 0 ||
		    (*error == '\0') != (*rows[i].error == '\0'))
			fail_msg("%s: got %s", rows[i].text, error);
		assert_string_equal(first(inv, &inv->warnings), rows[i].warning);
		if (i == 1)
			assert_string_equal(var_of(inv, "b", "n"), "s b@0");
		inventory_free(inv);
	}
}

/* Read as Ansible reads it, as INI; then people want to know why that went wrong. */
static void test_a_script_that_is_not_executable(void **state)
{
	struct inventory *inv = inventory_new();

	(void)state;
	inventory_load(inv, write_file(inv, "script", 0644, "#!/bin/sh\necho 'no\n"));
	assert_int_equal(inv->errors.n, 2);
	assert_string_equal(inv->errors.items[1].text,
	    "it begins like a program, but is not executable ('chmod +x' makes it so)");
	inventory_free(inv);
}

static void test_a_script_that_hangs_is_killed(void **state)
{
	static const char *const rows[] = {
	    "#!/bin/sh\nsleep 60\n",
	    "#!/bin/sh\nsleep 60 & echo '{}'\n",
	    "#!/bin/sh\nexec >&- 2>&-\nsleep 60\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct inventory *inv = inventory_new();
		int64_t begin = clock_ms();
		inv->script_limit_ms = 200;
		inventory_load(inv, write_file(inv, "hang", 0755, rows[i]));
		assert_true(clock_ms() - begin < 5000);
		assert_string_equal(
		    first(inv, &inv->errors), "0 the script did not end in time and was killed");
		inventory_free(inv);
	}
}

/* It is in a process group of its own, which a terminal's Ctrl-C does not reach. */
static void test_a_signal_ends_the_script_as_well(void **state)
{
	struct inventory *inv = inventory_new();
	const char *file = arena_printf(inv->arena, "%s/pid", directory);
	const char *path = write_file(inv, "sleeper", 0755,
	    arena_printf(inv->arena, "#!/bin/sh\nsleep 60 & echo $! >%s.new; mv %s.new %s; wait\n",
		file, file, file));
	struct buf text = {.max = 100};
	struct err err;
	uint64_t sleeper;
	int status;

	(void)state;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0); /* the script's child becomes ours */
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		inventory_load(inv, path);
		_exit(0);
	}
	for (int i = 0; i < 10000 && access(file, F_OK) != 0; i++)
		usleep(1000);
	assert_true(file_read(file, 100, &text, &err));
	assert_true(view_uint(view_trim(buf_view(&text)), 2, INT32_MAX, &sleeper));
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	/* It becomes ours when its shell has died of the same signal, which may be a moment later.
	 */
	for (int i = 0; i < 10000 && (pid = waitpid((pid_t)sleeper, &status, 0)) < 0; i++)
		usleep(1000);
	assert_int_equal(pid, (pid_t)sleeper);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	unlink(file);
	buf_free(&text);
	inventory_free(inv);
}

static void test_what_cannot_be_read_is_said(void **state)
{
	struct inventory *inv = inventory_new();

	(void)state;
	inventory_load(inv, "/nowhere/hosts");
	assert_string_equal(
	    first(inv, &inv->errors), "0 /nowhere/hosts: No such file or directory");
	inventory_load(inv, write_file(inv, "x.yml", 0644, "all:\n  hosts:\n"));
	assert_int_equal(inv->errors.n, 2);
	assert_non_null(strstr(inv->errors.items[1].text, "YAML inventories are not read"));
	inventory_free(inv);
}

/* Ansible reads YAML in a file of any name: one message instead of one for each line. */
static void test_yaml_is_told_by_its_beginning(void **state)
{
	static const struct {
		const char *text;
		bool yaml;
	} rows[] = {
	    {"all:\n  hosts:\n    a:\n    b:\n", true},
	    {"\n# c\nall:  # c\n\n  children:\n    web:\n      hosts: {a: }\n", true},
	    {"---\nall:\n  hosts:\n    a:\n", true},
	    {"%YAML 1.1\n---\nall:\n", true},
	    {"web:\n- a\n", true},
	    {"web:\ndb\n", false},
	    {"web:22\n  db\n", false},
	    {"web\n  db:\n", false},
	    {"# all:\n", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct inventory *inv = inventory_new();
		inventory_load(inv, write_file(inv, "hosts", 0644, rows[i].text));
		bool said = inv->errors.n == 1 &&
			    strstr(inv->errors.items[0].text, "--list --export") != NULL;
		if (said != rows[i].yaml)
			fail_msg("%s: %zu errors", rows[i].text, inv->errors.n);
		inventory_free(inv);
	}
}

static void test_variables_beside_the_file_are_warned_of(void **state)
{
	struct inventory *inv = inventory_new();
	const char *dir = arena_printf(inv->arena, "%s/group_vars", directory);

	(void)state;
	assert_int_equal(mkdir(dir, 0700), 0);
	inventory_load(inv, write_file(inv, "beside", 0644, "h1\n"));
	rmdir(dir);
	assert_int_equal(inv->errors.n, 0);
	assert_int_equal(inv->warnings.n, 1);
	assert_non_null(strstr(inv->warnings.items[0].text, "group_vars is not read"));
	inventory_free(inv);
}

static void test_a_directory_is_read_in_the_order_of_names(void **state)
{
	struct inventory *inv = inventory_new();
	const char *dir = arena_printf(inv->arena, "%s/dir", directory);

	(void)state;
	assert_int_equal(mkdir(dir, 0700), 0);
	write_file(inv, "dir/b", 0644, "hb\n");
	write_file(inv, "dir/a", 0644, "ha\n");
	write_file(inv, "dir/c.cfg", 0644, "hc\n");
	write_file(inv, "dir/.d", 0644, "hd\n");
	inventory_load(inv, dir);
	hierarchy_finish(inv);
	assert_string_equal(host_names(inv), "ha hb");
	assert_int_equal(inv->errors.n, 0);
	inventory_free(inv);
}

/* What is not linear here takes minutes; how long it takes is for the benchmarks. */
static void test_many_hosts_and_variables(void **state)
{
	struct buf text = {0};

	(void)state;
	for (int i = 0; i < 30000; i++)
		buf_printf(&text, "[g%d]\nh1 v%d=1\n[g%d:children]\ng%d\n", i, i, i, i + 1);
	buf_puts(&text, "[g30000]\nweb[000001:100000].example.org a=1\n");
	struct inventory *inv = from_ini(buf_str(&text));
	assert_int_equal(inv->n_hosts, 100001);
	assert_int_equal(inv->errors.n, 0);
	size_t n;
	for (size_t i = 0; i < inv->n_hosts; i++)
		hierarchy_vars(inv, inv->hosts[i], &n);
	inventory_free(inv);
	buf_free(&text);
}

static int make_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) == NULL;
}

static int remove_directory(void **state)
{
	static const char *const names[] = {"one", "two", "script", "hang", "x.yml", "beside",
	    "dir/a", "dir/b", "dir/c.cfg", "dir/.d", "dir", ""};
	char path[200];

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof path, "%s/%s", directory, names[i]);
		remove(path);
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_literals_are_typed_as_python_types_them),
	    cmocka_unit_test(test_deep_nesting_is_a_string),
	    cmocka_unit_test(test_words_are_split_as_shlex_does),
	    cmocka_unit_test(test_ranges_expand),
	    cmocka_unit_test(test_ports_are_split_off),
	    cmocka_unit_test(test_bad_lines_are_errors_and_the_rest_is_read),
	    cmocka_unit_test(test_the_line_of_a_bad_variable_is_not_quoted),
	    cmocka_unit_test(test_the_nearer_variable_wins_and_tells_its_line),
	    cmocka_unit_test(test_blanks_and_lines_are_pythons),
	    cmocka_unit_test(test_json_takes_lists_mappings_and_single_hosts),
	    cmocka_unit_test(test_json_numbers_keep_their_text),
	    cmocka_unit_test(test_list_prints_what_the_file_says),
	    cmocka_unit_test(test_a_host_list_has_a_comma),
	    cmocka_unit_test(test_sources_merge),
	    cmocka_unit_test(test_a_script_is_asked),
	    cmocka_unit_test(test_a_script_that_is_not_executable),
	    cmocka_unit_test(test_a_script_that_hangs_is_killed),
	    cmocka_unit_test(test_a_signal_ends_the_script_as_well),
	    cmocka_unit_test(test_what_cannot_be_read_is_said),
	    cmocka_unit_test(test_yaml_is_told_by_its_beginning),
	    cmocka_unit_test(test_variables_beside_the_file_are_warned_of),
	    cmocka_unit_test(test_a_directory_is_read_in_the_order_of_names),
	    cmocka_unit_test(test_many_hosts_and_variables),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
