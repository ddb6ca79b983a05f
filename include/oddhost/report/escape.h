/*
 * What hosts, inventories and files say, made harmless in each kind of output. There is one
 * function per kind, and every writer uses escape_printf(), whose %s always goes through it: only
 * the literals of a format string are ever written as they stand.
 *
 * In all of them, characters that would act instead of being seen are written out: control
 * characters and bytes that are not UTF-8 as \x1b, bidirectional controls, zero-width and other
 * invisible characters (Unicode UTR 36, UTS 39; CVE-2021-42574) as \u202e.
 */
#ifndef ODDHOST_REPORT_ESCAPE_H
#define ODDHOST_REPORT_ESCAPE_H

#include <stdarg.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/view.h"

/* HTML text, or an attribute's value in double or single quotes. Line breaks and tabs stay. */
void escape_html(struct buf *out, struct view text);

/*
 * Markdown of GitHub's flavour inside a line or a table's cell: nothing in it starts emphasis,
 * code, HTML, a link, an autolink, a mention, mathematics or another cell. Line breaks become
 * blanks.
 */
void escape_markdown(struct buf *out, struct view text);

/* A terminal, or any plain text: one line, no control character. Line breaks become blanks. */
void escape_plain(struct buf *out, struct view text);

/* Several lines for a fenced block or a file of plain text: as above, line breaks and tabs stay. */
void escape_lines(struct buf *out, struct view text);

/* Well-formed UTF-8 for JSON, whose writer takes care of the rest: only wrong bytes are replaced.
 */
void escape_utf8(struct buf *out, struct view text);

/*
 * printf with %s going through `escape`; knows %s %u %zu %d %.1f (one digit) and %%, no flags and
 * widths. A NULL string writes nothing.
 */
void escape_printf(struct buf *out, void (*escape)(struct buf *, struct view), const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void escape_vprintf(struct buf *out, void (*escape)(struct buf *, struct view), const char *fmt,
    va_list ap) __attribute__((format(printf, 3, 0)));

/* The length of the longest run of backticks: a fence must be longer. */
size_t escape_longest_run(struct view text, char c);

#endif
