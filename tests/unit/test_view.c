#include "unit.h"

static void test_trim(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {{"", ""}, {" \t\r\n\v\f", ""}, {"a", "a"}, {" a b\n", "a b"}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_view(view_trim(view_of(rows[i].in)), rows[i].out);
}

static void test_empty(void **state)
{
	struct view v = view_of(NULL), part;

	(void)state;
	assert_int_equal(v.n, 0);
	assert_true(view_eq(v, "") && view_same(v, view_of("")) && view_starts(v, ""));
	assert_int_equal(view_find(v, "x"), -1);
	assert_int_equal(view_find_char(v, 'x'), -1);
	assert_int_equal(view_cmp(v, view_of("")), 0);
	assert_int_equal(view_skip(v, 3).n + view_left(v, 3).n + view_trim(v).n, 0);
	assert_false(view_next_line(&v, &part));
	assert_false(view_next_word(&v, &part));
	assert_false(view_next_part(&v, ',', &part));
	assert_false(view_ends(v, "x"));
}

static void test_compare(void **state)
{
	static const struct {
		const char *a, *b;
		int order;
	} rows[] = {{"a", "b", -1}, {"b", "a", 1}, {"a", "ab", -1}, {"ab", "a", 1}, {"ab", "ab", 0},
	    {"\x7f", "\x80", -1}, {"", "a", -1}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int order = view_cmp(view_of(rows[i].a), view_of(rows[i].b));
		assert_int_equal((order > 0) - (order < 0), rows[i].order);
		assert_int_equal(
		    view_same(view_of(rows[i].a), view_of(rows[i].b)), rows[i].order == 0);
	}
	assert_true(view_starts(view_of("abc"), "ab") && !view_starts(view_of("ab"), "abc"));
	assert_true(view_ends(view_of("abc"), "bc") && !view_ends(view_of("bc"), "abc"));
	assert_false(view_eq(LITERAL("a\0b"), "a"));
}

static void test_find(void **state)
{
	(void)state;
	assert_int_equal(view_find(view_of("abcabc"), "ca"), 2);
	assert_int_equal(view_find(view_of("abc"), "abcd"), -1);
	assert_int_equal(view_find(view_left(view_of("abc"), 2), "c"), -1);
	assert_int_equal(view_find(LITERAL("a\0bc"), "bc"), 2);
	assert_int_equal(view_find_char(view_of("abca"), 'a'), 0);
	assert_int_equal(view_find_char(view_left(view_of("abc"), 2), 'c'), -1);
}

static void test_take_skip(void **state)
{
	struct view v = view_of("inet 10.0.0.1");

	(void)state;
	assert_false(view_take(&v, "inet6 "));
	assert_view(v, "inet 10.0.0.1");
	assert_true(view_take(&v, "inet "));
	assert_view(v, "10.0.0.1");
	assert_view(view_skip(v, 7), "1");
	assert_int_equal(view_skip(v, SIZE_MAX).n, 0);
	assert_view(view_left(v, SIZE_MAX), "10.0.0.1");
}

/* Every part, each behind a '|', as one string. */
static const char *joined(
    struct view text, bool (*next)(struct view *, struct view *), char out[256])
{
	struct view part;
	size_t n = 0;

	while (next(&text, &part)) {
		assert_true(n + part.n + 2 < 256);
		out[n++] = '|';
		for (size_t i = 0; i < part.n; i++)
			out[n++] = part.p[i] == '\0' ? '0' : part.p[i];
	}
	assert_int_equal(text.n, 0);
	out[n] = '\0';
	return out;
}

static bool next_field(struct view *cursor, struct view *ret)
{
	return view_next_part(cursor, ',', ret);
}

static void test_split(void **state)
{
	static const struct {
		struct view in;
		bool (*next)(struct view *, struct view *);
		const char *out;
	} rows[] = {
	    {LITERAL("a\nb"), view_next_line, "|a|b"},
	    {LITERAL("a\nb\n"), view_next_line, "|a|b"},
	    {LITERAL("\n\n"), view_next_line, "||"},
	    {LITERAL("a\r\nb\r"), view_next_line, "|a|b"},
	    {LITERAL("a\r\r\n\rb"), view_next_line, "|a\r|\rb"},
	    {LITERAL("a\0b\nc"), view_next_line, "|a0b|c"},
	    {LITERAL("  a\tb \n c"), view_next_word, "|a|b|c"},
	    {LITERAL("a"), view_next_word, "|a"},
	    {LITERAL("a,,b"), next_field, "|a||b"},
	    {LITERAL(",a"), next_field, "||a"},
	    {LITERAL("a,"), next_field, "|a"},
	};
	char out[256];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(joined(rows[i].in, rows[i].next, out), rows[i].out);

	struct view blanks = view_of(" \n"), word;
	assert_false(view_next_word(&blanks, &word));
}

static void test_uint(void **state)
{
	static const struct {
		const char *in;
		uint64_t min, max;
		bool ok;
		uint64_t value;
	} rows[] = {
	    {"0", 0, 0, true, 0},
	    {"007", 0, 9, true, 7},
	    {"65535", 1, 65535, true, 65535},
	    {"65536", 1, 65535, false, 0},
	    {"0", 1, 65535, false, 0},
	    {"18446744073709551615", 0, UINT64_MAX, true, UINT64_MAX},
	    {"18446744073709551616", 0, UINT64_MAX, false, 0},
	    {"18446744073709551620", 0, UINT64_MAX, false, 0},
	    {"99999999999999999999999", 0, UINT64_MAX, false, 0},
	    {"", 0, 9, false, 0},
	    {"-1", 0, 9, false, 0},
	    {"+1", 0, 9, false, 0},
	    {" 1", 0, 9, false, 0},
	    {"1 ", 0, 9, false, 0},
	    {"0x1", 0, 9, false, 0},
	    {"1a", 0, 9, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t value = 4711;
		bool ok = view_uint(view_of(rows[i].in), rows[i].min, rows[i].max, &value);
		if (ok != rows[i].ok || value != (ok ? rows[i].value : 4711))
			fail_msg("'%s': %d, %llu", rows[i].in, ok, (unsigned long long)value);
	}
}

static void test_decimal(void **state)
{
	static const struct {
		const char *in;
		double value; /* -1: rejected */
	} rows[] = {{"0", 0}, {"0.992", 0.992}, {"0,992", 0.992}, {"100", 100},
	    {"33.3333", 33.3333}, {"", -1}, {".", -1}, {"1.2.3", -1}, {"-1", -1}, {"1e3", -1},
	    {"nan", -1}, {"inf", -1}, {"0x10", -1}, {"1 ", -1},
	    {"111111111111111111111111111111111", -1}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		double value = -1;
		bool ok = view_decimal(view_of(rows[i].in), &value);
		if (ok != (rows[i].value >= 0) || value < rows[i].value || value > rows[i].value)
			fail_msg("'%s': %d, %.17g", rows[i].in, ok, value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_trim),
	    cmocka_unit_test(test_empty),
	    cmocka_unit_test(test_compare),
	    cmocka_unit_test(test_find),
	    cmocka_unit_test(test_take_skip),
	    cmocka_unit_test(test_split),
	    cmocka_unit_test(test_uint),
	    cmocka_unit_test(test_decimal),
	};

	return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
