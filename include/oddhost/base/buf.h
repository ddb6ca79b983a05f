/*
 * A byte buffer that grows up to a hard maximum. What does not fit is dropped and `overflow` says
 * so; bytes that were taken stay. `struct buf b = {.max = N}` is an empty one; max 0 means 1 GiB.
 * Of one that is made `secret` no memory is given back before it is wiped.
 */
#ifndef ODDHOST_BASE_BUF_H
#define ODDHOST_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "oddhost/base/view.h"

struct buf {
	char *p; /* not NUL-terminated, except after buf_str() */
	size_t n, cap, max;
	bool overflow, secret;
};

void buf_free(struct buf *buf); /* leaves an empty buffer of the same kind */
void buf_add(struct buf *buf, const void *bytes, size_t n);
void buf_add_view(struct buf *buf, struct view v);
void buf_puts(struct buf *buf, const char *s);
void buf_putc(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Drop the first n bytes. */
void buf_consume(struct buf *buf, size_t n);

/* A view of the content, valid until the next change. */
struct view buf_view(const struct buf *buf);

/* The content as a string, NUL-terminated, valid until the next change; never NULL. */
const char *buf_str(struct buf *buf);

#endif
