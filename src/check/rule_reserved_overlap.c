#include "oddhost/check/needs.h"
#include "oddhost/check/overlap.h"
#include "oddhost/check/rules.h"

#include <string.h>

/*
 * An address by which another host knows a target, inside this subnet; or NULL. Where the host
 * itself does, the path to it was judged already.
 */
static const struct sought *held_target(const struct check *check, const struct prefix *prefix)
{
	for (size_t i = 0; i < check->n_sought; i++) {
		const struct sought *s = &check->sought[i];
		if (s->first_peer < check->n && prefix_contains_ip(prefix, &s->address))
			return s;
	}
	return NULL;
}

/* What the subnet collides with; false: nothing. */
static bool find_claim(struct check *check, const struct prefix *prefix, struct overlap *ret)
{
	const struct reserved *r = check_reserved_overlapping(check, prefix);
	const struct sought *s = r != NULL ? NULL : held_target(check, prefix);
	char text[PREFIX_TEXT_SIZE];

	if (r != NULL) {
		prefix_format(&r->prefix, text);
		ret->relation = prefix_contains(prefix, &r->prefix) ? "covering" : "inside";
		ret->what =
		    need_text(check->arena, &(struct need){r->prefix, NEED_RESERVED, r->name});
	} else if (s != NULL) {
		ip_format(&s->address, text);
		ret->relation = "covering";
		ret->target = check->run->meta.targets[s->target].text;
		ret->address = arena_dup(check->arena, text);
		ret->what = arena_printf(check->arena, "the address of %s", ret->target);
	} else {
		return false;
	}
	ret->clear_of = arena_dup(check->arena, text);
	return true;
}

static void look_at(
    struct check *check, size_t h, const struct container_subnet *subnet, struct overlap_list *list)
{
	struct overlap overlap = {
	    .subnet = *subnet,
	    .severity = SEVERITY_HIGH,
	    .confidence = CONFIDENCE_CERTAIN,
	    .tail = ": the same fault is waiting",
	    .why = "Nothing fails yet. As soon as something that these hosts need gets an address "
		   "in there, they look for it among their own containers and cannot reach it.",
	};

	if (check_shadowed(check, h, &subnet->prefix) ||
	    !find_claim(check, &subnet->prefix, &overlap))
		return;
	overlap.kind = overlap.what;
	*overlap_list_add(check, list) = overlap;
}

/* The host's own packets are not concerned. */
static void look_within(
    struct check *check, const struct container_subnet *subnet, struct overlap_list *list)
{
	struct overlap overlap = {
	    .subnet = *subnet,
	    .severity = SEVERITY_HIGH,
	    .confidence = CONFIDENCE_CERTAIN,
	    .tail = ": its containers cannot reach what is there",
	    .why = "The host itself has no route to that network, and reaches these addresses as "
		   "its peers do. But for the containers on it they are on-link: those look for "
		   "them among themselves, and get no answer.",
	};

	if (!find_claim(check, &subnet->prefix, &overlap))
		return;
	overlap.kind = arena_printf(check->arena, "within %s", overlap.what);
	*overlap_list_add(check, list) = overlap;
}

void rule_reserved_overlap(struct check *check)
{
	struct overlaps overlaps;

	overlaps_begin(&overlaps, check, "reserved-overlap");
	for (size_t h = 0; h < check->n; h++) {
		const struct container_subnet *subnets;
		struct container_subnet *within;
		struct overlap_list list = {0};
		size_t n = subnets_of_place(check, h, &subnets);
		for (size_t i = 0; i < n; i++)
			look_at(check, h, &subnets[i], &list);
		n = subnets_within_containers(check->arena, check->hosts[h], &within);
		for (size_t i = 0; i < n; i++)
			look_within(check, &within[i], &list);
		overlaps_add_host(&overlaps, h, &list);
	}
	overlaps_end(&overlaps);
}
