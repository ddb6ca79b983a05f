#include "unit.h"

#include "oddhost/collect/wire.h"

static void test_u32(void **state)
{
	static const uint32_t values[] = {0, 1, 0x7f, 0x80, 0x12345678, 0xffffffff};

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		struct buf buf = {0};
		uint32_t back = 1;
		wire_put_u32(&buf, values[i]);
		assert_int_equal(buf.n, 4);
		assert_int_equal((unsigned char)buf.p[0], values[i] >> 24);
		for (size_t n = 0; n < 4; n++) {
			struct view cut = {buf.p, n};
			assert_false(wire_get_u32(&cut, &back));
			assert_int_equal(cut.n, n);
		}
		struct view cursor = buf_view(&buf);
		assert_true(wire_get_u32(&cursor, &back));
		assert_int_equal(back, values[i]);
		assert_int_equal(cursor.n, 0);
		buf_free(&buf);
	}
}

static void test_string(void **state)
{
	static const struct {
		struct view in;
		long n; /* length of the string; -1: cut off */
	} rows[] = {
	    {LITERAL(""), -1},
	    {LITERAL("\0\0\0"), -1},
	    {LITERAL("\0\0\0\0"), 0},
	    {LITERAL("\0\0\0\1"), -1},
	    {LITERAL("\0\0\0\1x"), 1},
	    {LITERAL("\0\0\0\2xy tail"), 2},
	    {LITERAL("\xff\xff\xff\xffxy"), -1},
	    {LITERAL("\x80\0\0\2xy"), -1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct view cursor = rows[i].in, got = {0};
		assert_int_equal(wire_get_string(&cursor, &got), rows[i].n >= 0);
		if (rows[i].n < 0) {
			assert_ptr_equal(cursor.p, rows[i].in.p);
			assert_int_equal(cursor.n, rows[i].in.n);
			continue;
		}
		assert_int_equal(got.n, rows[i].n);
		assert_int_equal(cursor.n, rows[i].in.n - 4 - got.n);
	}
}

/* RFC 4251 section 5's examples of unsigned numbers, and leading zeros. */
static void test_mpint(void **state)
{
	static const struct {
		struct view in, out;
	} rows[] = {
	    {LITERAL(""), LITERAL("\0\0\0\0")},
	    {LITERAL("\0\0"), LITERAL("\0\0\0\0")},
	    {LITERAL("\x09\xa3\x78\xf9\xb2\xe3\x32\xa7"),
		LITERAL("\0\0\0\x08\x09\xa3\x78\xf9\xb2\xe3\x32\xa7")},
	    {LITERAL("\x80"), LITERAL("\0\0\0\2\0\x80")},
	    {LITERAL("\0\0\x80"), LITERAL("\0\0\0\2\0\x80")},
	    {LITERAL("\0\x7f"), LITERAL("\0\0\0\1\x7f")},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf buf = {0};
		wire_put_mpint(&buf, rows[i].in);
		assert_true(view_same(buf_view(&buf), rows[i].out));
		buf_free(&buf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_u32),
	    cmocka_unit_test(test_string),
	    cmocka_unit_test(test_mpint),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
