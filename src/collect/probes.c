#include "oddhost/collect/probes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "oddhost/base/text.h"
#include "oddhost/collect/commands.h"

#define COMMAND_MAX 16384 /* libssh2 sends packets of at most 35,000 bytes */

/* podman where it stands in docker's place. */
#define ENGINE "E=$(command -v docker || command -v podman || echo docker); "

/*
 * Behind formats of which one may suit: where none did, the engine's own words say why. `info`
 * itself would say it on its standard output.
 */
#define SAY_WHY "o=$($E ps -q >/dev/null) && printf '%s\\n' \"$o\""

/* `ps` of both; the label's name is written in another way for each. */
#define PS_FIELDS                                                                                  \
	"\"ID\":{{json .ID}},\"Image\":{{json .Image}},\"Names\":{{json .Names}},"                 \
	"\"Status\":{{json .Status}},\"Networks\":{{json .Networks}},\"Ports\":{{json .Ports}},"

/* Of docker alone. Before 20.10 there was no DefaultAddressPools to ask for. */
#define INFO_FIELDS                                                                                \
	"\"ServerVersion\":{{json .ServerVersion}},"                                               \
	"\"LiveRestoreEnabled\":{{json .LiveRestoreEnabled}}"

/*
 * In `name` and `command` "%T" stands for a target's name, in `command` "%P" for its port: such a
 * row is left out for targets without one. Only docker's fields that the model reads are asked for:
 * labels and commands may hold secrets.
 */
static const struct row {
	const char *name, *command;
	unsigned seconds;
	int answer_exit;
	bool may_be_absent, slow;
} rows[] = {
    {"routes",
	"if command -v ip >/dev/null 2>&1; then ip -4 route show table all; else route -n; fi", 5,
	0, false, false},
    {"routes6", "ip -6 route show table all", 5, 0, false, false},
    {"rules", "ip -4 rule show", 5, 0, false, false},
    {"rules6", "[ ! -e /proc/net/if_inet6 ] || ip -6 rule show", 5, 0, false, false},
    {"addrs", "ip -o addr show", 5, 0, false, false},
    {"neigh", "ip neigh show", 5, 0, false, false},
    {"sysctl",
	"sysctl net.ipv4.ip_forward net.ipv4.conf.all.rp_filter net.ipv4.conf.default.rp_filter", 5,
	0, false, false},
    {"resolv", "cat /etc/resolv.conf", 5, 0, true, false},
    {"resolv_systemd", "cat /run/systemd/resolve/resolv.conf", 5, 0, true, false},
    {"dns:%T", "getent ahosts %T", 5, 2, false, false},
    {"egress:%T",
	"getent ahosts %T | cut -d' ' -f1 | sort -u | while read -r a; do ip route get \"$a\"; "
	"done",
	5, 2, false, false},
    {"docker_networks", ENGINE "$E network ls", 10, 0, false, false},
    {"docker_inspect", ENGINE "$E network inspect $($E network ls -q)", 10, 0, false, false},
    {"docker_ps",
	ENGINE "o=$($E ps -a --format '{" PS_FIELDS
	       "\"Project\":{{json (.Label \"com.docker.compose.project\")}}}' 2>/dev/null) || "
	       "o=$($E ps -a --format '{" PS_FIELDS
	       "\"Project\":{{json (index .Labels \"com.docker.compose.project\")}}}' "
	       "2>/dev/null) || " SAY_WHY,
	10, 0, false, false},
    {"docker_info",
	ENGINE "stat -c '{\"Started\":%Y}' /var/run/docker.pid 2>/dev/null; "
	       "o=$($E info --format '{" INFO_FIELDS
	       ",\"DefaultAddressPools\":{{json .DefaultAddressPools}}}' 2>/dev/null) || "
	       "o=$($E info --format '{" INFO_FIELDS "}' 2>/dev/null) || "
	       "o=$($E info --format '{\"PodmanVersion\":{{json .Version.Version}}}' "
	       "2>/dev/null) || " SAY_WHY,
	10, 0, false, false},
    {"docker_daemon", "cat /etc/docker/daemon.json", 5, 0, true, false},
    {"host", command_host, 5, 0, false, false},
    {"cloud", command_cloud, 1, 1, false, true},
    {"ping:%T", "ping -n -c 3 -i 0.5 -W 2 -w 5 %T", 8, 2, false, true},
    {"tcp:%T", command_tcp, 10, 2, false, true},
};

static void add(struct probe_plan *plan, struct arena *arena, const struct row *row,
    const struct target *target, unsigned lane)
{
	plan->probes = arena_grow(arena, plan->probes, plan->n, &plan->cap, sizeof *plan->probes);
	struct probe *probe = &plan->probes[plan->n++];
	*probe = (struct probe){.name = row->name,
	    .command = row->command,
	    .seconds = row->seconds,
	    .answer_exit = row->answer_exit,
	    .may_be_absent = row->may_be_absent,
	    .lane = lane};
	if (target != NULL) {
		size_t kind = strcspn(row->name, "%");
		probe->name = arena_printf(arena, "%.*s%s", (int)kind, row->name, target->text);
		probe->command = command_fill(arena, row->command, target->name, target->port);
	}
	if (plan->lanes <= lane)
		plan->lanes = lane + 1;
}

static bool make_nonce(char nonce[PLAN_NONCE_SIZE], struct err *err)
{
	unsigned char bytes[(PLAN_NONCE_SIZE - 1) / 2];

	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		return err_sys(err, "getrandom");
	for (size_t i = 0; i < sizeof bytes; i++)
		snprintf(nonce + 2 * i, 3, "%02x", bytes[i]);
	return true;
}

/*
 * The frame: a line "NONCE b INDEX" before and "NONCE e INDEX EXIT" behind the output, each with a
 * line break of its own in front, so that output without one at its end stays as it is. The end of
 * one probe is said with the beginning of the next: each write may be a packet.
 *
 * stderr is mostly silent: f() passes on only the frames that something was said in, line by line,
 * and ends with "NONCE q", whoever else may still hold stderr. h is a "b" line that waits for
 * something said, b an empty line that may be a frame's. NUL bytes do not get through read.
 */
static const char functions[] =
    "m() { printf '\\n%s %s\\n' \"$@\"; printf '\\n%s %s\\n' \"$@\" >&2; }\n"
    "p() { m ${e:+\"$n\" \"$e\"} \"$n\" \"b $1\"; t \"$2\" \"$3\" </dev/null; e=\"e $1 $?\"; }\n"
    "s() { [ -z \"$h\" ] || printf '\\n%s\\n' \"$h\"; h=; printf '%s\\n' \"$1\"; }\n"
    "f() { h= b=; while IFS= read -r l || [ -n \"$l\" ]; do case $l in\n"
    "'') [ -z \"$b\" ] || s ''; b='\\n' ;;\n"
    "\"$n b \"*) h=$l b= ;;\n"
    "\"$n e \"*) [ -n \"$h\" ] || printf \"$b%s\\n\" \"$l\"; h= b= ;;\n"
    "\"$n q\") printf '\\n%s\\n' \"$l\"; return ;;\n"
    "*) [ -z \"$b\" ] || s ''; b=; s \"$l\" ;;\n"
    "esac; done; }\n"
    "run() { { lane 2>&1 >&3 3>&- | f >&2 3>&-; } 3>&1; }\n";

/*
 * Where `timeout` ends a probe, nothing of it may stay: coreutils' leaves a child that ignores the
 * signal, busybox's each child. So the probe has a session of its own, all of which is killed.
 * Where there is no setsid, -k does what it can. Without a limit f() might wait long for the end of
 * a line, so stderr goes as it is.
 */
static const char limits[] =
    "if timeout 1 setsid true </dev/null >/dev/null 2>&1; then\n"
    "t() { timeout \"$1\" setsid sh -c 'trap \"kill -KILL 0\" TERM; sh -c \"$1\" & "
    "wait \"$!\"' sh \"$2\"; }\n"
    "elif timeout -k 1 1 true </dev/null >/dev/null 2>&1; then\n"
    "t() { timeout -k 1 \"$1\" sh -c \"$2\"; }\n"
    "elif timeout 1 true </dev/null >/dev/null 2>&1; then\n"
    "t() { timeout \"$1\" sh -c \"$2\"; }\n"
    "else\n"
    "t() { sh -c \"$2\"; }\n"
    "run() { lane; }\n"
    "fi\n";

static struct view make_script(const struct probe_plan *plan, struct arena *arena, unsigned lane)
{
	struct buf out = {0};

	buf_puts(&out,
	    "LC_ALL=C; export LC_ALL\n"
	    "PATH=\"$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"; export PATH\n");
	buf_printf(&out, "n=%s e=\n", plan->nonce);
	buf_puts(&out, functions);
	buf_puts(&out, limits);
	buf_puts(&out, "lane() {\n");
	for (size_t i = 0; i < plan->n; i++) {
		const struct probe *probe = &plan->probes[i];
		if (probe->lane != lane)
			continue;
		buf_printf(&out, "p %zu %u ", i, probe->seconds);
		text_shell_quote(view_of(probe->command), &out);
		buf_putc(&out, '\n');
	}
	buf_puts(&out, "m \"$n\" \"$e\" \"$n\" q\n}\nrun\nexit 0\n");
	struct view script = arena_view(arena, buf_view(&out));
	buf_free(&out);
	return script;
}

bool probe_plan_make(struct probe_plan *plan, struct arena *arena, const struct target *targets,
    size_t n_targets, struct err *err)
{
	*plan = (struct probe_plan){.lanes = 1};
	if (!make_nonce(plan->nonce, err))
		return false;
	for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
		if (strstr(rows[r].name, "%T") == NULL) {
			add(plan, arena, &rows[r], NULL, 0);
			continue;
		}
		for (size_t i = 0; i < n_targets; i++) {
			if (targets[i].port == 0 && strstr(rows[r].command, "%P") != NULL)
				continue;
			unsigned lane = rows[r].slow ? 1 + (unsigned)i % (PLAN_LANES_MAX - 1) : 0;
			add(plan, arena, &rows[r], &targets[i], lane);
		}
	}
	probe_plan_script(plan, arena);
	return true;
}

/*
 * The login shell may be any: what sh, csh and fish do not read alike within single quotes is
 * replaced by control characters, which tr(1) turns back.
 */
static const char *make_command(struct view script, struct arena *arena)
{
	static const char special[] = "\n'!\\";
	struct buf out = {0};
	const char *command = NULL;

	buf_puts(&out, "sh -c 'eval \"$(printf %s \"$1\" | "
		       "tr \"\\001\\002\\003\\004\" \"\\012\\047\\041\\134\")\"' sh '");
	for (size_t i = 0; i < script.n; i++) {
		unsigned char c = (unsigned char)script.p[i];
		if (c < 5)
			goto out; /* it would not come back as it was */
		const char *at = strchr(special, c);
		buf_putc(&out, at == NULL ? script.p[i] : (char)(1 + (at - special)));
	}
	buf_putc(&out, '\'');
	if (out.n <= COMMAND_MAX)
		command = arena_dup_view(arena, buf_view(&out));
out:
	buf_free(&out);
	return command;
}

static void script_lane(struct probe_plan *plan, struct arena *arena, unsigned lane)
{
	plan->scripts[lane] = make_script(plan, arena, lane);
	plan->commands[lane] = make_command(plan->scripts[lane], arena);
}

void probe_plan_script(struct probe_plan *plan, struct arena *arena)
{
	for (unsigned lane = 0; lane < plan->lanes; lane++)
		script_lane(plan, arena, lane);
}

/* One command for all peers at once: each prints its name, and ping's output behind it. */
static const char *mesh_command(struct arena *arena, const struct host_spec *spec)
{
	struct buf out = {0};
	const char *command = NULL;

	buf_puts(&out, "f() { o=$(ping -n -c 3 -i 0.3 -W 1 -w 3 \"$2\" 2>&1); "
		       "printf 'peer %s\\n%s\\n' \"$1\" \"$o\"; }\n"
		       "command -v ping >/dev/null || exit 127\n");
	for (size_t i = 0; i < spec->n_questions; i++) {
		const struct question *q = &spec->questions[i];
		if (q->kind != QUESTION_PEER)
			continue;
		buf_puts(&out, "f ");
		text_shell_quote(view_of(q->name), &out);
		buf_putc(&out, ' ');
		text_shell_quote(view_of(q->text), &out);
		buf_puts(&out, " &\n");
		command = "";
	}
	buf_puts(&out, "wait");
	if (command != NULL)
		command = arena_dup(arena, buf_str(&out));
	buf_free(&out);
	return command;
}

static struct row local_row(struct arena *arena, const char *service)
{
	uint64_t port;
	bool is_port = view_uint(view_of(service), 1, 65535, &port);

	return (struct row){.name = arena_printf(arena, "local:%s", service),
	    .command = is_port ? command_fill(arena, command_tcp, "localhost", (uint16_t)port)
			       : command_fill(arena, command_http, service, 0),
	    .seconds = 10,
	    .answer_exit = 2};
}

const struct probe_plan *probe_plan_for(
    const struct probe_plan *common, const struct host_spec *spec, struct arena *arena)
{
	unsigned lane = common->lanes < PLAN_LANES_MAX ? common->lanes : PLAN_LANES_MAX - 1;
	struct probe_plan *plan;
	const char *mesh;

	if (spec->n_questions == 0)
		return common;
	plan = arena_alloc(arena, sizeof *plan);
	*plan = *common;
	plan->cap = plan->n; /* the first one that is added copies them */
	for (size_t i = 0; i < spec->n_questions; i++) {
		const struct question *q = &spec->questions[i];
		struct row row = {.name = arena_printf(arena, "own:%s", q->name),
		    .command = q->text,
		    .seconds = 10};
		if (q->kind == QUESTION_LOCAL)
			row = local_row(arena, q->text);
		if (q->kind != QUESTION_PEER)
			add(plan, arena, &row, NULL, lane);
	}
	mesh = mesh_command(arena, spec);
	if (mesh != NULL)
		add(plan, arena, &(struct row){"mesh", mesh, 8, 0, false, true}, NULL, lane);
	script_lane(plan, arena, lane);
	return plan;
}

static bool says(const struct probe_result *result, const char *text)
{
	return view_find(result->err, text) >= 0;
}

enum probe_status probe_classify(const struct probe *probe, const struct probe_result *result)
{
	if (result->truncated)
		return PROBE_TRUNCATED;
	/* timeout(1): 124, or 137 after -k; busybox's becomes the command, which its signal ends.
	 */
	if (result->exit == 124 || result->exit == 137 || result->exit == 143)
		return PROBE_TIMEOUT;
	if (result->exit == 127)
		return PROBE_MISSING_COMMAND;
	if (result->exit == 126 ||
	    (result->exit > 0 &&
		(says(result, "ermission denied") || says(result, "Operation not permitted"))))
		return PROBE_NO_PERMISSION;
	if (result->exit >= 0 && result->exit <= probe->answer_exit)
		return PROBE_OK;
	if (probe->may_be_absent && says(result, "No such file or directory"))
		return PROBE_OK;
	return PROBE_FAILED;
}
