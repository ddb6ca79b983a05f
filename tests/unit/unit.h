/* What most unit tests include: cmocka with what it wants before it, and small helpers. */
#ifndef ODDHOST_TESTS_UNIT_H
#define ODDHOST_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/file.h"
#include "oddhost/base/view.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A literal as a view, NUL bytes within and all. */
#define LITERAL(s) ((struct view){s, sizeof(s) - 1})

__attribute__((unused)) static void assert_view(struct view got, const char *want)
{
	if (!view_eq(got, want))
		fail_msg("got '%.*s', wanted '%s'", VIEW_ARG(got), want);
}

/* A directory of the test's own; unit_remove takes it away with all that is in it. */
__attribute__((unused)) static char *unit_directory(void)
{
	char *path = strdup("/tmp/oddhost-unit-XXXXXX");

	assert_non_null(path);
	assert_non_null(mkdtemp(path));
	return path;
}

/* The exit status of a shell command, and its stdout where `out` is not NULL. */
__attribute__((unused, format(printf, 2, 3))) static int unit_shell(
    struct buf *out, const char *fmt, ...)
{
	char command[8192];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(command, sizeof command, fmt, ap);
	va_end(ap);
	assert_true(n > 0 && (size_t)n < sizeof command);
	FILE *pipe = popen(command, "r");
	assert_non_null(pipe);
	for (int c; (c = getc(pipe)) != EOF;) {
		if (out != NULL)
			buf_putc(out, (char)c);
	}
	int status = pclose(pipe);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

__attribute__((unused)) static void unit_remove(char *path)
{
	assert_int_equal(unit_shell(NULL, "chmod -R u+w %s; rm -rf %s", path, path), 0);
	free(path);
}

__attribute__((unused)) static int unit_has(const char *tool)
{
	if (unit_shell(NULL, "command -v %s", tool) == 0)
		return 1;
	print_message("%s is not installed\n", tool);
	return 0;
}

/* xorshift64*: the same numbers for the same seed everywhere. ODDHOST_SEED repeats a failure. */
__attribute__((unused)) static uint64_t unit_seed(void)
{
	const char *text = getenv("ODDHOST_SEED");
	uint64_t seed = text != NULL ? strtoull(text, NULL, 0) : (uint64_t)time(NULL);

	print_message("ODDHOST_SEED=%llu\n", (unsigned long long)seed);
	return seed * 2 + 1;
}

__attribute__((unused)) static unsigned unit_random(uint64_t *state, unsigned below)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (unsigned)((*state * 0x2545f4914f6cdd1dULL) >> 33) % below;
}

#endif
