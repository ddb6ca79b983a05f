#include "oddhost/check/rules.h"
#include "oddhost/check/subnets.h"

#include <string.h>

#define QUOTED 8

/* Of fc00::/7 each site has a /48 of its own, by chance (RFC 4193, 3.2): to share the /7 is
 * nothing. */
static bool find_block(const struct ip *ip, struct prefix *ret)
{
	const struct prefix *block = prefix_private_block(ip);

	if (block == NULL)
		return false;
	*ret = ip->family == IP_V6 ? prefix_of_ip(ip, 48) : *block;
	return true;
}

/* Whose address in this block is known: a target's, or the LAN that leads to the gateway. */
static bool find_owner(
    const struct check *check, size_t h, const struct prefix *block, const char **ret_whose)
{
	const struct host *host = check->hosts[h];
	char text[PREFIX_TEXT_SIZE];

	for (size_t t = 0; t < check->run->meta.n_targets; t++) {
		const struct sight *sight = check_sight(check, h, t);
		for (size_t i = 0; i < sight->n_paths; i++) {
			if (!prefix_contains_ip(block, &sight->paths[i].address))
				continue;
			*ret_whose =
			    arena_printf(check->arena, "%s (%s)", check->run->meta.targets[t].text,
				ip_format(&sight->paths[i].address, text));
			return true;
		}
	}
	for (size_t i = 0; i < host->routes.n; i++) {
		const struct route *route = &host->routes.v[i];
		if (route_is_on_link(route) && route->dst.len > 0 && route->dst.len < 32 &&
		    host_virtual_owner(host, route->dev) == NULL &&
		    prefix_contains(block, &route->dst)) {
			*ret_whose = arena_printf(check->arena, "the hosts' own network %s",
			    prefix_format(&route->dst, text));
			return true;
		}
	}
	return false;
}

/* A subnet that holds a target's address is no matter of blocks: it was judged by that address. */
static bool holds_target(const struct check *check, const struct prefix *subnet)
{
	for (size_t i = 0; i < check->n_sought; i++) {
		if (prefix_contains_ip(subnet, &check->sought[i].address))
			return true;
	}
	return false;
}

static struct finding *finding_of_block(
    struct check *check, size_t first, const struct prefix *block, const char *whose)
{
	struct diagnosis *d = check->diagnosis;
	char text[PREFIX_TEXT_SIZE];

	prefix_format(block, text);
	for (size_t i = first; i < d->n_findings; i++) {
		if (strcmp(d->findings[i].prefix, text) == 0)
			return &d->findings[i];
	}
	struct finding *f =
	    finding_add(check, "shared-private-block", SEVERITY_LOW, CONFIDENCE_POSSIBLE);
	f->prefix = arena_dup(check->arena, text);
	f->why = arena_printf(check->arena,
	    "Containers here take subnets out of %s, the private block of %s. No prefix is reserved in "
	    "the inventory, so it is not known which part of the block belongs to the cloud's network; "
	    "a service that moves into one of these subnets cannot be reached from that host.",
	    f->prefix, whose);
	f->summary = arena_printf(check->arena,
	    "containers have subnets in %s, the private block of %s", f->prefix, whose);
	finding_add_fix(check, f,
	    "Ask for the VPC's prefixes and set oddhost_reserved in the inventory, for example: "
	    "oddhost_reserved=%s=vpc",
	    f->prefix);
	return f;
}

void rule_shared_private_block(struct check *check)
{
	size_t first = check->diagnosis->n_findings;

	if (check->run->meta.n_reserved > 0)
		return;
	for (size_t h = 0; h < check->n; h++) {
		const struct container_subnet *subnets;
		size_t n = subnets_of_place(check, h, &subnets);
		struct finding *last = NULL;
		for (size_t i = 0; i < n; i++) {
			struct prefix block;
			const char *whose;
			if (!find_block(&subnets[i].prefix.ip, &block) ||
			    holds_target(check, &subnets[i].prefix) ||
			    !find_owner(check, h, &block, &whose))
				continue;
			struct finding *f = finding_of_block(check, first, &block, whose);
			if (f != last)
				finding_add_host(check, f, h);
			last = f;
			if (f->n_evidence < QUOTED)
				finding_quote(check, f, check->hosts[h], subnets[i].source);
		}
	}
	findings_lead_with_hosts(check, first);
}
