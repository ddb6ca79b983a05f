#include "unit.h"

#include "oddhost/base/text.h"
#include "oddhost/collect/probes.h"

static void test_classify(void **state)
{
	static const struct {
		const char *name;
		int exit;
		const char *err;
		bool truncated;
		int answer_exit;
		bool may_be_absent;
		enum probe_status status;
	} rows[] = {
	    {"ok", 0, "", false, 0, false, PROBE_OK},
	    {"ok with a warning", 0, "warning", false, 0, false, PROBE_OK},
	    {"ok, though something is denied", 0, "Permission denied", false, 0, false, PROBE_OK},
	    {"failed", 1, "", false, 0, false, PROBE_FAILED},
	    {"no status", -1, "", false, 2, false, PROBE_FAILED},
	    {"ping without an answer", 1, "", false, 2, false, PROBE_OK},
	    {"ping of no name", 2, "Name or service not known", false, 2, false, PROBE_OK},
	    {"beyond the answers", 3, "", false, 2, false, PROBE_FAILED},
	    {"timeout", 124, "", false, 2, false, PROBE_TIMEOUT},
	    {"timeout -k", 137, "Killed", false, 0, false, PROBE_TIMEOUT},
	    {"busybox timeout", 143, "Terminated", false, 0, false, PROBE_TIMEOUT},
	    {"no command", 127, "sh: docker: not found", false, 0, false, PROBE_MISSING_COMMAND},
	    {"not executable", 126, "", false, 0, false, PROBE_NO_PERMISSION},
	    {"denied", 1, "permission denied while trying to connect", false, 0, false,
		PROBE_NO_PERMISSION},
	    {"denied, in words of cat", 1, "cat: x: Permission denied", false, 0, true,
		PROBE_NO_PERMISSION},
	    {"not permitted", 2, "ping: socket: Operation not permitted", false, 2, false,
		PROBE_NO_PERMISSION},
	    {"absent", 1, "cat: x: No such file or directory", false, 0, true, PROBE_OK},
	    {"absent, where it must be there", 1, "No such file or directory", false, 0, false,
		PROBE_FAILED},
	    {"docker, denied", 1,
		"Got permission denied while trying to connect to the Docker daemon socket at "
		"unix:///var/run/docker.sock",
		false, 0, false, PROBE_NO_PERMISSION},
	    {"docker 29, denied", 1,
		"permission denied while trying to connect to the docker API at "
		"unix:///var/run/docker.sock",
		false, 0, false, PROBE_NO_PERMISSION},
	    {"no daemon", 1,
		"Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker "
		"daemon running?",
		false, 0, false, PROBE_FAILED},
	    {"bash has no docker", 127, "bash: line 1: docker: command not found", false, 0, false,
		PROBE_MISSING_COMMAND},
	    {"podman's warning", 0,
		"Emulate Docker CLI using podman. Create /etc/containers/nodocker to quiet msg.",
		false, 0, false, PROBE_OK},
	    {"truncated", 0, "", true, 0, false, PROBE_TRUNCATED},
	    {"truncated and failed", 1, "", true, 0, false, PROBE_TRUNCATED},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct probe probe = {
		    .answer_exit = rows[i].answer_exit, .may_be_absent = rows[i].may_be_absent};
		struct probe_result result = {.exit = rows[i].exit,
		    .out = view_of(""),
		    .err = view_of(rows[i].err),
		    .truncated = rows[i].truncated};
		enum probe_status got = probe_classify(&probe, &result);
		if (got != rows[i].status)
			fail_msg("%s: %s", rows[i].name, probe_status_name(got));
	}
}

static void make(struct probe_plan *plan, struct arena *arena, const char *const *names, size_t n)
{
	struct target *targets = arena_alloc(arena, n * sizeof *targets);
	struct err err;

	for (size_t i = 0; i < n; i++)
		assert_true(target_parse(arena, view_of(names[i]), &targets[i], &err));
	assert_true(probe_plan_make(plan, arena, targets, n, &err));
}

static const struct probe *find(const struct probe_plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->n; i++) {
		if (strcmp(plan->probes[i].name, name) == 0)
			return &plan->probes[i];
	}
	return NULL;
}

static void test_plan(void **state)
{
	static const char *const names[] = {"db.example:3306", "2001:db8::1", "a", "b", "c", "d"};
	struct arena *arena = arena_new();
	struct probe_plan plan, other;
	unsigned in_lane[PLAN_LANES_MAX] = {0};

	(void)state;
	make(&plan, arena, names, 0);
	assert_int_equal(plan.lanes, 1);
	assert_null(find(&plan, "ping:a"));
	make(&plan, arena, names, COUNT(names));
	assert_int_equal(plan.lanes, PLAN_LANES_MAX);
	assert_string_equal(
	    find(&plan, "dns:db.example:3306")->command, "getent ahosts db.example");
	assert_non_null(strstr(find(&plan, "ping:2001:db8::1")->command, " 2001:db8::1"));
	for (size_t i = 0; i < plan.n; i++) {
		const struct probe *p = &plan.probes[i];
		assert_true(p->lane < plan.lanes && p->seconds > 0);
		assert_null(strstr(p->command, "%T"));
		assert_ptr_equal(find(&plan, p->name), p); /* names are unique */
		in_lane[p->lane]++;
	}
	for (unsigned lane = 0; lane < plan.lanes; lane++)
		assert_true(in_lane[lane] > 0);

	assert_int_equal(strspn(plan.nonce, "0123456789abcdef"), PLAN_NONCE_SIZE - 1);
	make(&other, arena, names, 0);
	assert_string_not_equal(plan.nonce, other.nonce);
	arena_free(arena);
}

/* Every probe stands in its lane's script once, quoted, and in no other lane's. */
static void test_scripts(void **state)
{
	static const char *const names[] = {"db.example", "a", "b"};
	struct arena *arena = arena_new();
	struct probe_plan plan;

	(void)state;
	make(&plan, arena, names, COUNT(names));
	for (size_t i = 0; i < plan.n; i++) {
		struct buf line = {0};
		buf_printf(&line, "\np %zu %u ", i, plan.probes[i].seconds);
		text_shell_quote(view_of(plan.probes[i].command), &line);
		buf_putc(&line, '\n');
		for (unsigned lane = 0; lane < plan.lanes; lane++)
			assert_int_equal(view_find(plan.scripts[lane], buf_str(&line)) >= 0,
			    lane == plan.probes[i].lane);
		buf_free(&line);
	}
	for (unsigned lane = 0; lane < plan.lanes; lane++) {
		assert_true(view_ends(plan.scripts[lane], "\nexit 0\n"));
		assert_true(text_is_utf8(plan.scripts[lane]));
	}
	arena_free(arena);
}

static const char egress[] =
    "getent ahosts db.example | cut -d' ' -f1 | sort -u | while read -r a; do ip route get \"$a\"; "
    "done";
#define E "E=$(command -v docker || command -v podman || echo docker); "
#define PS                                                                                         \
	"$E ps -a --format '{\"ID\":{{json .ID}},\"Image\":{{json .Image}},"                       \
	"\"Names\":{{json .Names}},\"Status\":{{json .Status}},\"Networks\":{{json .Networks}},"   \
	"\"Ports\":{{json .Ports}},\"Project\":"
static const char docker_ps[] =
    E "o=$(" PS "{{json (.Label \"com.docker.compose.project\")}}}' 2>/dev/null) || "
      "o=$(" PS "{{json (index .Labels \"com.docker.compose.project\")}}}' 2>/dev/null) || "
      "o=$($E ps -q >/dev/null) && printf '%s\\n' \"$o\"";
#define INFO                                                                                       \
	"$E info --format '{\"ServerVersion\":{{json .ServerVersion}},"                            \
	"\"LiveRestoreEnabled\":{{json .LiveRestoreEnabled}}"
static const char docker_info[] =
    E "stat -c '{\"Started\":%Y}' /var/run/docker.pid 2>/dev/null; "
      "o=$(" INFO ",\"DefaultAddressPools\":{{json .DefaultAddressPools}}}' 2>/dev/null) || "
      "o=$(" INFO "}' 2>/dev/null) || "
      "o=$($E info --format '{\"PodmanVersion\":{{json .Version.Version}}}' 2>/dev/null) || "
      "o=$($E ps -q >/dev/null) && printf '%s\\n' \"$o\"";

/*
 * All that may run on a host, word for word: a probe that is added must be added here, by somebody
 * who has made sure that it only reads.
 */
static const char *const read_only[] = {
    "if command -v ip >/dev/null 2>&1; then ip -4 route show table all; else route -n; fi",
    "ip -6 route show table all",
    "ip -4 rule show",
    "[ ! -e /proc/net/if_inet6 ] || ip -6 rule show",
    "ip -o addr show",
    "ip neigh show",
    "sysctl net.ipv4.ip_forward net.ipv4.conf.all.rp_filter net.ipv4.conf.default.rp_filter",
    "cat /etc/resolv.conf",
    "cat /run/systemd/resolve/resolv.conf",
    "getent ahosts db.example",
    egress,
    E "$E network ls",
    E "$E network inspect $($E network ls -q)",
    docker_ps,
    docker_info,
    "cat /etc/docker/daemon.json",
    "ping -n -c 3 -i 0.5 -W 2 -w 5 db.example",
};

/* Redirections go to /dev/null, to other descriptors, or are a connection of bash's. */
static bool writes_nowhere(struct view text)
{
	for (long at; (at = view_find_char(text, '>')) >= 0;) {
		text = view_skip(text, (size_t)at + 1);
		if (!view_starts(text, "/dev/null") && !view_starts(text, "&") &&
		    !view_starts(text, "\"/dev/tcp/"))
			return false;
	}
	return true;
}

/* Those of collect/commands.h, too long to stand here again: somebody has looked at them, too. */
static const char *const read_only_scripts[] = {"tcp:db.example:5432", "cloud", "host"};

static bool is_script(const struct probe *probe)
{
	for (size_t i = 0; i < COUNT(read_only_scripts); i++) {
		if (strcmp(probe->name, read_only_scripts[i]) == 0)
			return true;
	}
	return false;
}

static void test_read_only(void **state)
{
	static const char *const names[] = {"db.example:5432"};
	struct arena *arena = arena_new();
	struct probe_plan plan;

	(void)state;
	make(&plan, arena, names, 1);
	assert_int_equal(plan.n, COUNT(read_only) + COUNT(read_only_scripts));
	for (size_t i = 0; i < plan.n; i++) {
		bool listed =
		    is_script(&plan.probes[i]) && writes_nowhere(view_of(plan.probes[i].command));
		for (size_t k = 0; k < COUNT(read_only); k++)
			listed = listed || strcmp(plan.probes[i].command, read_only[k]) == 0;
		if (!listed)
			fail_msg("not on the list: %s", plan.probes[i].command);
	}
	/* Without the probes the frame writes nowhere: its redirections go to /dev/null and stderr.
	 */
	for (unsigned lane = 0; lane < plan.lanes; lane++) {
		struct view rest = plan.scripts[lane], line;
		while (view_next_line(&rest, &line)) {
			if (view_starts(line, "p "))
				continue;
			assert_true(writes_nowhere(line));
		}
	}
	arena_free(arena);
}

/* A target cannot break out: what is not a plain name is refused, and the rest is quoted. */
static void test_syntax(void **state)
{
	static const char *const names[] = {"a_b.example-1:80", "::1"};
	struct arena *arena = arena_new();
	struct probe_plan plan;

	(void)state;
	make(&plan, arena, names, COUNT(names));
	for (unsigned lane = 0; lane < plan.lanes; lane++) {
		char *dir = unit_directory(), path[300];
		struct err err;
		snprintf(path, sizeof path, "%s/script", dir);
		assert_true(file_write(path, 0600, plan.scripts[lane], &err));
		assert_int_equal(unit_shell(NULL, "sh -n %s", path), 0);
		unit_remove(dir);
	}
	arena_free(arena);
}

/* The script as a command gives what it gives on stdin, whatever the login shell. */
static void test_commands(void **state)
{
	static const char *const shells[] = {"sh", "bash", "dash", "zsh", "ksh", "mksh", "yash",
	    "fish", "tcsh", "csh", "busybox sh"};
	struct probe probes[] = {
	    {.name = "quotes", .command = "echo 'it'\"'\"'s' \"a `echo b` $0\"", .seconds = 5},
	    {.name = "csh's", .command = "echo '!x' wow! ~ {a,b} '*' %d", .seconds = 5},
	    {.name = "backslashes",
		.command = "printf '%s\\n' 'a\\b' '\\\\' \"\\$c\"",
		.seconds = 5},
	    {.name = "lines", .command = "echo one\necho '\ttwo'\nexit 3", .seconds = 5},
	};
	struct probe_plan plan = {.probes = probes, .n = COUNT(probes), .lanes = 1, .nonce = "abc"};
	struct arena *arena = arena_new();
	struct buf wanted = {0};
	char *dir = unit_directory(), path[300];
	struct err err;
	size_t ran = 0;

	(void)state;
	probe_plan_script(&plan, arena);
	snprintf(path, sizeof path, "%s/script", dir);
	assert_true(file_write(path, 0600, plan.scripts[0], &err));
	assert_int_equal(unit_shell(&wanted, "sh -s <%s 2>&1", path), 0);
	assert_true(view_find(buf_view(&wanted), "it's a b sh\n") > 0);
	assert_true(file_write(path, 0600, view_of(plan.commands[0]), &err));
	for (size_t i = 0; i < COUNT(shells); i++) {
		struct buf got = {0};
		if (unit_shell(NULL, "%s -c true >/dev/null 2>&1", shells[i]) != 0)
			continue;
		ran++;
		assert_int_equal(
		    unit_shell(&got, "%s -c \"$(cat %s)\" 2>&1 </dev/null", shells[i], path), 0);
		if (!view_same(buf_view(&got), buf_view(&wanted)))
			fail_msg("%s: %s\nwanted: %s", shells[i], buf_str(&got), buf_str(&wanted));
		buf_free(&got);
	}
	assert_true(ran > 0);

	/* What would not come back as it was, or is too long, goes by stdin. */
	probes[0].command = "echo \002";
	probe_plan_script(&plan, arena);
	assert_null(plan.commands[0]);
	probes[0].command = arena_printf(arena, "echo %20000s", "x");
	probe_plan_script(&plan, arena);
	assert_null(plan.commands[0]);
	buf_free(&wanted);
	unit_remove(dir);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_classify),
	    cmocka_unit_test(test_plan),
	    cmocka_unit_test(test_scripts),
	    cmocka_unit_test(test_read_only),
	    cmocka_unit_test(test_syntax),
	    cmocka_unit_test(test_commands),
	};

	return cmocka_run_group_tests_name("probes", tests, NULL, NULL);
}
