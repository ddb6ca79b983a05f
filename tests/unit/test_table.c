#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "oddhost/base/arena.h"
#include "oddhost/base/table.h"

static void test_adds_and_finds_what_was_added(void **state)
{
	struct table table = {0};
	int one, two;

	(void)state;
	assert_null(table_get(&table, view_of("a")));
	assert_ptr_equal(table_add(&table, view_of("a"), &one), &one);
	assert_ptr_equal(table_add(&table, view_of("a"), &two), &one);
	assert_ptr_equal(table_add(&table, view_of(""), &two), &two);
	assert_ptr_equal(table_get(&table, view_of("")), &two);
	assert_null(table_get(&table, view_of("aa")));
	assert_int_equal(table.n, 2);
	table_free(&table);
	assert_null(table_get(&table, view_of("a")));
}

static void test_keeps_many_keys_apart(void **state)
{
	struct arena *arena = arena_new();
	struct table table = {0};
	static int values[20000];

	(void)state;
	for (int i = 0; i < 20000; i++)
		table_add(&table, view_of(arena_printf(arena, "key number %d", i)), &values[i]);
	assert_int_equal(table.n, 20000);
	for (int i = 0; i < 20000; i++)
		assert_ptr_equal(
		    table_get(&table, view_of(arena_printf(arena, "key number %d", i))),
		    &values[i]);
	assert_null(table_get(&table, view_of("key number 20000")));
	table_free(&table);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_adds_and_finds_what_was_added),
	    cmocka_unit_test(test_keeps_many_keys_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
