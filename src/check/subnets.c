#include "oddhost/check/subnets.h"

#include <stdlib.h>
#include <string.h>

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
		return path_network_text(arena, host, subnet->network);
	return path_owner_text(arena, host, subnet->dev);
}

bool subnet_is_docker(const struct container_subnet *subnet)
{
	return subnet->prefix.ip.family == IP_V4 && strcmp(subnet->owner, "docker") == 0;
}

bool subnet_is_docker0(const struct container_subnet *subnet)
{
	return subnet_is_docker(subnet) &&
	       ((subnet->dev != NULL && strcmp(subnet->dev, "docker0") == 0) ||
		   (subnet->network != NULL && strcmp(subnet->network->name, "bridge") == 0));
}

const char *subnets_docker_unknown(
    const struct host *host, const struct container_subnet *subnets, size_t n)
{
	const struct probe_result *probe = host_record_probe(host->record, "docker_networks");

	if (host->engine.podman)
		return "podman is there in docker's place, and goes by other rules";
	if (probe != NULL && probe->status == PROBE_MISSING_COMMAND)
		return "there is no docker";
	for (size_t i = 0; i < n; i++) {
		if (subnet_is_docker(&subnets[i]))
			return NULL;
	}
	return host->networks_known ? NULL : "docker's networks are not known";
}

bool subnets_pools(const struct host *host, const struct docker_pool **ret_v, size_t *ret_n)
{
	const struct docker_engine *engine = &host->engine;
	const struct docker_daemon *daemon = &host->daemon;
	bool known = engine->pools_known || (daemon->known && (!daemon->present || daemon->valid));

	*ret_v = engine->pools_known ? engine->pools : daemon->pools;
	*ret_n = engine->pools_known ? engine->n_pools : daemon->n_pools;
	return known && !engine->podman;
}
