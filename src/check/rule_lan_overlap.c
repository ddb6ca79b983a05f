#include "oddhost/check/lans.h"
#include "oddhost/check/overlap.h"
#include "oddhost/check/rules.h"

#include <string.h>

#define SOURCED 16       /* of a host's subnets: few are quoted */
#define ROUTED_MOST 1024 /* networks in one subnet that are looked at */

/* What a container subnet may lie on, of the group and of one host. */
struct scene {
	struct check *check;
	const struct lans *lans;
	bool bastion_known;
	struct ip bastion;
	size_t host;
	struct prefix_set own;    /* networks that the host is in */
	struct prefix_set routed; /* networks that it reaches by a gateway */
};

enum harm_kind {
	HARM_OWN,
	HARM_MEMBER,
	HARM_NETWORK,
	HARM_ROUTED,
	HARM_PART, /* of what is routed */
	HARM_ROUTED_BY_PEERS,
	HARM_NAMESERVER,
	HARM_BASTION,
};

/* The worst that one subnet does to one host. */
struct harm {
	enum severity severity; /* NONE: nothing */
	enum harm_kind kind;
	struct prefix prefix; /* what it lies on; of an address, all of its bits */
	size_t host;          /* whose that is */
	struct source source;
};

static void worsen(struct harm *harm, enum severity severity, enum harm_kind kind,
    const struct prefix *prefix, size_t host)
{
	if (severity > harm->severity)
		*harm = (struct harm){severity, kind, *prefix, host, {0}};
}

/* Do the host's packets for the address go into the subnet's own bridge? */
static bool goes_inside(
    const struct host *host, const struct container_subnet *subnet, const struct ip *ip)
{
	struct path path = path_of(host, "", ip);

	return path.known && path.reason == LOOKUP_FOUND && path.gateway.family == IP_NONE &&
	       path.dev != NULL && subnet->dev != NULL && strcmp(path.dev, subnet->dev) == 0;
}

/* The longest prefix wins: a subnet that is wider than the host's own network takes nothing of it.
 */
static void look_at_own(
    const struct scene *scene, const struct container_subnet *subnet, struct harm *harm)
{
	const struct prefix *own = prefix_set_overlapping(&scene->own, &subnet->prefix);

	if (own != NULL)
		worsen(harm, own->len <= subnet->prefix.len ? SEVERITY_HIGH : SEVERITY_LOW,
		    HARM_OWN, own, scene->host);
}

/*
 * The peers' addresses in the subnet. Those from one edge of the host's routes to the next go the
 * same way, so that a LAN of thousands is asked about once.
 */
static void look_at_members(
    const struct scene *scene, const struct container_subnet *subnet, struct harm *harm)
{
	const struct host *host = scene->check->hosts[scene->host];
	const struct member_list *members = &scene->lans->members;
	size_t i = lans_find(members, &subnet->prefix.ip);
	struct ip edge;

	while (i < members->n && prefix_contains_ip(&subnet->prefix, &members->v[i].ip)) {
		const struct member *member = &members->v[i++];
		if (member->host == scene->host)
			continue;
		bool inside = goes_inside(host, subnet, &member->ip);
		struct prefix address = prefix_of_ip(&member->ip, 128);
		worsen(harm, inside ? SEVERITY_HIGH : SEVERITY_LOW, HARM_MEMBER, &address,
		    member->host);
		const struct rule_list *rules =
		    member->ip.family == IP_V4 ? &host->rules : &host->rules6;
		if (inside || !route_next_edge(&host->routes, rules, &member->ip, &edge))
			break;
		i = lans_find(members, &edge);
	}
	const struct prefix *network =
	    prefix_set_overlapping(&scene->lans->networks, &subnet->prefix);
	if (network != NULL)
		worsen(harm, SEVERITY_LOW, HARM_NETWORK, network, scene->host);
}

/*
 * A network that somebody set a route for is meant to be reached. Where the subnet is all of it and
 * wins, it is cut off; a part of it may be meant to be on this host, as the pods of a node are.
 */
static void look_at_routed(
    const struct scene *scene, const struct container_subnet *subnet, struct harm *harm)
{
	const struct prefix *routed = prefix_set_within(&scene->routed, &subnet->prefix);

	if (routed != NULL) {
		bool takes = prefix_equal(routed, &subnet->prefix) &&
			     goes_inside(scene->check->hosts[scene->host], subnet, &routed->ip);
		worsen(
		    harm, takes ? SEVERITY_HIGH : SEVERITY_LOW, HARM_ROUTED, routed, scene->host);
		return;
	}
	routed = prefix_set_overlapping(&scene->routed, &subnet->prefix);
	if (routed != NULL && strcmp(subnet->owner, "cni") != 0)
		worsen(harm, SEVERITY_LOW, HARM_PART, routed, scene->host);
}

/* The same of what only peers have a route to: medium where two thirds of them do. */
static void look_at_peers_routed(
    const struct scene *scene, const struct container_subnet *subnet, struct harm *harm)
{
	const struct lans *lans = scene->lans;
	const struct routed *most = NULL;
	size_t i = lans_find_routed(lans, &subnet->prefix);

	for (size_t n = 0; n < ROUTED_MOST && i < lans->n_routed; n++, i++) {
		const struct routed *r = &lans->routed[i];
		if (!prefix_contains(&subnet->prefix, &r->prefix))
			break;
		if ((r->host != scene->host || r->hosts > 1) &&
		    (most == NULL || r->hosts > most->hosts))
			most = r;
	}
	if (most == NULL || prefix_set_within(&scene->routed, &most->prefix) != NULL ||
	    !goes_inside(scene->check->hosts[scene->host], subnet, &most->prefix.ip))
		return;
	bool usual = most->hosts > 1 && 3 * most->hosts >= 2 * (lans->hosts - 1);
	worsen(harm, usual ? SEVERITY_MEDIUM : SEVERITY_LOW, HARM_ROUTED_BY_PEERS, &most->prefix,
	    most->host);
}

/*
 * A nameserver in a container is a usual thing. It is another one that is meant where names do not
 * resolve, or where peers have the same nameserver out on the real network.
 */
static bool is_outside(const struct scene *scene, const struct ip *nameserver)
{
	const struct host *host = scene->check->hosts[scene->host];
	const struct member_list *list = &scene->lans->nameservers;

	for (size_t i = 0; i < host->n_resolutions; i++) {
		if (host->resolutions[i].failed)
			return true;
	}
	for (size_t i = lans_find(list, nameserver);
	     i < list->n && ip_equal(&list->v[i].ip, nameserver); i++) {
		if (list->v[i].host != scene->host)
			return true;
	}
	return false;
}

static void look_at_nameservers(
    const struct scene *scene, const struct container_subnet *subnet, struct harm *harm)
{
	const struct host *host = scene->check->hosts[scene->host];

	for (size_t i = 0; i < host->n_nameservers && i < LANS_NAMESERVERS; i++) {
		const struct ip *ip = &host->nameservers[i].ip;
		if (harm->severity >= SEVERITY_HIGH || !prefix_contains_ip(&subnet->prefix, ip) ||
		    host_owns(host, ip) || host_dev_of_own(host, ip) != NULL ||
		    !goes_inside(host, subnet, ip) || !is_outside(scene, ip))
			continue;
		struct prefix address = prefix_of_ip(ip, 128);
		worsen(harm, SEVERITY_HIGH, HARM_NAMESERVER, &address, scene->host);
		harm->source = (struct source){host->nameservers_source, host->nameservers[i].line};
	}
}

/* We were let in, so the answers came back by some way; a deploy can change that. */
static void look_at_bastion(
    const struct scene *scene, const struct container_subnet *subnet, struct harm *harm)
{
	struct prefix address = prefix_of_ip(&scene->bastion, 128);

	if (scene->bastion_known && prefix_contains_ip(&subnet->prefix, &scene->bastion))
		worsen(harm, SEVERITY_MEDIUM, HARM_BASTION, &address, scene->host);
}

/* "the address of h2 (10.1.0.12)" */
static const char *harm_text(struct check *check, const struct harm *harm)
{
	char prefix[PREFIX_TEXT_SIZE], ip[IP_TEXT_SIZE];
	struct arena *arena = check->arena;

	prefix_format(&harm->prefix, prefix);
	ip_format(&harm->prefix.ip, ip);
	switch (harm->kind) {
	case HARM_OWN:
		return arena_printf(arena, "the host's own network %s", prefix);
	case HARM_MEMBER:
		return arena_printf(
		    arena, "the address of %s (%s)", check_name(check, harm->host), ip);
	case HARM_NETWORK:
		return arena_printf(arena, "a network that other hosts are in, %s", prefix);
	case HARM_ROUTED:
	case HARM_PART:
		return arena_printf(arena, "%s, which the host reaches by a gateway", prefix);
	case HARM_ROUTED_BY_PEERS:
		return arena_printf(arena, "%s, which %s reaches by a gateway", prefix,
		    check_name(check, harm->host));
	case HARM_NAMESERVER:
		return arena_printf(arena, "the nameserver %s", ip);
	case HARM_BASTION:
		break;
	}
	return arena_printf(arena, "the address %s that this host was examined from", ip);
}

static const char *why_text(const struct harm *harm)
{
	if (harm->kind == HARM_PART)
		return "Somebody set a route for that network, and the host does not follow it for "
		       "the addresses that its containers have taken. They may be meant to be here; "
		       "else whoever has one of them gets no answer from this host.";
	if (harm->severity == SEVERITY_LOW && harm->kind != HARM_ROUTED_BY_PEERS)
		return "No packet goes the wrong way today: another route wins, or nobody is "
		       "there. A new host, or the next deploy, may change that.";
	return "Packets for these addresses go to the host's own containers: who stands there gets "
	       "no answer from this host, and the host may be the next to vanish.";
}

/* The line of a network of the host's own, or of one that it has a route to. */
static struct source source_of(const struct host *host, const struct harm *harm)
{
	bool own = harm->kind == HARM_OWN,
	     routed = harm->kind == HARM_ROUTED || harm->kind == HARM_PART;

	for (size_t i = 0; (own || routed) && i < host->routes.n; i++) {
		const struct route *route = &host->routes.v[i];
		if (prefix_equal(&route->dst, &harm->prefix) &&
		    (own ? lans_is_lan(host, route) : lans_is_routed(host, route)))
			return source_of_route(host, route);
	}
	return harm->source;
}

static void look_at(
    const struct scene *scene, const struct container_subnet *subnet, struct overlap_list *list)
{
	static const char *const kinds[] = {
	    "own", "member", "network", "routed", "part", "by peers", "nameserver", "bastion"};
	struct check *check = scene->check;
	struct harm harm = {0};

	look_at_own(scene, subnet, &harm);
	look_at_members(scene, subnet, &harm);
	if (check_reserved_overlapping(check, &subnet->prefix) == NULL) {
		look_at_routed(scene, subnet, &harm);
		look_at_peers_routed(scene, subnet, &harm);
	}
	look_at_nameservers(scene, subnet, &harm);
	look_at_bastion(scene, subnet, &harm);
	if (harm.severity == SEVERITY_NONE || check_shadowed(check, scene->host, &subnet->prefix))
		return;
	const char *what = harm_text(check, &harm);
	*overlap_list_add(check, list) = (struct overlap){
	    .subnet = *subnet,
	    .severity = harm.severity,
	    .confidence = CONFIDENCE_CERTAIN,
	    .relation = "overlapping",
	    .what = what,
	    .kind = kinds[harm.kind],
	    .tail = "",
	    .why = why_text(&harm),
	    .clear_of = what,
	    .source = list->n < SOURCED ? source_of(check->hosts[scene->host], &harm)
					: (struct source){0},
	};
}

/* What the host's subnets are held against beside the group's networks. */
static void look_at_host(struct scene *scene, size_t h)
{
	const struct host *host = scene->check->hosts[h];

	scene->host = h;
	scene->own = scene->routed = (struct prefix_set){.arena = scene->check->arena};
	for (size_t i = 0; i < host->routes.n; i++) {
		const struct route *route = &host->routes.v[i];
		if (lans_is_lan(host, route))
			prefix_set_add(&scene->own, &route->dst);
		else if (lans_is_routed(host, route))
			prefix_set_add(&scene->routed, &route->dst);
	}
	prefix_set_sort(&scene->own);
	prefix_set_sort(&scene->routed);
}

void rule_lan_overlap(struct check *check)
{
	struct lans lans = lans_of(check);
	struct scene scene = {.check = check, .lans = &lans};
	const char *bastion = check->run->meta.bastion;
	struct overlaps overlaps;

	scene.bastion_known = bastion != NULL && ip_parse(view_of(bastion), &scene.bastion) &&
			      !ip_is_loopback(&scene.bastion);
	overlaps_begin(&overlaps, check, "lan-overlap");
	for (size_t h = 0; h < check->n; h++) {
		const struct container_subnet *subnets;
		struct overlap_list list = {0};
		size_t n = subnets_of_place(check, h, &subnets);
		look_at_host(&scene, h);
		for (size_t i = 0; i < n; i++)
			look_at(&scene, &subnets[i], &list);
		overlaps_add_host(&overlaps, h, &list);
	}
	overlaps_end(&overlaps);
}
