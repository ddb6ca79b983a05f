#include "oddhost/net/pools.h"

#include <stdlib.h>
#include <string.h>

#include "oddhost/base/mem.h"

/* Addresses of IPv4 from `begin` to before `end`. */
struct span {
	uint64_t begin, end;
};

struct span_list {
	struct span *v;
	size_t n, cap;
};

static bool next_number(struct view *text, uint64_t *ret)
{
	size_t n = 0;

	view_take(text, ".");
	while (n < text->n && text->p[n] >= '0' && text->p[n] <= '9')
		n++;
	bool found = view_uint(view_left(*text, n), 0, 100000, ret);
	*text = view_skip(*text, n);
	return found;
}

bool pools_rules_of(struct view version, struct pools_rules *ret)
{
	uint64_t major, minor, patch = 0;

	if (!next_number(&version, &major) || !view_starts(version, ".") ||
	    !next_number(&version, &minor))
		return false;
	if (view_starts(version, ".") && !next_number(&version, &patch))
		return false;
	uint64_t number = (major * 1000 + minor) * 1000 + patch;
	ret->model = number >= 27000000   ? POOLS_FIRST_FIT
		     : number >= 18006000 ? POOLS_ROTATING
					  : POOLS_LISTED;
	ret->all_routes = number < 20010015;
	return true;
}

bool pools_route_reserved(const struct pools_rules *rules, const struct route *route)
{
	static const struct ip zero = {IP_V4, {0}};

	if (route->dst.ip.family != IP_V4 || route->dst.len == 0 ||
	    strcmp(route->table, "main") != 0)
		return false;
	if (rules->model == POOLS_FIRST_FIT && ip_equal(&route->dst.ip, &zero))
		return false; /* 0.0.0.0/1 is taken for half a default route */
	return rules->all_routes || route->scope == ROUTE_SCOPE_LINK;
}

const struct docker_pool *pools_default(size_t *ret_n)
{
	static const struct docker_pool pools[] = {
	    {{{IP_V4, {172, 17}}, 16}, 16},
	    {{{IP_V4, {172, 18}}, 16}, 16},
	    {{{IP_V4, {172, 19}}, 16}, 16},
	    {{{IP_V4, {172, 20}}, 14}, 16},
	    {{{IP_V4, {172, 24}}, 14}, 16},
	    {{{IP_V4, {172, 28}}, 14}, 16},
	    {{{IP_V4, {192, 168}}, 16}, 20},
	};

	*ret_n = sizeof pools / sizeof *pools;
	return pools;
}

bool pools_same(const struct docker_pool *a, size_t n_a, const struct docker_pool *b, size_t n_b)
{
	for (size_t i = 0; n_a == n_b && i < n_a; i++) {
		if (!prefix_equal(&a[i].base, &b[i].base) || a[i].size != b[i].size)
			return false;
	}
	return n_a == n_b;
}

/* Of IPv6 pools only the number of subnets matters: they have their places in the list. */
static uint64_t count(const struct docker_pool *pool)
{
	unsigned bits = (unsigned)(pool->size - pool->base.len);

	return (uint64_t)1 << (bits < 32 ? bits : 32);
}

static uint64_t number_of(const struct ip *ip)
{
	return (uint64_t)ip->b[0] << 24 | (uint64_t)ip->b[1] << 16 | (uint64_t)ip->b[2] << 8 |
	       ip->b[3];
}

static struct prefix subnet_at(uint64_t address, unsigned len)
{
	struct ip ip = {IP_V4, {(uint8_t)(address >> 24), (uint8_t)(address >> 16),
				   (uint8_t)(address >> 8), (uint8_t)address}};

	return prefix_of_ip(&ip, len);
}

static uint64_t size_of(unsigned len)
{
	return (uint64_t)1 << (32 - len);
}

/* The first address behind a prefix. */
static uint64_t end_of(const struct prefix *p)
{
	return number_of(&p->ip) + size_of(p->len);
}

uint64_t pools_length(const struct docker_pool *v, size_t n)
{
	uint64_t length = 0;

	for (size_t i = 0; i < n; i++)
		length += count(&v[i]);
	return length;
}

bool pools_place(
    const struct docker_pool *v, size_t n, const struct prefix *subnet, uint64_t *ret_place)
{
	uint64_t begin = 0;

	for (size_t i = 0; i < n; begin += count(&v[i]), i++) {
		if (subnet->ip.family != IP_V4 || v[i].size != subnet->len ||
		    !prefix_contains(&v[i].base, subnet))
			continue;
		*ret_place = begin + (number_of(&subnet->ip) - number_of(&v[i].base.ip)) /
					 size_of(v[i].size);
		return true;
	}
	return false;
}

static struct span span_of(const struct prefix *p)
{
	return (struct span){number_of(&p->ip), end_of(p)};
}

static void take(struct span_list *list, struct span span)
{
	list->v = mem_grow(list->v, list->n, &list->cap, sizeof *list->v);
	list->v[list->n++] = span;
}

static const struct span *overlapping(const struct span_list *list, const struct span *span)
{
	for (size_t i = 0; i < list->n; i++) {
		if (list->v[i].begin < span->end && span->begin < list->v[i].end)
			return &list->v[i];
	}
	return NULL;
}

/* A subnet of the list. */
struct entry {
	const struct docker_pool *pool;
	uint64_t place; /* in the list */
	struct span span;
};

/*
 * The first entry in places [from, to) that overlaps nothing taken. What is in the way is stepped
 * over as a whole: a list may have millions of places.
 */
static bool find_free(const struct pools *pools, const struct span_list *taken, uint64_t from,
    uint64_t to, struct entry *ret)
{
	uint64_t begin = 0, end;

	for (size_t i = 0; i < pools->n && begin < to; begin = end, i++) {
		const struct docker_pool *pool = &pools->v[i];
		uint64_t place = from > begin ? from : begin;
		end = begin + count(pool);
		while (pool->base.ip.family == IP_V4 && place < end && place < to) {
			uint64_t base = number_of(&pool->base.ip), size = size_of(pool->size);
			uint64_t address = base + (place - begin) * size;
			struct entry entry = {pool, place, {address, address + size}};
			const struct span *by = overlapping(taken, &entry.span);
			if (by == NULL) {
				*ret = entry;
				return true;
			}
			place = begin + (by->end - base + size - 1) / size;
		}
	}
	return false;
}

/*
 * How many entries from this one on are held one after another because they overlap the reserved
 * prefix: up to its end, the pool's, or something taken.
 */
static uint64_t count_held(
    const struct entry *entry, const struct prefix *reserved, const struct span_list *taken)
{
	struct span by = span_of(reserved), pool = span_of(&entry->pool->base);
	uint64_t size = size_of(entry->pool->size), end = by.end < pool.end ? by.end : pool.end;

	for (size_t i = 0; i < taken->n; i++) {
		uint64_t begin = taken->v[i].begin - taken->v[i].begin % size;
		if (begin >= entry->span.end && begin < end)
			end = begin;
	}
	return (end - entry->span.begin + size - 1) / size;
}

static const struct prefix *reserved_by(const struct pools *pools, const struct span *span)
{
	for (size_t i = 0; i < pools->n_reserved; i++) {
		if (pools->reserved[i].ip.family != IP_V4)
			continue;
		struct span by = span_of(&pools->reserved[i]);
		if (by.begin < span->end && span->begin < by.end)
			return &pools->reserved[i];
	}
	return NULL;
}

/*
 * A subnet that overlaps a reserved prefix is allocated all the same, and held until the create is
 * done; the walk goes on from the cursor that this has moved.
 */
static bool next_in_list(struct pools *pools, struct prefix *ret)
{
	uint64_t length = pools_length(pools->v, pools->n), n;
	const struct prefix *by = NULL;
	struct span_list taken = {0};
	struct entry entry;
	bool found;

	for (size_t i = 0; i < pools->n_allocated; i++) {
		if (pools->allocated[i].ip.family == IP_V4)
			take(&taken, span_of(&pools->allocated[i]));
	}
	do {
		bool round = false;
		found = find_free(pools, &taken, pools->cursor, length, &entry);
		if (!found)
			found = round = find_free(pools, &taken, 0, pools->cursor, &entry);
		if (!found)
			break;
		by = reserved_by(pools, &entry.span);
		n = by == NULL ? 1 : count_held(&entry, by, &taken);
		take(&taken, (struct span){entry.span.begin,
				 entry.span.begin + n * size_of(entry.pool->size)});
		/* After a step round the end the cursor is 0; a second one goes on from there. */
		pools->cursor = entry.place + n;
		if ((round && n == 1) || pools->cursor >= length)
			pools->cursor = 0;
	} while (by != NULL);
	if (found)
		*ret = subnet_at(entry.span.begin, entry.pool->size);
	free(taken.v);
	return found;
}

static int by_base(const void *a, const void *b)
{
	const struct docker_pool *x = a, *y = b;

	return prefix_cmp(&x->base, &y->base);
}

static int by_prefix(const void *a, const void *b)
{
	return prefix_cmp(a, b);
}

/* What is in the way, sorted by address, the larger first. */
static struct prefix *obstacles_of(const struct pools *pools, size_t *ret_n)
{
	size_t all = pools->n_allocated + pools->n_reserved, n = 0;
	struct prefix *list = mem_alloc(all * sizeof *list);

	for (size_t i = 0; i < all; i++) {
		struct prefix p = i < pools->n_allocated ? pools->allocated[i]
							 : pools->reserved[i - pools->n_allocated];
		if (p.ip.family == IP_V4)
			list[n++] = p;
	}
	if (n > 1)
		qsort(list, n, sizeof *list, by_prefix);
	*ret_n = n;
	return list;
}

/*
 * The first gap of a pool that a whole subnet fits in. `from` goes back where a small obstacle
 * follows a large one that holds it: moby's own scan does, and then gives out a subnet inside the
 * large one. A forecast must do as the engine does.
 */
static bool first_gap(
    const struct docker_pool *pool, const struct prefix *obstacles, size_t n, struct prefix *ret)
{
	uint64_t size = size_of(pool->size), from = number_of(&pool->base.ip);
	uint64_t pool_end = end_of(&pool->base);

	for (size_t i = 0; i < n; i++) {
		const struct prefix *o = &obstacles[i];
		if (!prefix_overlaps(o, &pool->base))
			continue;
		if (o->len <= pool->base.len)
			return false;
		if (number_of(&o->ip) >= from + size)
			break;
		from = (end_of(o) + size - 1) / size * size;
		if (end_of(o) == pool_end)
			return false;
	}
	if (from >= pool_end)
		return false;
	*ret = subnet_at(from, pool->size);
	return true;
}

static bool next_first_fit(const struct pools *pools, struct prefix *ret)
{
	struct docker_pool *sorted = mem_alloc(pools->n * sizeof *sorted);
	const struct docker_pool *last = NULL;
	size_t n = 0, n_obstacles;
	struct prefix *obstacles = obstacles_of(pools, &n_obstacles);
	bool found = false;

	for (size_t i = 0; i < pools->n; i++) {
		if (pools->v[i].base.ip.family == IP_V4)
			sorted[n++] = pools->v[i];
	}
	if (n > 1)
		qsort(sorted, n, sizeof *sorted, by_base);
	for (size_t i = 0; i < n && !found; i++) {
		if (last != NULL && prefix_overlaps(&last->base, &sorted[i].base))
			continue;
		last = &sorted[i];
		found = first_gap(last, obstacles, n_obstacles, ret);
	}
	free(sorted);
	free(obstacles);
	return found;
}

bool pools_next(struct pools *pools, struct prefix *ret)
{
	switch (pools->model) {
	case POOLS_LISTED:
		pools->cursor = 0;
		return next_in_list(pools, ret);
	case POOLS_ROTATING:
		return next_in_list(pools, ret);
	case POOLS_FIRST_FIT:
		break;
	}
	return next_first_fit(pools, ret);
}
