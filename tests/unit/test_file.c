#include "unit.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static int setup(void **state)
{
	*state = unit_directory();
	return 0;
}

static int teardown(void **state)
{
	unit_remove(*state);
	return 0;
}

static const char *in(const char *dir, const char *name)
{
	static char path[300];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static int entries(const char *dir)
{
	struct buf out = {0};

	assert_int_equal(unit_shell(&out, "ls -A %s | wc -l", dir), 0);
	int n = (int)strtol(buf_str(&out), NULL, 10);
	buf_free(&out);
	return n;
}

static void test_write_read(void **state)
{
	const char *path = in(*state, "file");
	struct buf buf = {0};
	struct err err;

	assert_true(file_write(path, 0600, LITERAL("one\0two\n"), &err));
	assert_int_equal(mode_of(path), 0600);
	buf_puts(&buf, "before ");
	assert_true(file_read(path, 8, &buf, &err));
	assert_true(view_same(buf_view(&buf), LITERAL("before one\0two\n")));
	assert_true(file_write(path, 0600, view_of(""), &err));
	buf.n = 0;
	assert_true(file_read(path, 0, &buf, &err));
	assert_int_equal(buf.n, 0);
	assert_int_equal(entries(*state), 1);
	buf_free(&buf);
}

static void test_caps(void **state)
{
	const char *path = in(*state, "file");
	struct buf buf = {0}, small = {.max = 4};
	struct err err;

	assert_true(file_write(path, 0600, view_of("12345678"), &err));
	buf_puts(&buf, "kept");
	assert_false(file_read(path, 7, &buf, &err));
	assert_non_null(strstr(err.text, "larger than 7 bytes"));
	assert_string_equal(buf_str(&buf), "kept");
	assert_false(file_read("/dev/zero", 1 << 20, &buf, &err));
	assert_string_equal(buf_str(&buf), "kept");
	assert_false(file_read(path, 8, &small, &err)); /* not read in part without a word */
	buf_free(&buf);
	buf_free(&small);
}

static void test_read_fails(void **state)
{
	struct buf buf = {0};
	struct err err;

	assert_false(file_read(in(*state, "none"), 8, &buf, &err));
	assert_non_null(strstr(err.text, "none: No such file or directory"));
	assert_false(file_read(*state, 8, &buf, &err));
	assert_non_null(strstr(err.text, "Is a directory"));
	assert_null(buf.p);
}

static void test_write_fails(void **state)
{
	const char *path = in(*state, "none/file");
	struct err err;

	assert_false(file_write(path, 0600, view_of("x"), &err));
	assert_non_null(strstr(err.text, "No such file or directory"));

	path = in(*state, "directory");
	assert_int_equal(mkdir(path, 0700), 0);
	assert_false(file_write(path, 0600, view_of("x"), &err));
	assert_non_null(strstr(err.text, "Is a directory"));
	assert_int_equal(entries(*state), 1); /* no temporary file is left */
}

/* Where the disk is full the old file stays as it was. */
static void test_write_full(void **state)
{
	const char *path = in(*state, "file");
	struct rlimit before, small = {.rlim_cur = 100};
	struct buf buf = {0};
	char big[4096] = {0};
	struct err err;

	assert_true(file_write(path, 0600, view_of("old"), &err));
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small.rlim_max = before.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	bool ok = file_write(path, 0600, (struct view){big, sizeof big}, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_false(ok);
	assert_non_null(strstr(err.text, "File too large"));
	assert_true(file_read(path, 8, &buf, &err));
	assert_view(buf_view(&buf), "old");
	assert_int_equal(entries(*state), 1);
	buf_free(&buf);
}

/* What somebody else has put at the temporary name is neither followed nor written into. */
static void test_write_link(void **state)
{
	char trap[400], aim[400];
	const char *path = in(*state, "file");
	struct buf buf = {0};
	struct err err;

	snprintf(trap, sizeof trap, "%s.%ld.tmp", path, (long)getpid());
	snprintf(aim, sizeof aim, "%s.aim", path);
	assert_true(file_write(aim, 0600, view_of("untouched"), &err));
	assert_int_equal(symlink(aim, trap), 0);
	assert_true(file_write(path, 0600, view_of("new"), &err));
	assert_int_equal(link(aim, trap), 0);
	assert_true(file_write(path, 0600, view_of("newer"), &err));
	assert_true(file_read(aim, 100, &buf, &err));
	assert_view(buf_view(&buf), "untouched");
	buf_free(&buf);
}

/* Whoever reads meanwhile sees a whole file, old or new, never a part. */
static void test_write_atomic(void **state)
{
	const char *path = in(*state, "file");
	enum { SIZE = 200000, TIMES = 300 };
	char *content = malloc(SIZE);
	struct err err;

	assert_non_null(content);
	memset(content, 'a', SIZE);
	assert_true(file_write(path, 0600, (struct view){content, SIZE}, &err));
	pid_t writer = fork();
	assert_true(writer >= 0);
	if (writer == 0) {
		for (int i = 0; i < TIMES; i++) {
			memset(content, 'a' + i % 26, SIZE);
			if (!file_write(path, 0600, (struct view){content, SIZE}, &err))
				_exit(1);
		}
		_exit(0);
	}
	int status = 0;
	while (waitpid(writer, &status, WNOHANG) == 0) {
		struct buf buf = {0};
		assert_true(file_read(path, SIZE, &buf, &err));
		assert_int_equal(buf.n, SIZE);
		assert_int_equal(buf.p[0], buf.p[SIZE - 1]);
		buf_free(&buf);
	}
	assert_int_equal(status, 0);
	free(content);
}

static void test_write_all(void **state)
{
	int ends[2];
	struct buf buf = {0};
	enum { SIZE = 300000 };
	char *content = calloc(1, SIZE), chunk[5000];

	(void)state;
	assert_non_null(content);
	assert_int_equal(pipe(ends), 0);
	pid_t writer = fork(); /* more than a pipe takes at once */
	assert_true(writer >= 0);
	if (writer == 0) {
		close(ends[0]);
		_exit(file_write_all(ends[1], (struct view){content, SIZE}) ? 0 : 1);
	}
	close(ends[1]);
	for (ssize_t n; (n = read(ends[0], chunk, sizeof chunk)) > 0;)
		buf_add(&buf, chunk, (size_t)n);
	int status = 1;
	assert_int_equal(waitpid(writer, &status, 0), writer);
	assert_int_equal(status, 0);
	assert_int_equal(buf.n, SIZE);
	assert_false(file_write_all(ends[0], view_of("not open for writing")));
	close(ends[0]);
	buf_free(&buf);
	free(content);
}

static void test_make_dir(void **state)
{
	const char *path = in(*state, "a//b/c/");
	struct err err;

	umask(022);
	assert_true(file_make_dir(path, 0700, &err));
	assert_int_equal(mode_of(path), 0700);
	assert_int_equal(mode_of(in(*state, "a")), 0700);
	assert_true(file_make_dir(in(*state, "a/b/c"), 0755, &err));
	assert_int_equal(mode_of(in(*state, "a/b/c")), 0700);
	assert_true(file_write(in(*state, "a/file"), 0600, view_of(""), &err));
	assert_false(file_make_dir(in(*state, "a/file"), 0700, &err));
	assert_non_null(strstr(err.text, "exists and is not a directory"));
	assert_false(file_make_dir(in(*state, "a/file/b"), 0700, &err));
	assert_false(file_make_dir("", 0700, &err));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_write_read),
	    TEST(test_caps),
	    TEST(test_read_fails),
	    TEST(test_write_fails),
	    TEST(test_write_full),
	    TEST(test_write_link),
	    TEST(test_write_atomic),
	    TEST(test_write_all),
	    TEST(test_make_dir),
	};

	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
