#include "oddhost/check/fix.h"
#include "oddhost/check/rules.h"

#include <string.h>

#define QUOTED_HOSTS 4 /* of a finding on many hosts, the first so many are quoted */
#define QUOTED_ERRORS 3

static bool fails(const struct sight *sight, const struct path *path)
{
	return reach_fails(sight_trial(sight, path)->reach);
}

/* Is it known that the interface leads to no gateway, and so may be a bridge of the host's own? */
static bool is_dead_end(const struct host *host, const char *dev)
{
	for (size_t i = 0; i < host->routes.n; i++) {
		const struct route *route = &host->routes.v[i];
		if (route->gateway.family != IP_NONE && route->dev != NULL &&
		    strcmp(route->dev, dev) == 0)
			return false;
	}
	return host->routes_known || host->routes6_known;
}

/*
 * Do packets for the address stay on an interface of the host's own making? On-link into a bridge
 * may be meant (a service in a container of this host): so a peer that goes by a real interface
 * must speak against it, or a failing ping where no host is answered by such a service. A VPN
 * interface may well be the meant way, so there a host must be answered by a real one while this
 * one fails. Of an interface that nothing says the owner of, it is said only where, beside that,
 * none is answered that has the address on-link, and no gateway is behind the interface: else it is
 * the host's own LAN. Where the kernel contradicts the table, that is the finding.
 */
static bool is_shadow(const struct check *check, size_t h, size_t t, const struct path *path)
{
	const struct sought *sought = check_sought(check, t, &path->address);
	bool peers = sought->first_peer < check->n;
	bool failing = fails(check_sight(check, h, t), path);

	if (!path->known || path->contradiction || path->reason != LOOKUP_FOUND ||
	    path->gateway.family != IP_NONE || path->dev == NULL)
		return false;
	if (path->owner == NULL)
		return failing && path_leaves(path) && sought->answers_by_gateway &&
		       !sought->answers_on_link && is_dead_end(check->hosts[h], path->dev);
	if (strcmp(path->owner, "vpn") == 0)
		return failing && (sought->answers_by_gateway || sought->answers_on_link);
	return (peers && !path->uncertain) || (failing && (peers || !sought->answers_inside));
}

/*
 * Of several addresses one that fails counts. An answer that comes from a shadow is not the
 * target's: whether that is reached is not known.
 */
static void mark(struct check *check, size_t t)
{
	for (size_t h = 0; h < check->n; h++) {
		struct sight *sight = &check->sights[h * check->run->meta.n_targets + t];
		for (size_t i = 0; i < sight->n_paths; i++) {
			const struct path *path = &sight->paths[i];
			if (is_shadow(check, h, t, path) &&
			    (sight->shadow == NULL ||
				(fails(sight, path) && !fails(sight, sight->shadow))))
				sight->shadow = path;
		}
		if (sight->shadow != NULL && sight->reach == REACH_OK &&
		    (sight->tried == NULL || sight->tried == sight->shadow))
			sight->reach = REACH_UNKNOWN;
	}
}

/*
 * A host that gets answers may itself serve the target's subnet to its peers; what speaks against
 * it is a prefix that was reserved for something else.
 */
static bool may_be_meant(const struct check *check, const struct sight *sight)
{
	return sight_trial(sight, sight->shadow)->reach == REACH_OK &&
	       check_reserved(check, &sight->shadow->address) == NULL;
}

static enum severity severity_of(const struct check *check, const struct sight *sight)
{
	if (may_be_meant(check, sight))
		return SEVERITY_MEDIUM;
	return fails(sight, sight->shadow) && sight->shadow->owner != NULL ? SEVERITY_CRITICAL
									   : SEVERITY_HIGH;
}

/* A docker bridge that docker's own list, read whole, does not have: one of them is of another
 * time. */
static bool is_unlisted(const struct check *check, size_t h, const struct path *path)
{
	return path->owner != NULL && strcmp(path->owner, "docker") == 0 && path->network == NULL &&
	       strcmp(path->dev, "docker0") != 0 && check->facts[h].whole[FACET_NETWORK];
}

static enum confidence confidence_of(const struct check *check, size_t h, const struct sight *sight)
{
	const struct host *host = check->hosts[h];
	const struct path *path = sight->shadow;
	enum reach reach = sight_trial(sight, path)->reach;

	if (path->uncertain || may_be_meant(check, sight))
		return CONFIDENCE_POSSIBLE;
	bool fruitless = reach == REACH_FAILED ||
			 (reach == REACH_SILENT && path_neighbour_failed(host, path) != NULL);
	if (path->owner != NULL && path->asked && path->agreed && fruitless &&
	    !is_unlisted(check, h, path))
		return CONFIDENCE_CERTAIN;
	return CONFIDENCE_LIKELY;
}

/* The same cause: a network of the same name, or at least the same prefix. */
static bool same_cause(const struct path *a, const struct path *b)
{
	if ((a->network == NULL) != (b->network == NULL) || a->local != b->local ||
	    (a->owner == NULL) != (b->owner == NULL))
		return false;
	if (a->network != NULL)
		return strcmp(a->network->name, b->network->name) == 0;
	return (a->route == NULL || b->route == NULL)
		   ? a->route == b->route
		   : prefix_equal(&a->route->dst, &b->route->dst);
}

static bool same_fault(const struct path *a, const struct path *b)
{
	return ip_equal(&a->address, &b->address) && same_cause(a, b);
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
	const struct trial *trial = sight_trial(sight, path);
	const struct neighbour *neighbour = path_neighbour_failed(host, path);

	finding_quote(check, f, host, source_of_route(host, path->route));
	if (path->egress != NULL)
		finding_quote(check, f, host, path->egress->source);
	if (path->network != NULL)
		finding_quote(check, f, host, path->network->listed);
	finding_quote(check, f, host, source_of_subnet(path->network, path->route));
	if (neighbour != NULL)
		finding_quote(
		    check, f, host, (struct source){host->neighbours_source, neighbour->line});
	if (trial->tcp != NULL)
		finding_quote(check, f, host, trial->tcp->source);
	if (trial->ping == NULL)
		return;
	finding_quote(check, f, host, trial->ping->source);
	for (size_t i = 0; i < QUOTED_ERRORS; i++)
		finding_quote(check, f, host, source_of_error(trial->ping, i));
	finding_quote(check, f, host, source_of_reply(trial->ping));
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

static bool answers_from_bridge(const struct ping *ping, const struct path *path)
{
	return ping != NULL && ping->n_errors > 0 && path->route != NULL &&
	       prefix_contains_ip(&path->route->dst, &ping->errors[0].from);
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

/* What speaks for and against it, beside the route. */
static const char *aside(struct check *check, size_t h, const struct sight *sight)
{
	const struct path *path = sight->shadow;
	const struct ping *ping = sight_trial(sight, path)->ping;
	const char *text = "", *name = check_name(check, h);
	char ip[IP_TEXT_SIZE];

	if (answers_from_bridge(ping, path))
		text = arena_printf(check->arena,
		    " The ping errors come from %s, which is %s's own side of the bridge.",
		    ip_format(&ping->errors[0].from, ip), name);
	if (sight_answers_beside(sight, path))
		text = arena_printf(check->arena,
		    "%s The name has other addresses, which answer: clients fail some of the time.",
		    text);
	if (path->uncertain)
		text = arena_printf(check->arena,
		    "%s Not every route and rule there is known, so another may decide: ask `ip "
		    "route get` there.",
		    text);
	if (is_unlisted(check, h, path))
		text = arena_printf(check->arena,
		    "%s This contradicts docker's own list there, which has no network of bridge %s: "
		    "one of the two is older, or the bridge was left over.",
		    text, path->dev);
	return text;
}

static void explain(struct check *check, struct finding *f, size_t h, const struct sight *sight,
    const struct sought *sought)
{
	const struct path *path = sight->shadow;
	const struct host *host = check->hosts[h];
	const char *owner = path_owner_text(check->arena, host, path->dev);

	f->summary = summary_of(check, f, owner, path);
	f->why = arena_printf(check->arena, "%s is %s. %s%s%s", f->target, f->address,
	    chain_of(check, host, path, owner), check_peers_text(check, sought),
	    aside(check, h, sight));
}

/* Does the host hold it against this target, and no finding says so yet? */
static bool is_open(const struct check *check, size_t t, size_t h, const bool *done)
{
	return check_sight(check, h, t)->shadow != NULL && !done[t * check->n + h];
}

/* Do the finding's hosts, and only they, lose this target as well, by the same cause? */
static bool loses_as_well(
    const struct check *check, const struct finding *f, size_t t, const bool *done)
{
	const struct path *first = check_sight(check, f->places[0], t)->shadow;
	size_t n = 0;

	for (size_t h = 0; h < check->n && first != NULL; h++) {
		if (!is_open(check, t, h, done) ||
		    !same_fault(first, check_sight(check, h, t)->shadow))
			continue;
		if (n == f->n_hosts || f->places[n++] != h)
			return false;
	}
	return n == f->n_hosts;
}

/* One cause is one finding: the other targets that it takes are named with the first. */
static void add_targets(struct check *check, struct finding *f, size_t lead, bool *done)
{
	const struct path *path = check_sight(check, f->places[0], lead)->shadow;
	char text[IP_TEXT_SIZE];

	for (size_t t = 0; t < check->run->meta.n_targets; t++) {
		const struct path *other = check_sight(check, f->places[0], t)->shadow;
		if (other == NULL || path->local || !same_cause(path, other) ||
		    !loses_as_well(check, f, t, done))
			continue;
		for (size_t i = 0; i < f->n_hosts; i++)
			done[t * check->n + f->places[i]] = true;
		quote_host(check, f, f->places[0], check_sight(check, f->places[0], t));
		f->summary = arena_printf(check->arena, "%s; and those for %s (%s)", f->summary,
		    check->run->meta.targets[t].text, ip_format(&other->address, text));
		finding_add_fix(check, f, "$ ip route get %s", text);
	}
}

static void report(struct check *check, size_t t, size_t first, bool *done)
{
	const struct sight *sight = check_sight(check, first, t);
	const struct path *path = sight->shadow;
	const struct sought *sought = check_peers(check, t, &path->address);
	struct finding *f =
	    finding_add(check, "target-shadowed", severity_of(check, sight), CONFIDENCE_POSSIBLE);
	char text[PREFIX_TEXT_SIZE];

	f->target = check->run->meta.targets[t].text;
	f->address = arena_dup(check->arena, ip_format(&path->address, text));
	if (path->route != NULL && !path->local)
		f->prefix = arena_dup(check->arena, prefix_format(&path->route->dst, text));
	for (size_t h = 0; h < check->n; h++) {
		const struct sight *other = check_sight(check, h, t);
		if (!is_open(check, t, h, done) || !same_fault(path, other->shadow))
			continue;
		enum confidence confidence = confidence_of(check, h, other);
		done[t * check->n + h] = true;
		finding_add_host(check, f, h);
		f->confidence = confidence > f->confidence ? confidence : f->confidence;
		if (f->n_hosts <= QUOTED_HOSTS)
			quote_host(check, f, h, other);
	}
	finding_quote_peers(check, f, sought);
	explain(check, f, first, sight, sought);
	add_fix(check, f, check->hosts[first], path, &sought->gateway);
	add_targets(check, f, t, done);
}

void rule_target_shadowed(struct check *check)
{
	size_t targets = check->run->meta.n_targets;
	bool *done = arena_alloc(check->arena, targets * check->n * sizeof *done);

	for (size_t t = 0; t < targets; t++)
		mark(check, t);
	/* The worst first, which the others are told with. */
	for (int severity = SEVERITY_CRITICAL; severity > SEVERITY_NONE; severity--) {
		for (size_t i = 0; i < targets * check->n; i++) {
			size_t t = i / check->n, h = i % check->n;
			if (is_open(check, t, h, done) &&
			    severity_of(check, check_sight(check, h, t)) == (enum severity)severity)
				report(check, t, h, done);
		}
	}
}
