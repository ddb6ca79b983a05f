#include "oddhost/check/path.h"

#include <string.h>

static const struct egress *egress_of(
    const struct host *host, const char *target, const struct ip *address)
{
	for (size_t i = 0; i < host->n_egresses; i++) {
		const struct egress *e = &host->egresses[i];
		if (strcmp(e->target, target) == 0 && ip_equal(&e->address, address))
			return e;
	}
	return NULL;
}

static bool same_dev(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Does the route send packets as the kernel said? */
static bool sends_alike(const struct route *route, const struct egress *e)
{
	return same_dev(route->dev, e->dev) && ip_equal(&route->gateway, &e->gateway);
}

/* Is the kernel's answer the table's winner, or a next hop beside it (equal cost, multipath)? */
static bool agrees(const struct host *host, const struct lookup *found, const struct egress *e)
{
	if (e->type == ROUTE_LOCAL)
		return true; /* table local may not be in the listing */
	if (e->refused != NULL || found->reason != LOOKUP_FOUND)
		return e->refused != NULL && found->reason != LOOKUP_FOUND;
	for (size_t i = 0; i < host->routes.n; i++) {
		const struct route *r = &host->routes.v[i];
		if (prefix_equal(&r->dst, &found->route->dst) &&
		    strcmp(r->table, found->route->table) == 0 &&
		    r->metric == found->route->metric && sends_alike(r, e))
			return true;
	}
	return false;
}

/* The listed route, of whatever table, that the kernel's answer follows: the longest that fits. */
static const struct route *find_followed(const struct host *host, const struct egress *e)
{
	const struct route *best = NULL;

	for (size_t i = 0; i < host->routes.n && e->refused == NULL; i++) {
		const struct route *r = &host->routes.v[i];
		if (prefix_contains_ip(&r->dst, &e->address) && sends_alike(r, e) &&
		    (best == NULL || r->dst.len > best->dst.len))
			best = r;
	}
	return best;
}

static void take_table(struct path *path, const struct host *host, const struct lookup *found)
{
	path->known = true;
	path->route = path->listed = found->route;
	path->reason = found->reason;
	path->uncertain =
	    found->uncertain || (path->address.family == IP_V6 && !host->rules6.known);
	if (found->route == NULL || found->reason != LOOKUP_FOUND)
		return;
	path->gateway = found->route->gateway;
	path->dev = found->route->dev;
	path->local = found->route->type == ROUTE_LOCAL;
}

/* The kernel's word stands above the table, except for what it was not asked: the source address.
 */
static void take_answer(struct path *path, const struct host *host, const struct lookup *found)
{
	const struct egress *e = path->egress;

	path->agreed = path->known && agrees(host, found, e);
	path->contradiction = path->known && !path->agreed && !path->uncertain && !found->by_source;
	if (!path->agreed)
		path->route = find_followed(host, e);
	path->known = path->asked = true;
	path->uncertain = found->by_source;
	path->gateway = e->gateway;
	path->dev = e->dev;
	path->local = e->refused == NULL && e->type == ROUTE_LOCAL;
	if (e->refused == NULL)
		path->reason = LOOKUP_FOUND;
	else if (path->reason == LOOKUP_FOUND)
		path->reason = LOOKUP_NO_ROUTE;
}

struct path path_of(const struct host *host, const char *target, const struct ip *address)
{
	struct path path = {.address = *address, .reason = LOOKUP_NO_ROUTE};
	struct lookup found = {.reason = LOOKUP_NO_ROUTE};
	bool v4 = address->family == IP_V4;

	if (v4 ? host->routes_known : host->routes6_known) {
		found = route_lookup(&host->routes, v4 ? &host->rules : &host->rules6, address);
		take_table(&path, host, &found);
	}
	path.egress = egress_of(host, target, address);
	if (path.egress != NULL)
		take_answer(&path, host, &found);
	if (path.local) {
		const char *dev = host_dev_of_own(host, address);
		path.dev = dev != NULL ? dev : path.dev;
		path.gateway = (struct ip){0};
	}
	path.owner = host_virtual_owner(host, path.dev);
	path.network = host_network_of_dev(host, path.dev);
	return path;
}

bool path_leaves(const struct path *path)
{
	return path->known && !path->uncertain && !path->local && path->reason == LOOKUP_FOUND &&
	       path->owner == NULL && path->dev != NULL;
}

const struct neighbour *path_neighbour_failed(const struct host *host, const struct path *path)
{
	const struct neighbour *n = host_neighbour_failed(host, &path->address);

	return n != NULL && same_dev(n->dev, path->dev) ? n : NULL;
}

/* Compose's own names for networks begin with the project's: said once is enough. */
static bool tells_project(const struct docker_network *network)
{
	size_t n = strlen(network->project);

	return strncmp(network->name, network->project, n) == 0 && network->name[n] == '_';
}

const char *path_network_text(
    struct arena *arena, const struct host *host, const struct docker_network *network)
{
	const char *maker = host->engine.podman ? "podman" : "docker";

	if (network->project == NULL || tells_project(network))
		return arena_printf(arena, "%s network %s", maker, network->name);
	return arena_printf(
	    arena, "%s network %s (compose project %s)", maker, network->name, network->project);
}

const char *path_owner_text(struct arena *arena, const struct host *host, const char *dev)
{
	const struct docker_network *network = host_network_of_dev(host, dev);
	const char *owner = host_virtual_owner(host, dev);

	if (strcmp(dev, "docker0") == 0)
		return "docker network bridge (docker0)";
	if (network != NULL)
		return path_network_text(arena, host, network);
	if (owner == NULL)
		return arena_printf(arena, "interface %s", dev);
	if (strcmp(owner, "vpn") == 0)
		return arena_printf(arena, "VPN interface %s", dev);
	if (strcmp(owner, "docker") == 0)
		return arena_printf(
		    arena, "docker bridge %s (its network's name is not known)", dev);
	return arena_printf(arena, "%s interface %s", owner, dev);
}

const char *path_text(struct arena *arena, const struct host *host, const struct path *path)
{
	char text[IP_TEXT_SIZE];

	if (!path->known || path->uncertain)
		return NULL;
	if (path->local)
		return arena_printf(
		    arena, "own address on %s", path_owner_text(arena, host, path->dev));
	if (path->gateway.family != IP_NONE)
		return arena_printf(arena, "via %s", ip_format(&path->gateway, text));
	if (path->dev != NULL)
		return arena_printf(arena, "on-link, %s", path_owner_text(arena, host, path->dev));
	const char *reason = lookup_reason_name(path->reason);
	return reason != NULL ? reason : "unknown";
}

size_t path_addresses(const struct host *host, const struct target *target,
    const struct ip **ret_addresses, struct ip *scratch)
{
	const struct resolution *resolution = host_resolution(host, target->text);
	const struct ping *ping = host_ping(host, target->text);

	if (resolution != NULL && resolution->n > 0) {
		*ret_addresses = resolution->addresses;
		return resolution->n;
	}
	if (resolution != NULL && resolution->failed)
		return 0;
	if (!ip_parse(view_of(target->name), scratch)) {
		if (ping == NULL || ping->address.family == IP_NONE)
			return 0;
		*scratch = ping->address;
	}
	*ret_addresses = scratch;
	return 1;
}
