/* The oracle is json_print: the same values give the same bytes, but for what it hides from
 * terminals. */
#include "unit.h"

#include "oddhost/base/json.h"
#include "oddhost/base/json_line.h"
#include "oddhost/base/text.h"

static void test_same_as_the_tree(void **state)
{
	struct json *root = json_object();
	struct buf told = {0}, printed = {0};
	struct json_line line = {.out = &told};

	(void)state;
	json_line_object(&line, NULL);
	json_line_array(&line, "empty");
	json_set(root, "empty", json_array());
	json_line_end_array(&line);
	json_line_object(&line, "o\"\n");
	struct json *object = json_set(root, "o\"\n", json_object());
	json_line_number(&line, "n", -1234567890);
	json_set_number(object, "n", -1234567890);
	json_line_null(&line, "null");
	json_set_string(object, "null", NULL);
	json_line_string(&line, "absent", NULL);
	json_set_string(object, "absent", NULL);
	json_line_end_object(&line);
	json_line_array(&line, "a");
	struct json *array = json_set(root, "a", json_array());
	json_line_bool(&line, NULL, true);
	json_push(array, json_new_bool(true));
	json_line_object(&line, NULL);
	json_push(array, json_object());
	json_line_end_object(&line);
	json_line_bool(&line, NULL, false);
	json_push(array, json_new_bool(false));
	json_line_end_array(&line);
	json_line_end_object(&line);
	buf_putc(&told, '\n');
	json_print(root, false, &printed);
	assert_string_equal(buf_str(&told), buf_str(&printed));
	json_free(root);
	buf_free(&told);
	buf_free(&printed);
}

/* Random bytes as strings, among them quotes, controls and broken UTF-8. */
static void test_strings(void **state)
{
	static const char *const parts[] = {"a", "\"", "\\", "\n", "\t", "\x01", "\x1f", "\x7f",
	    "/", "\xc3\xa9", "\xff", "\xe2\x82", "\xed\xa0\x80", "\xef\xbf\xbd", "longer text ",
	    "\b\f\r"};
	unsigned seed = (unsigned)time(NULL);
	struct err err;

	(void)state;
	print_message("seed %u\n", seed);
	srand(seed);
	for (int round = 0; round < 2000; round++) {
		struct buf text = {0}, told = {0}, printed = {0};
		struct json_line line = {.out = &told};
		for (int n = rand() % 12; n > 0; n--)
			buf_puts(&text, parts[(size_t)rand() % COUNT(parts)]);
		struct json *node = json_new_string(buf_str(&text));
		json_print(node, false, &printed);
		json_line_string(&line, NULL, buf_str(&text));
		struct json *read = json_parse(buf_view(&told), &err);
		struct json *other = json_parse(buf_view(&printed), &err);
		assert_string_equal(json_string(read, NULL), json_string(other, NULL));
		json_free(read);
		json_free(other);
		json_free(node);
		buf_free(&text);
		buf_free(&told);
		buf_free(&printed);
	}
}

static void test_bytes(void **state)
{
	static const struct {
		struct view bytes;
		const char *out;
	} rows[] = {
	    {{"", 0}, "\"k\":\"\""},
	    {{"a\nb", 3}, "\"k\":\"a\\nb\""},
	    {{"a\0b", 3}, "\"k_b64\":\"YQBi\""},
	    {{"12345678\0", 9}, "\"k_b64\":\"MTIzNDU2NzgA\""},
	    {{"1234\xff", 5}, "\"k_b64\":\"MTIzNP8=\""},
	    {{"12345678\xc3\xa9", 10}, "\"k\":\"12345678\xc3\xa9\""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf out = {0};
		struct json_line line = {.out = &out};
		json_line_bytes(&line, "k", rows[i].bytes);
		assert_string_equal(buf_str(&out), rows[i].out);
		buf_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_same_as_the_tree),
	    cmocka_unit_test(test_strings),
	    cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests_name("json_line", tests, NULL, NULL);
}
