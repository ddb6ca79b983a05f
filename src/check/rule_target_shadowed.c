#include "oddhost/check/fix.h"
#include "oddhost/check/rules.h"

#include <string.h>

#include "oddhost/base/text.h"

#define QUOTED_HOSTS 4 /* of a finding on many hosts, the first so many are quoted */
#define QUOTED_PEERS 3
#define QUOTED_ERRORS 3

/* Packets for the address go straight onto a bridge of the host's own making. */
static bool is_into_bridge(const struct path *path)
{
	return path->known && path->reason == LOOKUP_FOUND && path->owner != NULL &&
	       path->gateway.family == IP_NONE;
}

static bool is_by_gateway(const struct path *path)
{
	return path->known && path->reason == LOOKUP_FOUND && path->owner == NULL &&
	       path->dev != NULL;
}

static const struct path *path_to(const struct sight *sight, const struct ip *address)
{
	for (size_t i = 0; i < sight->n_paths; i++) {
		if (ip_equal(&sight->paths[i].address, address))
			return &sight->paths[i];
	}
	return NULL;
}

/* A host whose packets for this address leave by a real interface; check->n for none. */
static size_t next_peer(const struct check *check, size_t t, const struct ip *address, size_t from)
{
	for (size_t h = from; h < check->n; h++) {
		const struct path *path = path_to(check_sight(check, h, t), address);
		if (path != NULL && is_by_gateway(path))
			return h;
	}
	return check->n;
}

/*
 * Mark the sights that are shadowed. On-link into a bridge may be meant (a service in a container
 * of this host): so a peer that goes by a real interface, or a failing ping, must speak against it.
 * A VPN interface may well be the meant way, so there both must.
 */
static void mark(struct check *check, size_t t)
{
	for (size_t h = 0; h < check->n; h++) {
		struct sight *sight = &check->sights[h * check->run->meta.n_targets + t];
		for (size_t i = 0; i < sight->n_paths && sight->shadow == NULL; i++) {
			const struct path *path = &sight->paths[i];
			if (!is_into_bridge(path))
				continue;
			bool peers = next_peer(check, t, &path->address, 0) < check->n;
			bool fails = sight->reach == REACH_FAILED || sight->reach == REACH_SILENT;
			bool vpn = strcmp(path->owner, "vpn") == 0;
			if (vpn ? peers && fails : peers || fails)
				sight->shadow = path;
		}
	}
}

/* The same fault: the same address, and a network of the same name or at least the same prefix. */
static bool same_fault(const struct path *a, const struct path *b)
{
	if (!ip_equal(&a->address, &b->address) || (a->network == NULL) != (b->network == NULL))
		return false;
	if (a->network != NULL)
		return strcmp(a->network->name, b->network->name) == 0;
	return (a->route == NULL || b->route == NULL)
		   ? a->route == b->route
		   : prefix_equal(&a->route->dst, &b->route->dst);
}

static struct source source_of_subnet(
    const struct docker_network *network, const struct route *route)
{
	for (size_t i = 0; network != NULL && route != NULL && i < network->n_subnets; i++) {
		if (prefix_equal(&network->subnets[i], &route->dst))
			return (struct source){network->detail.probe, network->subnet_lines[i]};
	}
	return (struct source){0};
}

static void quote_host(struct check *check, struct finding *f, size_t h, const struct sight *sight)
{
	const struct host *host = check->hosts[h];
	const struct path *path = sight->shadow;

	finding_quote(check, f, host, source_of_route(host, path->route));
	if (path->egress != NULL)
		finding_quote(check, f, host, path->egress->source);
	if (path->network != NULL)
		finding_quote(check, f, host, path->network->listed);
	finding_quote(check, f, host, source_of_subnet(path->network, path->route));
	if (sight->ping == NULL)
		return;
	finding_quote(check, f, host, sight->ping->source);
	for (size_t i = 0; i < QUOTED_ERRORS; i++)
		finding_quote(check, f, host, source_of_error(sight->ping, i));
	finding_quote(check, f, host, source_of_reply(sight->ping));
}

/* The peers' word: their route for the same address, and the answer that they get. */
static const char *quote_peers(struct check *check, struct finding *f, size_t t,
    const struct ip *address, struct ip *ret_gateway, size_t *ret_answered)
{
	const char **names = arena_alloc(check->arena, check->n * sizeof *names);
	size_t n = 0;

	*ret_answered = 0;
	for (size_t h = 0; (h = next_peer(check, t, address, h)) < check->n; h++) {
		const struct sight *sight = check_sight(check, h, t);
		const struct path *path = path_to(sight, address);
		*ret_answered += sight->reach == REACH_OK;
		if (ret_gateway->family == IP_NONE)
			*ret_gateway = path->gateway;
		if (n < QUOTED_PEERS) {
			finding_quote(check, f, check->hosts[h],
			    path->egress != NULL ? path->egress->source
						 : source_of_route(check->hosts[h], path->route));
			finding_quote(check, f, check->hosts[h], source_of_reply(sight->ping));
		}
		names[n++] = check_name(check, h);
	}
	return n == 0 ? NULL : text_fold(check->arena, names, n, 6);
}

static void add_fix(struct check *check, struct finding *f, const struct host *host,
    const struct path *path, const struct ip *gateway)
{
	char via[IP_TEXT_SIZE];
	const char *clear_of = f->address;

	for (size_t i = 0; i < check->run->meta.n_reserved; i++) {
		const struct reserved *r = &check->run->meta.reserved[i];
		char text[PREFIX_TEXT_SIZE];
		if (prefix_contains_ip(&r->prefix, &path->address))
			clear_of = arena_dup(check->arena, prefix_format(&r->prefix, text));
	}
	fix_move_network(check, f, host, path->dev, path->network, clear_of);
	if (gateway->family != IP_NONE)
		finding_add_fix(
		    check, f, "Verify: the answer must say 'via %s':", ip_format(gateway, via));
	else
		finding_add_fix(check, f, "Verify: the answer must no longer name %s:", path->dev);
	finding_add_fix(check, f, "$ ip route get %s", f->address);
}

static bool answers_from_bridge(const struct sight *sight)
{
	const struct path *path = sight->shadow;

	return sight->ping != NULL && sight->ping->n_errors > 0 && path->route != NULL &&
	       prefix_contains_ip(&path->route->dst, &sight->ping->errors[0].from);
}

static enum confidence confidence_of(const struct sight *sight)
{
	bool failing = sight->reach == REACH_FAILED;

	if (sight->shadow->contradiction)
		return CONFIDENCE_POSSIBLE;
	if (sight->shadow->asked && sight->shadow->route != NULL && failing)
		return CONFIDENCE_CERTAIN;
	return CONFIDENCE_LIKELY;
}

static void explain(struct check *check, struct finding *f, const struct host *host,
    const struct sight *sight, const char *peers, const struct ip *gateway, size_t answered)
{
	const struct path *path = sight->shadow;
	struct arena *a = check->arena;
	const char *owner = path_owner_text(a, host, path->dev), *who = host->record->name;
	char text[IP_TEXT_SIZE];

	f->summary = arena_printf(a, "%s cannot reach %s: packets for %s go into its own %s",
	    finding_hosts(check, f), f->target, f->address, owner);
	if (f->severity != SEVERITY_CRITICAL)
		f->summary = arena_printf(a, "%s sends packets for %s (%s) into its own %s",
		    finding_hosts(check, f), f->target, f->address, owner);
	const char *route =
	    path->route != NULL
		? arena_printf(a, "the route that wins for it is %s", route_format(a, path->route))
		: arena_printf(a, "the kernel sends it to %s", path->dev);
	const char *others =
	    peers == NULL ? ""
	    : gateway->family == IP_NONE
		? arena_printf(a, " %s reach it over their own network.", peers)
		: arena_printf(a, " %s send it to gateway %s%s.", peers, ip_format(gateway, text),
		      answered ? " and get answers" : "");
	const char *errors =
	    !answers_from_bridge(sight)
		? ""
		: arena_printf(a,
		      " The ping errors come from %s, which is %s's own side of the bridge.",
		      ip_format(&sight->ping->errors[0].from, text), who);
	f->why = arena_printf(a,
	    "%s is %s. On %s, %s: %s, on-link. The kernel therefore looks for the address among its "
	    "containers and never sends a packet out.%s%s%s",
	    f->target, f->address, who, route, owner, others, errors,
	    path->contradiction
		? " The kernel's own answer differs from what its route table says: look at `ip "
		  "rule` there."
		: "");
}

static void report(struct check *check, size_t t, size_t first, bool *done)
{
	const struct sight *sight = check_sight(check, first, t);
	const struct path *path = sight->shadow;
	struct finding *f =
	    finding_add(check, "target-shadowed", SEVERITY_HIGH, confidence_of(sight));
	char text[PREFIX_TEXT_SIZE];
	struct ip gateway = {0};
	size_t answered;

	f->target = check->run->meta.targets[t].text;
	f->address = arena_dup(check->arena, ip_format(&path->address, text));
	if (path->route != NULL)
		f->prefix = arena_dup(check->arena, prefix_format(&path->route->dst, text));
	for (size_t h = first; h < check->n; h++) {
		const struct sight *other = check_sight(check, h, t);
		if (other->shadow == NULL || done[h] || !same_fault(path, other->shadow))
			continue;
		done[h] = true;
		finding_add_host(check, f, check_name(check, h));
		if (other->reach == REACH_FAILED || other->reach == REACH_SILENT)
			f->severity = SEVERITY_CRITICAL;
		if (f->n_hosts <= QUOTED_HOSTS)
			quote_host(check, f, h, other);
	}
	const char *peers = quote_peers(check, f, t, &path->address, &gateway, &answered);
	explain(check, f, check->hosts[first], sight, peers, &gateway, answered);
	add_fix(check, f, check->hosts[first], path, &gateway);
}

void rule_target_shadowed(struct check *check)
{
	for (size_t t = 0; t < check->run->meta.n_targets; t++) {
		bool *done = arena_alloc(check->arena, check->n * sizeof *done);
		mark(check, t);
		for (size_t h = 0; h < check->n; h++) {
			if (check_sight(check, h, t)->shadow != NULL && !done[h])
				report(check, t, h, done);
		}
	}
}
