/* The tcp probe: what its script makes of every tool's words, and what the model makes of that. */
#include "unit.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "oddhost/base/text.h"
#include "oddhost/collect/probes.h"
#include "oddhost/parse/host.h"
#include "oddhost/parse/tcp.h"

#define TOOLS "tests/fixtures/parse/tcp/tools.tsv"
#define STDOUT_OF "LC_ALL=C PATH=%s/bin /bin/sh -c %s; echo \"exit $?\""

/* A directory whose bin/ holds what the script needs, and none of the tools that can connect. */
static char *bare_path(void)
{
	char *dir = unit_directory();

	assert_int_equal(
	    unit_shell(NULL,
		"mkdir %s/bin && cd %s/bin && "
		"for w in cut sort head getent; do ln -s \"$(command -v $w)\" . || exit; done && ln -s /bin/true .",
		dir, dir),
	    0);
	return dir;
}

/* Runs the probe for HOST:PORT with that PATH; returns what it printed and its exit status. */
static void run(const char *dir, const char *target_text, struct buf *out)
{
	struct arena *arena = arena_new();
	struct buf quoted = {0};
	struct probe_plan plan;
	struct target target;
	struct err err;
	const char *command = NULL;

	assert_true(target_parse(arena, view_of(target_text), &target, &err));
	assert_true(probe_plan_make(&plan, arena, &target, 1, &err));
	for (size_t i = 0; i < plan.n; i++) {
		if (strncmp(plan.probes[i].name, "tcp:", 4) == 0)
			command = plan.probes[i].command;
	}
	assert_non_null(command);
	text_shell_quote(view_of(command), &quoted);
	unit_shell(out, STDOUT_OF, dir, buf_str(&quoted));
	buf_free(&quoted);
	arena_free(arena);
}

/* A tool that prints what a real one printed, with '|' for its line breaks. */
static void put_tool(const char *dir, const char *tool, struct view text, struct view status)
{
	struct buf script = {0}, quoted = {0}, lines = {0};
	char path[300];
	struct err err;

	for (size_t i = 0; i < text.n; i++)
		buf_putc(&lines, text.p[i] == '|' ? '\n' : text.p[i]);
	text_shell_quote(buf_view(&lines), &quoted);
	buf_printf(&script, "#!/bin/sh\nprintf '%%s\\n' %s\nexit %.*s\n", buf_str(&quoted),
	    VIEW_ARG(status));
	snprintf(path, sizeof path, "%s/bin/%s", dir, tool);
	assert_true(file_write(path, 0755, buf_view(&script), &err));
	buf_free(&script);
	buf_free(&quoted);
	buf_free(&lines);
}

static void test_recorded_tools(void **state)
{
	struct buf file = {0};
	struct err err;
	struct view rest, line;
	size_t n = 0;

	(void)state;
	assert_true(file_read(TOOLS, 1 << 20, &file, &err));
	rest = buf_view(&file);
	for (; view_next_line(&rest, &line); n++) {
		struct view tool, outcome, status;
		struct buf out = {0};
		char *dir = bare_path(), name[32], want[200];
		assert_true(view_next_part(&line, '\t', &tool) &&
			    view_next_part(&line, '\t', &outcome) &&
			    view_next_part(&line, '\t', &status));
		snprintf(name, sizeof name, "%.*s",
		    VIEW_ARG(view_starts(tool, "nc") ? view_of("nc") : tool));
		put_tool(dir, name, line, status);
		assert_int_equal(
		    unit_shell(NULL,
			"cd %s/bin && printf '#!/bin/sh\nshift\nexec \"$@\"\n' >timeout && "
			"chmod +x timeout",
			dir),
		    0);
		run(dir, "127.0.0.1:8080", &out);
		snprintf(want, sizeof want, "127.0.0.1 port 8080: %.*s (%s)\nexit 0\n",
		    VIEW_ARG(outcome), name);
		assert_string_equal(buf_str(&out), want);
		buf_free(&out);
		unit_remove(dir);
	}
	assert_int_equal(n, 28);
	buf_free(&file);
}

/* A listening socket on loopback, and a port on which nothing listens. */
static int listen_on(uint16_t *ret_port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&at, n) == 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	*ret_port = ntohs(at.sin_port);
	return fd;
}

/* The tools of this machine on a real port, each alone. */
static void test_real_tools(void **state)
{
	static const char *const tools[] = {"bash", "nc", "python3", "curl", "busybox"};
	uint16_t open, closed;
	int listening = listen_on(&open), silent = listen_on(&closed);
	char target[64];

	(void)state;
	assert_int_equal(listen(listening, 16), 0);
	for (size_t i = 0; i < COUNT(tools); i++) {
		struct buf out = {0};
		char *dir = bare_path();
		if (unit_shell(NULL,
			"cd %s/bin && ln -s \"$(command -v timeout)\" . && "
			"w=$(PATH=/usr/bin:/bin command -v %s) && ln -s \"$w\" %s",
			dir, tools[i], tools[i]) != 0) {
			print_message("%s is not installed\n", tools[i]);
			unit_remove(dir);
			continue;
		}
		snprintf(target, sizeof target, "127.0.0.1:%u", open);
		run(dir, target, &out);
		snprintf(target, sizeof target, "127.0.0.1:%u", closed);
		run(dir, target, &out);
		char want[200];
		snprintf(want, sizeof want,
		    "127.0.0.1 port %u: open (%s)\nexit 0\n127.0.0.1 port %u: refused (%s)\nexit 0\n",
		    open, tools[i], closed, tools[i]);
		assert_string_equal(buf_str(&out), want);
		buf_free(&out);
		unit_remove(dir);
	}
	close(listening);
	close(silent);
}

/* No tool: unknown, and the probe's status says why. No address: an answer without a line. */
static void test_no_tool_no_name(void **state)
{
	char *dir = bare_path();
	struct buf out = {0};

	(void)state;
	run(dir, "127.0.0.1:80", &out);
	run(dir, "no-such-name.invalid:80", &out);
	assert_string_equal(buf_str(&out), "127.0.0.1 port 80: unknown\nexit 127\nexit 2\n");
	buf_free(&out);
	unit_remove(dir);
}

static void test_parser(void **state)
{
	static const struct {
		const char *text;
		bool understood;
		size_t n, rejected;
		enum tcp_status first;
	} rows[] = {
	    {"", true, 0, 0, TCP_UNKNOWN},
	    {"192.168.0.166 port 3306: open (bash)\n", true, 1, 0, TCP_OPEN},
	    {"2001:db8::1 port 1: refused (nc)\n", true, 1, 0, TCP_REFUSED},
	    {"db.example port 65535: timeout (curl)\n", true, 1, 0, TCP_TIMEOUT},
	    {"10.0.0.1 port 80: unreachable (python3)\n10.0.0.2 port 80: open (nc)\n", true, 2, 0,
		TCP_UNREACHABLE},
	    {"10.0.0.1 port 80: unknown\n", true, 1, 0, TCP_UNKNOWN},
	    {"sh: nc: not found\n10.0.0.2 port 80: open (nc)\n", true, 1, 1, TCP_OPEN},
	    {"10.0.0.1 port 0: open\n", false, 0, 1, TCP_UNKNOWN},
	    {"10.0.0.1 port 65536: open\n", false, 0, 1, TCP_UNKNOWN},
	    {"10.0.0.1 port 80 open\n", false, 0, 1, TCP_UNKNOWN},
	    {"10.0.0.1 port 80: wide-open\n", false, 0, 1, TCP_UNKNOWN},
	    {"10.0.0.1 port :\n", false, 0, 1, TCP_UNKNOWN},
	    {"10.0.0.1\n", false, 0, 1, TCP_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena *arena = arena_new();
		struct tcp_list list = {.arena = arena};
		struct diag_list diags = {.arena = arena};
		bool understood = parse_tcp(view_of(rows[i].text), &list, &diags);
		if (understood != rows[i].understood || list.n != rows[i].n ||
		    diags.n != rows[i].rejected ||
		    (list.n > 0 && list.v[0].status != rows[i].first))
			fail_msg("row %zu: %s", i, rows[i].text);
		arena_free(arena);
	}
}

/* Of several addresses the best decides, and what is unknown decides nothing. */
static void test_model(void **state)
{
	static struct target targets[] = {{"db.example:3306", "db.example", 3306}, {"b:1", "b", 1}};
	static const struct run_meta meta = {.targets = targets, .n_targets = 2};
	struct host_record *record = host_record_new("a");

	(void)state;
	struct probe_result *probe = host_record_add_probe(record, "tcp:db.example:3306");
	probe->out = view_of("10.0.0.1 port 3306: timeout (nc)\n10.0.0.2 port 3306: unknown\n"
			     "10.0.0.3 port 3306: refused (nc)\n");
	probe = host_record_add_probe(record, "tcp:b:1");
	probe->out = view_of("10.0.0.9 port 1: unknown\n");
	probe->status = PROBE_MISSING_COMMAND;
	struct host *host = parse_host(record, &meta);
	const struct tcp *tcp = host_tcp(host, "db.example:3306");
	assert_non_null(tcp);
	assert_int_equal(tcp->status, TCP_REFUSED);
	assert_int_equal(tcp->source.line, 3);
	assert_null(host_tcp(host, "b:1"));
	host_record_free(record);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_recorded_tools),
	    cmocka_unit_test(test_real_tools),
	    cmocka_unit_test(test_no_tool_no_name),
	    cmocka_unit_test(test_parser),
	    cmocka_unit_test(test_model),
	};

	return cmocka_run_group_tests_name("tcp", tests, NULL, NULL);
}
