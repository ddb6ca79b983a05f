#include "oddhost/check/needs.h"

#include <stdlib.h>
#include <string.h>

#include "oddhost/base/search.h"
#include "oddhost/check/subnets.h"

#define SHORTEST 8 /* of a route: a default route in two halves, or eight parts, is none */

static void add(struct check *check, struct needs *needs, const struct prefix *prefix,
    enum need_kind kind, const char *name)
{
	static const struct prefix link_local = {{IP_V6, {0xfe, 0x80}}, 10};

	if (ip_is_loopback(&prefix->ip) || prefix_contains(&link_local, prefix))
		return;
	needs->v = arena_grow(check->arena, needs->v, needs->n, &needs->cap, sizeof *needs->v);
	needs->v[needs->n++] = (struct need){*prefix, kind, name};
}

static void add_ip(struct check *check, struct needs *needs, const struct ip *ip,
    enum need_kind kind, const char *name)
{
	struct prefix prefix = prefix_of_ip(ip, 128);

	add(check, needs, &prefix, kind, name);
}

static bool is_needed(const struct host *host, const struct route *route)
{
	return route->type == ROUTE_UNICAST && route->dst.len >= SHORTEST &&
	       strcmp(route->table, "local") != 0 && !subnets_is_container_route(host, route);
}

static void add_host(struct check *check, struct needs *needs, size_t h)
{
	const struct host *host = check->hosts[h];
	const char *name = check_name(check, h);

	for (size_t i = 0; i < host->routes.n; i++) {
		const struct route *route = &host->routes.v[i];
		if (is_needed(host, route))
			add(check, needs, &route->dst,
			    route_is_on_link(route) ? NEED_LAN : NEED_ROUTE, name);
	}
	for (size_t i = 0; i < host->n_nameservers; i++)
		add_ip(check, needs, &host->nameservers[i].ip, NEED_NAMESERVER, name);
}

static int by_prefix(const void *a, const void *b)
{
	const struct need *x = a, *y = b;
	int order = prefix_cmp(&x->prefix, &y->prefix);

	if (order == 0)
		order = (x->kind > y->kind) - (x->kind < y->kind);
	return order != 0 ? order : strverscmp(x->name, y->name);
}

static void sort_unique(struct needs *needs)
{
	size_t kept = 0;

	if (needs->n > 1)
		qsort(needs->v, needs->n, sizeof *needs->v, by_prefix);
	for (size_t i = 0; i < needs->n; i++) {
		if (kept == 0 || needs->v[i].kind != needs->v[kept - 1].kind ||
		    !prefix_equal(&needs->v[i].prefix, &needs->v[kept - 1].prefix))
			needs->v[kept++] = needs->v[i];
	}
	needs->n = kept;
	for (size_t i = 0; i < kept; i++)
		needs->lengths[needs->v[i].prefix.len] = true;
}

static int need_to_prefix(const void *item, const void *prefix)
{
	return prefix_cmp(&((const struct need *)item)->prefix, prefix);
}

/* The first need that is not sorted before the prefix. */
static size_t lower_bound(const struct needs *needs, const struct prefix *prefix)
{
	return search_first(needs->v, needs->n, sizeof *needs->v, prefix, need_to_prefix);
}

/* The first kind of what stands from the prefix's place on and lies within it. */
static const struct need *first_within(
    const struct needs *needs, const struct prefix *prefix, bool itself, const struct need *best)
{
	for (size_t i = lower_bound(needs, prefix); i < needs->n; i++) {
		const struct need *need = &needs->v[i];
		if (itself ? !prefix_equal(&need->prefix, prefix)
			   : !prefix_contains(prefix, &need->prefix))
			break;
		if (best == NULL || need->kind < best->kind)
			best = need;
	}
	return best;
}

static const struct need *overlapping(const struct needs *needs, const struct prefix *subnet)
{
	const struct need *best = NULL;

	for (unsigned len = 0; len < subnet->len; len++) {
		if (!needs->lengths[len])
			continue;
		struct prefix outer = prefix_of_ip(&subnet->ip, len);
		best = first_within(needs, &outer, true, best);
	}
	return first_within(needs, subnet, false, best);
}

/* Where no network or other need that is known says as much. */
static void add_address(struct check *check, struct needs *needs, const struct needs *known,
    const struct ip *ip, const char *name)
{
	struct prefix itself = prefix_of_ip(ip, 128);

	if (overlapping(known, &itself) == NULL)
		add(check, needs, &itself, NEED_HOST, name);
}

/* Of a host that was not reached, its address in the inventory is all there is. */
static void add_addresses(
    struct check *check, struct needs *needs, const struct needs *known, size_t h)
{
	const struct host *host = check->hosts[h];
	struct ip ip;

	if (ip_parse(view_of(host->record->address), &ip))
		add_address(check, needs, known, &ip, check_name(check, h));
	for (size_t i = 0; i < host->n_addresses; i++) {
		const struct address *address = &host->addresses[i];
		if (host_virtual_owner(host, address->dev) == NULL)
			add_address(check, needs, known, &address->ip, check_name(check, h));
	}
}

static struct needs *collect(struct check *check)
{
	const struct run_meta *meta = &check->run->meta;
	struct needs *needs = arena_alloc(check->arena, sizeof *needs);
	struct ip bastion;

	for (size_t i = 0; i < check->n_sought; i++) {
		const struct sought *s = &check->sought[i];
		if (s->first_peer < check->n || !s->answers_inside)
			add_ip(
			    check, needs, &s->address, NEED_TARGET, meta->targets[s->target].text);
	}
	for (size_t i = 0; i < meta->n_reserved; i++)
		add(check, needs, &meta->reserved[i].prefix, NEED_RESERVED, meta->reserved[i].name);
	if (meta->bastion != NULL && ip_parse(view_of(meta->bastion), &bastion))
		add_ip(check, needs, &bastion, NEED_BASTION, "");
	for (size_t h = 0; h < check->n; h++)
		add_host(check, needs, h);
	sort_unique(needs);
	const struct needs known = *needs;
	for (size_t h = 0; h < check->n; h++)
		add_addresses(check, needs, &known, h);
	sort_unique(needs);
	return needs;
}

const struct needs *needs_of(struct check *check)
{
	if (check->needs == NULL)
		check->needs = collect(check);
	return check->needs;
}

const struct need *needs_overlapping(struct check *check, const struct prefix *subnet)
{
	return overlapping(needs_of(check), subnet);
}

const char *need_text(struct arena *arena, const struct need *need)
{
	char prefix[PREFIX_TEXT_SIZE], ip[IP_TEXT_SIZE];

	prefix_format(&need->prefix, prefix);
	ip_format(&need->prefix.ip, ip);
	switch (need->kind) {
	case NEED_TARGET:
		return strcmp(need->name, ip) == 0 ? need->name
						   : arena_printf(arena, "%s (%s)", need->name, ip);
	case NEED_RESERVED:
		return *need->name ? arena_printf(arena, "reserved %s (%s)", prefix, need->name)
				   : arena_printf(arena, "reserved %s", prefix);
	case NEED_BASTION:
		return arena_printf(arena, "%s, which oddhost comes from", ip);
	case NEED_HOST:
		return arena_printf(arena, "%s, the address of %s", ip, need->name);
	case NEED_LAN:
		return arena_printf(arena, "the network %s of %s", prefix, need->name);
	case NEED_ROUTE:
		return arena_printf(arena, "%s, which %s reaches by a gateway", prefix, need->name);
	case NEED_NAMESERVER:
		break;
	}
	return arena_printf(arena, "the nameserver %s of %s", ip, need->name);
}
