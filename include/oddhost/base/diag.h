/*
 * Diagnostics: what was not understood, and where. A parser adds one and goes on; nothing that it
 * did not understand is guessed. Only the first 100 of a list are kept, `n` counts all.
 */
#ifndef ODDHOST_BASE_DIAG_H
#define ODDHOST_BASE_DIAG_H

#include <stddef.h>

#include "oddhost/base/arena.h"

#define DIAG_KEPT 100

struct diag {
	const char *source; /* a file, or "HOST PROBE"; may be NULL */
	unsigned line;      /* from 1; 0: the whole source */
	const char *text;   /* what was expected, and the start of what stands there */
};

struct diag_list {
	struct arena *arena; /* owns the items; must be set before the first one */
	const char *source;  /* copied into each item that is added; may be NULL */
	struct diag *items;
	size_t n, cap; /* items[] holds the first min(n, DIAG_KEPT) */
};

/* The number of items that were kept. */
size_t diag_kept(const struct diag_list *list);

/* A NULL list is allowed: the caller does not want to know. */
void diag_add(struct diag_list *list, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
