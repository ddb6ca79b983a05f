/*
 * report.md: the diagnosis for a ticket, in GitHub's flavour of Markdown, short enough for one
 * comment. All that is not ours is escaped, or stands in a fence longer than any inside it.
 */
#ifndef ODDHOST_REPORT_MARKDOWN_H
#define ODDHOST_REPORT_MARKDOWN_H

#include "oddhost/base/buf.h"
#include "oddhost/model/diagnosis.h"

void markdown_write(const struct diagnosis *diagnosis, struct buf *out);

#endif
