#include "oddhost/check/subnets.h"

#include <stdlib.h>
#include <string.h>

#include "oddhost/base/mem.h"
#include "oddhost/check/lans.h"

struct subnet_list {
	struct container_subnet *v; /* on the heap */
	size_t n, cap;
};

static void add(struct subnet_list *list, struct container_subnet subnet)
{
	list->v = mem_grow(list->v, list->n, &list->cap, sizeof *list->v);
	list->v[list->n++] = subnet;
}

bool subnets_is_container_route(const struct host *host, const struct route *route)
{
	static const struct prefix link_local = {{IP_V6, {0xfe, 0x80}}, 10};

	if (!route_is_on_link(route) || route->dst.len == 0 || strcmp(route->table, "local") == 0 ||
	    prefix_contains(&link_local, &route->dst) || prefix_is_multicast(&route->dst))
		return false;
	const char *owner = host_virtual_owner(host, route->dev);
	return owner != NULL && strcmp(owner, "vpn") != 0;
}

/* By prefix; of equal ones that first which was added first: the route before docker's word. */
static int by_prefix(const void *a, const void *b)
{
	const struct container_subnet *x = *(struct container_subnet *const *)a;
	const struct container_subnet *y = *(struct container_subnet *const *)b;
	int order = prefix_cmp(&x->prefix, &y->prefix);

	return order != 0 ? order : (x > y) - (x < y);
}

/* The list's subnets, each once, to the arena; ends the list. */
static size_t sort_unique(
    struct arena *arena, struct subnet_list *list, struct container_subnet **ret_subnets)
{
	struct container_subnet **order = mem_alloc(list->n * sizeof(struct container_subnet *));
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		order[i] = &list->v[i];
	if (list->n > 1)
		qsort(order, list->n, sizeof(struct container_subnet *), by_prefix);
	for (size_t i = 0; i < list->n; i++) {
		if (n == 0 || !prefix_equal(&order[n - 1]->prefix, &order[i]->prefix))
			order[n++] = order[i];
	}
	*ret_subnets = arena_alloc(arena, n * sizeof **ret_subnets);
	for (size_t i = 0; i < n; i++)
		(*ret_subnets)[i] = *order[i];
	free(order);
	free(list->v);
	return n;
}

size_t subnets_of_host(
    struct arena *arena, const struct host *host, struct container_subnet **ret_subnets)
{
	struct subnet_list list = {0};

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
	return sort_unique(arena, &list, ret_subnets);
}

struct subnet_array {
	struct container_subnet *v;
	size_t n;
	bool listed;
};

size_t subnets_of_place(struct check *check, size_t h, const struct container_subnet **ret_subnets)
{
	if (check->subnets == NULL)
		check->subnets = arena_alloc(check->arena, check->n * sizeof *check->subnets);
	struct subnet_array *array = &check->subnets[h];
	if (!array->listed)
		array->n = subnets_of_host(check->arena, check->hosts[h], &array->v);
	array->listed = true;
	*ret_subnets = array->v;
	return array->n;
}

/* A LAN that containers share by design: the parent interface's own, with addresses of its own. */
static bool is_shared_lan(const struct host *host, const struct prefix *prefix)
{
	for (size_t i = 0; i < host->routes.n; i++) {
		const struct route *route = &host->routes.v[i];
		if (lans_is_lan(host, route) && prefix_overlaps(&route->dst, prefix))
			return true;
	}
	return false;
}

size_t subnets_within_containers(
    struct arena *arena, const struct host *host, struct container_subnet **ret_subnets)
{
	struct subnet_list list = {0};

	for (size_t i = 0; i < host->n_networks; i++) {
		const struct docker_network *network = &host->networks[i];
		const char *driver = network->driver != NULL ? network->driver : "bridge";
		if (strcmp(driver, "bridge") == 0)
			continue;
		for (size_t k = 0; k < network->n_subnets; k++) {
			if (strcmp(driver, "overlay") == 0 ||
			    !is_shared_lan(host, &network->subnets[k]))
				add(&list, (struct container_subnet){network->subnets[k], NULL,
					       "docker", network,
					       {network->detail.probe, network->subnet_lines[k]}});
		}
	}
	return sort_unique(arena, &list, ret_subnets);
}

bool subnet_is_within(const struct container_subnet *subnet)
{
	return subnet->dev == NULL && subnet->network != NULL && subnet->network->driver != NULL &&
	       strcmp(subnet->network->driver, "bridge") != 0;
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

static bool is_listed(const struct host *host, const struct prefix *subnet)
{
	const struct docker_pool *v;
	size_t n;
	uint64_t place;

	if (subnets_pools(host, &v, &n) && pools_place(v, n, subnet, &place))
		return true;
	v = pools_default(&n);
	return pools_place(v, n, subnet, &place);
}

bool subnet_was_asked(const struct host *host, const struct container_subnet *subnet)
{
	const struct docker_network *network = subnet->network;

	for (size_t i = 0; network != NULL && i < network->n_subnets; i++) {
		if (prefix_equal(&network->subnets[i], &subnet->prefix) && network->asked[i])
			return true;
	}
	return subnet->prefix.ip.family == IP_V4 && !is_listed(host, &subnet->prefix);
}

bool network_is_swarms(const struct docker_network *network)
{
	return strcmp(network->name, "docker_gwbridge") == 0 ||
	       (network->scope != NULL && strcmp(network->scope, "swarm") == 0);
}

bool subnets_no_docker(const struct host *host)
{
	const struct probe_result *probe = host_record_probe(host->record, "docker_networks");

	return probe != NULL && probe->status == PROBE_MISSING_COMMAND;
}

/* The client's words: up to docker 28, and from 29 on. */
bool subnets_docker_down(const struct host *host)
{
	const struct probe_result *probe = host_record_probe(host->record, "docker_networks");

	return probe != NULL && probe->status == PROBE_FAILED &&
	       (view_find(probe->err, "Is the docker daemon running?") >= 0 ||
		   view_find(probe->err, "if the daemon is running") >= 0);
}

const char *subnets_docker_unknown(
    const struct host *host, const struct container_subnet *subnets, size_t n)
{
	if (host->engine.podman)
		return "podman is there in docker's place, and goes by other rules";
	if (subnets_no_docker(host))
		return "there is no docker";
	for (size_t i = 0; i < n; i++) {
		if (subnet_is_docker(&subnets[i]))
			return NULL;
	}
	if (subnets_docker_down(host))
		return "the docker daemon does not run";
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
