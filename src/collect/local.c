#include "oddhost/collect/local.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "oddhost/base/clock.h"
#include "oddhost/base/file.h"
#include "oddhost/base/mem.h"
#include "oddhost/base/text.h"
#include "oddhost/collect/lane.h"

#define REAP_TRIES 20 /* a tenth of a second in all */
#define REAP_WAIT_US 5000
#define TREE_DEPTH 32
#define CHILDREN_MAX 65536

enum { IN, OUT, ERR, PIPES };

/* One lane: a shell in a process group of its own, and three pipes. */
struct local_lane {
	struct local *local;
	struct lane lane;
	pid_t pid;  /* 0: not running */
	bool plain; /* without sudo, since that has refused */
	struct watch watch[PIPES];
	size_t sent;
};

struct local {
	struct session_shared *shared;
	const struct host_spec *spec;
	const struct probe_plan *plan; /* of this host */
	void (*done)(void *context, struct local *local, struct host_record *record);
	void *context;
	struct reception *receptions;
	struct local_lane lanes[PLAN_LANES_MAX];
	struct timer limit, begin;
	int64_t started;
	const char *sudo_failed; /* what sudo said; NULL while it has not refused */
	struct host_record *record;
};

static bool start_lane(struct local_lane *l, struct err *err);

static void close_pipe(struct local_lane *l, int which)
{
	int fd = l->watch[which].fd;

	if (fd < 0)
		return;
	loop_unwatch(l->local->shared->loop, &l->watch[which]);
	close(fd);
}

/*
 * Whatever it has started goes with it: timeout and setsid make groups of their own, so that its
 * group is not all of it. A process that stands still starts no further ones while they are listed.
 */
static void kill_tree(pid_t pid, int depth)
{
	struct buf text = {0};
	struct view rest, word;
	struct err err;
	char path[64];
	uint64_t child;

	snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", (long)pid, (long)pid);
	kill(pid, SIGSTOP);
	bool listed = file_read(path, CHILDREN_MAX, &text, &err);
	kill(pid, SIGKILL);
	for (rest = buf_view(&text); listed && depth > 0 && view_next_word(&rest, &word);) {
		if (view_uint(word, 2, INT32_MAX, &child))
			kill_tree((pid_t)child, depth - 1);
	}
	buf_free(&text);
}

/* What sudo runs belongs to root and may not let itself be killed: it is not waited for long. */
static void end(pid_t pid)
{
	kill_tree(pid, TREE_DEPTH);
	kill(-pid, SIGKILL);
	for (int i = 0; i < REAP_TRIES && waitpid(pid, NULL, WNOHANG) == 0; i++)
		usleep(REAP_WAIT_US);
}

static void finish(struct local *local, enum host_status status, const char *why)
{
	const struct probe_plan *plan = local->plan;

	loop_cancel(local->shared->loop, &local->limit);
	loop_cancel(local->shared->loop, &local->begin);
	for (unsigned i = 0; i < plan->lanes; i++) {
		struct local_lane *l = &local->lanes[i];
		for (int k = 0; k < PIPES; k++)
			close_pipe(l, k);
		if (l->pid > 0)
			end(l->pid);
		lane_finish(&l->lane);
		lane_free(&l->lane);
	}
	receptions_record(local->receptions, plan, local->record);
	receptions_free(local->receptions, plan);
	local->record->status = status;
	local->record->error = arena_dup(local->record->arena, why);
	local->record->elapsed_ms = (unsigned)(clock_ms() - local->started);
	local->done(local->context, local, local->record);
	free(local);
}

void local_abort(struct local *local, enum host_status status, const char *why)
{
	finish(local, status, why);
}

static void finish_if_done(struct local *local)
{
	bool complete = true;

	for (unsigned i = 0; i < local->plan->lanes; i++) {
		struct local_lane *l = &local->lanes[i];
		bool open = l->watch[OUT].fd >= 0 || l->watch[ERR].fd >= 0;
		if (open && !lane_is_quiet(&l->lane))
			return;
		complete = complete && lane_complete(&l->lane);
	}
	if (complete && local->sudo_failed != NULL)
		finish(local, HOST_SUDO_FAILED,
		    arena_printf(local->record->arena,
			"%s; what needs no other user was collected as %s", local->sudo_failed,
			local->record->user));
	else
		finish(local, complete ? HOST_OK : HOST_PARTIAL,
		    complete ? "" : "the shell ended before all probes had run");
}

static bool uses_sudo(const struct local_lane *l)
{
	return l->local->spec->become && !l->plain;
}

static bool is_begun(const struct local_lane *l)
{
	const struct probe_plan *plan = l->local->plan;

	for (size_t i = 0; i < plan->n; i++) {
		if (plan->probes[i].lane == l->lane.number && l->local->receptions[i].begun)
			return true;
	}
	return false;
}

/* sudo did not start the shell: remember why, and run the lane once more without it. */
static bool without_sudo(struct local_lane *l, const char *why, struct err *err)
{
	struct local *local = l->local;

	local->sudo_failed = arena_printf(
	    local->record->arena, "%s%s", strncmp(why, "sudo", 4) == 0 ? "" : "sudo: ", why);
	if (l->pid > 0)
		end(l->pid);
	for (int k = 0; k < PIPES; k++)
		close_pipe(l, k);
	lane_free(&l->lane);
	lane_init(&l->lane, local->plan, l->lane.number, local->receptions);
	l->sent = 0;
	l->plain = true;
	return start_lane(l, err);
}

/* Its first line, or what can be said without one. */
static const char *complaint(struct local_lane *l)
{
	struct view said, line;
	struct buf text = {0};

	lane_finish(&l->lane);
	said = line = view_trim(buf_view(&l->lane.greeting));
	view_next_line(&said, &line);
	text_mend_utf8(line, &text);
	const char *copy =
	    text.n > 0 ? arena_dup(l->local->record->arena, buf_str(&text)) : "it said nothing";
	buf_free(&text);
	return copy;
}

static void receive(struct local_lane *l, int which)
{
	struct err err;
	char bytes[32768];
	ssize_t n = read(l->watch[which].fd, bytes, sizeof bytes);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		lane_receive(&l->lane, which - OUT, (struct view){bytes, (size_t)n}, clock_ms());
		if (lane_is_quiet(&l->lane))
			finish_if_done(l->local);
		return;
	}
	close_pipe(l, which);
	bool closed = l->watch[OUT].fd < 0 && l->watch[ERR].fd < 0;
	if (!closed || !uses_sudo(l) || is_begun(l))
		finish_if_done(l->local);
	else if (!without_sudo(l, complaint(l), &err))
		finish(l->local, HOST_CHANNEL_FAILED, err.text);
}

static void out_ready(void *context)
{
	receive(context, OUT);
}

static void err_ready(void *context)
{
	receive(context, ERR);
}

static void in_ready(void *context)
{
	struct local_lane *l = context;
	struct view rest = view_skip(l->local->plan->scripts[l->lane.number], l->sent);
	ssize_t n = write(l->watch[IN].fd, rest.p, rest.n);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		l->sent += (size_t)n;
	if (n < 0 || (size_t)n == rest.n)
		close_pipe(l, IN); /* all is sent, or the shell has gone */
}

static bool spawn(struct local_lane *l, const struct host_spec *spec, int fds[PIPES])
{
	const char *user = spec->become_user != NULL ? spec->become_user : "root";
	const char *const plain[] = {"sh", "-s", NULL};
	const char *const sudo[] = {"sudo", "-n", "-u", user, "--", "sh", "-s", NULL};
	const char *const *argv = uses_sudo(l) ? sudo : plain;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(
	    &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	for (int k = 0; k < PIPES; k++)
		posix_spawn_file_actions_adddup2(&actions, fds[k], k);
	int code =
	    posix_spawnp(&l->pid, argv[0], &actions, &attributes, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	if (code != 0)
		l->pid = 0;
	errno = code;
	return code == 0;
}

static bool start_lane(struct local_lane *l, struct err *err)
{
	static void (*const ready[PIPES])(void *) = {in_ready, out_ready, err_ready};
	struct loop *loop = l->local->shared->loop;
	int pipes[PIPES][2], theirs[PIPES] = {-1, -1, -1};
	int made = 0;
	bool ok = true;

	while (made < PIPES && pipe2(pipes[made], O_CLOEXEC) == 0)
		made++;
	if (made < PIPES)
		ok = err_sys(err, "pipe");
	for (int k = 0; k < made; k++)
		theirs[k] = pipes[k][k == IN ? 0 : 1];
	ok = ok &&
	     (spawn(l, l->local->spec, theirs) || err_sys(err, "%s", uses_sudo(l) ? "sudo" : "sh"));
	for (int k = 0; k < made; k++) {
		int ours = pipes[k][k == IN ? 1 : 0];
		close(theirs[k]);
		if (ok && fcntl(ours, F_SETFL, O_NONBLOCK) == 0)
			ok = loop_watch(loop, &l->watch[k], ours, ready[k], l, err);
		if (!ok)
			close(ours);
	}
	if (ok)
		loop_want_write(loop, &l->watch[IN], true);
	return ok;
}

static void expired(void *context)
{
	finish(context, HOST_DEADLINE, "not done in time");
}

static void begin(void *context)
{
	struct local *local = context;
	struct err err;

	for (unsigned i = 0; i < local->plan->lanes; i++) {
		struct local_lane *l = &local->lanes[i];
		l->plain = l->plain || local->sudo_failed != NULL;
		bool started = start_lane(l, &err);
		if (!started && uses_sudo(l)) /* there is no sudo */
			started = without_sudo(l, arena_dup(local->record->arena, err.text), &err);
		if (!started) {
			finish(local, HOST_CHANNEL_FAILED, err.text);
			return;
		}
	}
}

struct local *local_start(struct session_shared *shared, const struct host_spec *spec,
    void (*done)(void *context, struct local *local, struct host_record *record), void *context)
{
	struct local *local = mem_alloc(sizeof *local);

	local->shared = shared;
	local->spec = spec;
	local->done = done;
	local->context = context;
	local->started = clock_ms();
	local->record = session_record(spec, shared->local_user);
	local->plan = probe_plan_for(shared->plan, spec, local->record->arena);
	local->receptions = receptions_new(local->plan);
	for (unsigned i = 0; i < local->plan->lanes; i++) {
		struct local_lane *l = &local->lanes[i];
		l->local = local;
		for (int k = 0; k < PIPES; k++)
			l->watch[k].fd = -1;
		lane_init(&l->lane, local->plan, i, local->receptions);
	}
	loop_timer(shared->loop, &local->limit, shared->host_ms, expired, local);
	loop_timer(shared->loop, &local->begin, 0, begin, local); /* done never from within here */
	return local;
}
