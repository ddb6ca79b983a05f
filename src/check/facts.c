#include "oddhost/check/facts.h"

#include <stdlib.h>
#include <string.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/mem.h"
#include "oddhost/base/search.h"
#include "oddhost/check/check.h"
#include "oddhost/net/prefix_set.h"

#define OWN "own:"
#define OWN_LINES 500 /* of a user's own probe, and bytes of a line, that are compared */
#define OWN_BYTES 400

static struct fact *add(struct fact_list *list, enum facet facet, const char *key,
    const char *value, struct source source)
{
	list->v = mem_grow(list->v, list->n, &list->cap, sizeof *list->v);
	struct fact *fact = &list->v[list->n++];
	*fact = (struct fact){facet, key, value, source, NULL};
	return fact;
}

static int by_key(const void *a, const void *b)
{
	const struct fact *x = a, *y = b;

	if (x->facet != y->facet)
		return x->facet < y->facet ? -1 : 1;
	int order = strcmp(x->key, y->key);
	return order != 0 ? order : strcmp(x->value, y->value);
}

/* The values of facts with one key, each once, in sorted order; or what they are compared by. */
static const char *join(struct arena *arena, const struct fact *v, size_t n,
    const char *(*text_of)(const struct fact *))
{
	struct buf out = {0};

	for (size_t i = 0; i < n; i++)
		buf_printf(&out, "%s%s", i ? "; " : "", text_of(&v[i]));
	const char *copy = arena_dup(arena, buf_str(&out));
	buf_free(&out);
	return copy;
}

static const char *value_of(const struct fact *fact)
{
	return fact->value;
}

/* The first of these facts, which share their key, for all of them. */
static struct fact merge_key(struct arena *arena, struct fact *v, size_t n)
{
	struct fact fact = v[0];
	bool like = v[0].like != NULL;
	size_t kept = 1;

	for (size_t i = 1; i < n; i++) {
		if (strcmp(v[kept - 1].value, v[i].value) == 0)
			continue;
		like = like || v[i].like != NULL;
		v[kept++] = v[i];
	}
	if (kept > 1) {
		fact.value = join(arena, v, kept, value_of);
		fact.like = like ? join(arena, v, kept, fact_like) : NULL;
	}
	return fact;
}

/* Several values under one key (next hops of one prefix) become one value. */
static void merge(struct fact_list *list)
{
	size_t n = 0;

	if (list->n > 1)
		qsort(list->v, list->n, sizeof *list->v, by_key);
	for (size_t i = 0, next; i < list->n; i = next) {
		struct fact *first = &list->v[i];
		for (next = i + 1; next < list->n && list->v[next].facet == first->facet &&
				   strcmp(list->v[next].key, first->key) == 0;
		     next++)
			;
		list->v[n++] = merge_key(list->arena, first, next - i);
	}
	list->n = n;
}

/* From the room in which they were gathered into the arena: as much as they need. */
static void settle(struct fact_list *list)
{
	struct fact *gathered = list->v;

	list->v = arena_alloc(list->arena, list->n * sizeof *list->v);
	if (list->n > 0)
		memcpy(list->v, gathered, list->n * sizeof *list->v);
	list->cap = list->n;
	free(gathered);
}

/* A route of the main table to a network that the host is part of. */
static bool is_own_network(const struct host *host, const struct route *route)
{
	return route_is_on_link(route) && route->dst.len > 0 && route->dst.ip.family == IP_V4 &&
	       strcmp(route->table, "main") == 0 && host_virtual_owner(host, route->dev) == NULL;
}

/* Where the host stands: what many of its routes are judged by. */
struct place {
	struct prefix_set own;       /* networks that it is part of, by its routes … */
	struct prefix_set addressed; /* … and by its addresses */
	struct prefix_set gateways;  /* of its default routes */
	struct prefix_set six;       /* its addresses of IPv6 */
};

static struct place find_place(struct arena *arena, const struct host *host)
{
	struct place place = {
	    {.arena = arena}, {.arena = arena}, {.arena = arena}, {.arena = arena}};

	for (size_t i = 0; i < host->routes.n; i++) {
		const struct route *route = &host->routes.v[i];
		if (route->type == ROUTE_LOCAL && route->dst.ip.family == IP_V6)
			prefix_set_add(&place.six, &route->dst);
		if (is_own_network(host, route) && route->dst.len < 31)
			prefix_set_add(&place.own, &route->dst);
		if (route->dst.len == 0 && route->gateway.family == IP_V4 &&
		    strcmp(route->table, "main") == 0)
			prefix_set_add(&place.gateways, &(struct prefix){route->gateway, 32});
	}
	for (size_t i = 0; i < host->n_addresses; i++) {
		struct prefix prefix = prefix_of_ip(&host->addresses[i].ip, host->addresses[i].len);
		if (prefix.len < 31)
			prefix_set_add(&place.addressed, &prefix);
		prefix = prefix_of_ip(&host->addresses[i].ip, 128);
		if (prefix.ip.family == IP_V6)
			prefix_set_add(&place.six, &prefix);
	}
	prefix_set_sort(&place.own);
	prefix_set_sort(&place.addressed);
	prefix_set_sort(&place.gateways);
	prefix_set_sort(&place.six);
	return place;
}

/*
 * A next hop in the host's own network stands where that network's router stands: hosts in
 * different subnets of one VPC have different ones, and yet the same. NULL: not such a next hop.
 */
static const char *like_gateway(
    struct arena *arena, const struct place *place, const struct ip *gateway)
{
	const struct prefix *own = prefix_set_longest(&place->own, gateway);

	if (own == NULL)
		own = prefix_set_longest(&place->addressed, gateway);
	if (gateway->family != IP_V4 || own == NULL)
		return NULL;
	uint32_t size = UINT32_C(1) << (32 - own->len), at = 0;
	for (int i = 0; i < 4; i++)
		at = at << 8 | gateway->b[i];
	at &= size - 1;
	if (at <= size / 2)
		return arena_printf(arena, "via address %u of its own network", at);
	return arena_printf(arena, "via address %u from the end of its own network", size - 1 - at);
}

static void add_egress(struct fact_list *list, const struct host *host, const struct place *place,
    const struct target *target)
{
	const struct ip *addresses;
	struct ip scratch;
	size_t n = path_addresses(host, target, &addresses, &scratch);

	for (size_t i = 0; i < n; i++) {
		struct path path = path_of(host, target->text, &addresses[i]);
		const char *value = path_text(list->arena, host, &path);
		if (value == NULL)
			continue;
		struct fact *fact = add(list, FACET_EGRESS,
		    fact_target_key(list->arena, target->text, addresses[i].family), value,
		    path.egress != NULL ? path.egress->source : source_of_route(host, path.route));
		fact->like = like_gateway(list->arena, place, &path.gateway);
	}
}

/*
 * Does the route lead to the network of the host's default gateway, or to that gateway? Without a
 * default route any network that it has an address in may have been that one; and with IPv6, whose
 * gateways have addresses of the link.
 */
static bool is_home(const struct host *host, const struct place *place, const struct route *route)
{
	if (route->dst.ip.family == IP_V6)
		return route->type == ROUTE_UNICAST && route->gateway.family == IP_NONE &&
		       route->dst.len > 0 && prefix_set_within(&place->six, &route->dst) != NULL;
	if (!is_own_network(host, route))
		return false;
	return place->gateways.n > 0 ? prefix_set_within(&place->gateways, &route->dst) != NULL
				     : prefix_contains_ip(&route->dst, &route->src);
}

/*
 * Local, broadcast, multicast and link-local entries name the host's own addresses, and the network
 * that its default gateway stands in follows from them.
 */
static bool comparable(
    const struct host *host, const struct place *place, const struct route *route)
{
	static const struct prefix link_local = {{IP_V6, {0xfe, 0x80}}, 10};

	return route->type != ROUTE_LOCAL && route->type != ROUTE_BROADCAST &&
	       route->type != ROUTE_ANYCAST && route->type != ROUTE_MULTICAST &&
	       strcmp(route->table, "local") != 0 && !prefix_contains(&link_local, &route->dst) &&
	       host_virtual_owner(host, route->dev) == NULL &&
	       !(route->dev != NULL && strcmp(route->dev, "lo") == 0) &&
	       !is_home(host, place, route);
}

static void add_route(struct fact_list *list, const struct host *host, const struct place *place,
    const struct route *route)
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
	else if (route_is_on_link(route) && route->dev != NULL)
		value = arena_printf(list->arena, "on-link %s", route->dev);
	add(list, v4 ? FACET_ROUTE : FACET_ROUTE6, key, value,
	    (struct source){v4 ? host->routes_source : host->routes6_source, route->line})
	    ->like = like_gateway(list->arena, place, &route->gateway);
}

static const char *selector_text(
    struct arena *arena, const struct host *host, const char *word, const struct prefix *prefix)
{
	char text[PREFIX_TEXT_SIZE];

	if (prefix->ip.family == IP_NONE)
		return "";
	if (host_owns(host, &prefix->ip))
		return arena_printf(arena, " %s its own address", word);
	return arena_printf(arena, " %s %s", word, prefix_format(prefix, text));
}

/* The rules beside Linux's own three; of a conditional one only the line says what it asks for. */
static void add_rule(struct fact_list *list, const struct host *host, const struct rule *rule)
{
	static const char *const own[] = {"local", "main", "default"};
	struct arena *arena = list->arena;
	const char *from = selector_text(arena, host, "from", &rule->from);
	const char *to = selector_text(arena, host, "to", &rule->to);
	const char *does = rule->table == NULL ? route_type_name(rule->type)
					       : arena_printf(arena, "lookup %s", rule->table);

	for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
		if (*from == '\0' && *to == '\0' && !rule->conditional && rule->table != NULL &&
		    strcmp(rule->table, own[i]) == 0)
			return;
	}
	add(list, FACET_RULE,
	    arena_printf(arena, "%s%s%s", *from || *to ? "" : " all", from, to) + 1,
	    rule->conditional ? arena_printf(arena, "%s under a condition", does) : does,
	    (struct source){host->rules_source, rule->line});
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
		if (network->bridge != NULL && route->dev != NULL && route_is_on_link(route) &&
		    route->dst.ip.family == IP_V4 && strcmp(route->dev, network->bridge) == 0)
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
	static const uint8_t families[] = {IP_V4, IP_V6};
	char text[IP_TEXT_SIZE];

	if (resolution != NULL && resolution->failed)
		add(list, FACET_DNS, target->text, "does not resolve", resolution->source);
	for (size_t f = 0; f < 2 && resolution != NULL; f++) {
		struct buf out = {0};
		for (size_t i = 0; i < resolution->n; i++) {
			if (resolution->addresses[i].family == families[f])
				buf_printf(&out, "%s%s", out.n > 0 ? " " : "",
				    ip_format(&resolution->addresses[i], text));
		}
		if (out.n > 0)
			add(list, FACET_DNS,
			    fact_target_key(list->arena, target->text, families[f]),
			    arena_dup(list->arena, buf_str(&out)), resolution->source);
		buf_free(&out);
	}
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

/* In words that a few seconds do not change. */
static const char *clock_text(struct arena *arena, int64_t off)
{
	int64_t far = off < 0 ? -off : off;
	const char *way = off < 0 ? "behind" : "ahead";

	if (far == 0)
		return "right";
	if (far < 60)
		return arena_printf(arena, "%s by less than a minute", way);
	return far < 3600 ? arena_printf(arena, "%s by %d min", way, (int)(far / 60))
			  : arena_printf(arena, "%s by %ld h", way, (long)(far / 3600));
}

static void add_services(struct fact_list *list, const struct host *host)
{
	for (size_t i = 0; i < host->n_services; i++) {
		const struct service *s = &host->services[i];
		if (s->state != SERVICE_UNKNOWN)
			add(list, FACET_SERVICE, s->name, s->state == SERVICE_UP ? "up" : "down",
			    s->source);
	}
}

/*
 * A command that prints one line is compared by that; one that prints more, by which lines there
 * are, in whatever order. Returns whether all of them are: what stands behind is not known.
 */
static bool add_own(struct fact_list *list, const struct probe_result *probe)
{
	const char *name = probe->name + strlen(OWN), *value = "nothing printed";
	struct view rest = view_trim(probe->out), line;

	if (view_find_char(rest, '\n') < 0) {
		if (rest.n > 0)
			value = arena_dup_view(list->arena, view_left(rest, OWN_BYTES));
		add(list, FACET_OWN, name, value, (struct source){probe, rest.n > 0});
		return true;
	}
	rest = probe->out;
	for (unsigned n = 1; view_next_line(&rest, &line); n++) {
		line = view_left(view_trim(line), OWN_BYTES);
		if (n > OWN_LINES && line.n > 0)
			return false;
		if (line.n > 0)
			add(list, FACET_OWN,
			    arena_printf(list->arena, "%s: %.*s", name, VIEW_ARG(line)), "there",
			    (struct source){probe, n});
	}
	return true;
}

static void add_owns(struct fact_list *list, const struct host *host)
{
	bool any = false, whole = true;

	for (size_t i = 0; i < host->record->n_probes; i++) {
		const struct probe_result *probe = &host->record->probes[i];
		if (strncmp(probe->name, OWN, strlen(OWN)) != 0)
			continue;
		any = true;
		whole = probe->status == PROBE_OK && add_own(list, probe) && whole;
	}
	list->whole[FACET_OWN] = any && whole;
}

/* Was an output cut short, so that what it does not list may be there? */
static bool is_cut(const struct host *host, const char *probe)
{
	const struct probe_result *result = host_record_probe(host->record, probe);

	return result != NULL && result->status == PROBE_TRUNCATED;
}

struct fact_list facts_make(
    struct arena *arena, const struct host *host, const struct target *targets, size_t n_targets)
{
	struct fact_list list = {.arena = arena, .host = host};
	struct source system = {host_record_probe(host->record, "host"), 0};
	struct arena *scratch = arena_new();
	struct place place = find_place(scratch, host);

	for (size_t i = 0; i < n_targets; i++) {
		add_egress(&list, host, &place, &targets[i]);
		add_dns(&list, host, &targets[i]);
		add_ping(&list, host, &targets[i]);
		add_tcp(&list, host, &targets[i]);
	}
	for (size_t i = 0; i < host->routes.n; i++) {
		if (comparable(host, &place, &host->routes.v[i]))
			add_route(&list, host, &place, &host->routes.v[i]);
	}
	for (size_t i = 0; i < host->rules.n; i++)
		add_rule(&list, host, &host->rules.v[i]);
	add_networks(&list, host);
	add_daemon(&list, host);
	add_containers(&list, host);
	add_services(&list, host);
	add_owns(&list, host);
	if (host->kernel != NULL)
		add(&list, FACET_SYSTEM, "kernel", host->kernel, system);
	if (host->os != NULL)
		add(&list, FACET_SYSTEM, "os", host->os, system);
	if (host->upgraded != NULL)
		add(&list, FACET_SYSTEM, "last package upgrade", host->upgraded, system);
	if (host->clock_known)
		add(&list, FACET_SYSTEM, "clock", clock_text(arena, host->clock_off_s), system);
	list.whole[FACET_ROUTE] = host->routes_known && !host->routes.partial;
	list.whole[FACET_ROUTE6] = host->routes6_known && !host->routes.partial6;
	list.whole[FACET_RULE] = host->rules.known && !host->rules.partial;
	list.whole[FACET_NETWORK] = host->networks_known && !is_cut(host, "docker_networks") &&
				    !is_cut(host, "docker_inspect");
	list.whole[FACET_DAEMON] =
	    host->daemon.known && (!host->daemon.present || host->daemon.valid);
	list.whole[FACET_CONTAINER] = host->containers_known && !is_cut(host, "docker_ps");
	merge(&list);
	settle(&list);
	arena_free(scratch);
	return list;
}

const struct fact *facts_find(const struct fact_list *list, enum facet facet, const char *key)
{
	struct fact wanted = {.facet = facet, .key = key, .value = ""};
	size_t at = search_first(list->v, list->n, sizeof *list->v, &wanted, by_key);

	if (at < list->n && list->v[at].facet == facet && strcmp(list->v[at].key, key) == 0)
		return &list->v[at];
	return NULL;
}
