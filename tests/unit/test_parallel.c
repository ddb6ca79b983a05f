#include "unit.h"

#include <stdatomic.h>

#include "oddhost/base/parallel.h"

struct scene {
	size_t n;
	atomic_int *times;
};

static void count(void *context, size_t index)
{
	struct scene *scene = context;

	if (index < scene->n)
		atomic_fetch_add(&scene->times[index], 1);
	else
		abort();
}

/* Each index once, whatever the number of batches and threads. */
static void test_each_once(void **state)
{
	static const size_t numbers[] = {0, 1, 31, 32, 33, 1000, 100000};

	(void)state;
	for (size_t k = 0; k < COUNT(numbers); k++) {
		struct scene scene = {numbers[k], calloc(numbers[k] + 1, sizeof(atomic_int))};
		assert_non_null(scene.times);
		parallel_each(scene.n, count, &scene);
		for (size_t i = 0; i < scene.n; i++)
			assert_int_equal(scene.times[i], 1);
		assert_int_equal(scene.times[scene.n], 0);
		free(scene.times);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_once)};

	return cmocka_run_group_tests_name("parallel", tests, NULL, NULL);
}
