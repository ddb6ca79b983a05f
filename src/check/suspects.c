#include "oddhost/check/suspects.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define KEPT 10

enum symptom { UNKNOWN, PASSING, FAILING };

struct scored {
	const struct fact_row *row;
	const char *value; /* NULL: absent */
	double score;
};

struct ranking {
	struct check *check;
	size_t target;
	enum symptom *symptoms; /* one a host */
	size_t failing, passing;
	size_t whole[FACET_COUNT][3]; /* hosts by symptom whose facet was listed whole */
	struct scored *best;
	size_t n, cap;
};

/* Silence is a symptom only beside a host that gets an answer, which whoever calls us looks at. */
static enum symptom symptom_of(enum reach reach)
{
	return reach == REACH_OK ? PASSING : reach == REACH_UNKNOWN ? UNKNOWN : FAILING;
}

static void score(struct ranking *r, const struct fact_row *row, const char *value, size_t failing,
    size_t passing)
{
	/* Held by as large a part of the healthy hosts as of the failing ones: says nothing. */
	if (failing == 0 || failing * r->passing <= passing * r->failing)
		return;
	double points = (double)failing / sqrt((double)r->failing * (double)(failing + passing));
	r->best = arena_grow(r->check->arena, r->best, r->n, &r->cap, sizeof *r->best);
	r->best[r->n++] = (struct scored){row, value, points};
}

static void score_row(struct ranking *r, const struct fact_row *row)
{
	const struct check *check = r->check;
	size_t absent[3] = {0};

	for (int s = 0; s < 3; s++)
		absent[s] = r->whole[row->facet][s];
	for (size_t i = row->begin, next; i < row->end; i = next) {
		const char *value = check->entries[i].fact->value;
		size_t count[3] = {0};
		for (next = i;
		     next < row->end && strcmp(check->entries[next].fact->value, value) == 0;
		     next++) {
			size_t host = check->entries[next].host;
			count[r->symptoms[host]]++;
			if (check->facts[host].whole[row->facet])
				absent[r->symptoms[host]]--;
		}
		score(r, row, value, count[FAILING], count[PASSING]);
	}
	score(r, row, NULL, absent[FAILING], absent[PASSING]);
}

static int by_score(const void *a, const void *b)
{
	const struct scored *x = a, *y = b;

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	if (x->row->facet != y->row->facet)
		return x->row->facet < y->row->facet ? -1 : 1;
	/* A key that is there says more than one that is missing. */
	if ((x->value == NULL) != (y->value == NULL))
		return x->value == NULL ? 1 : -1;
	int order = strcmp(x->row->key, y->row->key);
	return order != 0 || x->value == NULL ? order : strcmp(x->value, y->value);
}

static void add_holder(struct ranking *r, struct suspect *s, size_t host)
{
	struct arena *arena = r->check->arena;
	const char *name = check_name(r->check, host);

	if (r->symptoms[host] == FAILING) {
		s->failing = arena_grow(
		    arena, s->failing, s->n_failing, &s->cap_failing, sizeof *s->failing);
		s->failing[s->n_failing++] = name;
	} else if (r->symptoms[host] == PASSING) {
		s->passing = arena_grow(
		    arena, s->passing, s->n_passing, &s->cap_passing, sizeof *s->passing);
		s->passing[s->n_passing++] = name;
	}
}

static void add_suspect(struct ranking *r, const struct scored *scored)
{
	struct check *check = r->check;
	struct diagnosis *d = check->diagnosis;

	d->suspects = arena_grow(
	    check->arena, d->suspects, d->n_suspects, &d->cap_suspects, sizeof *d->suspects);
	struct suspect *s = &d->suspects[d->n_suspects++];
	*s = (struct suspect){.facet = scored->row->facet,
	    .key = scored->row->key,
	    .value = scored->value,
	    .score = scored->score,
	    .target = check->run->meta.targets[r->target].text};
	for (size_t h = 0; scored->value == NULL && h < check->n; h++) {
		if (check_absent(check, scored->row, h))
			add_holder(r, s, h);
	}
	/* The entries of one value are in the order of the hosts. */
	for (size_t i = scored->row->begin; scored->value != NULL && i < scored->row->end; i++) {
		if (strcmp(check->entries[i].fact->value, scored->value) == 0)
			add_holder(r, s, check->entries[i].host);
	}
}

static void rank_target(struct check *check, size_t target)
{
	struct ranking r = {.check = check, .target = target};

	r.symptoms = arena_alloc(check->arena, check->n * sizeof *r.symptoms);
	for (size_t h = 0; h < check->n; h++) {
		enum symptom s = symptom_of(check_sight(check, h, target)->reach);
		r.symptoms[h] = s;
		r.failing += s == FAILING;
		r.passing += s == PASSING;
		for (int f = 0; f < FACET_COUNT; f++)
			r.whole[f][s] += check->facts[h].whole[f];
	}
	if (r.failing == 0 || r.passing == 0)
		return;
	for (size_t i = 0; i < check->n_rows; i++) {
		const struct fact_row *row = &check->rows[i];
		const char *other = check->run->meta.targets[target].text;
		bool about_target = row->facet == FACET_EGRESS || row->facet == FACET_DNS;
		if (row->facet == FACET_PING || row->facet == FACET_TCP ||
		    (about_target && !fact_is_about(row->key, other)))
			continue; /* the symptom itself, or another target's path */
		score_row(&r, row);
	}
	if (r.n > 1)
		qsort(r.best, r.n, sizeof *r.best, by_score);
	for (size_t i = 0; i < r.n && i < KEPT; i++)
		add_suspect(&r, &r.best[i]);
}

void suspects_rank(struct check *check)
{
	for (size_t t = 0; t < check->run->meta.n_targets; t++)
		rank_target(check, t);
}
