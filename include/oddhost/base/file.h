/* Whole files: read with a cap, written so that a reader sees the old one or the new one. */
#ifndef ODDHOST_BASE_FILE_H
#define ODDHOST_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/err.h"

/*
 * Append the file's content to buf; "-" is standard input. Fails (and leaves buf as it was) where
 * it cannot be read or holds more than `max` bytes.
 */
bool file_read(const char *path, size_t max, struct buf *buf, struct err *err);

/* Write to a temporary name beside `path`, then rename(2): never a half-written file. */
bool file_write(const char *path, mode_t mode, struct view content, struct err *err);

/* write(2) until all is written. */
bool file_write_all(int fd, struct view content);

/* A directory and its parents; one that exists already is fine. New ones get `mode`. */
bool file_make_dir(const char *path, mode_t mode, struct err *err);

#endif
