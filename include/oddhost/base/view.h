/*
 * A view: bytes that somebody else owns, with their length, not NUL-terminated. Parsers walk their
 * input with views and never copy or change it. A view is passed by value and a cursor by pointer:
 * a function that takes `struct view *` moves it past what it returns.
 */
#ifndef ODDHOST_BASE_VIEW_H
#define ODDHOST_BASE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct view {
	const char *p;
	size_t n;
};

/* For printf's "%.*s". */
#define VIEW_ARG(v) (int)(v).n, (v).p

struct view view_of(const char *s);   /* NULL gives an empty view */
struct view view_trim(struct view v); /* without blanks (space, \t, \r, \n, \v, \f) at both ends */
struct view view_skip(struct view v, size_t n); /* without the first n bytes, at most all */
struct view view_left(struct view v, size_t n); /* the first n bytes, at most all */
bool view_eq(struct view v, const char *s);
bool view_same(struct view a, struct view b);
bool view_starts(struct view v, const char *prefix);
bool view_ends(struct view v, const char *suffix);
int view_cmp(struct view a, struct view b); /* memcmp order, the shorter first */

/* Offset of the first `needle` in v, or -1. */
long view_find(struct view v, const char *needle);
long view_find_char(struct view v, char c);

/* The next line without its line break (\n or \r\n); false at the end of the input. */
bool view_next_line(struct view *cursor, struct view *ret_line);

/* The next run of non-blank bytes; false where only blanks are left. */
bool view_next_word(struct view *cursor, struct view *ret_word);

/* The part up to `sep`, which is consumed; the last part ends with the input; false when empty. */
bool view_next_part(struct view *cursor, char sep, struct view *ret_part);

/* Where v begins with `prefix`, step over it. */
bool view_take(struct view *cursor, const char *prefix);

/* The whole of v as a decimal number without sign, within [min, max]. */
bool view_uint(struct view v, uint64_t min, uint64_t max, uint64_t *ret);

/* The whole of v as a decimal fraction: digits, and perhaps '.' or ',' and digits; finite. */
bool view_decimal(struct view v, double *ret);

#endif
