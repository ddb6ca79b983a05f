/* fping's lines, of one target. */
#ifndef ODDHOST_PARSE_FPING_H
#define ODDHOST_PARSE_FPING_H

#include <stdbool.h>

#include "oddhost/base/arena.h"
#include "oddhost/base/view.h"
#include "oddhost/model/host.h"

/*
 * Add what a line of `fping`, `fping -c` or `fping -C` says to *ping, whose target is that of the
 * first line; false where the line is none of these, or (*ret_other) of another target, as fping
 * with several targets prints them. Of -C's two outputs the one that comes first is taken.
 * *unanswered counts "is unreachable" and "timed out", which both only mean that nothing came back.
 * A reply's sequence number is that in square brackets. Blocks of ICMP's own errors name the one
 * who sent them.
 */
bool fping_take_line(struct view line, unsigned number, struct arena *arena, struct ping *ping,
    size_t *unanswered, bool *ret_other);

/*
 * "NAME: error while sending ping: Network is unreachable", of ping's target, or the first line of
 * one; *ret_what begins with "sending".
 */
bool fping_take_send_error(struct view line, unsigned number, struct arena *arena,
    struct ping *ping, struct view *ret_what);

#endif
