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
#include "oddhost/base/clock.h"
#include "oddhost/base/file.h"
#include "oddhost/inventory/hierarchy.h"
#include "oddhost/inventory/ini.h"
#include "oddhost/inventory/limit.h"
#include "oddhost/inventory/pattern.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char sample[] = "lone\n"
			     "[web]\nweb-1\nweb-2\nweb-3\n"
			     "[db]\ndb.example.org\nweb-3\n"
			     "[site:children]\ndb\nweb\n"
			     "[namesake]\nweb-1\n[other]\nnamesake\n";

static struct inventory *load(void)
{
	struct inventory *inv = inventory_new();

	ini_read(inv, view_of(sample));
	hierarchy_finish(inv);
	inv->warnings.n = 0; /* that of the namesake */
	return inv;
}

/* The names that are left, or the error's text behind "! ". */
static const char *select_names(struct inventory *inv, const char *limit)
{
	struct inventory_host **hosts;
	struct buf out = {0};
	struct err err;
	size_t n;

	if (limit_select(inv, inv->arena, limit, &hosts, &n, &err)) {
		for (size_t i = 0; i < n; i++)
			buf_printf(&out, "%s%s", i ? " " : "", hosts[i]->name);
	} else {
		buf_printf(&out, "! %s", err.text);
	}
	const char *text = arena_dup(inv->arena, buf_str(&out));
	buf_free(&out);
	return text;
}

/* What Ansible 2.14 answers, in inventory order; a '!' row says how the error begins. */
static void test_limits_select_what_ansible_selects(void **state)
{
	static const struct {
		const char *limit, *names;
		size_t warnings;
	} rows[] = {
	    {NULL, "lone web-1 web-2 web-3 db.example.org namesake", 0},
	    {"all", "lone web-1 web-2 web-3 db.example.org namesake", 0},
	    {"*", "lone web-1 web-2 web-3 db.example.org namesake", 0},
	    {"web", "web-1 web-2 web-3", 0},
	    {"web-2", "web-2", 0},
	    {"site", "web-1 web-2 web-3 db.example.org", 0},
	    {"ungrouped", "lone", 0},
	    {"web-3,lone", "lone web-3", 0},
	    {" web-3 , lone ,", "lone web-3", 0},
	    {"web:lone", "lone web-1 web-2 web-3", 0},
	    {"web:!web-1", "web-2 web-3", 0},
	    {"!web-1:web", "web-2 web-3", 0},
	    {"web:&db", "web-3", 0},
	    {"&db:!web-3", "db.example.org", 0},
	    {"!web", "lone db.example.org namesake", 0},
	    {"web-[13]*", "web-1 web-3", 0},
	    {"web-[13]", "! limit 'web-[13]' leaves no host", 1},
	    {"web-[!1]", "web-2 web-3", 0},
	    {"web-?", "web-1 web-2 web-3", 0},
	    {"*.org", "db.example.org", 0},
	    {"d*", "web-3 db.example.org", 0},
	    {"~web-[12]", "web-1 web-2", 0},
	    {"~(lo|db)", "lone web-3 db.example.org", 0},
	    {"~w\\w+-\\d$", "web-1 web-2 web-3", 0},
	    {"~eb", "! limit '~eb' leaves no host", 1},
	    {"~(", "! limit: '~(': not a regular expression: missing closing parenthesis", 0},
	    {"web[0]", "web-1", 0},
	    {"web[-1]", "web-3", 0},
	    {"web[1:2]", "web-2 web-3", 0},
	    {"web[1:]", "web-2 web-3", 0},
	    {"web[1:9]", "web-2 web-3", 0},
	    {"site[0]", "db.example.org", 0},
	    {"web[3]", "! limit: 'web[3]': there are only 3 hosts", 0},
	    {"web[-4]", "! limit: 'web[-4]': there are only 3 hosts", 0},
	    {"web[2:1]", "! limit 'web[2:1]' leaves no host", 0},
	    {"namesake", "namesake", 0},
	    {"&namesake", "web-1", 0},
	    {"nix,web-1", "web-1", 1},
	    {"nix", "! limit 'nix' leaves no host; there are groups: ", 1},
	    {"web:!all", "! limit 'web:!all' leaves no host", 0},
	    {"@/nowhere/limit", "! limit: /nowhere/limit: No such file", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct inventory *inv = load();
		const char *got = select_names(inv, rows[i].limit);
		bool error = rows[i].names[0] == '!';
		if ((error ? strncmp(got, rows[i].names, strlen(rows[i].names))
			   : strcmp(got, rows[i].names)) != 0 ||
		    inv->warnings.n != rows[i].warnings)
			fail_msg("%s: got %s, %zu warnings", rows[i].limit, got, inv->warnings.n);
		inventory_free(inv);
	}
}

static const char nodes[] = "n1\nn2\nn3\nn08\nn09\nn10\nn4.net\nn12.net\n"
			    "[web]\nweb1\nweb2\nweb3\nweb10\n"
			    "[rack1]\nn1\n[rack2]\nn2\nn3\n";

/* As `nodeset -e` of ClusterShell 1.9.1, among the hosts that there are; where both read a term, as
 * Ansible. */
static void test_node_sets(void **state)
{
	static const struct {
		const char *limit, *names;
		size_t warnings;
	} rows[] = {
	    {"n[1-3]", "n1 n2 n3", 0},
	    {"n[1-2,10]", "n1 n2 n10", 0},
	    {"n[08-10]", "n08 n09 n10", 0},
	    {"n[1-9/2]", "n1 n3", 1},
	    {"n[1-12].net", "n4.net n12.net", 1},
	    {"n[1-5]!n2", "n1 n3", 1},
	    {"n[1-3] ! n2", "n1 n3", 0},
	    {"n[1-3]!n2,n2", "n1 n2 n3", 0},
	    {"n1,n2!n1", "n2", 0},
	    {"n1,n2,!n1", "n2", 0},
	    {"n[1-3]&n[2-5]", "n2 n3", 1},
	    {"n[1-2]^n[2-3]", "n1 n3", 0},
	    {"@rack2", "n2 n3", 0},
	    {"@rack[1-2]!n3", "n1 n2", 0},
	    {"rack[1-2]", "n1 n2 n3", 0},
	    {"@web!web[1-3]", "web10", 0},
	    {"@*", "n1 n2 n3 n08 n09 n10 n4.net n12.net web1 web2 web3 web10", 0},
	    {"web[1-3]", "web2 web3 web10", 1}, /* a subscript, as in Ansible */
	    {"web[1-3/1]", "web1 web2 web3", 0},
	    {"web[0]", "web1", 0},
	    {"n[1-2", "! limit 'n[1-2' leaves no host", 2},
	    {"n[3-1]", "! limit: [3-1]: the range begins behind its end", 0},
	    {"n[9-011]", "! limit: [9-011]: both ends must have as many digits", 0},
	    {"n[1,]", "! limit: [1,]: expected a number behind each comma", 0},
	    {"n[1-3/0]", "! limit: [1-3/0]: expected a step", 0},
	    {"x1[1-10]", "! limit: [1-10]: behind a digit, both ends", 0},
	    {"n[1-3,5][1-2]", "! limit: 'n[1-3,5][1-2]': expected at most 8 pairs", 0},
	    {"n[1-999999999]", "! limit: 'n[1-999999999]' means more than 300000", 0},
	    {"n[1-3]!", "! limit: expected hosts or a group behind '!'", 0},
	    {"n1!!n2", "! limit: expected hosts or a group behind '!'", 0},
	    {"n1 !", "! limit: expected hosts or a group behind '!'", 0},
	    {"^n1", "! limit: expected hosts or a group before '^'", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct inventory *inv = inventory_new();
		ini_read(inv, view_of(nodes));
		hierarchy_finish(inv);
		const char *got = select_names(inv, rows[i].limit);
		if (strncmp(got, rows[i].names, strlen(rows[i].names)) != 0 ||
		    (got[0] != '!' && strcmp(got, rows[i].names) != 0) ||
		    inv->warnings.n != rows[i].warnings)
			fail_msg("%s: got %s, %zu warnings", rows[i].limit, got, inv->warnings.n);
		inventory_free(inv);
	}
}

static void test_the_error_names_what_there_is(void **state)
{
	struct inventory *inv = load();

	(void)state;
	assert_non_null(strstr(select_names(inv, "nix"),
	    "groups: all,db,namesake,other,site,ungrouped,web; hosts: db.example.org,lone"));
	inventory_free(inv);
	inv = inventory_new();
	hierarchy_finish(inv);
	assert_string_equal(select_names(inv, NULL), "! the inventory has no hosts");
	inventory_free(inv);
}

static void test_a_file_holds_terms(void **state)
{
	struct inventory *inv = load();
	char path[] = "/tmp/oddhost-limit-XXXXXX", limit[100];
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_true(file_write_all(fd, view_of("web-1\r\n\n db \n!web-3\n")));
	close(fd);
	snprintf(limit, sizeof limit, "@%s,lone", path);
	assert_string_equal(select_names(inv, limit), "lone web-1 db.example.org");
	unlink(path);
	inventory_free(inv);
}

static bool matches(const char *text, const char *name)
{
	struct err err;
	struct pattern *pattern = pattern_new(view_of(text), &err);
	bool match;

	if (pattern == NULL)
		fail_msg("%s: %s", text, err.text);
	if (!pattern_matches(pattern, name, &match, &err))
		fail_msg("%s: %s", text, err.text);
	pattern_free(pattern);
	return match;
}

static void test_globs(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool match;
	} rows[] = {
	    {"", "", true},
	    {"", "a", false},
	    {"*", "", true},
	    {"a*b*c", "aXbYbZc", true},
	    {"a*b*c", "aXbYbZ", false},
	    {"?", "", false},
	    {"[]]", "]", true},
	    {"[!]]", "]", false},
	    {"[a-c]", "b", true},
	    {"[a-c]", "d", false},
	    {"[a-]", "-", true},
	    {"[c-a]", "b", false},
	    {"[abc", "[abc", true},
	    {"[", "[", true},
	    {"\\*", "\\x", true},
	    {"[^a]", "a", true},
	    {"*[!a]", "aab", true},
	    {"a.b", "axb", false},
	    {"[c-ax]", "x", true},
	    {"[!c-a]", "b", true},
	    {"[b-a-c]", "-", true},
	    {"web?", "web\xe4\xb8\xad", true}, /* a character, not a byte */
	    {"web??", "web\xe4\xb8\xad", false},
	    {"[\xc3\xa0-\xc3\xbc]", "\xc3\xa9", true},
	    {"*b*", "aBc", false},
	    {"*.org", "a.org", true},
	    {"*.org", "a.orgx", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (matches(rows[i].pattern, rows[i].name) != rows[i].match)
			fail_msg("%s against %s", rows[i].pattern, rows[i].name);
	}
}

static void test_a_glob_of_many_stars_ends(void **state)
{
	char name[2001] = "", pattern[201] = "";
	int64_t begin = clock_ms();

	(void)state;
	memset(name, 'a', 2000);
	for (size_t i = 0; i < 200; i++)
		pattern[i] = i % 2 == 0 ? '*' : i < 199 ? 'a' : 'b';
	assert_false(matches(pattern, name));
	assert_true(clock_ms() - begin < 5000);
}

/* What Python's re.match answers; NULL: refused, with the construct's name. */
static void test_regular_expressions(void **state)
{
	static const struct {
		const char *pattern, *yes, *no, *error;
	} rows[] = {
	    {"~web[\\d]+$", "web12", "webd", NULL},
	    {"~web[^\\d]", "webx", "web1", NULL},
	    {"~[^\\W\\d]+1$", "web1", "we2b1", NULL},
	    {"~\\x77eb1", "web1", "xeb1", NULL},
	    {"~(?!db).*", "web1", "db1", NULL},
	    {"~(?i)web", "WEB1", "db", NULL},
	    {"~(?P<n>a)(?P=n)", "aab", "ab", NULL},
	    {"~w.b$",
		"w\xe4\xb8\xad"
		"b",
		"wb", NULL},
	    {"~\\w+$", "\xc3\xa9t\xc3\xa9", "a-b", NULL},
	    {"~a|b", "bc", "cb", NULL},
	    {"~(", NULL, NULL, "missing closing parenthesis"},
	    {"~\\u0077", NULL, NULL,
		"PCRE2 does not support \\F, \\L, \\l, \\N{name}, \\U, or \\u"},
	    {"~(?a)x", NULL, NULL, "unrecognized character after (?"},
	    {"~(a+)+$", NULL, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "match limit exceeded"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err err = {""};
		struct pattern *pattern;
		bool match;
		if (rows[i].error == NULL) {
			assert_true(matches(rows[i].pattern, rows[i].yes));
			assert_false(matches(rows[i].pattern, rows[i].no));
			continue;
		}
		pattern = pattern_new(view_of(rows[i].pattern), &err);
		assert_true(pattern == NULL || !pattern_matches(pattern, rows[i].no, &match, &err));
		if (strstr(err.text, rows[i].error) == NULL)
			fail_msg("%s: %s", rows[i].pattern, err.text);
		pattern_free(pattern);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_limits_select_what_ansible_selects),
	    cmocka_unit_test(test_node_sets),
	    cmocka_unit_test(test_the_error_names_what_there_is),
	    cmocka_unit_test(test_a_file_holds_terms),
	    cmocka_unit_test(test_globs),
	    cmocka_unit_test(test_regular_expressions),
	    cmocka_unit_test(test_a_glob_of_many_stars_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
