/*
 * report.html: one file that needs nothing else, with nothing fetched and no script, and a CSP
 * that allows neither. Made for whoever gets only this file: the first screen says what is broken,
 * why, and what to do; all else follows with its evidence.
 */
#ifndef ODDHOST_REPORT_HTML_H
#define ODDHOST_REPORT_HTML_H

#include "oddhost/base/buf.h"
#include "oddhost/model/diagnosis.h"

/* src/share/report.css, word for word; the Makefile turns it into C. */
extern const char html_stylesheet[];

void html_write(const struct diagnosis *diagnosis, struct buf *out);

#endif
