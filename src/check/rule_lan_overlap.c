#include "oddhost/check/fix.h"
#include "oddhost/check/rules.h"
#include "oddhost/check/subnets.h"

#include <stdlib.h>
#include <string.h>

#define QUOTED_HOSTS 8
#define LANS_KEPT 1024 /* distinct networks of a group: a few, or one a zone */

/* An address that hosts of the group have on a real interface. */
struct member {
	struct ip ip;
	size_t host;
};

/* What a container subnet may lie on. */
struct lans {
	struct member *members; /* by address */
	size_t n_members;
	struct prefix *v; /* the networks that hosts are directly in, each once */
	size_t n;
	bool bastion_known;
	struct ip bastion;
};

/* The worst that one subnet does to one host. */
struct harm {
	enum severity severity; /* NONE: nothing */
	const char *what;       /* "the address of h2 (10.1.0.12)" */
	struct source source;
};

/* On-link through an interface that may lead to the real network. */
static bool is_lan(const struct host *host, const struct route *route)
{
	static const struct prefix link_local[] = {
	    {{IP_V6, {0xfe, 0x80}}, 10}, {{IP_V4, {169, 254}}, 16}};

	return route->type == ROUTE_UNICAST && route->gateway.family == IP_NONE &&
	       route->dev != NULL && route->dst.len > 0 && strcmp(route->dev, "lo") != 0 &&
	       strcmp(route->table, "local") != 0 && host_virtual_owner(host, route->dev) == NULL &&
	       !prefix_contains(&link_local[0], &route->dst) &&
	       !prefix_contains(&link_local[1], &route->dst) && !prefix_is_multicast(&route->dst);
}

static int by_address(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int order = ip_cmp(&x->ip, &y->ip);

	return order != 0 ? order : (x->host > y->host) - (x->host < y->host);
}

static void keep_lan(struct check *check, struct lans *lans, const struct prefix *lan, size_t *cap)
{
	for (size_t i = 0; i < lans->n; i++) {
		if (prefix_equal(&lans->v[i], lan))
			return;
	}
	if (lans->n == LANS_KEPT)
		return;
	lans->v = arena_grow(check->arena, lans->v, lans->n, cap, sizeof *lans->v);
	lans->v[lans->n++] = *lan;
}

static void add_member(
    struct check *check, struct lans *lans, size_t *cap, const struct ip *ip, size_t host)
{
	if (ip->family == IP_NONE || ip_is_loopback(ip))
		return;
	lans->members =
	    arena_grow(check->arena, lans->members, lans->n_members, cap, sizeof *lans->members);
	lans->members[lans->n_members++] = (struct member){*ip, host};
}

static struct lans collect(struct check *check)
{
	struct lans lans = {0};
	size_t cap = 0, cap_members = 0;
	struct ip ip;

	for (size_t h = 0; h < check->n; h++) {
		const struct host *host = check->hosts[h];
		for (size_t i = 0; i < host->routes.n; i++) {
			const struct route *route = &host->routes.v[i];
			if (!is_lan(host, route))
				continue;
			keep_lan(check, &lans, &route->dst, &cap);
			add_member(check, &lans, &cap_members, &route->src, h);
		}
		for (size_t i = 0; i < host->n_addresses; i++) {
			if (host_virtual_owner(host, host->addresses[i].dev) == NULL)
				add_member(check, &lans, &cap_members, &host->addresses[i].ip, h);
		}
		if (host->record->address != NULL && ip_parse(view_of(host->record->address), &ip))
			add_member(check, &lans, &cap_members, &ip, h);
	}
	if (lans.n_members > 1)
		qsort(lans.members, lans.n_members, sizeof *lans.members, by_address);
	const char *bastion = check->run->meta.bastion;
	lans.bastion_known = bastion != NULL && ip_parse(view_of(bastion), &lans.bastion) &&
			     !ip_is_loopback(&lans.bastion);
	return lans;
}

static void worsen(struct harm *harm, enum severity severity, const char *what)
{
	if (severity > harm->severity)
		*harm = (struct harm){severity, what, {0}};
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
    struct check *check, size_t h, const struct container_subnet *subnet, struct harm *harm)
{
	const struct host *host = check->hosts[h];
	char text[PREFIX_TEXT_SIZE];

	for (size_t i = 0; i < host->routes.n; i++) {
		const struct route *route = &host->routes.v[i];
		if (!is_lan(host, route) || !prefix_overlaps(&route->dst, &subnet->prefix))
			continue;
		bool takes = route->dst.len <= subnet->prefix.len;
		worsen(harm, takes ? SEVERITY_HIGH : SEVERITY_LOW,
		    arena_printf(check->arena, "the host's own network %s",
			prefix_format(&route->dst, text)));
	}
}

static void look_at_peers(struct check *check, size_t h, const struct lans *lans,
    const struct container_subnet *subnet, struct harm *harm)
{
	size_t low = 0, high = lans->n_members;
	char text[PREFIX_TEXT_SIZE];

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (ip_cmp(&lans->members[middle].ip, &subnet->prefix.ip) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < lans->n_members; low++) {
		const struct member *member = &lans->members[low];
		if (!prefix_contains_ip(&subnet->prefix, &member->ip))
			break;
		if (member->host == h)
			continue;
		worsen(harm,
		    goes_inside(check->hosts[h], subnet, &member->ip) ? SEVERITY_HIGH
								      : SEVERITY_LOW,
		    arena_printf(check->arena, "the address of %s (%s)",
			check_name(check, member->host), ip_format(&member->ip, text)));
		if (harm->severity == SEVERITY_HIGH)
			return;
	}
	for (size_t i = 0; i < lans->n; i++) {
		if (prefix_overlaps(&lans->v[i], &subnet->prefix))
			worsen(harm, SEVERITY_LOW,
			    arena_printf(check->arena, "a network that other hosts are in, %s",
				prefix_format(&lans->v[i], text)));
	}
}

/*
 * A nameserver in a container is a usual thing. It is another one that is meant where names do not
 * resolve, or where peers have the same nameserver out on the real network.
 */
static bool is_outside(const struct check *check, size_t h, const struct ip *nameserver)
{
	const struct host *host = check->hosts[h];

	for (size_t i = 0; i < host->n_resolutions; i++) {
		if (host->resolutions[i].failed)
			return true;
	}
	for (size_t p = 0; p < check->n; p++) {
		const struct host *peer = check->hosts[p];
		for (size_t i = 0; p != h && i < peer->n_nameservers; i++) {
			if (!ip_equal(&peer->nameservers[i].ip, nameserver))
				continue;
			struct path path = path_of(peer, "", nameserver);
			if (path_leaves(&path))
				return true;
		}
	}
	return false;
}

static void look_at_nameservers(
    struct check *check, size_t h, const struct container_subnet *subnet, struct harm *harm)
{
	const struct host *host = check->hosts[h];
	char text[IP_TEXT_SIZE];

	for (size_t i = 0; i < host->n_nameservers; i++) {
		const struct ip *ip = &host->nameservers[i].ip;
		if (!prefix_contains_ip(&subnet->prefix, ip) || host_owns(host, ip) ||
		    host_dev_of_own(host, ip) != NULL || !goes_inside(host, subnet, ip) ||
		    !is_outside(check, h, ip))
			continue;
		worsen(harm, SEVERITY_HIGH,
		    arena_printf(check->arena, "the nameserver %s", ip_format(ip, text)));
		harm->source = (struct source){host->nameservers_source, host->nameservers[i].line};
	}
}

/* We were let in, so the answers came back by some way; a deploy can change that. */
static void look_at_bastion(struct check *check, const struct lans *lans,
    const struct container_subnet *subnet, struct harm *harm)
{
	char text[IP_TEXT_SIZE];

	if (lans->bastion_known && prefix_contains_ip(&subnet->prefix, &lans->bastion))
		worsen(harm, SEVERITY_MEDIUM,
		    arena_printf(check->arena, "the address %s that this host was examined from",
			ip_format(&lans->bastion, text)));
}

static struct finding *find(
    struct check *check, size_t first, const char *prefix, const char *summary)
{
	for (size_t i = first; i < check->diagnosis->n_findings; i++) {
		struct finding *f = &check->diagnosis->findings[i];
		if (strcmp(f->prefix, prefix) == 0 && strcmp(f->summary, summary) == 0)
			return f;
	}
	return NULL;
}

static void explain(struct check *check, struct finding *f, const struct host *host,
    const struct container_subnet *subnet, const struct harm *harm)
{
	bool harmless = harm->severity == SEVERITY_LOW;

	f->why = arena_printf(check->arena, "%s holds %s, which overlaps %s. %s",
	    subnet_owner_text(check->arena, host, subnet), f->prefix, harm->what,
	    harmless
		? "No packet goes the wrong way today: another route wins, or nobody is there. "
		  "A new host, or the next deploy, may change that."
		: "Packets for these addresses go to the host's own containers: who stands there "
		  "gets no answer from this host, and the host may be the next to vanish.");
	fix_move_network(check, f, host, subnet->dev, subnet->network,
	    arena_printf(check->arena, "%s", harm->what));
	finding_add_fix(check, f, "Verify: no route may lie in %s:", f->prefix);
	finding_add_fix(check, f, "$ ip route show root %s", f->prefix);
}

static void look_at(struct check *check, size_t first, const struct lans *lans, size_t h,
    const struct container_subnet *subnet)
{
	const struct host *host = check->hosts[h];
	struct harm harm = {0};
	char text[PREFIX_TEXT_SIZE];

	look_at_own(check, h, subnet, &harm);
	look_at_peers(check, h, lans, subnet, &harm);
	look_at_nameservers(check, h, subnet, &harm);
	look_at_bastion(check, lans, subnet, &harm);
	if (harm.severity == SEVERITY_NONE || check_shadowed(check, h, &subnet->prefix))
		return;
	prefix_format(&subnet->prefix, text);
	const char *summary = arena_printf(check->arena, "%s holds %s, which overlaps %s",
	    subnet_owner_text(check->arena, host, subnet), text, harm.what);
	struct finding *f = find(check, first, text, summary);
	if (f == NULL) {
		f = finding_add(check, "lan-overlap", harm.severity, CONFIDENCE_CERTAIN);
		f->prefix = arena_dup(check->arena, text);
		f->summary = summary;
		explain(check, f, host, subnet, &harm);
	}
	finding_add_host(check, f, h);
	if (f->n_hosts > QUOTED_HOSTS)
		return;
	finding_quote(check, f, host, subnet->source);
	finding_quote(check, f, host, harm.source);
}

void rule_lan_overlap(struct check *check)
{
	size_t first = check->diagnosis->n_findings;
	struct lans lans = collect(check);

	for (size_t h = 0; h < check->n; h++) {
		struct container_subnet *subnets;
		size_t n = subnets_of_host(check->arena, check->hosts[h], &subnets);
		for (size_t i = 0; i < n; i++)
			look_at(check, first, &lans, h, &subnets[i]);
	}
	findings_lead_with_hosts(check, first);
}
