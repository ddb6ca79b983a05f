/* fping's lines, of one target. */
#ifndef ODDHOST_PARSE_FPING_H
#define ODDHOST_PARSE_FPING_H

#include <stdbool.h>

#include "oddhost/base/arena.h"
#include "oddhost/base/view.h"
#include "oddhost/model/host.h"

/*
 * Add what a line of `fping`, `fping -c` or `fping -C` says to *ping, whose target is that of the
 * first line; false where the line is none of these, or of another target. *unanswered counts
 * "is unreachable" and "timed out", which both only mean that nothing came back. A reply's sequence
 * number is that in square brackets. Blocks of ICMP's own errors name the one who sent them.
 */
bool fping_take_line(
    struct view line, unsigned number, struct arena *arena, struct ping *ping, size_t *unanswered);

#endif
