/*
 * An arena: many small allocations that live and die together. One arena per host holds its raw
 * output and its model. Freeing the arena frees all; nothing is freed on its own. An arena belongs
 * to one thread at a time.
 */
#ifndef ODDHOST_BASE_ARENA_H
#define ODDHOST_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "oddhost/base/view.h"

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena); /* NULL does nothing */

/* Zeroed bytes, aligned for any type. */
void *arena_alloc(struct arena *arena, size_t size);

/* NUL-terminated copies; arena_dup(arena, NULL) is NULL. */
char *arena_dup(struct arena *arena, const char *s);
char *arena_dup_view(struct arena *arena, struct view v);
char *arena_printf(struct arena *arena, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), nonnull));
char *arena_vprintf(struct arena *arena, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0), nonnull(1, 2)));

/* A view of a copy, which is NUL-terminated behind its end. */
struct view arena_view(struct arena *arena, struct view v);

/*
 * Make room for item number n of an array in the arena; as mem_grow, but new items are zero. The
 * array may move, and its old place is gone.
 */
void *arena_grow(struct arena *arena, void *array, size_t n, size_t *cap, size_t item_size);

/* Give back the room behind item n, where that can be had: once an array is whole. It may move. */
void *arena_fit(struct arena *arena, void *array, size_t n, size_t *cap, size_t item_size);

#endif
