#include "oddhost/inventory/script.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "oddhost/base/clock.h"
#include "oddhost/inventory/json.h"

#define OUTPUT_MAX ((size_t)256 << 20)
#define ERRORS_MAX ((size_t)4096)

struct call {
	struct buf out, errors;
	int64_t deadline; /* clock_ms() */
	int signals;      /* signalfd(2): one waits that would end us */
	bool interrupted;
};

/*
 * Ctrl-C does not reach the script, which is in a process group of its own. So what would end us
 * has to wait, unread, until the script is killed. What is ignored (nohup) is left alone.
 */
static void hold_signals(struct call *call, sigset_t *ret_before)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	sigset_t held;

	sigemptyset(&held);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		struct sigaction action;
		if (sigaction(numbers[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			sigaddset(&held, numbers[i]);
	}
	sigprocmask(SIG_BLOCK, &held, ret_before);
	call->signals = signalfd(-1, &held, SFD_CLOEXEC);
}

/* Those that wait act now. */
static void release_signals(struct call *call, const sigset_t *before)
{
	if (call->signals >= 0)
		close(call->signals);
	sigprocmask(SIG_SETMASK, before, NULL);
}

/* Standard input from /dev/null, a process group of its own, so that all of it can be killed. */
static int spawn(const char *path, char *const argv[], int out, int errors, pid_t *ret_pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none;
	int code;

	sigemptyset(&none);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&files, errors, STDERR_FILENO);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
	code = posix_spawn(ret_pid, path, &files, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return code;
}

/* Take what is there; false at the end of the stream. */
static bool drain(int fd, struct buf *into)
{
	char chunk[65536];
	ssize_t n = read(fd, chunk, sizeof chunk);

	if (n > 0)
		buf_add(into, chunk, (size_t)n);
	return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

/* Read both streams to their ends; false where time ran out or the output is too large. */
static bool read_streams(struct call *call, int out, int errors)
{
	struct pollfd fds[] = {{.fd = out, .events = POLLIN}, {.fd = errors, .events = POLLIN},
	    {.fd = call->signals, .events = POLLIN}};

	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		int64_t left = call->deadline - clock_ms();
		if (left <= 0 || call->out.overflow)
			return false;
		if (poll(fds, 3, left > 1000 ? 1000 : (int)left) < 0 && errno != EINTR)
			return false;
		call->interrupted = fds[2].revents != 0;
		if (call->interrupted)
			return false;
		if (fds[0].fd >= 0 && fds[0].revents != 0 && !drain(out, &call->out))
			fds[0].fd = -1;
		if (fds[1].fd >= 0 && fds[1].revents != 0 && !drain(errors, &call->errors))
			fds[1].fd = -1;
		fds[0].revents = fds[1].revents = 0;
	}
	return true;
}

/* The streams are closed, but the program may live on: it has until the deadline to end. */
static bool wait_for(struct call *call, pid_t pid, int *ret_status)
{
	struct pollfd signals = {.fd = call->signals, .events = POLLIN};

	for (;;) {
		pid_t ended = waitpid(pid, ret_status, WNOHANG);
		if (ended == pid || (ended < 0 && errno != EINTR))
			return true;
		call->interrupted = poll(&signals, 1, 2) > 0;
		if (call->interrupted || clock_ms() >= call->deadline)
			return false;
	}
}

static bool finish_call(struct call *call, pid_t pid, int out, int errors, struct err *err)
{
	int status = 0;
	bool whole = read_streams(call, out, errors);

	if (!whole || !wait_for(call, pid, &status)) {
		kill(-pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		if (call->out.overflow)
			return err_set(err, "the script prints more than %zu bytes", OUTPUT_MAX);
		return err_set(err, call->interrupted
					? "interrupted: the script was killed"
					: "the script did not end in time and was killed");
	}
	if (WIFSIGNALED(status))
		return err_set(err, "the script was ended by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return err_set(err, "the script ended with exit status %d", WEXITSTATUS(status));
	return true;
}

static bool run(
    struct call *call, const char *path, const char *option, const char *host, struct err *err)
{
	char *argv[] = {(char *)path, (char *)option, (char *)host, NULL};
	int out[2], errors[2], code;
	sigset_t before;
	pid_t pid;
	bool ok = false;

	call->out.n = 0;
	if (pipe2(out, O_CLOEXEC) < 0)
		return err_sys(err, "pipe");
	if (pipe2(errors, O_CLOEXEC) < 0) {
		err_sys(err, "pipe");
		goto out;
	}
	hold_signals(call, &before);
	code = spawn(path, argv, out[1], errors[1], &pid);
	close(out[1]);
	close(errors[1]);
	out[1] = -1;
	if (code != 0)
		err_set(err, "the script cannot be run: %s", strerror(code));
	else
		ok = finish_call(call, pid, out[0], errors[0], err);
	release_signals(call, &before);
	close(errors[0]);
out:
	close(out[0]);
	if (out[1] >= 0)
		close(out[1]);
	return ok;
}

/* --host for every host that the script named; an empty answer means no variables. */
static void ask_for_hosts(struct inventory *inv, struct call *call, const char *path)
{
	for (size_t i = 0; i < inv->n_hosts; i++) {
		struct inventory_host *host = inv->hosts[i];
		struct err err;
		if (host->source_number != inv->source_number)
			continue;
		if (!run(call, path, "--host", host->name, &err)) {
			inventory_error(inv, 0, "--host %.80s: %s", host->name, err.text);
			if (call->interrupted || clock_ms() >= call->deadline)
				return;
			continue;
		}
		if (view_trim(buf_view(&call->out)).n == 0)
			continue;
		struct json *vars = json_parse_exact(buf_view(&call->out), &err);
		if (vars == NULL)
			inventory_error(inv, 0, "--host %.80s: %s", host->name, err.text);
		else
			inventory_json_read_host(inv, host, vars);
		json_free(vars);
	}
}

void script_read(struct inventory *inv, const char *path)
{
	struct call call = {.out = {.max = OUTPUT_MAX}, .errors = {.max = ERRORS_MAX}};
	struct err err;
	bool hostvars;

	call.deadline = clock_ms() + inv->script_limit_ms;
	if (!run(&call, path, "--list", NULL, &err)) {
		inventory_error(inv, 0, "%s", err.text);
	} else {
		inventory_json_read(inv, buf_view(&call.out), true, &hostvars);
		if (!hostvars)
			ask_for_hosts(inv, &call, path);
	}
	struct view errors = view_trim(buf_view(&call.errors)), line;
	if (view_next_line(&errors, &line))
		inventory_warn(inv, 0, "the script says: %.*s", VIEW_ARG(view_left(line, 200)));
	buf_free(&call.out);
	buf_free(&call.errors);
}
