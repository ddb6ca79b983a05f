#include "unit.h"

static void test_add(void **state)
{
	struct buf buf = {0};

	(void)state;
	assert_string_equal(buf_str(&buf), "");
	buf_add(&buf, NULL, 0);
	buf_puts(&buf, "one");
	buf_putc(&buf, ' ');
	buf_printf(&buf, "%d-%s", 2, "two");
	buf_add_view(&buf, view_left(view_of("three"), 2));
	assert_string_equal(buf_str(&buf), "one 2-twoth");
	assert_int_equal(buf.n, 11);
	assert_false(buf.overflow);
	buf_free(&buf);
	assert_null(buf.p);
}

/* Around each doubling: nothing is lost, and buf_str's NUL has its place. */
static void test_growth(void **state)
{
	struct buf buf = {0};

	(void)state;
	for (size_t n = 0; n < 5000; n++) {
		assert_int_equal(buf.n, n);
		buf_putc(&buf, (char)('a' + n % 26));
		assert_int_equal(buf_str(&buf)[buf.n], '\0');
	}
	for (size_t n = 0; n < 5000; n++)
		assert_int_equal(buf.p[n], 'a' + n % 26);
	buf_free(&buf);
}

static void test_maximum(void **state)
{
	struct buf buf = {.max = 4};

	(void)state;
	buf_puts(&buf, "abcd");
	assert_false(buf.overflow);
	buf_add(&buf, "", 0);
	assert_false(buf.overflow);
	buf_putc(&buf, 'e');
	assert_true(buf.overflow);
	assert_string_equal(buf_str(&buf), "abcd");
	buf_consume(&buf, 2);
	buf_puts(&buf, "xyz");
	assert_string_equal(buf_str(&buf), "cdxy");
	buf_free(&buf);
	assert_int_equal(buf.max, 4);
	assert_false(buf.overflow);
}

static void test_printf_long(void **state)
{
	struct buf buf = {0};

	(void)state;
	for (int width = 505; width < 520;
	     width++) { /* around the size of the buffer on the stack */
		buf.n = 0;
		buf_printf(&buf, "%*d|", width, 7);
		assert_int_equal(buf.n, width + 1);
		assert_memory_equal(buf.p + width - 1, "7|", 2);
	}
	buf_free(&buf);
}

static void test_consume(void **state)
{
	struct buf buf = {0};

	(void)state;
	buf_consume(&buf, 3);
	buf_puts(&buf, "abcdef");
	buf_consume(&buf, 0);
	buf_consume(&buf, 2);
	assert_string_equal(buf_str(&buf), "cdef");
	buf_consume(&buf, SIZE_MAX);
	assert_int_equal(buf.n, 0);
	buf_puts(&buf, "g");
	assert_view(buf_view(&buf), "g");
	buf_free(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_add),
	    cmocka_unit_test(test_growth),
	    cmocka_unit_test(test_maximum),
	    cmocka_unit_test(test_printf_long),
	    cmocka_unit_test(test_consume),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
