/* The page of report.html from within: its sections, and the parts that they share. */
#ifndef ODDHOST_REPORT_HTML_PAGE_H
#define ODDHOST_REPORT_HTML_PAGE_H

#include "oddhost/base/buf.h"
#include "oddhost/report/escape.h"
#include "oddhost/report/outline.h"

/* Literals as they stand, every %s escaped. */
#define html(out, ...) escape_printf(out, escape_html, __VA_ARGS__)

/* The sections. Each appends itself, or nothing where it has nothing to say. */

/* Findings in full, what became of those of the baseline, what was ruled out, suspects. */
void html_add_findings(struct buf *out, const struct outline *outline);
void html_add_baseline(struct buf *out, const struct outline *outline);
void html_add_ruled_out(struct buf *out, const struct outline *outline);
void html_add_suspects(struct buf *out, const struct outline *outline);

/* The hosts and their status; how they compare, key by key; what is not known. */
void html_add_hosts(struct buf *out, const struct outline *outline);
void html_add_matrix(struct buf *out, const struct outline *outline);
void html_add_unknown(struct buf *out, const struct outline *outline);

/* The address space in which targets, container subnets and networks meet, as inline SVG. */
void html_add_map(struct buf *out, const struct outline *outline);

/* Raw outputs, with the line numbers that the evidence names. */
void html_add_raw(struct buf *out, const struct outline *outline);

/* Text of ours with names in it: what stands between two backticks is code. */
void html_add_prose(struct buf *out, struct view text);

/* Parts. A badge says the severity in a word, its class gives the colour. */
const char *html_severity_word(enum severity severity); /* "no findings" for none */
void html_add_badge(struct buf *out, enum severity severity);
void html_add_steps(struct buf *out, const char *const *fix, size_t n, size_t most);
/* How packets leave on the odd host and on the others; nothing where that is not the difference. */
void html_add_egress(struct buf *out, const struct outline *outline, const struct finding *f);

/* Does the raw output of this host stand in the page, so that it can be linked to? */
bool html_has_raw(const struct outline *outline, size_t host);

#endif
