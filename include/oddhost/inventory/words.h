/* Words as a shell splits them, in the way of Python's shlex.split(line, comments=True). */
#ifndef ODDHOST_INVENTORY_WORDS_H
#define ODDHOST_INVENTORY_WORDS_H

#include <stdbool.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/err.h"
#include "oddhost/base/view.h"

/*
 * The next word, unquoted, into `word`, which is emptied first. Blanks separate; an unquoted '#'
 * (with `comments`) ends the line even inside a word; single quotes keep all, double quotes and
 * the outside know the backslash. *ret_found is false at the end of the line. Fails on a quote
 * that is not closed and on a backslash at the very end.
 */
bool words_next(
    struct view *cursor, bool comments, struct buf *word, bool *ret_found, struct err *err);

#endif
