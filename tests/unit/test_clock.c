#include "unit.h"

#include "oddhost/base/clock.h"

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		int64_t ns; /* 0: must be refused */
	} rows[] = {
	    {"2020-05-05T16:42:08.517320944+08:00", 1588668128517320944},
	    {"2020-05-05T08:42:08Z", 1588668128000000000},
	    {"2020-05-05 08:42:08.5 +0000 UTC", 1588668128500000000},
	    {"2020-05-05 03:12:08 -0530 XST", 1588668128000000000},
	    {"1970-01-01T00:00:01Z", 1000000000},
	    {"2000-02-29T12:00:00Z", 951825600000000000},
	    {"2100-03-01T00:00:00Z", 4107542400000000000},
	    {"2020-05-05T08:42:08.1234567891234Z", 1588668128123456789},
	    {"0001-01-01T00:00:00Z", 0},
	    {"0001-01-01 00:00:00 +0000 UTC", 0},
	    {"1970-01-01T00:00:00+01:00", 0},
	    {"9999-01-01T00:00:00Z", 0},
	    {"2020-13-05T08:42:08Z", 0},
	    {"2020-05-05T24:42:08Z", 0},
	    {"2020-05-05T08:42:08", 0},
	    {"2020-05-05T08:42:08Zx", 0},
	    {"2020-05-05T08:42:08+08:00x", 0},
	    {"2020-05-05", 0},
	    {"4 months ago", 0},
	    {"", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t ns = 7;
		bool ok = clock_parse(view_of(rows[i].text), &ns);
		if (ok != (rows[i].ns != 0) || ns != (ok ? rows[i].ns : 7))
			fail_msg("%s: %d, %lld", rows[i].text, ok, (long long)ns);
	}
}

/* Every day of two centuries, there and back again through the C library. */
static void test_days(void **state)
{
	(void)state;
	for (time_t when = 1; when < 7258118400; when += 86399) {
		char text[CLOCK_UTC_SIZE];
		int64_t ns;
		clock_format_utc(when, text);
		assert_true(clock_parse(view_of(text), &ns));
		assert_int_equal(ns, (int64_t)when * 1000000000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parse),
	    cmocka_unit_test(test_days),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
