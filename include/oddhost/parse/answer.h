/* How far a probe's answer may be read, and concluded from. */
#ifndef ODDHOST_PARSE_ANSWER_H
#define ODDHOST_PARSE_ANSWER_H

#include <stdbool.h>

#include "oddhost/base/view.h"
#include "oddhost/model/host.h"

/* Is there an answer that a parser may read and conclude from? NULL: no. */
bool answer_usable(const struct probe_result *probe);

/* Where the output was cut short, what is missing from it proves nothing. */
bool answer_is_whole(const struct probe_result *probe);

/* What a parser may read: where the output was cut short, its whole lines. */
struct view answer_text(const struct probe_result *probe);

/* The host's list, with the probe's name as the source. */
struct diag_list *answer_diags(struct host *host, const struct probe_result *probe);

#endif
