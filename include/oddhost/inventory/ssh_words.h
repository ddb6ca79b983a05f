/*
 * Words as ssh splits the lines of its configuration (OpenSSH 9.2: misc.c). There are two ways: one
 * for the keyword and for Match, one for all other arguments.
 */
#ifndef ODDHOST_INVENTORY_SSH_WORDS_H
#define ODDHOST_INVENTORY_SSH_WORDS_H

#include <stdbool.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/err.h"
#include "oddhost/base/view.h"

/*
 * strdelim(): the next word into `word`, which is emptied first. Blanks separate, and one '=';
 * double quotes keep both, and end the word. False at the end, and where a quote is not closed.
 */
bool ssh_words_delim(struct view *cursor, struct buf *word);

/*
 * argv_split(): blanks separate, both kinds of quotes keep them, a backslash escapes quotes,
 * itself and, outside of quotes, a space; a word that begins with '#' ends the line. *ret_found is
 * false at the end. Fails on a quote that is not closed.
 */
bool ssh_words_next(struct view *cursor, struct buf *word, bool *ret_found, struct err *err);

/*
 * match_pattern(): '*' is any run of bytes and '?' any byte; linear in time but for the product
 * of both lengths.
 */
bool ssh_words_match(struct view pattern, struct view text);

/*
 * match_pattern_list(): the patterns are separated by commas; one of them must match, and none
 * that begins with '!'.
 */
bool ssh_words_match_list(struct view patterns, struct view text);

#endif
