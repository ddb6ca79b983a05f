#include "oddhost/check/group_pools.h"

#include <stdlib.h>
#include <string.h>

#include "oddhost/base/buf.h"
#include "oddhost/check/needs.h"
#include "oddhost/check/subnets.h"

#define USUAL_LEN 16     /* of a pool: more room than is asked for costs nothing */
#define USUAL_SIZE 24    /* 254 containers in a network */
#define LEAST_NETWORKS 8 /* to have room for, where networks are not known */
#define CANDIDATES 8     /* pools of hosts that are looked at before new ones are made */

/* Where new pools are looked for, in this order: what others often take comes last. */
static const struct prefix places[] = {
    {{IP_V4, {172, 18}}, 15},
    {{IP_V4, {172, 20}}, 14},
    {{IP_V4, {172, 24}}, 13},
    {{IP_V4, {10, 200}}, 13},
    {{IP_V4, {10, 208}}, 12},
    {{IP_V4, {10}}, 8},
    {{IP_V4, {172, 16}}, 12},
    {{IP_V4, {192, 168}}, 16},
};

/* The subnets of containers on all hosts, each once, none within another. */
struct taken {
	struct prefix *v;
	size_t n, cap;
};

struct chooser {
	struct check *check;
	struct taken taken;
	struct group_pools *pools;
};

/* A configuration that some hosts have: its IPv4 pools. */
struct candidate {
	const struct docker_pool *v;
	size_t n, hosts;
};

static struct candidate ipv4_of(struct check *check, const struct docker_pool *v, size_t n)
{
	struct docker_pool *kept = arena_alloc(check->arena, n * sizeof *kept);
	size_t n_kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (v[i].base.ip.family == IP_V4)
			kept[n_kept++] = v[i];
	}
	return (struct candidate){kept, n_kept, 1};
}

static uint64_t room_in(unsigned len, unsigned size)
{
	return (uint64_t)1 << (size - len);
}

static void add_taken(struct chooser *c, const struct prefix *prefix)
{
	struct taken *taken = &c->taken;

	taken->v = arena_grow(c->check->arena, taken->v, taken->n, &taken->cap, sizeof *taken->v);
	taken->v[taken->n++] = *prefix;
}

static int by_prefix(const void *a, const void *b)
{
	return prefix_cmp(a, b);
}

static void sort_taken(struct taken *taken)
{
	size_t kept = 0;

	if (taken->n > 1)
		qsort(taken->v, taken->n, sizeof *taken->v, by_prefix);
	for (size_t i = 0; i < taken->n; i++) {
		if (kept == 0 || !prefix_contains(&taken->v[kept - 1], &taken->v[i]))
			taken->v[kept++] = taken->v[i];
	}
	taken->n = kept;
}

/* How large networks are and how many a host has decides how much room is wanted. */
static void measure(struct chooser *c)
{
	size_t networks = LEAST_NETWORKS, containers = 0;

	for (size_t h = 0; h < c->check->n; h++) {
		const struct host *host = c->check->hosts[h];
		struct container_subnet *subnets;
		size_t n = subnets_of_host(c->check->arena, host, &subnets), docker = 0;
		for (size_t i = 0; i < n; i++) {
			if (subnets[i].prefix.ip.family != IP_V4)
				continue;
			docker += strcmp(subnets[i].owner, "docker") == 0;
			add_taken(c, &subnets[i].prefix);
		}
		networks = docker > networks ? docker : networks;
		for (size_t i = 0; i < host->n_networks; i++) {
			if (host->networks[i].n_containers > containers)
				containers = host->networks[i].n_containers;
		}
	}
	sort_taken(&c->taken);
	c->pools->wanted = 2 * networks;
	c->pools->size = USUAL_SIZE;
	while (
	    c->pools->size > USUAL_LEN && 2 * containers + 3 > (uint64_t)1 << (32 - c->pools->size))
		c->pools->size--;
}

/* The subnets of a pool that a host's own networks of other sizes leave. */
static uint64_t room_on_host(
    struct chooser *c, const struct host *host, const struct docker_pool *pool)
{
	struct container_subnet *subnets;
	size_t n = subnets_of_host(c->check->arena, host, &subnets);
	uint64_t room = room_in(pool->base.len, pool->size);

	for (size_t i = 0; i < n; i++) {
		const struct prefix *p = &subnets[i].prefix;
		if (p->len == pool->size || !prefix_overlaps(p, &pool->base))
			continue;
		uint64_t lost = p->len <= pool->base.len ? room
				: p->len < pool->size    ? room_in(p->len, pool->size)
							 : 1;
		room -= lost < room ? lost : room;
	}
	return room;
}

/* Are these pools clear of what the group needs, and large enough on every host? */
static bool is_good(struct chooser *c, const struct candidate *candidate)
{
	for (size_t i = 0; i < candidate->n; i++) {
		if (needs_overlapping(c->check, &candidate->v[i].base) != NULL)
			return false;
	}
	for (size_t h = 0; h < c->check->n; h++) {
		uint64_t room = 0;
		for (size_t i = 0; i < candidate->n; i++)
			room += room_on_host(c, c->check->hosts[h], &candidate->v[i]);
		if (room < c->pools->wanted)
			return false;
	}
	return true;
}

static void take(struct chooser *c, const struct candidate *candidate)
{
	struct group_pools *pools = c->pools;

	pools->n = candidate->n;
	for (size_t i = 0; i < candidate->n; i++) {
		pools->v[i] = candidate->v[i];
		pools->room += room_in(pools->v[i].base.len, pools->v[i].size);
	}
}

/* What daemon.json declares, though docker may not use it yet; else what docker uses. */
static bool pools_meant(const struct host *host, const struct docker_pool **ret_v, size_t *ret_n)
{
	const struct docker_daemon *daemon = &host->daemon;

	*ret_v = daemon->pools;
	*ret_n = daemon->n_pools;
	return (daemon->valid && daemon->n_pools > 0) || subnets_pools(host, ret_v, ret_n);
}

/* Pools that hosts have, the most common ones first; docker's own only where all have them. */
static bool keep_pools(struct chooser *c)
{
	struct candidate found[CANDIDATES], *best;
	size_t n = 0, own = 0, known = 0;

	for (size_t h = 0; h < c->check->n; h++) {
		const struct docker_pool *v;
		size_t n_v, i = 0;
		if (!pools_meant(c->check->hosts[h], &v, &n_v))
			continue;
		known++;
		own += n_v == 0;
		struct candidate of_host = ipv4_of(c->check, v, n_v);
		while (i < n && !pools_same(found[i].v, found[i].n, of_host.v, of_host.n))
			i++;
		if (i < n)
			found[i].hosts++;
		else if (n < CANDIDATES && of_host.n > 0 && of_host.n <= GROUP_POOLS_MOST)
			found[n++] = of_host;
	}
	for (; n > 0; *best = found[--n]) {
		best = &found[0];
		for (size_t i = 1; i < n; i++)
			best = found[i].hosts > best->hosts ? &found[i] : best;
		if (is_good(c, best)) {
			take(c, best);
			return true;
		}
	}
	struct candidate docker = {.hosts = own};
	docker.v = pools_default(&docker.n);
	c->pools->own = own > 0 && own == known && is_good(c, &docker);
	if (c->pools->own)
		take(c, &docker);
	return c->pools->own;
}

/* The first block of that length in the place that nobody needs and no container has. */
static bool find_block(
    struct chooser *c, const struct prefix *place, unsigned len, struct prefix *ret)
{
	struct docker_pool as_pool = {*place, (uint8_t)len};
	struct pools pools = {.model = POOLS_LISTED,
	    .v = &as_pool,
	    .n = 1,
	    .allocated = c->taken.v,
	    .n_allocated = c->taken.n};
	const struct needs *needs = needs_of(c->check);
	struct prefix *reserved = arena_alloc(c->check->arena, needs->n * sizeof *reserved);

	if (len < place->len)
		return false;
	for (size_t i = 0; i < needs->n; i++)
		reserved[i] = needs->v[i].prefix;
	pools.reserved = reserved;
	pools.n_reserved = needs->n;
	return pools_next(&pools, ret);
}

static bool find_new(struct chooser *c, unsigned len)
{
	struct group_pools *pools = c->pools;
	struct prefix block;

	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		if (!find_block(c, &places[i], len, &block))
			continue;
		pools->v[pools->n++] = (struct docker_pool){block, pools->size};
		pools->room += room_in(block.len, pools->size);
		add_taken(c, &block);
		return true;
	}
	return false;
}

/*
 * One block where there is one, of the usual length if possible and else of the least that will
 * do; several smaller ones, the largest first, where there is none.
 */
static void make_pools(struct chooser *c)
{
	struct group_pools *pools = c->pools;
	unsigned least = pools->size;

	while (room_in(least, pools->size) < pools->wanted && least > 8)
		least--;
	for (unsigned len = least < USUAL_LEN ? least : USUAL_LEN; len <= pools->size; len++) {
		while (pools->room < pools->wanted && pools->n < GROUP_POOLS_MOST) {
			if (!find_new(c, len))
				break;
		}
	}
	if (pools->room < pools->wanted)
		pools->n = 0;
}

/*
 * docker0 gets the first subnet of the pools that no container network holds on any host; where
 * there is none, what else is free.
 */
static void choose_bip(struct chooser *c)
{
	struct pools pools = {.model = POOLS_LISTED,
	    .v = c->pools->v,
	    .n = c->pools->n,
	    .allocated = c->taken.v,
	    .n_allocated = c->taken.n};
	struct prefix subnet;
	char text[IP_TEXT_SIZE];

	bool found = pools_next(&pools, &subnet);
	for (size_t i = 0; !found && i < sizeof places / sizeof *places; i++)
		found = find_block(c, &places[i], USUAL_SIZE, &subnet);
	if (!found)
		return;
	subnet.ip.b[3] |= 1;
	c->pools->bip =
	    arena_printf(c->check->arena, "%s/%u", ip_format(&subnet.ip, text), subnet.len);
}

const struct group_pools *group_pools_of(struct check *check)
{
	struct chooser c = {.check = check};

	if (check->pools != NULL)
		return check->pools;
	check->pools = c.pools = arena_alloc(check->arena, sizeof *c.pools);
	measure(&c);
	struct taken before = c.taken;
	if (!keep_pools(&c))
		make_pools(&c);
	c.taken = before;
	choose_bip(&c);
	return check->pools;
}

bool group_pools_in_force(struct check *check, const struct host *host)
{
	const struct docker_pool *v;
	size_t n;

	return subnets_pools(host, &v, &n) && group_pools_are(check, v, n);
}

bool group_pools_are(struct check *check, const struct docker_pool *v, size_t n)
{
	const struct group_pools *pools = group_pools_of(check);

	if (pools->own)
		return n == 0;
	struct candidate ipv4 = ipv4_of(check, v, n);
	return pools->n > 0 && pools_same(pools->v, pools->n, ipv4.v, ipv4.n);
}

static void add_pools(struct buf *out, const struct docker_pool *v, size_t n, enum ip_family family)
{
	char text[PREFIX_TEXT_SIZE];

	for (size_t i = 0; i < n; i++) {
		if (v[i].base.ip.family == family)
			buf_printf(out, "%s    {\"base\": \"%s\", \"size\": %u}",
			    out->n > 1 ? ",\n" : "\n", prefix_format(&v[i].base, text), v[i].size);
	}
}

const char *group_pools_list(struct check *check, const struct host *host)
{
	const struct group_pools *pools = group_pools_of(check);
	const struct docker_pool *v;
	struct buf out = {0};
	size_t n;

	buf_putc(&out, '[');
	add_pools(&out, pools->v, pools->n, IP_V4);
	if (pools_meant(host, &v, &n))
		add_pools(&out, v, n, IP_V6);
	buf_puts(&out, "\n  ]");
	const char *list = arena_dup(check->arena, buf_str(&out));
	buf_free(&out);
	return list;
}

const char *group_pools_json(struct check *check, const struct host *host, bool with_bip)
{
	const struct group_pools *pools = group_pools_of(check);
	struct buf out = {0};

	if (pools->n == 0 || (with_bip && pools->bip == NULL))
		return NULL;
	buf_puts(&out, "{\n");
	if (with_bip)
		buf_printf(&out, "  \"bip\": \"%s\"%s\n", pools->bip, pools->own ? "" : ",");
	if (!pools->own)
		buf_printf(
		    &out, "  \"default-address-pools\": %s\n", group_pools_list(check, host));
	buf_puts(&out, "}");
	const char *json = arena_dup(check->arena, buf_str(&out));
	buf_free(&out);
	return json;
}
