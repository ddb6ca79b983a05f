/* Values of JSON in a row, and where they stand. */
#include "unit.h"

#include <sys/mman.h>
#include <unistd.h>

#include "oddhost/parse/line.h"

struct seen {
	size_t n;
	unsigned last; /* line */
	char *guarded; /* a page that is not to be read behind the first value */
};

static bool see(const struct json *value, unsigned number, void *arg)
{
	struct seen *seen = arg;

	(void)value;
	if (seen->guarded != NULL)
		assert_int_equal(
		    mprotect(seen->guarded, (size_t)sysconf(_SC_PAGESIZE), PROT_NONE), 0);
	seen->n++;
	seen->last = number;
	return true;
}

static void test_values(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		unsigned last;
		size_t diags;
	} rows[] = {
	    {"", 0, 0, 0},
	    {" \n\t", 0, 0, 0},
	    {"[]", 1, 1, 0},
	    {"\n\n [] \n{}\n\n", 2, 4, 0},
	    {"[\n\n] {}", 2, 3, 0},
	    {"[]\nwhat\n[]\n", 2, 3, 1},
	    {"[\n{}\n", 1, 2, 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena *arena = arena_new();
		struct diag_list diags = {.arena = arena};
		struct seen seen = {0};
		print_message("  '%s'\n", rows[i].text);
		assert_int_equal(
		    line_each_json(view_of(rows[i].text), &diags, see, &seen), rows[i].n);
		assert_int_equal(seen.last, rows[i].last);
		assert_int_equal(diags.n, rows[i].diags);
		arena_free(arena);
	}
}

/* What stands behind the last value is looked at once, not once for each value. */
static void test_linear(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *text =
	    mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct seen seen = {.guarded = text + page};

	(void)state;
	assert_true(text != MAP_FAILED);
	memset(text, ' ', 2 * page);
	for (size_t i = 0; i < page; i += 4) {
		text[i] = '{';
		text[i + 1] = '}';
		text[i + 2] = '\n';
	}
	struct view both = {text, 2 * page};
	assert_int_equal(line_each_json(both, NULL, see, &seen), page / 4);
	assert_int_equal(seen.last, page / 4);
	munmap(text, 2 * page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_values),
	    cmocka_unit_test(test_linear),
	};

	return cmocka_run_group_tests_name("line", tests, NULL, NULL);
}
