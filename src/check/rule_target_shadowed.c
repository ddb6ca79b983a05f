#include "oddhost/check/fix.h"
#include "oddhost/check/rules.h"

#include <string.h>

#define QUOTED_HOSTS 4 /* of a finding on many hosts, the first so many are quoted */
#define QUOTED_ERRORS 3

static bool fails(const struct sight *sight, const struct path *path)
{
	return (sight->reach == REACH_FAILED || sight->reach == REACH_SILENT) &&
	       (sight->tried == NULL || sight->tried == path);
}

/*
 * Do packets for the address stay on an interface of the host's own making? On-link into a bridge
 * may be meant (a service in a container of this host): so a peer that goes by a real interface
 * must speak against it, or a failing ping where no host is answered by such a service. A VPN
 * interface may well be the meant way, so there both must. Of an interface that nothing says the
 * owner of, it is said only where this host fails and hosts that go by a gateway are answered, and
 * none that has the address on-link.
 */
static bool is_shadow(
    const struct check *check, size_t t, const struct sight *sight, const struct path *path)
{
	const struct sought *sought = check_sought(check, t, &path->address);
	bool peers = sought->first_peer < check->n, failing = fails(sight, path);

	if (!path->known || path->reason != LOOKUP_FOUND || path->gateway.family != IP_NONE ||
	    path->dev == NULL)
		return false;
	if (path->owner == NULL)
		return failing && path_leaves(path) && sought->answers_by_gateway &&
		       !sought->answers_on_link;
	if (strcmp(path->owner, "vpn") == 0)
		return peers && failing;
	return (peers && !path->uncertain) || (failing && (peers || !sought->answers_inside));
}

static void mark(struct check *check, size_t t)
{
	for (size_t h = 0; h < check->n; h++) {
		struct sight *sight = &check->sights[h * check->run->meta.n_targets + t];
		for (size_t i = 0; i < sight->n_paths && sight->shadow == NULL; i++) {
			if (is_shadow(check, t, sight, &sight->paths[i]))
				sight->shadow = &sight->paths[i];
		}
	}
}

/*
 * A host that gets answers may itself serve the target's subnet to its peers; what speaks against
 * it is a prefix that was reserved for something else.
 */
static bool may_be_meant(const struct check *check, const struct sight *sight)
{
	return sight->reach == REACH_OK && check_reserved(check, &sight->shadow->address) == NULL;
}

static enum severity severity_of(const struct check *check, const struct sight *sight)
{
	if (may_be_meant(check, sight))
		return SEVERITY_MEDIUM;
	return fails(sight, sight->shadow) && sight->shadow->owner != NULL ? SEVERITY_CRITICAL
									   : SEVERITY_HIGH;
}

/* Does the interface lead to a gateway, so that it is more than a bridge of the host's own? */
static bool leads_on(const struct host *host, const char *dev)
{
	for (size_t i = 0; i < host->routes.n; i++) {
		const struct route *route = &host->routes.v[i];
		if (route->gateway.family != IP_NONE && route->dev != NULL &&
		    strcmp(route->dev, dev) == 0)
			return true;
	}
	return false;
}

/* The kernel's own note that nobody on that bridge has the address. */
static const struct neighbour *failed_neighbour(const struct host *host, const struct path *path)
{
	const struct neighbour *n = host_neighbour_failed(host, &path->address);

	return n != NULL && n->dev != NULL && path->dev != NULL && strcmp(n->dev, path->dev) == 0
		   ? n
		   : NULL;
}

static enum confidence confidence_of(
    const struct check *check, const struct host *host, const struct sight *sight)
{
	const struct path *path = sight->shadow;

	if (path->contradiction || path->uncertain || may_be_meant(check, sight) ||
	    (path->owner == NULL && leads_on(host, path->dev)))
		return CONFIDENCE_POSSIBLE;
	bool fruitless = sight->reach == REACH_FAILED ||
			 (sight->reach == REACH_SILENT && failed_neighbour(host, path) != NULL);
	if (path->owner != NULL && path->asked && path->route != NULL && fruitless)
		return CONFIDENCE_CERTAIN;
	return CONFIDENCE_LIKELY;
}

/* The same fault: the same address, and a network of the same name or at least the same prefix. */
static bool same_fault(const struct path *a, const struct path *b)
{
	if (!ip_equal(&a->address, &b->address) || (a->network == NULL) != (b->network == NULL) ||
	    a->local != b->local || (a->owner == NULL) != (b->owner == NULL))
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
	const struct neighbour *neighbour = failed_neighbour(host, path);

	finding_quote(check, f, host, source_of_route(host, path->route));
	if (path->egress != NULL)
		finding_quote(check, f, host, path->egress->source);
	if (path->network != NULL)
		finding_quote(check, f, host, path->network->listed);
	finding_quote(check, f, host, source_of_subnet(path->network, path->route));
	if (neighbour != NULL)
		finding_quote(
		    check, f, host, (struct source){host->neighbours_source, neighbour->line});
	if (sight->tcp != NULL)
		finding_quote(check, f, host, sight->tcp->source);
	if (sight->ping == NULL)
		return;
	finding_quote(check, f, host, sight->ping->source);
	for (size_t i = 0; i < QUOTED_ERRORS; i++)
		finding_quote(check, f, host, source_of_error(sight->ping, i));
	finding_quote(check, f, host, source_of_reply(sight->ping));
}

static void add_fix(struct check *check, struct finding *f, const struct host *host,
    const struct path *path, const struct ip *gateway)
{
	const struct reserved *reserved = check_reserved(check, &path->address);
	char text[PREFIX_TEXT_SIZE];
	const char *clear_of = f->address;

	if (reserved != NULL)
		clear_of = arena_dup(check->arena, prefix_format(&reserved->prefix, text));
	if (f->severity <= SEVERITY_MEDIUM)
		finding_add_fix(check, f,
		    "Find out whether %s is meant to serve %s in its %s. If it is, nothing is wrong; "
		    "if not, a container there answers in the target's place.",
		    host->record->name, f->address, path_owner_text(check->arena, host, path->dev));
	else
		fix_move_network(check, f, host, path->dev, path->network, clear_of);
	if (path->owner != NULL && strcmp(path->owner, "vpn") == 0 && gateway->family == IP_V4) {
		finding_add_fix(check, f, "Until then, a route of its own stands before that one:");
		finding_add_fix(
		    check, f, "$ ip route add %s via %s", f->address, ip_format(gateway, text));
	}
	if (gateway->family != IP_NONE)
		finding_add_fix(
		    check, f, "Verify: the answer must say 'via %s':", ip_format(gateway, text));
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

static const char *summary_of(
    struct check *check, const struct finding *f, const char *owner, const struct path *path)
{
	const char *who = finding_hosts(check, f), *its = f->n_hosts == 1 ? "its" : "their";

	if (path->local)
		return arena_printf(check->arena,
		    "%s take%s %s (%s) for itself: it is its own address on %s", who,
		    f->n_hosts == 1 ? "s" : "", f->target, f->address, owner);
	if (f->severity == SEVERITY_CRITICAL || path->owner == NULL)
		return arena_printf(check->arena,
		    "%s cannot reach %s: packets for %s go into %s own %s", who, f->target,
		    f->address, its, owner);
	return arena_printf(check->arena, "%s send%s packets for %s (%s) into %s own %s", who,
	    f->n_hosts == 1 ? "s" : "", f->target, f->address, its, owner);
}

/* What the host does with the packets, and so why none arrives. */
static const char *chain_of(
    struct check *check, const struct host *host, const struct path *path, const char *owner)
{
	struct arena *a = check->arena;
	const char *route =
	    path->route != NULL
		? arena_printf(a, "the route that wins for it is %s", route_format(a, path->route))
		: arena_printf(a, "the kernel sends it to %s", path->dev);

	if (path->local)
		return arena_printf(a,
		    "On %s that is the host's own address on %s: it keeps the packets for itself, "
		    "and an answer there comes from %s, not from the target.",
		    host->record->name, owner, host->record->name);
	if (path->owner != NULL && strcmp(path->owner, "vpn") == 0)
		return arena_printf(a,
		    "On %s, %s: %s. The kernel therefore sends the packets into that tunnel, and no "
		    "gateway of the real network ever sees one.",
		    host->record->name, route, owner);
	return arena_printf(a,
	    "On %s, %s: %s, on-link. The kernel therefore looks for the address %s and never sends "
	    "a packet out.",
	    host->record->name, route, owner,
	    path->owner == NULL                  ? "right behind that interface, whatever made it,"
	    : strcmp(path->owner, "docker") == 0 ? "among its containers"
						 : "among what runs behind that bridge");
}

static void explain(struct check *check, struct finding *f, const struct host *host,
    const struct sight *sight, const struct sought *sought)
{
	const struct path *path = sight->shadow;
	struct arena *a = check->arena;
	const char *owner = path_owner_text(a, host, path->dev), *who = host->record->name;
	char text[IP_TEXT_SIZE];

	f->summary = summary_of(check, f, owner, path);
	const char *errors = "", *doubt = "";
	if (answers_from_bridge(sight))
		errors = arena_printf(a,
		    " The ping errors come from %s, which is %s's own side of the bridge.",
		    ip_format(&sight->ping->errors[0].from, text), who);
	if (path->contradiction)
		doubt = " The kernel's own answer differs from what its route table says: look at "
			"`ip rule` there.";
	else if (path->uncertain)
		doubt = " Not every route and rule there is known, so another may decide: ask "
			"`ip route get` there.";
	f->why = arena_printf(a, "%s is %s. %s%s%s%s", f->target, f->address,
	    chain_of(check, host, path, owner), check_peers_text(check, sought), errors, doubt);
}

static void report(struct check *check, size_t t, size_t first, bool *done)
{
	const struct sight *sight = check_sight(check, first, t);
	const struct path *path = sight->shadow;
	const struct sought *sought = check_peers(check, t, &path->address);
	struct finding *f =
	    finding_add(check, "target-shadowed", SEVERITY_NONE, CONFIDENCE_POSSIBLE);
	char text[PREFIX_TEXT_SIZE];

	f->target = check->run->meta.targets[t].text;
	f->address = arena_dup(check->arena, ip_format(&path->address, text));
	if (path->route != NULL && !path->local)
		f->prefix = arena_dup(check->arena, prefix_format(&path->route->dst, text));
	for (size_t h = first; h < check->n; h++) {
		const struct sight *other = check_sight(check, h, t);
		if (other->shadow == NULL || done[h] || !same_fault(path, other->shadow))
			continue;
		enum severity severity = severity_of(check, other);
		enum confidence confidence = confidence_of(check, check->hosts[h], other);
		done[h] = true;
		finding_add_host(check, f, h);
		f->severity = severity > f->severity ? severity : f->severity;
		f->confidence = confidence > f->confidence ? confidence : f->confidence;
		if (f->n_hosts <= QUOTED_HOSTS)
			quote_host(check, f, h, other);
	}
	finding_quote_peers(check, f, sought);
	explain(check, f, check->hosts[first], sight, sought);
	add_fix(check, f, check->hosts[first], path, &sought->gateway);
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
