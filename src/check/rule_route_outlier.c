#include "oddhost/check/rules.h"

#include <string.h>

#include "oddhost/check/facts.h"

#define QUOTED_HOSTS 4

/* One deviation, which several hosts may share, and the number of its finding. */
struct group {
	const struct difference *difference;
	size_t finding;
};

struct group_list {
	struct group *v;
	size_t n, cap;
};

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static const struct group *find_group(const struct group_list *list, const struct difference *d)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct difference *other = list->v[i].difference;
		if (other->facet == d->facet && strcmp(other->key, d->key) == 0 &&
		    same_text(other->value, d->value) && same_text(other->others, d->others))
			return &list->v[i];
	}
	return NULL;
}

/* Where the host lacks the route, the line of a host that has it is the evidence. */
static void quote_other(struct check *check, struct finding *f, const struct difference *d)
{
	for (size_t h = 0; h < check->n; h++) {
		const struct fact *fact = facts_find(&check->facts[h], d->facet, d->key);
		if (fact == NULL || d->others == NULL || strcmp(fact->value, d->others) != 0)
			continue;
		finding_quote(check, f, check->hosts[h], fact->source);
		return;
	}
}

static struct finding *add_group(
    struct check *check, struct group_list *list, const struct difference *d)
{
	bool is_default = strcmp(d->key, "default") == 0;
	const char *others = d->others != NULL ? d->others : "absent";

	list->v = arena_grow(check->arena, list->v, list->n, &list->cap, sizeof *list->v);
	list->v[list->n++] = (struct group){d, check->diagnosis->n_findings};
	struct finding *f = finding_add(check, "route-outlier",
	    is_default && d->facet == FACET_ROUTE ? SEVERITY_MEDIUM : SEVERITY_LOW,
	    CONFIDENCE_LIKELY);
	f->prefix = is_default ? NULL : d->key;
	f->summary = arena_printf(check->arena, "route %s is %s, against %s on the others", d->key,
	    d->value != NULL ? d->value : "absent", others);
	f->why = arena_printf(check->arena,
	    "%zu of %zu hosts have: %s. This route leads to a real network, not to containers, so "
	    "hosts that do the same work should agree on it.",
	    d->agree, d->compared, others);
	finding_add_fix(check, f,
	    "If it is not meant: see who sets it (netplan, cloud-init, a VPN) and align it with the "
	    "group.");
	return f;
}

static void report(
    struct check *check, struct group_list *list, size_t h, const struct difference *d)
{
	const struct group *group = find_group(list, d);
	struct finding *f =
	    group != NULL ? &check->diagnosis->findings[group->finding] : add_group(check, list, d);

	finding_add_host(check, f, h);
	if (f->n_hosts <= QUOTED_HOSTS)
		finding_quote(check, f, check->hosts[h], d->source);
	if (f->n_hosts == 1)
		quote_other(check, f, d);
}

void rule_route_outlier(struct check *check)
{
	size_t first = check->diagnosis->n_findings;
	struct group_list list = {0};

	for (size_t h = 0; h < check->n; h++) {
		const struct host_view *view = &check->diagnosis->hosts[h];
		for (size_t i = 0; i < view->n_differs; i++) {
			enum facet facet = view->differs[i].facet;
			if (facet == FACET_ROUTE || facet == FACET_ROUTE6)
				report(check, &list, h, &view->differs[i]);
		}
	}
	findings_lead_with_hosts(check, first);
}
