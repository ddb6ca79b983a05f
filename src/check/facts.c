#include "oddhost/check/facts.h"

#include <stdlib.h>
#include <string.h>

#include "oddhost/base/buf.h"
#include "oddhost/check/check.h"

static void add(struct fact_list *list, enum facet facet, const char *key, const char *value,
    struct source source)
{
	list->v = arena_grow(list->arena, list->v, list->n, &list->cap, sizeof *list->v);
	list->v[list->n++] = (struct fact){facet, key, value, source};
}

static int by_key(const void *a, const void *b)
{
	const struct fact *x = a, *y = b;

	if (x->facet != y->facet)
		return x->facet < y->facet ? -1 : 1;
	int order = strcmp(x->key, y->key);
	return order != 0 ? order : strcmp(x->value, y->value);
}

/* Several values under one key (next hops of one prefix) become one value, in sorted order. */
static void merge(struct fact_list *list)
{
	size_t n = 0;

	if (list->n > 1)
		qsort(list->v, list->n, sizeof *list->v, by_key);
	for (size_t i = 0; i < list->n; i++) {
		struct fact *last = n > 0 ? &list->v[n - 1] : NULL, *fact = &list->v[i];
		if (last == NULL || last->facet != fact->facet || strcmp(last->key, fact->key) != 0)
			list->v[n++] = *fact;
		else if (strcmp(last->value, fact->value) != 0)
			last->value = arena_printf(list->arena, "%s; %s", last->value, fact->value);
	}
	list->n = n;
}

static void add_egress(struct fact_list *list, const struct host *host, const struct target *target)
{
	const struct ip *addresses;
	struct ip scratch;
	size_t n = path_addresses(host, target, &addresses, &scratch);

	for (size_t i = 0; i < n; i++) {
		struct path path = path_of(host, target->text, &addresses[i]);
		const char *value = path_text(list->arena, host, &path);
		if (value != NULL)
			add(list, FACET_EGRESS, target->text, value,
			    path.egress != NULL ? path.egress->source
						: source_of_route(host, path.route));
	}
}

/* Local, broadcast, multicast and link-local entries name the host's own addresses. */
static bool comparable(const struct host *host, const struct route *route)
{
	static const struct prefix link_local = {{IP_V6, {0xfe, 0x80}}, 10};

	return route->type != ROUTE_LOCAL && route->type != ROUTE_BROADCAST &&
	       route->type != ROUTE_ANYCAST && route->type != ROUTE_MULTICAST &&
	       strcmp(route->table, "local") != 0 && !prefix_contains(&link_local, &route->dst) &&
	       host_virtual_owner(host, route->dev) == NULL &&
	       !(route->dev != NULL && strcmp(route->dev, "lo") == 0);
}

static void add_route(struct fact_list *list, const struct host *host, const struct route *route)
{
	bool v4 = route->dst.ip.family == IP_V4;
	char text[PREFIX_TEXT_SIZE];
	const char *key = route->dst.len == 0 ? "default" : prefix_format(&route->dst, text);
	const char *value = route_type_name(route->type);

	if (strcmp(route->table, "main") != 0)
		key = arena_printf(list->arena, "%s table %s", key, route->table);
	else
		key = arena_dup(list->arena, key);
	if (route->gateway.family != IP_NONE)
		value = arena_printf(list->arena, "via %s", ip_format(&route->gateway, text));
	else if (route->type == ROUTE_UNICAST && route->dev != NULL)
		value = arena_printf(list->arena, "on-link %s", route->dev);
	add(list, v4 ? FACET_ROUTE : FACET_ROUTE6, key, value,
	    (struct source){v4 ? host->routes_source : host->routes6_source, route->line});
}

/* A network's subnets, from its inspection or else from the routes through its bridge. */
static const char *subnets_text(
    struct arena *arena, const struct host *host, const struct docker_network *network)
{
	char text[PREFIX_TEXT_SIZE];
	struct buf out = {0};

	for (size_t i = 0; i < network->n_subnets; i++)
		buf_printf(&out, " %s", prefix_format(&network->subnets[i], text));
	for (size_t i = 0; network->n_subnets == 0 && i < host->routes.n; i++) {
		const struct route *route = &host->routes.v[i];
		if (network->bridge != NULL && route->dev != NULL && route->type == ROUTE_UNICAST &&
		    route->gateway.family == IP_NONE && route->dst.ip.family == IP_V4 &&
		    strcmp(route->dev, network->bridge) == 0)
			buf_printf(&out, " %s", prefix_format(&route->dst, text));
	}
	const char *copy = arena_dup(arena, buf_str(&out));
	buf_free(&out);
	return copy;
}

static void add_networks(struct fact_list *list, const struct host *host)
{
	for (size_t i = 0; i < host->n_networks; i++) {
		const struct docker_network *network = &host->networks[i];
		struct source source = network->listed.probe ? network->listed : network->detail;
		const char *driver = network->driver ? network->driver : "unknown driver";
		if (strcmp(driver, "host") == 0 || strcmp(driver, "null") == 0)
			continue;
		add(list, FACET_NETWORK, network->name,
		    arena_printf(
			list->arena, "%s%s", driver, subnets_text(list->arena, host, network)),
		    source);
	}
}

static void add_dns(struct fact_list *list, const struct host *host, const struct target *target)
{
	const struct resolution *resolution = host_resolution(host, target->text);
	char text[IP_TEXT_SIZE];
	struct buf out = {0};

	if (resolution == NULL)
		return;
	if (resolution->failed)
		buf_puts(&out, "does not resolve");
	for (size_t i = 0; i < resolution->n; i++)
		buf_printf(&out, "%s%s", i ? " " : "", ip_format(&resolution->addresses[i], text));
	add(list, FACET_DNS, target->text, arena_dup(list->arena, buf_str(&out)),
	    resolution->source);
	buf_free(&out);
}

static void add_ping(struct fact_list *list, const struct host *host, const struct target *target)
{
	const struct ping *ping = host_ping(host, target->text);

	if (ping != NULL && ping->status != PING_UNKNOWN && ping->status != PING_NO_PERMISSION)
		add(list, FACET_PING, target->text, ping_status_name(ping->status), ping->source);
}

static void add_tcp(struct fact_list *list, const struct host *host, const struct target *target)
{
	const struct tcp *tcp = host_tcp(host, target->text);

	if (tcp != NULL)
		add(list, FACET_TCP, target->text, tcp_status_name(tcp->status), tcp->source);
}

static void add_daemon(struct fact_list *list, const struct host *host)
{
	const struct docker_daemon *daemon = &host->daemon;
	char text[PREFIX_TEXT_SIZE];

	for (size_t i = 0; i < daemon->n_pools; i++)
		add(list, FACET_DAEMON, "default-address-pools",
		    arena_printf(list->arena, "%s size %u",
			prefix_format(&daemon->pools[i].base, text), daemon->pools[i].size),
		    daemon->source);
	if (daemon->bip != NULL)
		add(list, FACET_DAEMON, "bip", daemon->bip, daemon->source);
}

static void add_containers(struct fact_list *list, const struct host *host)
{
	static const char *const states[] = {
	    "unknown", "created", "running", "paused", "restarting", "exited", "dead"};
	static const char *const health[] = {"", " (starting)", " (healthy)", " (unhealthy)"};

	for (size_t i = 0; i < host->n_containers; i++) {
		const struct container *c = &host->containers[i];
		if (c->name == NULL || c->image == NULL)
			continue;
		add(list, FACET_CONTAINER, c->name,
		    arena_printf(
			list->arena, "%s%s %s", states[c->state], health[c->health], c->image),
		    (struct source){host->containers_source, c->line});
	}
}

struct fact_list facts_make(
    struct arena *arena, const struct host *host, const struct target *targets, size_t n_targets)
{
	struct fact_list list = {.arena = arena, .host = host};
	struct source system = {host_record_probe(host->record, "host"), 0};

	for (size_t i = 0; i < n_targets; i++) {
		add_egress(&list, host, &targets[i]);
		add_dns(&list, host, &targets[i]);
		add_ping(&list, host, &targets[i]);
		add_tcp(&list, host, &targets[i]);
	}
	for (size_t i = 0; i < host->routes.n; i++) {
		if (comparable(host, &host->routes.v[i]))
			add_route(&list, host, &host->routes.v[i]);
	}
	add_networks(&list, host);
	add_daemon(&list, host);
	add_containers(&list, host);
	if (host->kernel != NULL)
		add(&list, FACET_SYSTEM, "kernel", host->kernel, system);
	if (host->os != NULL)
		add(&list, FACET_SYSTEM, "os", host->os, system);
	list.whole[FACET_ROUTE] = host->routes_known && !host->routes.partial;
	list.whole[FACET_ROUTE6] = host->routes6_known && !host->routes.partial6;
	list.whole[FACET_NETWORK] = host->networks_known;
	list.whole[FACET_DAEMON] =
	    host->daemon.known && (!host->daemon.present || host->daemon.valid);
	list.whole[FACET_CONTAINER] = host->containers_known;
	merge(&list);
	return list;
}

const struct fact *facts_find(const struct fact_list *list, enum facet facet, const char *key)
{
	struct fact wanted = {.facet = facet, .key = key, .value = ""};
	size_t low = 0, high = list->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (by_key(&list->v[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < list->n && list->v[low].facet == facet && strcmp(list->v[low].key, key) == 0)
		return &list->v[low];
	return NULL;
}
