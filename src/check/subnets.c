#include "oddhost/check/subnets.h"

#include <stdlib.h>
#include <string.h>

#include "oddhost/base/buf.h"

#define POOLS 5
#define POOL_SIZE 24 /* 256 networks of 254 containers in each /16 */

struct subnet_list {
	struct arena *arena;
	struct container_subnet *v;
	size_t n, cap;
};

static void add(struct subnet_list *list, struct container_subnet subnet)
{
	for (size_t i = 0; i < list->n; i++) {
		if (prefix_equal(&list->v[i].prefix, &subnet.prefix))
			return;
	}
	list->v = arena_grow(list->arena, list->v, list->n, &list->cap, sizeof *list->v);
	list->v[list->n++] = subnet;
}

bool subnets_is_container_route(const struct host *host, const struct route *route)
{
	static const struct prefix link_local = {{IP_V6, {0xfe, 0x80}}, 10};

	if (route->type != ROUTE_UNICAST || route->gateway.family != IP_NONE ||
	    route->dst.len == 0 || strcmp(route->table, "local") == 0 ||
	    prefix_contains(&link_local, &route->dst))
		return false;
	const char *owner = host_virtual_owner(host, route->dev);
	return owner != NULL && strcmp(owner, "vpn") != 0;
}

static int by_prefix(const void *a, const void *b)
{
	const struct container_subnet *x = a, *y = b;

	return prefix_cmp(&x->prefix, &y->prefix);
}

size_t subnets_of_host(
    struct arena *arena, const struct host *host, struct container_subnet **ret_subnets)
{
	struct subnet_list list = {.arena = arena};

	for (size_t i = 0; i < host->routes.n; i++) {
		const struct route *route = &host->routes.v[i];
		if (subnets_is_container_route(host, route))
			add(&list, (struct container_subnet){route->dst, route->dev,
				       host_virtual_owner(host, route->dev),
				       host_network_of_dev(host, route->dev),
				       source_of_route(host, route)});
	}
	for (size_t i = 0; i < host->n_networks; i++) {
		const struct docker_network *network = &host->networks[i];
		bool bridge = network->driver != NULL && strcmp(network->driver, "bridge") == 0;
		for (size_t k = 0; bridge && k < network->n_subnets; k++)
			add(&list, (struct container_subnet){network->subnets[k], network->bridge,
				       "docker", network,
				       {network->detail.probe, network->subnet_lines[k]}});
	}
	if (list.n > 1)
		qsort(list.v, list.n, sizeof *list.v, by_prefix);
	*ret_subnets = list.v;
	return list.n;
}

const char *subnet_owner_text(
    struct arena *arena, const struct host *host, const struct container_subnet *subnet)
{
	if (subnet->dev == NULL)
		return arena_printf(arena, "docker network %s", subnet->network->name);
	return path_owner_text(arena, host, subnet->dev);
}

static bool taken_on_host(const struct check *check, size_t h, const struct prefix *pool)
{
	const struct host *host = check->hosts[h];

	for (size_t i = 0; i < host->routes.n; i++) {
		const struct route *route = &host->routes.v[i];
		if (route->dst.len > 0 && prefix_overlaps(&route->dst, pool) &&
		    strcmp(route->table, "local") != 0 && !subnets_is_container_route(host, route))
			return true;
	}
	for (size_t t = 0; t < check->run->meta.n_targets; t++) {
		const struct sight *sight = check_sight(check, h, t);
		for (size_t i = 0; i < sight->n_paths; i++) {
			if (prefix_contains_ip(pool, &sight->paths[i].address))
				return true;
		}
	}
	return false;
}

static bool taken(const struct check *check, const struct prefix *pool)
{
	const struct run_meta *meta = &check->run->meta;
	struct ip bastion;

	if (meta->bastion != NULL && ip_parse(view_of(meta->bastion), &bastion) &&
	    prefix_contains_ip(pool, &bastion))
		return true;
	for (size_t i = 0; i < meta->n_reserved; i++) {
		if (prefix_overlaps(&meta->reserved[i].prefix, pool))
			return true;
	}
	for (size_t h = 0; h < check->n; h++) {
		if (taken_on_host(check, h, pool))
			return true;
	}
	return false;
}

size_t subnets_suggest_pools(const struct check *check, struct prefix pools[], size_t most)
{
	static const struct {
		uint8_t first, from, to;
	} ranges[] = {{172, 18, 31}, {10, 200, 254}};
	size_t n = 0;

	for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
		for (unsigned second = ranges[r].from; second <= ranges[r].to && n < most;
		     second++) {
			struct prefix pool = {{IP_V4, {ranges[r].first, (uint8_t)second}}, 16};
			if (!taken(check, &pool))
				pools[n++] = pool;
		}
	}
	return n;
}

static void choose_pools(struct check *check)
{
	struct prefix pools[POOLS];
	char text[PREFIX_TEXT_SIZE];
	size_t n = subnets_suggest_pools(check, pools, POOLS);
	struct buf out = {0};

	check->pools_chosen = true;
	if (n == 0)
		return;
	struct ip own = pools[0].ip;
	own.b[3] = 1;
	check->bip = arena_printf(check->arena, "%s/%d", ip_format(&own, text), POOL_SIZE);
	buf_puts(&out, "  \"default-address-pools\": [\n");
	for (size_t i = 0; i < n; i++)
		buf_printf(&out, "    {\"base\": \"%s\", \"size\": %d}%s\n",
		    prefix_format(&pools[i], text), POOL_SIZE, i + 1 < n ? "," : "");
	buf_puts(&out, "  ]");
	check->pools_json = arena_dup(check->arena, buf_str(&out));
	buf_free(&out);
}

const char *subnets_pools_json(struct check *check, bool with_bip)
{
	if (!check->pools_chosen)
		choose_pools(check);
	if (check->pools_json == NULL)
		return NULL;
	return with_bip ? arena_printf(check->arena, "{\n  \"bip\": \"%s\",\n%s\n}", check->bip,
			      check->pools_json)
			: arena_printf(check->arena, "{\n%s\n}", check->pools_json);
}
