#include "oddhost/net/prefix_set.h"

#include <stdlib.h>

#include "oddhost/base/search.h"

void prefix_set_add(struct prefix_set *set, const struct prefix *prefix)
{
	set->v = arena_grow(set->arena, set->v, set->n, &set->cap, sizeof *set->v);
	set->v[set->n++] = *prefix;
	set->lengths[prefix->len] = true;
}

static int by_prefix(const void *a, const void *b)
{
	return prefix_cmp(a, b);
}

void prefix_set_sort(struct prefix_set *set)
{
	size_t kept = 0;

	if (set->n > 1)
		qsort(set->v, set->n, sizeof *set->v, by_prefix);
	for (size_t i = 0; i < set->n; i++) {
		if (kept == 0 || !prefix_equal(&set->v[kept - 1], &set->v[i]))
			set->v[kept++] = set->v[i];
	}
	set->n = kept;
}

static const struct prefix *find(const struct prefix_set *set, const struct ip *ip, unsigned len)
{
	if (!set->lengths[len])
		return NULL;
	struct prefix wanted = prefix_of_ip(ip, len);
	return bsearch(&wanted, set->v, set->n, sizeof *set->v, by_prefix);
}

/* A prefix of each length can hold the address: 33 or 129 to look for, however large the set. */
const struct prefix *prefix_set_longest(const struct prefix_set *set, const struct ip *ip)
{
	const struct prefix *found = NULL;

	for (unsigned len = (ip->family == IP_V4 ? 32 : 128) + 1; len-- > 0 && found == NULL;)
		found = find(set, ip, len);
	return found;
}

const struct prefix *prefix_set_within(const struct prefix_set *set, const struct prefix *prefix)
{
	size_t at = search_first(set->v, set->n, sizeof *set->v, prefix, by_prefix);

	return at < set->n && prefix_contains(prefix, &set->v[at]) ? &set->v[at] : NULL;
}

const struct prefix *prefix_set_overlapping(
    const struct prefix_set *set, const struct prefix *prefix)
{
	const struct prefix *found = NULL;

	for (unsigned len = 0; len < prefix->len && found == NULL; len++)
		found = find(set, &prefix->ip, len);
	return found != NULL ? found : prefix_set_within(set, prefix);
}
