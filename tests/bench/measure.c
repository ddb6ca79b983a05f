/*
 * Run a command; print as JSON what it and everything that it started cost.
 *
 * usage: measure SECONDS SAMPLE_MS NOFILE COMMAND...
 *
 *   start    CLOCK_MONOTONIC, seconds
 *   wall     seconds
 *   cpu      seconds of user and system time of the whole tree: what wait4(2) says of the command,
 *            and of descendants that outlive it, which come to us as their subreaper
 *   pss      bytes: the highest sum of the tree's proportional set sizes, looked at every SAMPLE_MS
 *            (0: never)
 *   maxrss   bytes: the largest single process
 *   exit     the command's; -1 where it had to be ended after SECONDS
 *
 * NOFILE, where it is not 0, becomes its limit of descriptors. stdin, stdout and stderr are the
 * command's; the JSON goes to descriptor 3. In C since a process inherits, as its largest memory,
 * that of the one that forked it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct used {
	double cpu;
	long maxrss;
};

static volatile sig_atomic_t told_to_end;

static void end_soon(int sig)
{
	told_to_end = sig;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static long read_file(const char *path, char *bytes, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, bytes, size - 1);

	if (fd >= 0)
		close(fd);
	bytes[n > 0 ? n : 0] = '\0';
	return n;
}

static long pss_of(long pid)
{
	char path[64], text[2048];

	snprintf(path, sizeof path, "/proc/%ld/smaps_rollup", pid);
	read_file(path, text, sizeof text);
	const char *at = strstr(text, "\nPss:");
	return at == NULL ? 0 : strtol(at + 5, NULL, 10) * 1024;
}

static long over_descendants(long pid, long (*each)(long pid));

/* For over_descendants(). */
static long end_it(long pid)
{
	kill((pid_t)pid, SIGKILL);
	return 0;
}

/* Over the children that one thread has. */
static long over_children(long pid, const char *thread, long (*each)(long pid))
{
	char path[320], list[16384], *at = list, *end;
	long sum = 0;

	snprintf(path, sizeof path, "/proc/%ld/task/%s/children", pid, thread);
	read_file(path, list, sizeof list);
	for (long child; (child = strtol(at, &end, 10)) > 0; at = end)
		sum += over_descendants(child, each) + each(child);
	return sum;
}

/* The sum of `each` over a process' descendants; those that are gone count as nothing. */
static long over_descendants(long pid, long (*each)(long pid))
{
	char path[64];
	long sum = 0;

	snprintf(path, sizeof path, "/proc/%ld/task", pid);
	DIR *threads = opendir(path);
	for (const struct dirent *entry; threads != NULL && (entry = readdir(threads)) != NULL;) {
		if (entry->d_name[0] != '.')
			sum += over_children(pid, entry->d_name, each);
	}
	if (threads != NULL)
		closedir(threads);
	return sum;
}

/* Until the command ends or the time is over; the highest memory seen. */
static long watch(pid_t pid, double until, int sample_ms, bool *ret_ended)
{
	struct pollfd poll_fd = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
	long peak = 0;

	*ret_ended = false;
	while (!*ret_ended && now() < until && !told_to_end) {
		*ret_ended = poll(&poll_fd, 1, sample_ms > 0 ? sample_ms : 200) == 1;
		if (sample_ms > 0 && !*ret_ended) {
			long sum = over_descendants(getpid(), pss_of);
			peak = sum > peak ? sum : peak;
		}
	}
	close(poll_fd.fd);
	return peak;
}

static void add(struct used *used, const struct rusage *more)
{
	used->cpu += seconds(more->ru_utime) + seconds(more->ru_stime);
	used->maxrss = more->ru_maxrss > used->maxrss ? more->ru_maxrss : used->maxrss;
}

/* What is left gets two seconds to end by itself. */
static void reap_rest(struct used *used)
{
	struct rusage more;
	double until = now() + 2;

	for (;;) {
		pid_t pid = wait4(-1, NULL, WNOHANG, &more);
		if (pid < 0)
			return;
		if (pid > 0) {
			add(used, &more);
			continue;
		}
		if (now() > until)
			over_descendants(getpid(), end_it);
		poll(NULL, 0, 5);
	}
}

static pid_t start(char **command, long nofile)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	setsid();
	close(3);
	if (nofile > 0) {
		struct rlimit limit = {(rlim_t)nofile, (rlim_t)nofile};
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	execvp(command[0], command);
	fprintf(stderr, "measure: %s: %s\n", command[0], strerror(errno));
	_exit(127);
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = end_soon};
	struct used used = {0};
	struct rusage first;
	int status;
	bool ended;

	if (argc < 5) {
		fputs("usage: measure SECONDS SAMPLE_MS NOFILE COMMAND...\n", stderr);
		return 2;
	}
	sigaction(SIGTERM, &action, NULL);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	double begun = now();
	pid_t pid = start(argv + 4, strtol(argv[3], NULL, 10));
	if (pid < 0)
		return 2;
	long peak =
	    watch(pid, begun + strtod(argv[1], NULL), (int)strtol(argv[2], NULL, 10), &ended);
	if (!ended)
		over_descendants(getpid(), end_it);
	wait4(pid, &status, 0, &first);
	double wall = now() - begun;
	add(&used, &first);
	reap_rest(&used);
	dprintf(3,
	    "{\"start\":%.6f,\"wall\":%.6f,\"cpu\":%.6f,\"pss\":%ld,\"maxrss\":%ld,\"exit\":%d}\n",
	    begun, wall, used.cpu, peak, used.maxrss * 1024,
	    !ended              ? -1
	    : WIFEXITED(status) ? WEXITSTATUS(status)
				: 128 + WTERMSIG(status));
	return 0;
}
