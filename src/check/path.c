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

struct path path_of(const struct host *host, const char *target, const struct ip *address)
{
	struct path path = {.address = *address, .reason = LOOKUP_NO_ROUTE};
	bool table = address->family == IP_V4 ? host->routes_known : host->routes6_known;

	if (table) {
		const struct rule_list *rules = address->family == IP_V4 ? &host->rules : NULL;
		struct lookup found = route_lookup(&host->routes, rules, address);
		path.known = !found.uncertain;
		path.route = found.route;
		path.reason = found.reason;
		if (found.route != NULL && found.reason == LOOKUP_FOUND) {
			path.gateway = found.route->gateway;
			path.dev = found.route->dev;
		}
	}
	path.egress = egress_of(host, target, address);
	if (path.egress != NULL) {
		const struct egress *e = path.egress;
		path.known = path.asked = true;
		path.contradiction =
		    table && (!same_dev(e->dev, path.dev) || !ip_equal(&e->gateway, &path.gateway));
		path.gateway = e->gateway;
		path.dev = e->dev;
		if (e->refused == NULL)
			path.reason = LOOKUP_FOUND;
		else if (path.reason == LOOKUP_FOUND)
			path.reason = LOOKUP_NO_ROUTE;
	}
	path.owner = host_virtual_owner(host, path.dev);
	path.network = host_network_of_dev(host, path.dev);
	return path;
}

const char *path_owner_text(struct arena *arena, const struct host *host, const char *dev)
{
	const struct docker_network *network = host_network_of_dev(host, dev);
	const char *owner = host_virtual_owner(host, dev);

	if (network != NULL)
		return arena_printf(arena, "docker network %s", network->name);
	if (owner == NULL)
		return arena_printf(arena, "interface %s", dev);
	if (strcmp(dev, "docker0") == 0)
		return "docker network bridge";
	if (strcmp(owner, "docker") == 0)
		return arena_printf(
		    arena, "docker bridge %s (its network's name is not known)", dev);
	return arena_printf(arena, "%s interface %s", owner, dev);
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
