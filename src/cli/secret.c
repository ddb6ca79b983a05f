#include "oddhost/cli/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "oddhost/base/file.h"

/* One line, byte by byte: nothing of it stays in a stdio buffer. */
static bool read_line(int fd, char *out, size_t size)
{
	size_t n = 0;

	for (;;) {
		char c;
		ssize_t got = read(fd, &c, 1);
		if (got < 0 && errno == EINTR)
			return false; /* Ctrl-C */
		if (got <= 0 || c == '\n')
			break;
		if (n + 1 == size)
			return false;
		out[n++] = c;
	}
	out[n] = '\0';
	return n > 0;
}

bool secret_ask(const char *prompt, char *out, size_t size)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct termios before, silent;

	if (fd < 0)
		return false;
	bool ok = tcgetattr(fd, &before) == 0;
	if (ok) {
		silent = before;
		silent.c_lflag &= ~(tcflag_t)ECHO;
		ok = tcsetattr(fd, TCSAFLUSH, &silent) == 0 &&
		     file_write_all(fd, view_of(prompt)) && read_line(fd, out, size);
		tcsetattr(fd, TCSAFLUSH, &before);
		file_write_all(fd, view_of("\n"));
	}
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
