#include "oddhost/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool file_read(const char *path, size_t max, struct buf *buf, struct err *err)
{
	bool standard = strcmp(path, "-") == 0;
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	size_t before = buf->n;
	char chunk[65536];
	ssize_t n = 0;
	bool ok = false;

	if (fd < 0)
		return err_sys(err, "%s", path);
	for (;;) {
		n = read(fd, chunk, sizeof chunk);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if ((size_t)n > max - (buf->n - before)) {
			err_set(err, "%s: larger than %zu bytes, the most that is read", path, max);
			goto out;
		}
		buf_add(buf, chunk, (size_t)n);
		if (buf->overflow) {
			err_set(err, "%s: larger than the memory set aside for it", path);
			goto out;
		}
	}
	ok = n == 0 || err_sys(err, "%s", path);
out:
	if (!ok)
		buf->n = before;
	if (buf->secret)
		explicit_bzero(chunk, sizeof chunk);
	if (!standard)
		close(fd);
	return ok;
}

bool file_write_all(int fd, struct view content)
{
	while (content.n > 0) {
		ssize_t n = write(fd, content.p, content.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		content = view_skip(content, (size_t)n);
	}
	return true;
}

bool file_write(const char *path, mode_t mode, struct view content, struct err *err)
{
	char temporary[PATH_MAX];
	int n = snprintf(temporary, sizeof temporary, "%s.%ld.tmp", path, (long)getpid());
	bool ok = false;

	if (n < 0 || (size_t)n >= sizeof temporary)
		return err_set(err, "%s: path too long", path);
	/* One that a killed process left behind goes; one that somebody puts there is not ours. */
	unlink(temporary);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return err_sys(err, "%s", temporary);
	ok = file_write_all(fd, content) || err_sys(err, "%s", path);
	if (close(fd) < 0 && ok)
		ok = err_sys(err, "%s", path);
	if (ok && rename(temporary, path) < 0)
		ok = err_sys(err, "%s", path);
	if (!ok)
		unlink(temporary);
	return ok;
}

bool file_make_dir(const char *path, mode_t mode, struct err *err)
{
	char part[PATH_MAX];
	size_t n = strlen(path);

	if (n == 0 || n >= sizeof part)
		return err_set(err, "'%s': not a usable directory name", path);
	memcpy(part, path, n + 1);
	for (char *p = part + 1;; p++) {
		char c = *p;
		if (c != '/' && c != '\0')
			continue;
		*p = '\0';
		if (mkdir(part, mode) < 0 && errno != EEXIST)
			return err_sys(err, "%s", part);
		*p = c;
		if (c == '\0')
			break;
	}
	struct stat st;
	if (stat(path, &st) < 0)
		return err_sys(err, "%s", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, "%s: exists and is not a directory", path);
	return true;
}
