/* Lines and words as Python splits them: str.splitlines(), str.strip() and shlex.split(). */
#ifndef ODDHOST_INVENTORY_WORDS_H
#define ODDHOST_INVENTORY_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/err.h"
#include "oddhost/base/view.h"

/* str.isspace(): one character of Unicode's blanks and separators. */
bool words_is_blank(uint32_t rune);

/* str.strip() */
struct view words_trim(struct view text);

/*
 * The next line without its end; false at the end of the text. Besides \n, \r and \r\n, `unicode`
 * ends a line at what splitlines() of a str knows: \v, \f, U+001C to U+001E, U+0085, U+2028,
 * U+2029.
 */
bool words_next_line(struct view *cursor, bool unicode, struct view *ret_line);

/*
 * shlex.split(line, comments=True): the next word, unquoted, into `word`, which is emptied first.
 * Blanks separate; an unquoted '#' (with `comments`) ends the line even inside a word; single
 * quotes keep all, double quotes and the outside know the backslash. *ret_found is false at the end
 * of the line. Fails on a quote that is not closed and on a backslash at the very end.
 */
bool words_next(
    struct view *cursor, bool comments, struct buf *word, bool *ret_found, struct err *err);

#endif
