#include "oddhost/check/fix.h"
#include "oddhost/check/rules.h"
#include "oddhost/check/subnets.h"

#include <string.h>

#define QUOTED_HOSTS 8

/* What a container subnet must not touch: a reserved prefix, or an address that serves a target. */
struct claimed {
	struct prefix prefix;
	const char *name;   /* of the reserved prefix, or the target */
	const char *target; /* NULL for a reserved prefix */
	bool covers;
};

/*
 * Does another host know a target by an address inside this subnet? Where the host itself does, the
 * path to it was judged already.
 */
static bool holds_target(
    const struct check *check, const struct prefix *prefix, struct claimed *ret, struct ip *address)
{
	for (size_t i = 0; i < check->n_sought; i++) {
		const struct sought *s = &check->sought[i];
		if (s->first_peer == check->n || !prefix_contains_ip(prefix, &s->address))
			continue;
		const char *target = check->run->meta.targets[s->target].text;
		*address = s->address;
		*ret = (struct claimed){*prefix, target, target, true};
		return true;
	}
	return false;
}

static bool overlaps_reserved(
    const struct check *check, const struct prefix *prefix, struct claimed *ret)
{
	for (size_t i = 0; i < check->run->meta.n_reserved; i++) {
		const struct reserved *r = &check->run->meta.reserved[i];
		if (prefix_overlaps(&r->prefix, prefix)) {
			*ret = (struct claimed){
			    r->prefix, r->name, NULL, prefix_contains(prefix, &r->prefix)};
			return true;
		}
	}
	return false;
}

/* One finding for a subnet and what it collides with; further hosts join it. */
static struct finding *find_or_add(
    struct check *check, size_t first, const char *prefix, const char *target, bool *ret_new)
{
	struct diagnosis *d = check->diagnosis;

	*ret_new = false;
	for (size_t i = first; i < d->n_findings; i++) {
		struct finding *f = &d->findings[i];
		if (strcmp(f->prefix, prefix) == 0 &&
		    (f->target == target ||
			(f->target && target && strcmp(f->target, target) == 0)))
			return f;
	}
	*ret_new = true;
	return finding_add(check, "reserved-overlap", SEVERITY_HIGH, CONFIDENCE_CERTAIN);
}

static const char *name_of(struct check *check, const struct claimed *claimed)
{
	char text[PREFIX_TEXT_SIZE];

	if (claimed->target != NULL)
		return arena_printf(check->arena, "the address of %s", claimed->target);
	return arena_printf(check->arena, "reserved %s%s%s%s",
	    prefix_format(&claimed->prefix, text), *claimed->name ? " (" : "", claimed->name,
	    *claimed->name ? ")" : "");
}

static void explain(struct check *check, struct finding *f, const struct host *host,
    const struct container_subnet *subnet, const struct claimed *claimed, const struct ip *address)
{
	const char *what = name_of(check, claimed);
	const char *owner = subnet_owner_text(check->arena, host, subnet);
	char text[IP_TEXT_SIZE], prefix[PREFIX_TEXT_SIZE];

	if (claimed->target != NULL)
		f->address = arena_dup(check->arena, ip_format(address, text));
	f->why = arena_printf(check->arena,
	    "%s holds %s, which %s %s. Nothing fails yet. As soon as something that these hosts need "
	    "gets an address in %s, they look for it among their own containers and cannot reach "
	    "it.",
	    owner, f->prefix, claimed->covers ? "covers" : "lies inside", what, f->prefix);
	fix_move_network(check, f, host, subnet->dev, subnet->network,
	    claimed->target != NULL ? f->address : prefix_format(&claimed->prefix, prefix));
	finding_add_fix(check, f, "Verify: no route may lie in %s:", f->prefix);
	finding_add_fix(check, f, "$ ip route show root %s", f->prefix);
}

static void look_at(
    struct check *check, size_t first, size_t h, const struct container_subnet *subnet)
{
	const struct host *host = check->hosts[h];
	struct claimed claimed;
	struct ip address = {0};
	char text[PREFIX_TEXT_SIZE];
	bool is_new;

	if (check_shadowed(check, h, &subnet->prefix) ||
	    (!overlaps_reserved(check, &subnet->prefix, &claimed) &&
		!holds_target(check, &subnet->prefix, &claimed, &address)))
		return;
	prefix_format(&subnet->prefix, text);
	struct finding *f = find_or_add(check, first, text, claimed.target, &is_new);
	if (is_new) {
		f->prefix = arena_dup(check->arena, text);
		f->target = claimed.target;
		explain(check, f, host, subnet, &claimed, &address);
		f->summary =
		    arena_printf(check->arena, "%s holds %s, %s %s: the same fault is waiting",
			subnet_owner_text(check->arena, host, subnet), f->prefix,
			claimed.covers ? "which covers" : "inside", name_of(check, &claimed));
	}
	finding_add_host(check, f, h);
	if (f->n_hosts > QUOTED_HOSTS)
		return;
	finding_quote(check, f, host, subnet->source);
	if (subnet->network != NULL)
		finding_quote(check, f, host, subnet->network->listed);
}

void rule_reserved_overlap(struct check *check)
{
	size_t first = check->diagnosis->n_findings;

	for (size_t h = 0; h < check->n; h++) {
		struct container_subnet *subnets;
		size_t n = subnets_of_host(check->arena, check->hosts[h], &subnets);
		for (size_t i = 0; i < n; i++)
			look_at(check, first, h, &subnets[i]);
	}
	findings_lead_with_hosts(check, first);
}
