/* Text that is not ours: is it UTF-8, how is it carried in JSON or in a shell command. */
#ifndef ODDHOST_BASE_TEXT_H
#define ODDHOST_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "oddhost/base/arena.h"
#include "oddhost/base/buf.h"
#include "oddhost/base/view.h"

/* Well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates) without NUL bytes. */
bool text_is_utf8(struct view v);

/* The same text, with U+FFFD for each byte that is not well-formed UTF-8, appended to `out`. */
void text_mend_utf8(struct view v, struct buf *out);

/*
 * The next code point; false at the end. A byte that is not UTF-8 gives U+FFFD and moves by one:
 * so any bytes at all can be walked.
 */
bool text_next_rune(struct view *cursor, uint32_t *ret_rune);

/*
 * Would the code point act instead of being seen? Control characters, bidirectional controls,
 * zero-width and other invisible ones (Unicode UTR 36, UTS 39; CVE-2021-42574).
 */
bool text_is_unseen(uint32_t rune);

/*
 * What was copied from a terminal: the text without escape sequences (ECMA-48), "^C", a byte order
 * mark and control characters other than \n and \t, appended to `out`. Its lines stay the same
 * ones.
 */
void text_without_terminal(struct view text, struct buf *out);

/*
 * Base64 with padding (RFC 4648). Decoding fails on anything else, blanks and set bits behind the
 * last byte among it, and then leaves `out` as it was.
 */
void text_base64_encode(struct view v, struct buf *out);
bool text_base64_decode(struct view v, struct buf *out);

/* Both NULL, or both the same text? */
bool text_same(const char *a, const char *b);

/* ASCII's letters in lower case, in place: names of hosts and options have no case. */
void text_lower(char *text);

/* The text as one word of a POSIX shell, in single quotes where it needs them. */
void text_shell_quote(struct view v, struct buf *out);

/*
 * Names folded for reading: "host-01, host-02, host-04" becomes "host-[01-02],host-04" (the node
 * sets of ClusterShell, nodeset(1)); duplicates vanish. At most `most` ranges and single names are
 * written, then "and N more" counts the remaining names; 0 means all. The string belongs to the
 * arena.
 */
const char *text_fold(struct arena *arena, const char *const *names, size_t n, size_t most);

#endif
