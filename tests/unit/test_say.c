#include "unit.h"

#include <unistd.h>

#include "oddhost/cli/cli.h"

/* ESC, BEL, a C1 control sequence, a direction override, a wrong byte, a line that is not ours. */
#define NASTY "a\033[2J\007\xc2\x9b\xe2\x80\xae\xff\nb"
#define SEEN "a\\x1b[2J\\x07\\u009b\\u202e\\xff b"

static FILE *file;
static int real_stderr;

static int catch_stderr(void **state)
{
	(void)state;
	file = tmpfile();
	real_stderr = dup(STDERR_FILENO);
	return file == NULL || real_stderr < 0 || dup2(fileno(file), STDERR_FILENO) < 0 ? -1 : 0;
}

static int release_stderr(void **state)
{
	(void)state;
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	return fclose(file);
}

/* Whatever a function writes on stderr. */
static void assert_said(const char *expected)
{
	char text[1024];
	ssize_t n = pread(fileno(file), text, sizeof text - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
	assert_string_equal(text, expected);
}

static void test_a_message_is_escaped(void **state)
{
	struct err err;

	(void)state;
	err_set(&err, "'%s'", NASTY);
	assert_int_equal(cli_fail(&err), EXIT_TROUBLE);
	assert_said("oddhost: '" SEEN "'\n");
}

static void test_a_warning_is_escaped(void **state)
{
	(void)state;
	cli_warn("%.200s: %d", NASTY, -7);
	assert_said("oddhost: " SEEN ": -7\n");
}

static void test_a_usage_error_is_escaped(void **state)
{
	struct command command = {.name = "run"};

	(void)state;
	assert_int_equal(cli_usage(&command, "--%s", NASTY), EXIT_TROUBLE);
	assert_said("oddhost: --" SEEN "\nTry 'oddhost run --help'.\n");
}

static void test_diagnostics_are_escaped(void **state)
{
	struct diag_list diags = {.arena = arena_new(), .source = NASTY};

	(void)state;
	diag_add(&diags, 3, "expected a host, got '%s'", NASTY);
	diag_add(&diags, 0, "odd");
	diags.source = NULL;
	diag_add(&diags, 0, "none");
	cli_print_diags(&diags);
	assert_said("oddhost: " SEEN ":3: expected a host, got '" SEEN "'\noddhost: " SEEN
		    ": odd\noddhost: none\n");
	arena_free(diags.arena);
}

int main(void)
{
#define ROW(function) cmocka_unit_test_setup_teardown(function, catch_stderr, release_stderr)
	const struct CMUnitTest tests[] = {
	    ROW(test_a_message_is_escaped),
	    ROW(test_a_warning_is_escaped),
	    ROW(test_a_usage_error_is_escaped),
	    ROW(test_diagnostics_are_escaped),
	};

	return cmocka_run_group_tests_name("say", tests, NULL, NULL);
}
