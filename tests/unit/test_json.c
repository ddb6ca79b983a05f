#include "unit.h"

#include "oddhost/base/json.h"

static void test_reads(void **state)
{
	static const char text[] =
	    "{\"s\":\"a\\u00e9\\n\",\"n\":-1.5,\"t\":true,\"z\":null,\"a\":[1,\"x\",{}],\"S\":\"other\"}";
	struct err err;
	struct json *root = json_parse(view_of(text), &err);

	(void)state;
	assert_non_null(root);
	assert_true(json_is_object(root) && !json_is_array(root));
	assert_int_equal(json_size(root), 6);
	assert_string_equal(json_get_string(root, "s", NULL), "a\xc3\xa9\n");
	assert_string_equal(json_get_string(root, "S", NULL), "other");
	assert_true(json_get_number(root, "n", 0) < -1.4);
	assert_true(json_bool(json_get(root, "t"), false));
	assert_true(json_is_null(json_get(root, "z")));
	assert_false(json_is_null(json_get(root, "not there")));
	const struct json *array = json_get(root, "a"), *item = json_first(array);
	assert_true(json_is_array(array));
	assert_true(json_is_number(item) && json_key(item) == NULL);
	item = json_next(item);
	assert_string_equal(json_string(item, NULL), "x");
	item = json_next(item);
	assert_true(json_is_object(item) && json_first(item) == NULL);
	assert_null(json_next(item));
	assert_string_equal(json_key(json_first(root)), "s");
	json_free(root);
}

/* Readers never fail: whatever the shape, they give the default. */
static void test_defaults(void **state)
{
	struct err err;
	struct json *root = json_parse(view_of("[\"text\",1e999]"), &err);
	const struct json *text = json_first(root);

	(void)state;
	json_free(NULL);
	assert_null(json_get(NULL, "k"));
	assert_null(json_get(root, "k"));
	assert_null(json_get(text, "k"));
	assert_null(json_first(text));
	assert_null(json_first(NULL));
	assert_null(json_key(NULL));
	assert_int_equal(json_size(NULL), 0);
	assert_int_equal(json_size(text), 0);
	assert_string_equal(json_string(NULL, "d"), "d");
	assert_string_equal(json_string(root, "d"), "d");
	assert_true(json_number(text, 7) > 6);
	assert_true(json_number(json_next(text), 7) < 8); /* infinite is none */
	assert_true(json_bool(text, true));
	assert_false(json_is_string(NULL) || json_is_bool(NULL) || json_is_number(NULL));
	json_free(root);
}

/* Where a member must be what it is asked for, what it is not is no default. */
static void test_typed(void **state)
{
	static const struct {
		const char *member;
		bool read;
		long number;
	} rows[] = {
	    {"7", true, 7},
	    {"-3", true, -3},
	    {"7.0", true, 7},
	    {"1e1", true, 10},
	    {"10.5", false, -99},
	    {"11", false, -99},
	    {"-4", false, -99},
	    {"\"7\"", false, -99},
	    {"null", false, -99},
	    {"1e999", false, -99},
	    {"[7]", false, -99},
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[32];
		const char *string = "as it was";
		long number = -99;
		snprintf(text, sizeof text, "{\"n\":%s}", rows[i].member);
		struct json *root = json_parse(view_of(text), &err);
		print_message("  %s\n", text);
		assert_int_equal(json_read_int(root, "n", -3, 10, &number), rows[i].read);
		assert_int_equal(number, rows[i].number);
		assert_true(json_read_int(root, "m", -3, 10, &number));
		assert_int_equal(number, rows[i].number);
		assert_true(json_read_string(root, "m", &string));
		assert_string_equal(string, "as it was");
		assert_int_equal(json_read_string(root, "n", &string), rows[i].member[0] == '"');
		assert_string_equal(string, rows[i].member[0] == '"' ? "7" : "as it was");
		json_free(root);
	}
}

static void test_rejects(void **state)
{
	static const struct {
		const char *in, *message;
	} rows[] = {
	    {"", "empty, expected a JSON value"},
	    {" \n", "empty, expected a JSON value"},
	    {"{", "line 1: not valid JSON"},
	    {"{\n\"a\":1,\n}", "line 3: not valid JSON"},
	    {"[1,]", "line 1: not valid JSON"},
	    {"nul", "line 1: not valid JSON"},
	    {"'a'", "line 1: not valid JSON"},
	    {"\"open", "line 1: not valid JSON"},
	    {"\"\\x\"", "line 1: not valid JSON"},
	    {"\"\\ud800\"", "line 1: not valid JSON"},
	    {"1\n\n2", "line 3: something follows the JSON value"},
	    {"{} x", "line 1: something follows the JSON value"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err err = {""};
		/* A copy of exactly this size, so that reading past it is seen. */
		size_t n = strlen(rows[i].in);
		char *exact = malloc(n + 1);
		assert_non_null(exact);
		memcpy(exact, rows[i].in, n);
		exact = realloc(exact, n > 0 ? n : 1);
		struct json *root = json_parse((struct view){exact, n}, &err);
		if (root != NULL || strcmp(err.text, rows[i].message) != 0)
			fail_msg("'%s': '%s'", rows[i].in, err.text);
		free(exact);
	}
}

static void test_deep(void **state)
{
	struct buf text = {0};
	struct err err;

	(void)state;
	for (int i = 0; i < 1000000; i++)
		buf_putc(&text, '[');
	assert_null(json_parse(buf_view(&text), &err));
	buf_free(&text);
}

static void test_values_in_a_row(void **state)
{
	struct view text = view_of(" {\"a\":1}\n{\"a\":2}[3] oops");
	struct err err;
	double sum = 0;

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct json *value = json_parse_first(&text, &err);
		assert_non_null(value);
		sum += json_get_number(value, "a", 10);
		json_free(value);
	}
	assert_int_equal((int)sum, 13);
	assert_null(json_parse_first(&text, &err));
	assert_string_equal(err.text, "line 1: not valid JSON");
	assert_view(text, "oops");
}

static void test_writes(void **state)
{
	struct json *root = json_object();
	struct buf out = {0};

	(void)state;
	json_set_string(root, "s", "q\"\\\n\t\033");
	json_set_string(root, "none", NULL);
	json_set_view(root, "v", view_left(view_of("view"), 2));
	json_set_number(root, "n", 0.5);
	json_set_bool(root, "b", false);
	json_set(root, "z", json_new_null());
	struct json *array = json_set(root, "a", json_array());
	json_push(array, json_new_number(1));
	json_push(array, json_copy(array));
	json_push(array, json_new_bool(true));
	json_print(root, false, &out);
	assert_string_equal(buf_str(&out),
	    "{\"s\":\"q\\\"\\\\\\n\\t\\u001b\",\"none\":null,\"v\":\"vi\",\"n\":0.5,\"b\":false,"
	    "\"z\":null,\"a\":[1,[1],true]}\n");
	buf_consume(&out, SIZE_MAX);
	json_print(root, true, &out);
	assert_true(view_find(buf_view(&out), "\n\t\"b\":\tfalse,\n") > 0);
	assert_true(view_ends(buf_view(&out), "}\n"));
	buf_free(&out);
	json_free(root);
}

/*
 * What is not UTF-8 must not reach the file: other programs' readers refuse all of it. What would
 * act on a terminal is escaped.
 */
static void test_writes_utf8(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
	    {"gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\"\n"},
	    {"a\xff\x62", "\"a\xef\xbf\xbd\x62\"\n"},
	    {"\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\"\n"},
	    {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"\n"},
	    {"\xef\xbf\xbd", "\"\xef\xbf\xbd\"\n"},
	    {"\x7f\xc2\x9b\xe2\x80\xae.", "\"\\u007f\\u009b\\u202e.\"\n"},
	    {"\xf3\xa0\x81\x81\xf0\x9f\x98\x80", "\"\\udb40\\udc41\xf0\x9f\x98\x80\"\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct json *node = json_new_string(rows[i].in);
		struct buf out = {0};
		json_print(node, false, &out);
		assert_string_equal(buf_str(&out), rows[i].out);
		buf_free(&out);
		json_free(node);
	}
}

static void test_round_trip(void **state)
{
	struct json *root = json_array();
	struct buf out = {0};
	struct err err;

	(void)state;
	for (int c = 1; c < 0x80; c++) {
		char text[3] = {(char)c, 'x', '\0'};
		json_push(root, json_new_string(text));
	}
	json_print(root, false, &out);
	json_free(root);
	root = json_parse(buf_view(&out), &err);
	assert_int_equal(json_size(root), 0x7f);
	int c = 1;
	for (const struct json *item = json_first(root); item != NULL; item = json_next(item)) {
		char text[3] = {(char)c++, 'x', '\0'};
		assert_string_equal(json_string(item, ""), text);
	}
	json_free(root);
	buf_free(&out);
}

static void test_exact(void **state)
{
	static const struct {
		const char *in, *out; /* NULL: the same, or an error's text */
	} rows[] = {
	    {"[9007199254740991,12345678901234567890,-0,1.0,1e2,1E-2,0.1,-7,1e999]", NULL},
	    {"123456789012345678901234567890", NULL},
	    {"{\"1\":{\"a\\\"2\\\\\":[],\"b\":[1.50,\"-3\",{\"c\":4.0}]},\"d\":5}", NULL},
	    {"{\"a\":1.0,\"b\":2,\"a\":\"x\",\"A\":3,\"a\":[4.0]}",
		"{\"a\":[4.0],\"b\":2,\"A\":3}"},
	    {"[{\"a\":{\"b\":1,\"b\":2},\"a\":{\"b\":3.0,\"b\":\"4\"}},5.0]",
		"[{\"a\":{\"b\":\"4\"}},5.0]"},
	    {"\"\\\\u0000\"", NULL},
	    {"[1,\n\"we\\u0000b\"]", "line 2: a string with a NUL character in it"},
	    {"{\"we\\u0000b\":1}", "line 1: a string with a NUL character in it"},
	    {"[\n\n01]", "line 3: '01' is not a number in JSON"},
	    {"[1.]", "line 1: '1.' is not a number in JSON"},
	    {"[-]", "line 1: not valid JSON"},
	    {"{", "line 1: not valid JSON"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err err = {""};
		struct buf out = {0};
		struct json *root = json_parse_exact(view_of(rows[i].in), &err), *copy;
		if (root == NULL) {
			assert_string_equal(err.text, rows[i].out);
			continue;
		}
		copy = json_copy(root);
		json_print(copy, false, &out);
		if (!view_eq(view_trim(buf_view(&out)), rows[i].out ? rows[i].out : rows[i].in))
			fail_msg("'%s': %s", rows[i].in, buf_str(&out));
		json_free(copy);
		json_free(root);
		buf_free(&out);
	}
}

/* A number that keeps its text is a number to every reader. */
static void test_exact_reads(void **state)
{
	struct err err;
	struct json *root = json_parse_exact(view_of("{\"n\":2.50,\"s\":\"2\"}"), &err);
	const struct json *n = json_get(root, "n");

	(void)state;
	assert_true(json_is_number(n) && !json_is_string(n));
	assert_true(json_number(n, 0) > 2.4 && json_number(n, 0) < 2.6);
	assert_null(json_string(n, NULL));
	assert_false(json_is_number(json_get(root, "s")));
	json_free(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reads),
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_typed),
	    cmocka_unit_test(test_rejects),
	    cmocka_unit_test(test_deep),
	    cmocka_unit_test(test_values_in_a_row),
	    cmocka_unit_test(test_writes),
	    cmocka_unit_test(test_writes_utf8),
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_exact),
	    cmocka_unit_test(test_exact_reads),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
