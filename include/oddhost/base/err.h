/*
 * One error message of fixed size. A function that can fail takes a `struct err *` last and
 * returns false; its callers wrap their own context round the message. Nothing here allocates,
 * prints or exits. Not thread-safe for one and the same object.
 */
#ifndef ODDHOST_BASE_ERR_H
#define ODDHOST_BASE_ERR_H

#include <stdbool.h>

struct err {
	char text[512]; /* NUL-terminated, cut off where it is longer */
};

/* Set the message; always returns false, so that `return err_set(err, ...)` reads well. */
bool err_set(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Put "CONTEXT: " before the message; always returns false. */
bool err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Set the message to "WHAT: strerror(errno)"; always returns false. */
bool err_sys(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
