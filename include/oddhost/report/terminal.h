/*
 * What a terminal shows: the verdict in a few lines, and comparisons. Plain text into a buffer; the
 * caller prints it. No control character but line breaks, and escape sequences for colour only
 * where `color` asks for them.
 */
#ifndef ODDHOST_REPORT_TERMINAL_H
#define ODDHOST_REPORT_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

#include "oddhost/base/buf.h"
#include "oddhost/model/diagnosis.h"

/*
 * Severity and summary; per finding its hosts, its key line of evidence and the first step of its
 * fix; hosts that were not reached last and together.
 */
void terminal_write_verdict(const struct diagnosis *diagnosis, bool color, struct buf *out);

/*
 * Two columns, `a` and `b` (host names, or the names of two runs), one row per difference: its
 * value is a's, its others is b's.
 */
void terminal_write_pair(const char *a, const char *b, const struct difference *v, size_t n,
    bool color, struct buf *out);

/* The facets in which what the other of the pair has may be there on `name`, too; or nothing. */
void terminal_write_unknown(const char *name, const bool facets[FACET_COUNT], struct buf *out);

/* All hosts: per key the consensus with its share, then each other value with its hosts. */
void terminal_write_matrix(const struct diagnosis *diagnosis, bool color, struct buf *out);

#endif
