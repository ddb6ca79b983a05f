/*
 * What every report needs to know about a diagnosis before it writes: who is named where, which
 * lines are quoted, how the hosts compare row by row. Made once per report from the diagnosis,
 * which must outlive it; holds no text of its own beyond folded host names.
 */
#ifndef ODDHOST_REPORT_OUTLINE_H
#define ODDHOST_REPORT_OUTLINE_H

#include <stdbool.h>
#include <stddef.h>

#include "oddhost/base/arena.h"
#include "oddhost/model/diagnosis.h"

#define OUTLINE_SMALL 64 /* hosts: a group up to here is shown whole, with all raw outputs */
#define OUTLINE_MANY 5   /* findings: from here on they get an index */

/* A line of raw output that some evidence quotes. */
struct citation {
	size_t host, probe; /* indices in the diagnosis's hosts and the record's probes */
	unsigned line;      /* 0: the output as a whole */
};

/* One host's value where it differs from the others. */
struct cell {
	size_t host;
	const struct difference *difference;
};

/* All that differs under one key. */
struct matrix_row {
	enum facet facet;
	const char *key;
	const char *others;     /* the consensus; NULL: absent on most */
	size_t agree, compared; /* hosts that hold it, of those compared */
	size_t first, n;        /* in cells[], sorted by value; a host may have several values */
};

struct outline {
	struct arena *arena;
	const struct diagnosis *d;
	size_t *by_name;        /* indices of hosts, sorted by name */
	size_t *by_concern;     /* in the order of tables */
	size_t *findings_of;    /* indices of findings, host by host */
	size_t *findings_start; /* n_hosts + 1 offsets in findings_of */
	struct citation *cited; /* sorted, each once */
	size_t n_cited, cap_cited;
	struct cell *cells;
	size_t n_cells, cap_cells;
	struct matrix_row *rows; /* in the order of facets, then keys */
	size_t n_rows, cap_rows;
	bool *raw;        /* per host: are its raw outputs part of the page? */
	size_t n_reached; /* hosts that let us in */
};

struct outline *outline_new(const struct diagnosis *diagnosis);
void outline_free(struct outline *outline); /* NULL does nothing */

/* A host's index by its name, or n_hosts where there is none. */
size_t outline_host(const struct outline *outline, const char *name);

/* The raw line behind an evidence; false where the evidence is not from a probe that is there. */
bool outline_cite(
    const struct outline *outline, const struct evidence *evidence, struct citation *ret);

/* Is that line quoted somewhere? */
bool outline_is_cited(const struct outline *outline, size_t host, size_t probe, unsigned line);

/* The first citation of a host, or of one of its probes, at or behind `line`; NULL: none is left.
 */
const struct citation *outline_next_cited(
    const struct outline *outline, size_t host, size_t probe, unsigned line);

/* "host-[01-03]", at most `most` groups (0: all). */
const char *outline_fold(
    const struct outline *outline, const char *const *names, size_t n, size_t most);

/* The same for the hosts of a row's cells from `first`, as far as they share one value. */
const char *outline_fold_cells(
    const struct outline *outline, const struct cell *cells, size_t n, size_t *ret_n, size_t most);

/* The finding's own difference in how packets leave for its target: value against consensus. */
const struct difference *outline_egress(const struct outline *outline, const struct finding *f);

/* "2 critical, 1 low; 3 hosts are concerned" of the findings; "" where there is none. */
const char *outline_counts(const struct outline *outline);

/* Was the host asked about this facet, and its answer understood? */
bool outline_knows(const struct host *host, enum facet facet);

const char *outline_name(const struct outline *outline, size_t host);

/* Against the baseline: "1 new, 2 persisting, 1 resolved, 1 not seen again". */
const char *outline_states(const struct outline *outline);

/* What became of a finding of the baseline, in words: "now F2", "resolved". */
const char *outline_gone(const struct outline *outline, const struct gone *gone);

/* The hosts that were asked: more than have a record where the collection was cut off. */
size_t outline_asked(const struct outline *outline);

/* "1 host", "4 hosts": counts as people read them. */
const char *outline_count(
    const struct outline *outline, size_t n, const char *one, const char *many);

#endif
