#include "oddhost/check/lans.h"

#include <stdlib.h>
#include <string.h>

#include "oddhost/base/search.h"

#define SHORTEST 8 /* of a routed network: a VPN's halves of everything are none */

bool lans_is_lan(const struct host *host, const struct route *route)
{
	static const struct prefix link_local[] = {
	    {{IP_V6, {0xfe, 0x80}}, 10}, {{IP_V4, {169, 254}}, 16}};

	return route_is_on_link(route) && route->dev != NULL && route->dst.len > 0 &&
	       strcmp(route->dev, "lo") != 0 && strcmp(route->table, "local") != 0 &&
	       host_virtual_owner(host, route->dev) == NULL &&
	       !prefix_contains(&link_local[0], &route->dst) &&
	       !prefix_contains(&link_local[1], &route->dst) && !prefix_is_multicast(&route->dst);
}

bool lans_is_routed(const struct host *host, const struct route *route)
{
	if (route->type != ROUTE_UNICAST || route->gateway.family == IP_NONE ||
	    route->dst.len < SHORTEST || route->dev == NULL)
		return false;
	const char *owner = host_virtual_owner(host, route->dev);
	return owner == NULL || strcmp(owner, "vpn") == 0;
}

static int by_address(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int order = ip_cmp(&x->ip, &y->ip);

	return order != 0 ? order : (x->host > y->host) - (x->host < y->host);
}

static void add_member(
    struct check *check, struct member_list *list, const struct ip *ip, size_t host)
{
	if (ip->family == IP_NONE || ip_is_loopback(ip))
		return;
	list->v = arena_grow(check->arena, list->v, list->n, &list->cap, sizeof *list->v);
	list->v[list->n++] = (struct member){*ip, host};
}

static void sort_members(struct member_list *list)
{
	if (list->n > 1)
		qsort(list->v, list->n, sizeof *list->v, by_address);
}

static void add_routes(struct check *check, struct lans *lans, size_t h)
{
	const struct host *host = check->hosts[h];

	for (size_t i = 0; i < host->routes.n; i++) {
		const struct route *route = &host->routes.v[i];
		if (lans_is_lan(host, route)) {
			prefix_set_add(&lans->networks, &route->dst);
			add_member(check, &lans->members, &route->src, h);
		} else if (lans_is_routed(host, route)) {
			lans->routed = arena_grow(check->arena, lans->routed, lans->n_routed,
			    &lans->cap_routed, sizeof *lans->routed);
			lans->routed[lans->n_routed++] =
			    (struct routed){route->dst, route->gateway, h, 1};
		}
	}
}

/* The nameservers that the host asks out on the real network. */
static void add_nameservers(struct check *check, struct lans *lans, size_t h)
{
	const struct host *host = check->hosts[h];

	for (size_t i = 0; i < host->n_nameservers && i < LANS_NAMESERVERS; i++) {
		struct path path = path_of(host, "", &host->nameservers[i].ip);
		if (path_leaves(&path))
			add_member(check, &lans->nameservers, &path.address, h);
	}
}

static int by_prefix(const void *a, const void *b)
{
	const struct routed *x = a, *y = b;
	int order = prefix_cmp(&x->prefix, &y->prefix);

	return order != 0 ? order : (x->host > y->host) - (x->host < y->host);
}

static bool is_member(const struct lans *lans, const struct ip *ip)
{
	size_t i = lans_find(&lans->members, ip);

	return i < lans->members.n && ip_equal(&lans->members.v[i].ip, ip);
}

/*
 * Each prefix once, with the number of its hosts. What lies behind a host of the group is meant to
 * be that host's: its pods, its VPN.
 */
static void sort_routed(struct lans *lans)
{
	size_t n = 0, last = 0;

	if (lans->n_routed > 1)
		qsort(lans->routed, lans->n_routed, sizeof *lans->routed, by_prefix);
	for (size_t i = 0; i < lans->n_routed; i++) {
		struct routed *r = &lans->routed[i];
		if (is_member(lans, &r->gateway))
			continue;
		if (n == 0 || !prefix_equal(&lans->routed[n - 1].prefix, &r->prefix))
			lans->routed[n++] = *r;
		else if (r->host != last)
			lans->routed[n - 1].hosts++;
		last = r->host;
	}
	lans->n_routed = n;
}

struct lans lans_of(struct check *check)
{
	struct lans lans = {.networks.arena = check->arena};
	struct ip ip;

	for (size_t h = 0; h < check->n; h++) {
		const struct host *host = check->hosts[h];
		lans.hosts += host->routes_known;
		add_routes(check, &lans, h);
		add_nameservers(check, &lans, h);
		for (size_t i = 0; i < host->n_addresses; i++) {
			if (host_virtual_owner(host, host->addresses[i].dev) == NULL)
				add_member(check, &lans.members, &host->addresses[i].ip, h);
		}
		if (host->record->address != NULL && ip_parse(view_of(host->record->address), &ip))
			add_member(check, &lans.members, &ip, h);
	}
	sort_members(&lans.members);
	sort_members(&lans.nameservers);
	prefix_set_sort(&lans.networks);
	sort_routed(&lans);
	return lans;
}

static int member_to_ip(const void *item, const void *ip)
{
	return ip_cmp(&((const struct member *)item)->ip, ip);
}

size_t lans_find(const struct member_list *list, const struct ip *ip)
{
	return search_first(list->v, list->n, sizeof *list->v, ip, member_to_ip);
}

static int routed_to_prefix(const void *item, const void *prefix)
{
	return prefix_cmp(&((const struct routed *)item)->prefix, prefix);
}

size_t lans_find_routed(const struct lans *lans, const struct prefix *prefix)
{
	return search_first(
	    lans->routed, lans->n_routed, sizeof *lans->routed, prefix, routed_to_prefix);
}
