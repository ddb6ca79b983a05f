/*
 * What every check works on: all hosts of a run with their facts, and how each of them sees each
 * target. Rules read it and add findings to the diagnosis. Everything lives in its arena.
 */
#ifndef ODDHOST_CHECK_CHECK_H
#define ODDHOST_CHECK_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "oddhost/check/sights.h"
#include "oddhost/model/diagnosis.h"

/* All facts of all hosts with one facet and key: entries [begin, end). */
struct fact_entry {
	const struct fact *fact;
	size_t host;
};

struct fact_row {
	enum facet facet;
	const char *key;
	size_t begin, end; /* in entries, sorted by value, then host */
	size_t compared;   /* hosts of which it is known whether and which */
};

struct check {
	struct arena *arena;
	const struct run *run;
	struct host *const *hosts; /* as run->hosts */
	size_t n;
	struct fact_list *facts; /* one a host */
	struct fact_entry *entries;
	struct fact_row *rows; /* sorted by facet and key */
	size_t n_rows;
	struct sight *sights;  /* [host * n_targets + target] */
	struct sought *sought; /* by target and address, each once */
	size_t n_sought;
	struct subnet_array *subnets; /* of each host; subnets_of_place() lists them once */
	struct needs *needs;          /* needs_of() makes them once; NULL before */
	struct group_pools *pools;    /* group_pools_of() chooses them once; NULL before */
	struct diagnosis *diagnosis;  /* NULL where nothing is to be diagnosed */
};

/* Facts, rows and sights of all hosts. */
void check_prepare(struct check *check);

static inline const char *check_name(const struct check *check, size_t host)
{
	return check->run->hosts[host]->name;
}

/* The reserved prefix that holds the address, or overlaps the prefix; or NULL. */
const struct reserved *check_reserved(const struct check *check, const struct ip *ip);
const struct reserved *check_reserved_overlapping(
    const struct check *check, const struct prefix *prefix);

/* The row of that facet and key, or NULL. */
const struct fact_row *check_row(const struct check *check, enum facet facet, const char *key);

/* Does the host miss the row's key although its facet was listed whole? */
bool check_absent(const struct check *check, const struct fact_row *row, size_t host);

/* A new finding in the diagnosis; valid until the next one is added. Its arena is check->arena. */
struct finding *finding_add(
    struct check *check, const char *rule, enum severity severity, enum confidence confidence);
void finding_add_host(struct check *check, struct finding *finding, size_t host);
void finding_add_fix(struct check *check, struct finding *finding, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Take out those steps from number `from` on that stand before them already. */
void finding_once_fix(struct finding *finding, size_t from);

/* Quote the source's line, word for word; a source without a probe adds nothing. */
void finding_quote(
    struct check *check, struct finding *finding, const struct host *host, struct source source);
/* Quote the first line of what the probe said on stderr. */
void finding_quote_error(struct check *check, struct finding *finding, const struct host *host,
    const struct probe_result *probe);
void claim_quote(
    struct check *check, struct claim *claim, const struct host *host, struct source source);
struct claim *claim_add(struct check *check, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void note_add(struct check *check, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The names of a finding's hosts, folded: once they are all there, since folding sorts them. */
const char *finding_hosts(struct check *check, const struct finding *finding);

/* Put "HOSTS: " before the summaries of the findings from number `first` on. */
void findings_lead_with_hosts(struct check *check, size_t first);

/* Sources that several rules quote. */
struct source source_of_route(const struct host *host, const struct route *route);
struct source source_of_error(const struct ping *ping, size_t error);
struct source source_of_reply(const struct ping *ping);
/* The line that shows the answer of a target which is reached: the open port, else ping's reply. */
struct source source_of_answer(const struct sight *sight);

/* The first peers' word: their way to the address, and the answer that they get. */
void finding_quote_peers(struct check *check, struct finding *finding, const struct sought *sought);

/* A name from a host as one word of a shell command; NAME where it is too long to be one. */
const char *check_shell_word(struct check *check, const char *word);

#endif
