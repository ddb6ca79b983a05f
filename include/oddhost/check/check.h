/*
 * What every check works on: all hosts of a run with their facts, and how each of them sees each
 * target. Rules read it and add findings to the diagnosis. Everything lives in its arena.
 */
#ifndef ODDHOST_CHECK_CHECK_H
#define ODDHOST_CHECK_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "oddhost/check/path.h"
#include "oddhost/model/diagnosis.h"

enum reach {
	REACH_UNKNOWN, /* not tried, or not understood */
	REACH_OK,      /* something answered, and it was not the host itself */
	REACH_SILENT,  /* nothing came back: may be a filter */
	REACH_FAILED,  /* errors came back, the name does not resolve, the host drops it, or the
			  target's port cannot be connected to */
};

static inline bool reach_fails(enum reach reach)
{
	return reach == REACH_SILENT || reach == REACH_FAILED;
}

/* What is known of one address of a target: the attempts at it, and how they went. */
struct trial {
	const struct tcp *tcp;
	const struct ping *ping; /* NULL: none, or not known to be at this address */
	enum reach reach;
};

/* One host's view of one target: of a name with several addresses, of the one that fails here and
 * answers others, if there is one. */
struct sight {
	const struct resolution *resolution; /* NULL: not known */
	const struct ping *ping;             /* NULL: not tried */
	const struct tcp *tcp; /* the port's word, above the ping's; NULL: not known */
	struct path *paths;    /* one an address */
	struct trial *trials;  /* beside paths[] */
	size_t n_paths;
	enum reach reach;
	const struct path *tried;  /* the path that tcp or else ping took; NULL: not known */
	const struct path *shadow; /* the path that leads into a virtual bridge instead, or NULL */
	bool misrouted; /* rule_target_unreachable holds a route of the host against it, or one that
			   it lacks */
	bool misnamed;  /* it knows the target by an address at which, unlike at another, nobody is
			   answered */
};

/* An address by which some host knows a target, and how the hosts get on with it. */
struct sought {
	size_t target;
	struct ip address;
	size_t first_peer;       /* whose packets leave by a real interface; check->n: none */
	bool answers_by_gateway; /* a host that sends to a gateway is answered */
	bool answers_on_link;    /* a host with a real network of its own to it is answered */
	bool answers_inside;     /* a host that looks for it on a bridge of its own is answered */

	/* Of the hosts whose packets leave by a real interface and that no shadow was found on,
	 * once check_peers() was asked for them. */
	const char *peers; /* their names, folded; NULL: not asked for yet */
	size_t n_peers;
	bool peers_answered; /* all of them are */
	struct ip gateway;   /* of all of them; IP_NONE where they differ or are on-link */
};

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
	struct needs *needs;         /* needs_of() makes them once; NULL before */
	struct group_pools *pools;   /* group_pools_of() chooses them once; NULL before */
	struct diagnosis *diagnosis; /* NULL where nothing is to be diagnosed */
};

/* Facts, rows and sights of all hosts. */
void check_prepare(struct check *check);

const struct sight *check_sight(const struct check *check, size_t host, size_t target);
static inline const char *check_name(const struct check *check, size_t host)
{
	return check->run->hosts[host]->name;
}

/* What is known of that one of the sight's paths. */
const struct trial *sight_trial(const struct sight *sight, const struct path *path);

/* A path's entry among the sought. */
const struct sought *check_sought(const struct check *check, size_t target, const struct ip *ip);

/* The host's path to that address of the target, or NULL. */
const struct path *check_path(
    const struct check *check, size_t host, size_t target, const struct ip *ip);

/* As check_sought(), with the peers filled in. */
const struct sought *check_peers(struct check *check, size_t target, const struct ip *ip);

/* " host-[01-03] send it to gateway 10.1.0.1 and get answers.", once check_peers() was asked; ""
 * where there are none. */
const char *check_peers_text(struct check *check, const struct sought *sought);

/* Is this subnet the one that shadows a target on that host, or would by its route table, though
 * the kernel says otherwise? Then it is reported as the cause. */
bool check_shadowed(const struct check *check, size_t host, const struct prefix *prefix);

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
