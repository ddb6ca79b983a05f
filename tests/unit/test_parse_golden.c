/*
 * Every fixture of the parsers against the JSON that `oddhost parse KIND` prints for it, word for
 * word, and the diagnostics beside it: tests/fixtures/parse/KIND/FILE, golden/FILE.json and, where
 * something in it is not understood, golden/FILE.diag.
 *
 * ODDHOST_GOLDEN=1 writes both anew: look at the difference before keeping it.
 */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "oddhost/cli/kinds.h"

#define DIR_OF "tests/fixtures/parse"

/* The file has this content; where `content` is empty, it does not exist. */
static void check_golden(const char *path, struct view content)
{
	struct buf expected = {0};
	struct err err;

	if (getenv("ODDHOST_GOLDEN") != NULL) {
		unlink(path);
		if (content.n > 0)
			assert_true(file_write(path, 0644, content, &err));
		return;
	}
	if (access(path, F_OK) == 0)
		assert_true(file_read(path, 16 << 20, &expected, &err));
	if (!view_same(buf_view(&expected), content))
		fail_msg("%s differs; ODDHOST_GOLDEN=1 writes it anew", path);
	buf_free(&expected);
}

static void check_file(const struct kind *kind, const char *name)
{
	struct arena *arena = arena_new();
	struct diag_list diags = {.arena = arena, .source = name};
	struct buf text = {0}, json = {0}, said = {0};
	struct err err = {""};
	const char *dir = arena_printf(arena, DIR_OF "/%s", kind->name);

	assert_true(file_read(arena_printf(arena, "%s/%s", dir, name), 16 << 20, &text, &err));
	struct kind_input in = {
	    .text = buf_view(&text), .source = name, .arena = arena, .diags = &diags, .err = &err};
	struct json *root = kind->read(&in);
	if (root == NULL)
		fail_msg("%s/%s: %s", dir, name, err.text);
	json_print(root, true, &json);
	for (size_t i = 0; i < diag_kept(&diags); i++)
		buf_printf(&said, "line %u: %s\n", diags.items[i].line, diags.items[i].text);
	check_golden(arena_printf(arena, "%s/golden/%s.json", dir, name), buf_view(&json));
	check_golden(arena_printf(arena, "%s/golden/%s.diag", dir, name), buf_view(&said));
	json_free(root);
	buf_free(&said);
	buf_free(&json);
	buf_free(&text);
	arena_free(arena);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && strcmp(entry->d_name, "golden") != 0;
}

/* Of each kind: every file is read, and every expectation belongs to a file. */
static void check_kind(const struct kind *kind)
{
	char path[600];
	struct dirent **list;

	snprintf(path, sizeof path, DIR_OF "/%s", kind->name);
	int n = scandir(path, &list, is_file, by_name);
	if (n < 1)
		fail_msg("%s: no fixtures", path);
	snprintf(path, sizeof path, DIR_OF "/%s/golden", kind->name);
	if (getenv("ODDHOST_GOLDEN") != NULL && mkdir(path, 0755) != 0)
		assert_int_equal(errno, EEXIST);
	for (int i = 0; i < n; i++) {
		check_file(kind, list[i]->d_name);
		free(list[i]);
	}
	free(list);

	n = scandir(path, &list, is_file, by_name);
	for (int i = 0; i < n; i++) {
		struct view name = view_of(list[i]->d_name);
		assert_true(view_ends(name, ".json") || view_ends(name, ".diag"));
		snprintf(path, sizeof path, DIR_OF "/%s/%.*s", kind->name, (int)name.n - 5, name.p);
		if (access(path, F_OK) != 0)
			fail_msg("golden/%s: there is no %s", list[i]->d_name, path);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

static void test_golden(void **state)
{
	size_t n;
	const struct kind *kinds = kind_all(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(kinds[i].name, "transcript") != 0) /* test_transcript has its own */
			check_kind(&kinds[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_golden),
	};

	return cmocka_run_group_tests_name("golden", tests, NULL, NULL);
}
