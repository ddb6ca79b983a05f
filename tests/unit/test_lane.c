/* What a lane makes of bytes, and the real script run by the shells that are here. */
#include "unit.h"

#include <fcntl.h>
#include <poll.h>

#include "oddhost/base/clock.h"
#include "oddhost/collect/lane.h"

/* A plan of two probes on lane 0 and one on lane 1, with a nonce that is known. */
#define NONCE "0123456789abcdef0123456789abcdef"

static struct probe three[] = {
    {.name = "a", .command = "a", .lane = 0},
    {.name = "b", .command = "b", .lane = 0},
    {.name = "c", .command = "c", .lane = 1},
};

static const struct probe_plan small = {.probes = three, .n = 3, .lanes = 2, .nonce = NONCE};

/* The record of a lane 0 that gets these bytes on both streams, in pieces of this size. */
static struct host_record *receive(const struct probe_plan *plan, struct view out, struct view err,
    size_t piece, struct buf *greeting)
{
	struct reception *receptions = receptions_new(plan);
	struct host_record *record = host_record_new("host-01");
	struct lane lane;

	lane_init(&lane, plan, 0, receptions);
	while (out.n > 0 || err.n > 0) {
		lane_receive(&lane, 0, view_left(out, piece), 1000);
		lane_receive(&lane, 1, view_left(err, piece), 1000);
		out = view_skip(out, piece);
		err = view_skip(err, piece);
	}
	lane_finish(&lane);
	lane_finish(&lane);
	receptions_record(receptions, plan, record);
	if (greeting != NULL)
		buf_add_view(greeting, buf_view(&lane.greeting));
	lane_free(&lane);
	receptions_free(receptions, plan);
	return record;
}

#define B(i) "\n" NONCE " b " #i "\n"
#define QUIET "\n" NONCE " q\n"
#define E(i, code) "\n" NONCE " e " #i " " #code "\n"

static const struct {
	const char *name;
	struct view out, err;
	const char *a, *b, *a_err; /* what the probes said */
	enum probe_status a_status, b_status;
	int a_exit;
	const char *greeting;
} rows[] = {
    {"two probes", LITERAL(B(0) "one\n" E(0, 0) B(1) "two" E(1, 3)),
	LITERAL(B(0) "warning\n" E(0, 0) B(1) E(1, 3)), "one\n", "two", "warning\n", PROBE_OK,
	PROBE_FAILED, 0, ""},
    {"no output", LITERAL(B(0) E(0, 0) B(1) E(1, 0)), LITERAL(""), "", "", "", PROBE_OK, PROBE_OK,
	0, ""},
    {"a greeting", LITERAL("Welcome!\n" B(0) "x" E(0, 0)), LITERAL(""), "x", "", "", PROBE_OK,
	PROBE_SKIPPED, 0, "Welcome!\n"},
    {"no frame at all", LITERAL("This account is not available.\n"), LITERAL(""), "", "", "",
	PROBE_SKIPPED, PROBE_SKIPPED, -1, "This account is not available.\n"},
    {"nothing", LITERAL(""), LITERAL(""), "", "", "", PROBE_SKIPPED, PROBE_SKIPPED, -1, ""},
    {"no end", LITERAL(B(0) "half of it"), LITERAL(""), "half of it", "", "", PROBE_TIMEOUT,
	PROBE_SKIPPED, -1, ""},
    {"the next begins without an end", LITERAL(B(0) "x" B(1) "y" E(1, 0)), LITERAL(""), "x", "y",
	"", PROBE_TIMEOUT, PROBE_OK, -1, ""},
    {"an end without a beginning", LITERAL(E(0, 0) B(1) "y" E(1, 0)), LITERAL(""), "", "y", "",
	PROBE_SKIPPED, PROBE_OK, -1, ""},
    {"the other's end", LITERAL(B(0) "x" E(1, 0) "y" E(0, 0)), LITERAL(""), "xy", "", "", PROBE_OK,
	PROBE_SKIPPED, 0, ""},
    {"the nonce in the output", LITERAL(B(0) NONCE "\n " NONCE " e 0 7\n" E(0, 0)), LITERAL(""),
	NONCE "\n " NONCE " e 0 7\n", "", "", PROBE_OK, PROBE_SKIPPED, 0, ""},
    {"a probe that is none", LITERAL(B(0) "x" B(9) B(3) B(-1) B(99999999999999999999) E(0, 0)),
	LITERAL(""), "x", "", "", PROBE_OK, PROBE_SKIPPED, 0, ""},
    {"another lane's probe", LITERAL(B(2) "x" E(2, 0) B(0) "y" E(0, 0)), LITERAL(""), "y", "", "",
	PROBE_OK, PROBE_SKIPPED, 0, "x"},
    {"a status that is none", LITERAL(B(0) "x" E(0, 256)), LITERAL(""), "x", "", "", PROBE_TIMEOUT,
	PROBE_SKIPPED, -1, ""},
    {"unknown words", LITERAL(B(0) "x\n" NONCE " z 0\ny\n" NONCE " \nz" E(0, 0)), LITERAL(""),
	"xyz", "", "", PROBE_OK, PROBE_SKIPPED, 0, ""},
    {"a frame line that is too long",
	LITERAL(
	    B(0) "x\n" NONCE
		 " e 0 00000000000000000000000000000000000000000000000000000000000000000000000000"
		 "00000\n" E(0, 0)),
	LITERAL(""),
	"xe 0 0000000000000000000000000000000000000000000000000000000000000000000000000000000\n",
	"", "", PROBE_OK, PROBE_SKIPPED, 0, ""},
    {"a frame that is cut off", LITERAL(B(0) "x\n" NONCE " e"), LITERAL(""), "x\n" NONCE " e", "",
	"", PROBE_TIMEOUT, PROBE_SKIPPED, -1, ""},
    {"line breaks before the frame", LITERAL(B(0) "x\n\n\n" E(0, 0)), LITERAL(""), "x\n\n\n", "",
	"", PROBE_OK, PROBE_SKIPPED, 0, ""},
};

static void test_frames(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t piece = 1; piece < 300; piece++) {
			struct buf greeting = {0};
			struct host_record *r =
			    receive(&small, rows[i].out, rows[i].err, piece, &greeting);
			const struct probe_result *a = &r->probes[0], *b = &r->probes[1];
			assert_int_equal(r->n_probes, 3);
			if (!view_eq(a->out, rows[i].a) || !view_eq(b->out, rows[i].b) ||
			    !view_eq(a->err, rows[i].a_err) || a->status != rows[i].a_status ||
			    b->status != rows[i].b_status || a->exit != rows[i].a_exit ||
			    !view_eq(buf_view(&greeting), rows[i].greeting))
				fail_msg("%s, pieces of %zu: '%.*s' (%s, %d), '%.*s' (%s)",
				    rows[i].name, piece, VIEW_ARG(a->out),
				    probe_status_name(a->status), a->exit, VIEW_ARG(b->out),
				    probe_status_name(b->status));
			assert_int_equal(r->probes[2].status, PROBE_SKIPPED);
			host_record_free(r);
			buf_free(&greeting);
		}
	}
}

/* Noise with frames in it: any cut gives the same, and nothing is read past its end. */
static void test_random(void **state)
{
	static const char *const bits[] = {"\n", NONCE, " b ", " e ", "0", "1", "2", " ", "x",
	    "\n" NONCE, B(0), B(1), E(0, 0), E(1, 1)};
	uint64_t seed = unit_seed();

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct buf out = {0}, err = {0}, g1 = {0}, g2 = {0};
		for (int i = 0; i < 60; i++)
			buf_puts(unit_random(&seed, 2) ? &out : &err,
			    bits[unit_random(&seed, COUNT(bits))]);
		struct host_record *whole =
		    receive(&small, buf_view(&out), buf_view(&err), SIZE_MAX, &g1);
		struct host_record *pieces = receive(
		    &small, buf_view(&out), buf_view(&err), 1 + unit_random(&seed, 50), &g2);
		for (size_t i = 0; i < 3; i++) {
			assert_true(view_same(whole->probes[i].out, pieces->probes[i].out));
			assert_true(view_same(whole->probes[i].err, pieces->probes[i].err));
			assert_int_equal(whole->probes[i].status, pieces->probes[i].status);
		}
		host_record_free(whole);
		host_record_free(pieces);
		buf_free(&out);
		buf_free(&err);
		buf_free(&g1);
		buf_free(&g2);
	}
}

static void test_limit(void **state)
{
	struct buf out = {0};
	char *big = malloc(10 << 20);

	(void)state;
	assert_non_null(big);
	memset(big, 'x', 10 << 20);
	buf_puts(&out, B(0));
	buf_add(&out, big, 10 << 20);
	buf_puts(&out, E(0, 0) B(1) "after" E(1, 0));
	int64_t before = clock_ms();
	struct host_record *r = receive(&small, buf_view(&out), view_of(""), 4096, NULL);
	assert_true(clock_ms() - before < 5000);
	assert_int_equal(r->probes[0].out.n, LANE_PROBE_MAX);
	assert_true(r->probes[0].truncated);
	assert_int_equal(r->probes[0].status, PROBE_TRUNCATED);
	assert_view(r->probes[1].out, "after");
	assert_int_equal(r->probes[1].status, PROBE_OK);
	host_record_free(r);

	/* Endless talk outside of frames: the beginning is kept. */
	struct buf greeting = {0};
	r = receive(
	    &small, (struct view){big, 1 << 20}, (struct view){big, 1 << 20}, 4096, &greeting);
	assert_int_equal(greeting.n, LANE_GREETING_MAX);
	host_record_free(r);
	buf_free(&greeting);
	buf_free(&out);
	free(big);
}

static void test_complete(void **state)
{
	struct reception *receptions = receptions_new(&small);
	struct lane lane[2];

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		lane_init(&lane[i], &small, i, receptions);
	lane_receive(&lane[0], 0, view_of(B(0) "x" E(0, 0) B(1)), 100);
	assert_false(lane_complete(&lane[0]));
	lane_receive(&lane[0], 0, view_of(E(1, 0)), 350);
	assert_true(lane_complete(&lane[0]));
	assert_false(lane_complete(&lane[1]));
	lane_receive(&lane[1], 1, view_of(B(2) E(2, 0)), 400); /* stderr's frames end nothing */
	assert_false(lane_complete(&lane[1]));

	/* Quiet is who has said all, on stderr too. */
	assert_false(lane_is_quiet(&lane[0]));
	lane_receive(&lane[0], 0, view_of(QUIET), 400);
	assert_false(lane_is_quiet(&lane[0]));
	lane_receive(&lane[0], 1, view_of(QUIET), 400);
	assert_true(lane_is_quiet(&lane[0]));
	lane_receive(&lane[1], 1, view_of(QUIET), 400);
	assert_false(lane_is_quiet(&lane[1]));
	struct host_record *r = host_record_new("h");
	receptions_record(receptions, &small, r);
	assert_int_equal(r->probes[1].elapsed_ms, 250);
	host_record_free(r);
	for (unsigned i = 0; i < 2; i++)
		lane_free(&lane[i]);
	receptions_free(receptions, &small);
	receptions_free(NULL, &small);
}

/* ---- the real script ---- */

struct shell {
	const char *command;
	pid_t pid;
	struct reception *receptions;
	struct lane lane;
};

static struct shell shells[] = {
    {.command = "sh"}, {.command = "dash"}, {.command = "busybox sh"}, {.command = "bash --posix"},
    {.command = "mksh"},
    {.command = "env PATH=%s busybox sh"}, /* its own timeout and sleep as well */
};

#define SHELLS COUNT(shells)

static void start(struct shell *shell, const char *dir, struct pollfd ends[2])
{
	char named[300], command[700];
	int out[2], err[2];

	snprintf(named, sizeof named, "%s", shell->command);
	char *at = strstr(named, "%s");
	if (at != NULL)
		snprintf(at, sizeof named - (size_t)(at - named), "%s:$PATH busybox sh", dir);
	snprintf(command, sizeof command, "exec %s -s <%s/script", named, dir);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	shell->pid = fork();
	assert_true(shell->pid >= 0);
	if (shell->pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	close(err[1]);
	ends[0] = (struct pollfd){.fd = out[0], .events = POLLIN};
	ends[1] = (struct pollfd){.fd = err[0], .events = POLLIN};
}

static void read_end(struct shell *shell, int stream, struct pollfd *end)
{
	char chunk[700];

	if (end->fd < 0 || end->revents == 0)
		return;
	ssize_t n = read(end->fd, chunk, sizeof chunk);
	if (n > 0) {
		lane_receive(&shell->lane, stream, (struct view){chunk, (size_t)n}, clock_ms());
		return;
	}
	close(end->fd);
	end->fd = -1;
}

/* All shells at once: what takes time is that probes run into their limits. */
static void run_shells(const char *dir)
{
	struct pollfd ends[2 * SHELLS];
	size_t open;

	for (size_t i = 0; i < SHELLS; i++) {
		ends[2 * i].fd = ends[2 * i + 1].fd = -1;
		if (shells[i].receptions != NULL)
			start(&shells[i], dir, &ends[2 * i]);
	}
	do {
		open = 0;
		for (size_t i = 0; i < 2 * SHELLS; i++)
			open += ends[i].fd >= 0;
		assert_true(open == 0 || poll(ends, 2 * SHELLS, 20000) > 0);
		for (size_t i = 0; i < 2 * SHELLS; i++)
			read_end(&shells[i / 2], (int)(i % 2), &ends[i]);
	} while (open > 0);
	for (size_t i = 0; i < SHELLS; i++) {
		int status = 1;
		if (shells[i].receptions == NULL)
			continue;
		lane_finish(&shells[i].lane);
		assert_int_equal(waitpid(shells[i].pid, &status, 0), shells[i].pid);
		assert_int_equal(status, 0);
	}
}

/* The commands that a user's own probes and odd hosts bring. */
static const struct {
	const char *command, *out, *err; /* err NULL: whatever it says */
	int exit;                        /* -1: any but 0 */
	enum probe_status status;
} commands[] = {
    {"printf 'no line break'", "no line break", "", 0, PROBE_OK},
    {"echo one; echo two", "one\ntwo\n", "", 0, PROBE_OK},
    {"printf '\\n\\n'", "\n\n", "", 0, PROBE_OK},
    {"echo complaint >&2", "", "complaint\n", 0, PROBE_OK},
    {"echo half; printf why >&2; exit 7", "half\n", "why", 7, PROBE_FAILED},
    {"printf '\\n' >&2", "", "\n", 0, PROBE_OK},
    {"printf '\\n\\n x\\\\n \\n\\n' >&2", "", "\n\n x\\n \n\n", 0, PROBE_OK},
    {"printf '\\nlast' >&2", "", "\nlast", 0, PROBE_OK},
    {"printf '\\n" NONCE "' >&2", "", "\n" NONCE, 0, PROBE_OK},
    {"no-such-command-here", "", NULL, 127, PROBE_MISSING_COMMAND},
    {"cat", "", "", 0, PROBE_OK}, /* stdin is not the script */
    {"echo \"it's $((1 + 1)) \\\"quoted\\\"\"", "it's 2 \"quoted\"\n", "", 0, PROBE_OK},
    {"exit 0; echo not reached", "", "", 0, PROBE_OK},
    {"sleep 30", "", NULL, -1, PROBE_TIMEOUT},
    {"trap '' TERM; printf before; sleep 3 & wait; sleep 3", "before", NULL, -1, PROBE_TIMEOUT},
    {"unset PATH; LC_ALL=xx; m() { :; }; echo still here", "still here\n", "", 0, PROBE_OK},
    {"kill -9 $$", "", NULL, 137, PROBE_TIMEOUT},
    {"echo the last", "the last\n", "", 0, PROBE_OK},
};

#define COMMANDS COUNT(commands)

static void check_commands(struct shell *shell, const struct probe_plan *plan)
{
	struct host_record *record = host_record_new("h");

	receptions_record(shell->receptions, plan, record);
	if (!lane_complete(&shell->lane))
		fail_msg("%s: not complete", shell->command);
	assert_true(lane_is_quiet(&shell->lane));
	assert_int_equal(shell->lane.greeting.n, 0);
	for (size_t i = 0; i < COMMANDS; i++) {
		const struct probe_result *r = &record->probes[i];
		if (!view_eq(r->out, commands[i].out) ||
		    (commands[i].err != NULL && !view_eq(r->err, commands[i].err)) ||
		    (commands[i].exit < 0 ? r->exit <= 0 : r->exit != commands[i].exit) ||
		    r->status != commands[i].status)
			fail_msg("%s: %s: '%.*s', '%.*s', %d, %s", shell->command, r->command,
			    VIEW_ARG(r->out), VIEW_ARG(r->err), r->exit,
			    probe_status_name(r->status));
	}
	host_record_free(record);
}

static void test_shells(void **state)
{
	char *dir = unit_directory(), path[300];
	struct arena *arena = arena_new();
	struct probe probes[COMMANDS];
	struct probe_plan plan = {.probes = probes, .n = COMMANDS, .lanes = 1, .nonce = NONCE};
	struct err err;

	(void)state;
	for (size_t i = 0; i < COMMANDS; i++)
		probes[i] =
		    (struct probe){.name = "p", .command = commands[i].command, .seconds = 1};
	probe_plan_script(&plan, arena);
	snprintf(path, sizeof path, "%s/script", dir);
	assert_true(file_write(path, 0600, plan.scripts[0], &err));
	unit_shell(
	    NULL, "for a in timeout sleep; do ln -s \"$(command -v busybox)\" %s/$a; done", dir);
	for (size_t i = 0; i < SHELLS; i++) {
		const char *tool =
		    strstr(shells[i].command, "busybox") ? "busybox" : shells[i].command;
		if (unit_shell(NULL, "command -v %s >/dev/null", tool) != 0) {
			print_message("%s is not installed\n", tool);
			continue;
		}
		shells[i].receptions = receptions_new(&plan);
		lane_init(&shells[i].lane, &plan, 0, shells[i].receptions);
	}
	run_shells(dir);
	for (size_t i = 0; i < SHELLS; i++) {
		if (shells[i].receptions == NULL)
			continue;
		check_commands(&shells[i], &plan);
		lane_free(&shells[i].lane);
		receptions_free(shells[i].receptions, &plan);
	}
	arena_free(arena);
	unit_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_frames),
	    cmocka_unit_test(test_random),
	    cmocka_unit_test(test_limit),
	    cmocka_unit_test(test_complete),
	    cmocka_unit_test(test_shells),
	};

	return cmocka_run_group_tests_name("lane", tests, NULL, NULL);
}
