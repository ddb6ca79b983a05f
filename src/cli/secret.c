#include "oddhost/cli/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "oddhost/base/file.h"

/* What ends or stops a program at a prompt: the terminal must have its echo back before. */
static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM, SIGTSTP, SIGTTIN, SIGTTOU};
#define NUMBERS (sizeof numbers / sizeof *numbers)

static volatile sig_atomic_t caught; /* the last of them; 0: none */

static void on_signal(int number)
{
	caught = number;
}

/* Without SA_RESTART: read(2) ends. */
static void catch_signals(struct sigaction before[NUMBERS])
{
	struct sigaction action = {.sa_handler = on_signal};

	caught = 0;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < NUMBERS; i++)
		sigaction(numbers[i], &action, &before[i]);
}

static void release_signals(const struct sigaction before[NUMBERS])
{
	for (size_t i = 0; i < NUMBERS; i++)
		sigaction(numbers[i], &before[i], NULL);
}

/* One line, byte by byte: nothing of it stays in a stdio buffer. */
static bool read_line(int fd, char *out, size_t size)
{
	size_t n = 0;

	for (;;) {
		char c = '\n';
		ssize_t got = caught != 0 ? -1 : read(fd, &c, 1);
		if (got < 0)
			return false;
		if (got == 0 || c == '\n')
			break;
		if (n + 1 == size)
			return false;
		out[n++] = c;
	}
	out[n] = '\0';
	return n > 0;
}

/* One question, with the terminal as it was behind it, whatever happens. */
static bool ask(int fd, const char *prompt, char *out, size_t size)
{
	struct sigaction actions[NUMBERS];
	struct termios before, silent;
	bool ok;

	catch_signals(actions);
	ok = tcgetattr(fd, &before) == 0;
	if (ok) {
		silent = before;
		silent.c_lflag &= ~(tcflag_t)ECHO;
		ok = tcsetattr(fd, TCSAFLUSH, &silent) == 0 &&
		     file_write_all(fd, view_of(prompt)) && read_line(fd, out, size);
		while (tcsetattr(fd, TCSAFLUSH, &before) < 0 && errno == EINTR && caught != SIGTTOU)
			continue;
		file_write_all(fd, view_of("\n"));
	}
	release_signals(actions);
	return ok;
}

/* Again behind a stop (Ctrl-Z); any other signal does then what it would have done. */
bool secret_ask(const char *prompt, char *out, size_t size)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	bool ok, stopped;

	if (fd < 0)
		return false;
	do {
		ok = ask(fd, prompt, out, size);
		int number = caught;
		stopped = number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
		if (!ok || number != 0)
			explicit_bzero(out, size);
		ok = ok && number == 0;
		if (number != 0)
			kill(getpid(), number);
	} while (stopped);
	close(fd);
	return ok;
}

bool secret_ask_passphrase(void *context, const char *file, char *out, size_t size)
{
	char prompt[512];

	(void)context;
	snprintf(prompt, sizeof prompt, "Passphrase for %.400s: ", file);
	return secret_ask(prompt, out, size);
}
