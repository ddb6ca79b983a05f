#include "oddhost/check/compare.h"

#include <math.h>
#include <string.h>

#include "oddhost/base/text.h"

/* The classes of one row: runs of equal values among its entries, and the hosts without it. */
struct consensus {
	const char *value; /* NULL: absent */
	size_t size;
	bool all_differ;
};

static struct consensus find_consensus(const struct check *check, const struct fact_row *row)
{
	size_t absent = row->compared - (row->end - row->begin), classes = absent > 0;
	struct consensus best = {.size = absent};

	for (size_t i = row->begin, next; i < row->end; i = next, classes++) {
		const char *value = check->entries[i].fact->value;
		for (next = i + 1;
		     next < row->end && strcmp(check->entries[next].fact->value, value) == 0;
		     next++)
			;
		if (next - i > best.size)
			best = (struct consensus){.value = value, .size = next - i};
	}
	best.all_differ = best.size == 1 && classes > 1;
	return best;
}

static void add_difference(struct check *check, const struct fact_row *row,
    const struct consensus *consensus, size_t host, const struct fact *fact)
{
	struct host_view *view = &check->diagnosis->hosts[host];
	double n = (double)row->compared, share = (double)consensus->size / n;

	view->differs = arena_grow(check->arena, view->differs, view->n_differs, &view->cap_differs,
	    sizeof *view->differs);
	struct difference *difference = &view->differs[view->n_differs++];
	*difference = (struct difference){
	    .facet = row->facet,
	    .key = row->key,
	    .others = consensus->value,
	    .agree = consensus->size,
	    .compared = row->compared,
	};
	if (fact != NULL) {
		difference->value = fact->value;
		difference->source = fact->source;
	}
	view->score += (share - 2.0 / 3) / sqrt(2.0 / 9 / n);
}

/* What bears on where packets go: worth saying aloud that no majority tells right from wrong. */
static bool matters(enum facet facet)
{
	return facet == FACET_EGRESS || facet == FACET_PING || facet == FACET_TCP ||
	       facet == FACET_DNS;
}

static void compare_row(struct check *check, const struct fact_row *row)
{
	struct consensus consensus = find_consensus(check, row);

	if (consensus.size == row->compared || row->compared < 2 ||
	    (consensus.all_differ && row->compared > 2))
		return;
	if (row->compared < 3 || consensus.size * 3 < row->compared * 2) {
		if (matters(row->facet))
			note_add(check, "%s of %s: %s, so no host is called the odd one.",
			    facet_name(row->facet), row->key,
			    row->compared == 2 ? "two hosts differ, and neither is a majority"
					       : "no value is held by two thirds of the hosts");
		return;
	}
	for (size_t i = row->begin; i < row->end; i++) {
		const struct fact_entry *entry = &check->entries[i];
		if (consensus.value == NULL || strcmp(entry->fact->value, consensus.value) != 0)
			add_difference(check, row, &consensus, entry->host, entry->fact);
	}
	if (consensus.value == NULL || row->compared == row->end - row->begin)
		return;
	for (size_t h = 0; h < check->n; h++) {
		if (check_absent(check, row, h))
			add_difference(check, row, &consensus, h, NULL);
	}
}

void compare_hosts(struct check *check)
{
	for (size_t i = 0; i < check->n_rows; i++)
		compare_row(check, &check->rows[i]);
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
		if (x != NULL && y != NULL && strcmp(x->value, y->value) == 0)
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
