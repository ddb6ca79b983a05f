#include "unit.h"

#include "oddhost/base/search.h"

static int order(const void *item, const void *key)
{
	const int *x = item, *y = key;

	return (*x > *y) - (*x < *y);
}

/* The oracle is a walk from the beginning. */
static void test_first(void **state)
{
	static const int v[] = {1, 3, 3, 3, 7, 9, 9, 12};

	(void)state;
	for (size_t n = 0; n <= COUNT(v); n++) {
		for (int key = 0; key < 14; key++) {
			size_t want = 0;
			while (want < n && v[want] < key)
				want++;
			assert_int_equal(search_first(v, n, sizeof *v, &key, order), want);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_first)};

	return cmocka_run_group_tests_name("search", tests, NULL, NULL);
}
