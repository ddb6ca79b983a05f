#include "oddhost/check/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "oddhost/base/text.h"

#define CONSENSUS (2.0 / 3) /* of the hosts, at least */
#define ABOUT 0.9           /* as rare: a share as far above CONSENSUS, but for a tenth */

/*
 * Two questions are asked of each key: whether a host has it, of all hosts of which that is known;
 * and what its value is, of those that have it. So one unhealthy container stands out among its
 * like, although most hosts run other things.
 */
enum deviation { EXTRA, MISSING, OTHER, DEVIATIONS };

/* The classes of one row: runs of entries that are alike. */
struct classes {
	struct fact_entry *entries; /* the row's, in the order of what they are compared by */
	size_t n;
	size_t best, size; /* the first entry of the largest class, and its size */
	bool one, all_differ;
};

/* The hosts that differ in one way in one facet: of each the largest share that it stands against.
 */
struct deviants {
	double *shares; /* ascending, once all are there */
	size_t n, cap;
};

struct facets {
	size_t compared[FACET_COUNT]; /* hosts */
	struct deviants deviants[FACET_COUNT][DEVIATIONS];
};

static int by_like(const void *a, const void *b)
{
	const struct fact_entry *x = a, *y = b;
	int order = strcmp(fact_like(x->fact), fact_like(y->fact));

	if (order == 0)
		order = strcmp(x->fact->value, y->fact->value);
	return order != 0 ? order : (x->host > y->host) - (x->host < y->host);
}

static struct classes find_classes(struct check *check, const struct fact_row *row)
{
	struct classes c = {.entries = check->entries + row->begin, .n = row->end - row->begin};
	size_t classes = 0;
	bool any = false;

	for (size_t i = 0; i < c.n; i++)
		any = any || c.entries[i].fact->like != NULL;
	if (any && c.n > 1) {
		struct fact_entry *copy = arena_alloc(check->arena, c.n * sizeof *copy);
		memcpy(copy, c.entries, c.n * sizeof *copy);
		qsort(copy, c.n, sizeof *copy, by_like);
		c.entries = copy;
	}
	for (size_t i = 0, next; i < c.n; i = next, classes++) {
		const char *like = fact_like(c.entries[i].fact);
		for (next = i + 1; next < c.n && strcmp(fact_like(c.entries[next].fact), like) == 0;
		     next++)
			;
		if (next - i > c.size) {
			c.size = next - i;
			c.best = i;
		}
	}
	c.one = classes == 1;
	c.all_differ = c.size == 1 && classes > 1;
	return c;
}

/* What the largest class holds: its value, or what its values have in common. */
static const char *usual_text(const struct classes *c)
{
	const struct fact *first = c->entries[c->best].fact;
	const struct fact *last = c->entries[c->best + c->size - 1].fact;

	return strcmp(first->value, last->value) == 0 ? first->value : fact_like(first);
}

static double share_of(const struct difference *d)
{
	return (double)d->agree / (double)d->compared;
}

static bool is_consensus(size_t agree, size_t n)
{
	return n >= 3 && agree * 3 >= n * 2;
}

static enum deviation deviation_of(const struct difference *d)
{
	return d->others == NULL ? EXTRA : d->value == NULL ? MISSING : OTHER;
}

static void add_difference(struct check *check, const struct fact_row *row, size_t host,
    const struct fact *fact, const char *others, size_t agree, size_t compared)
{
	struct host_view *view = &check->diagnosis->hosts[host];

	view->differs = arena_grow(check->arena, view->differs, view->n_differs, &view->cap_differs,
	    sizeof *view->differs);
	struct difference *difference = &view->differs[view->n_differs++];
	*difference = (struct difference){
	    .facet = row->facet,
	    .key = row->key,
	    .others = others,
	    .agree = agree,
	    .compared = compared,
	};
	if (fact != NULL) {
		difference->value = fact->value;
		difference->source = fact->source;
	}
}

/* What bears on where packets go: worth saying aloud that no majority tells right from wrong. */
static bool matters(enum facet facet)
{
	return facet == FACET_EGRESS || facet == FACET_PING || facet == FACET_TCP ||
	       facet == FACET_DNS;
}

static void note_no_consensus(struct check *check, const struct fact_row *row, size_t n)
{
	if (matters(row->facet))
		note_add(check, "%s of %s: %s, so no host is called the odd one.",
		    facet_name(row->facet), row->key,
		    n == 2 ? "two hosts differ, and neither is a majority"
			   : "no value is held by two thirds of the hosts");
}

static void compare_row(struct check *check, const struct fact_row *row)
{
	struct classes c = find_classes(check, row);
	size_t absent = row->compared - c.n;
	bool extra = is_consensus(absent, row->compared);
	bool split = !c.one && (!c.all_differ || c.n == 2);
	bool which = split && is_consensus(c.size, c.n);

	if (split && !which)
		note_no_consensus(check, row, c.n);
	for (size_t i = 0; i < c.n; i++) {
		const struct fact_entry *entry = &c.entries[i];
		if (which && (i < c.best || i >= c.best + c.size))
			add_difference(
			    check, row, entry->host, entry->fact, usual_text(&c), c.size, c.n);
		else if (extra)
			add_difference(
			    check, row, entry->host, entry->fact, NULL, absent, row->compared);
	}
	if (absent == 0 || !is_consensus(c.n, row->compared))
		return;
	const char *others = c.one || which ? usual_text(&c) : "there, in different ways";
	for (size_t h = 0; h < check->n; h++) {
		if (check_absent(check, row, h))
			add_difference(check, row, h, NULL, others, c.n, row->compared);
	}
}

static void count_host(const struct check *check, size_t h, struct facets *facets)
{
	const struct host_view *view = &check->diagnosis->hosts[h];
	const struct fact_list *list = &check->facts[h];
	bool compared[FACET_COUNT], differs[FACET_COUNT][DEVIATIONS] = {{false}};
	double rarest[FACET_COUNT][DEVIATIONS] = {{0}};

	memcpy(compared, list->whole, sizeof compared);
	for (size_t i = 0; i < list->n; i++)
		compared[list->v[i].facet] = true;
	for (size_t i = 0; i < view->n_differs; i++) {
		const struct difference *d = &view->differs[i];
		enum deviation k = deviation_of(d);
		rarest[d->facet][k] = fmax(rarest[d->facet][k], share_of(d));
		differs[d->facet][k] = true;
	}
	for (int f = 0; f < FACET_COUNT; f++) {
		facets->compared[f] += compared[f];
		for (int k = 0; k < DEVIATIONS; k++) {
			struct deviants *deviants = &facets->deviants[f][k];
			if (!differs[f][k])
				continue;
			deviants->shares = arena_grow(check->arena, deviants->shares, deviants->n,
			    &deviants->cap, sizeof *deviants->shares);
			deviants->shares[deviants->n++] = rarest[f][k];
		}
	}
}

static int by_share(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Hosts with a difference about as rare. */
static size_t count_as_rare(const struct deviants *deviants, double share)
{
	double least = CONSENSUS + ABOUT * (share - CONSENSUS);
	size_t low = 0, high = deviants->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (deviants->shares[middle] < least)
			low = middle + 1;
		else
			high = middle;
	}
	return deviants->n - low;
}

/*
 * Batfish's z. The share is that of the hosts that hold to the consensus; and since a difference is
 * no rarer than it is for a host to have one as rare in that facet, at most that of those that have
 * none: where a tenth of the hosts run containers of their own, one more is nothing, whatever its
 * name. False where most hosts differ in this way: it says nothing.
 */
static bool weigh(const struct difference *d, const struct facets *facets, double *ret_z)
{
	const struct deviants *deviants = &facets->deviants[d->facet][deviation_of(d)];
	double n = (double)facets->compared[d->facet], share = share_of(d);

	if (!matters(d->facet))
		share = fmin(share, 1 - (double)count_as_rare(deviants, share) / n);
	*ret_z = (share - CONSENSUS) / sqrt(2.0 / 9 / n);
	return matters(d->facet) || deviants->n * 2 <= facets->compared[d->facet];
}

/* A host's score is its rarest difference; of two about one key the rarer stays. */
static void weigh_host(struct host_view *view, const struct facets *facets)
{
	size_t kept = 0;
	double z, last = 0;

	for (size_t i = 0; i < view->n_differs; i++) {
		const struct difference *d = &view->differs[i];
		const struct difference *before = kept > 0 ? &view->differs[kept - 1] : NULL;
		if (!weigh(d, facets, &z))
			continue;
		view->score = fmax(view->score, z);
		if (before == NULL || before->facet != d->facet || before->key != d->key)
			kept++;
		else if (z <= last)
			continue;
		view->differs[kept - 1] = *d;
		last = z;
	}
	view->n_differs = kept;
}

void compare_hosts(struct check *check)
{
	struct facets facets = {0};

	for (size_t i = 0; i < check->n_rows; i++)
		compare_row(check, &check->rows[i]);
	for (size_t h = 0; h < check->n; h++)
		count_host(check, h, &facets);
	for (int i = 0; i < FACET_COUNT * DEVIATIONS; i++) {
		struct deviants *deviants = &facets.deviants[i / DEVIATIONS][i % DEVIATIONS];
		if (deviants->n > 1)
			qsort(deviants->shares, deviants->n, sizeof *deviants->shares, by_share);
	}
	for (size_t h = 0; h < check->n; h++)
		weigh_host(&check->diagnosis->hosts[h], &facets);
}

static int key_order(const struct fact *x, const struct fact *y)
{
	if (x->facet != y->facet)
		return x->facet < y->facet ? -1 : 1;
	return strcmp(x->key, y->key);
}

void compare_pair(const struct fact_list *a, const struct fact_list *b,
    void (*each)(void *context, const struct pair_difference *difference), void *context)
{
	size_t i = 0, k = 0;

	while (i < a->n || k < b->n) {
		int order = i == a->n ? 1 : k == b->n ? -1 : key_order(&a->v[i], &b->v[k]);
		const struct fact *x = order <= 0 ? &a->v[i++] : NULL;
		const struct fact *y = order >= 0 ? &b->v[k++] : NULL;
		const struct fact *either = x != NULL ? x : y;
		if (x != NULL && y != NULL && strcmp(fact_like(x), fact_like(y)) == 0)
			continue;
		struct pair_difference d = {
		    .facet = either->facet,
		    .key = either->key,
		    .a = x == NULL ? NULL : x->value,
		    .b = y == NULL ? NULL : y->value,
		    .a_unknown = x == NULL && !a->whole[either->facet],
		    .b_unknown = y == NULL && !b->whole[either->facet],
		};
		each(context, &d);
	}
}
