/* ping's output: iputils (old and new), busybox, inetutils, BSD and macOS, and fping, whole or cut
 * off. */
#ifndef ODDHOST_PARSE_PING_H
#define ODDHOST_PARSE_PING_H

#include <stdbool.h>

#include "oddhost/base/arena.h"
#include "oddhost/base/diag.h"
#include "oddhost/base/view.h"
#include "oddhost/model/host.h"

/*
 * Fill *ret from the text; `err` is what came on stderr, empty where both are one. What was not
 * printed is -1 (counts, times), NULL or IP_NONE. *ret is set in any case, its source's probe is
 * NULL and its line that of the header. Returns false where the status stays PING_UNKNOWN.
 *
 * With statistics they decide the status. Cut off before them, it is what the lines show: replies
 * without an error and without a hole in their sequence numbers are ok. A header alone says
 * nothing: an answer might have come in the next moment.
 */
bool parse_ping(struct view text, struct view err, struct arena *arena, struct ping *ret,
    struct diag_list *diags);

#endif
