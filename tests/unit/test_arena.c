/* The arena, and what stands on it in base: diagnostics, errors, growing arrays. */
#include "unit.h"

#include <errno.h>

#include "oddhost/base/arena.h"
#include "oddhost/base/clock.h"
#include "oddhost/base/diag.h"
#include "oddhost/base/digest.h"
#include "oddhost/base/err.h"
#include "oddhost/base/mem.h"

/* Blocks of all sizes: aligned, zeroed, and none runs into another. */
static void test_alloc(void **state)
{
	enum { N = 600 };
	struct arena *arena = arena_new();
	unsigned char *blocks[N];

	(void)state;
	arena_free(NULL);
	for (size_t i = 0; i < N; i++) {
		size_t size = i * i % 3000;
		blocks[i] = arena_alloc(arena, size);
		assert_non_null(blocks[i]);
		assert_int_equal((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
		for (size_t k = 0; k < size; k++)
			assert_int_equal(blocks[i][k], 0);
		memset(blocks[i], (int)(i % 251), size);
	}
	for (size_t i = 0; i < N; i++) {
		for (size_t k = 0; k < i * i % 3000; k++)
			assert_int_equal(blocks[i][k], i % 251);
	}
	arena_free(arena);
}

static void test_strings(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	assert_null(arena_dup(arena, NULL));
	assert_string_equal(arena_dup(arena, "text"), "text");
	assert_string_equal(arena_dup_view(arena, view_left(view_of("text"), 2)), "te");
	struct view copy = arena_view(arena, LITERAL("a\0b"));
	assert_memory_equal(copy.p, "a\0b", 4);
	assert_string_equal(arena_dup_view(arena, view_of(NULL)), "");
	for (int width = 250; width < 262; width++) {
		const char *text = arena_printf(arena, "%*d|", width, 7);
		assert_int_equal(strlen(text), width + 1);
		assert_string_equal(text + width - 1, "7|");
	}
	arena_free(arena);
}

static void test_grow(void **state)
{
	struct arena *arena = arena_new();
	int *in_arena = NULL, *on_heap = NULL;
	size_t cap = 0, heap_cap = 0;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		in_arena = arena_grow(arena, in_arena, (size_t)i, &cap, sizeof *in_arena);
		on_heap = mem_grow(on_heap, (size_t)i, &heap_cap, sizeof *on_heap);
		assert_true(cap > (size_t)i && heap_cap > (size_t)i);
		assert_int_equal(in_arena[i], 0);
		in_arena[i] = on_heap[i] = i;
	}
	for (int i = 0; i < 5000; i++) {
		assert_int_equal(in_arena[i], i);
		assert_int_equal(on_heap[i], i);
	}
	in_arena = arena_grow(arena, in_arena, 100000, &cap, sizeof *in_arena);
	assert_true(cap > 100000);
	assert_int_equal(in_arena[4999], 4999);
	free(on_heap);
	arena_free(arena);
}

/* Arrays that grow beside each other and beside small things: none takes what is another's. */
static void test_grow_beside(void **state)
{
	enum { ARRAYS = 200, STEPS = 9000 };
	struct arena *arena = arena_new();
	unsigned *arrays[ARRAYS] = {NULL};
	size_t n[ARRAYS] = {0}, cap[ARRAYS] = {0};
	unsigned seed = 1;

	(void)state;
	for (unsigned step = 0; step < STEPS; step++) {
		seed = seed * 1103515245 + 12345;
		size_t a = (seed >> 16) % ARRAYS;
		for (unsigned run = (seed >> 20) % 9; run > 0; run--) {
			arrays[a] = arena_grow(arena, arrays[a], n[a], &cap[a], sizeof *arrays[a]);
			assert_int_equal(arrays[a][n[a]], 0);
			arrays[a][n[a]] = (unsigned)(a << 24 | n[a]);
			n[a]++;
		}
		memset(arena_alloc(arena, (seed >> 8) % 90), 0xff, (seed >> 8) % 90);
	}
	for (size_t a = 0; a < ARRAYS; a++) {
		for (size_t i = 0; i < n[a]; i++)
			assert_int_equal(arrays[a][i], a << 24 | i);
	}
	arena_free(arena);
}

/* What is given back does not touch what is kept, nor what others have; and growing goes on. */
static void test_fit(void **state)
{
	struct arena *arena = arena_new();
	int *array = NULL, *other;
	size_t cap = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		array = arena_grow(arena, array, (size_t)i, &cap, sizeof *array);
		array[i] = i;
	}
	assert_true(cap > 1000);
	array = arena_fit(arena, array, 1000, &cap, sizeof *array);
	assert_int_equal(cap, 1000);
	other = arena_alloc(arena, 4000);
	memset(other, 0xff, 4000);
	for (int i = 1000; i < 3000; i++) {
		array = arena_grow(arena, array, (size_t)i, &cap, sizeof *array);
		assert_int_equal(array[i], 0);
		array[i] = i;
	}
	size_t before = cap;
	int *newest = arena_alloc(arena, 4000);
	array = arena_fit(arena, array, 3000, &cap, sizeof *array);
	assert_int_equal(cap, before); /* another has the newest block: nothing is given back */
	assert_int_equal(newest[999], 0);
	assert_int_equal(other[0], -1);
	for (int i = 0; i < 3000; i++)
		assert_int_equal(array[i], i);
	cap = 0;
	assert_null(arena_fit(arena, NULL, 0, &cap, sizeof *array));
	arena_free(arena);
}

static void test_mem_strings(void **state)
{
	char *copy = mem_strndup("abc", 2), *none = mem_strdup(NULL), *empty = mem_strndup(NULL, 0);

	(void)state;
	assert_string_equal(copy, "ab");
	assert_null(none);
	assert_string_equal(empty, "");
	free(copy);
	free(empty);
}

static void test_diag(void **state)
{
	struct arena *arena = arena_new();
	struct diag_list list = {.arena = arena, .source = "host-01 routes"};
	char longer[1000];

	(void)state;
	diag_add(NULL, 1, "nobody wants to know");
	for (unsigned i = 0; i < 150; i++)
		diag_add(&list, i + 1, "line %u", i + 1);
	assert_int_equal(list.n, 150);
	assert_int_equal(diag_kept(&list), DIAG_KEPT);
	assert_string_equal(list.items[99].text, "line 100");
	assert_int_equal(list.items[99].line, 100);
	assert_string_equal(list.items[0].source, "host-01 routes");

	struct diag_list other = {.arena = arena};
	memset(longer, 'x', sizeof longer);
	longer[sizeof longer - 1] = '\0';
	diag_add(&other, 0, "%s", longer);
	assert_int_equal(diag_kept(&other), 1);
	assert_true(strlen(other.items[0].text) < sizeof longer);
	arena_free(arena);
}

static void test_err(void **state)
{
	struct err err;

	(void)state;
	assert_false(err_set(&err, "port %d", 22));
	assert_false(err_wrap(&err, "host-%02d", 1));
	assert_string_equal(err.text, "host-01: port 22");
	errno = ENOENT;
	assert_false(err_sys(&err, "%s", "/nowhere"));
	assert_string_equal(err.text, "/nowhere: No such file or directory");
	for (int i = 0; i < 100; i++)
		err_wrap(&err, "a rather long context, number %d", i);
	assert_true(strlen(err.text) < sizeof err.text);
	assert_true(strncmp(err.text, "a rather long context, number 99: ", 34) == 0);
	err_set(&err, "%600d", 1);
	errno = EIO;
	err_sys(&err, "%600d", 1);
	assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

static void test_clock_digest(void **state)
{
	char text[CLOCK_UTC_SIZE], digest[DIGEST_TEXT_SIZE];
	int64_t before = clock_ms();

	(void)state;
	clock_format_utc(1607050800, text);
	assert_string_equal(text, "2020-12-04T03:00:00Z");
	clock_format_stamp(1607050800, text);
	assert_string_equal(text, "20201204T030000Z");
	clock_format_utc((time_t)INT64_MAX, text); /* no such year */
	assert_string_equal(text, "");
	assert_true(clock_ms() >= before);
	/* FIPS 180-2, appendix B.1 */
	assert_string_equal(digest_sha256(view_of("abc"), digest),
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_string_equal(digest_sha256(view_of(""), digest),
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_alloc),
	    cmocka_unit_test(test_strings),
	    cmocka_unit_test(test_grow),
	    cmocka_unit_test(test_grow_beside),
	    cmocka_unit_test(test_fit),
	    cmocka_unit_test(test_mem_strings),
	    cmocka_unit_test(test_diag),
	    cmocka_unit_test(test_err),
	    cmocka_unit_test(test_clock_digest),
	};

	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
