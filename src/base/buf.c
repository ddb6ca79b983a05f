#include "oddhost/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oddhost/base/mem.h"

#define BUF_DEFAULT_MAX ((size_t)1 << 30)

static void give_back(const struct buf *buf)
{
	if (buf->secret && buf->p != NULL)
		explicit_bzero(buf->p, buf->cap);
	free(buf->p);
}

static void buf_reserve(struct buf *buf, size_t more)
{
	if (buf->cap - buf->n > more)
		return;

	size_t cap = buf->cap ? buf->cap * 2 : 256;
	while (cap - buf->n <= more)
		cap *= 2;
	if (!buf->secret) {
		buf->p = mem_resize(buf->p, cap);
	} else {
		char *p = mem_alloc(cap);
		if (buf->n > 0)
			memcpy(p, buf->p, buf->n);
		give_back(buf);
		buf->p = p;
	}
	buf->cap = cap;
}

void buf_free(struct buf *buf)
{
	give_back(buf);
	*buf = (struct buf){.max = buf->max, .secret = buf->secret};
}

void buf_add(struct buf *buf, const void *bytes, size_t n)
{
	size_t max = buf->max ? buf->max : BUF_DEFAULT_MAX;

	if (n > max - buf->n) {
		n = max - buf->n;
		buf->overflow = true;
	}
	if (n == 0)
		return;
	buf_reserve(buf, n);
	memcpy(buf->p + buf->n, bytes, n);
	buf->n += n;
}

void buf_add_view(struct buf *buf, struct view v)
{
	buf_add(buf, v.p, v.n);
}

void buf_puts(struct buf *buf, const char *s)
{
	buf_add(buf, s, strlen(s));
}

void buf_putc(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

void buf_printf(struct buf *buf, const char *fmt, ...)
{
	char small[512];
	va_list ap, again;

	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(small, sizeof small, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof small) {
		buf_add(buf, small, (size_t)n);
	} else if (n >= 0) {
		char *big = mem_alloc((size_t)n + 1);
		vsnprintf(big, (size_t)n + 1, fmt, again);
		buf_add(buf, big, (size_t)n);
		free(big);
	}
	va_end(again);
}

void buf_consume(struct buf *buf, size_t n)
{
	if (n >= buf->n) {
		buf->n = 0;
		return;
	}
	if (n > 0) {
		memmove(buf->p, buf->p + n, buf->n - n);
		buf->n -= n;
	}
}

struct view buf_view(const struct buf *buf)
{
	return (struct view){buf->p, buf->n};
}

const char *buf_str(struct buf *buf)
{
	buf_reserve(buf, 1);
	buf->p[buf->n] = '\0';
	return buf->p;
}
