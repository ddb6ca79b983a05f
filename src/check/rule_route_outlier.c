#include "oddhost/check/rules.h"

#include <string.h>

#include "oddhost/check/facts.h"

#define QUOTED_HOSTS 4
#define PART_HOSTS 4  /* hosts with the same deviation, at least … */
#define PART_SHARE 10 /* … and more than one in so many: no outliers */

/* One deviation, which several hosts may share, and the number of its finding. */
struct group {
	const struct difference *difference; /* of the first host */
	const char *like, *value;            /* what they share; NULL: they lack the route */
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

static struct group *find_group(
    const struct group_list *list, const struct difference *d, const char *like)
{
	for (size_t i = 0; i < list->n; i++) {
		struct group *group = &list->v[i];
		const struct difference *other = group->difference;
		if (other->facet == d->facet && strcmp(other->key, d->key) == 0 &&
		    same_text(group->like, like) && same_text(other->others, d->others))
			return group;
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

static struct group *add_group(
    struct check *check, struct group_list *list, const struct difference *d, const char *like)
{
	bool is_default = strcmp(d->key, "default") == 0 && d->facet == FACET_ROUTE;

	list->v = arena_grow(check->arena, list->v, list->n, &list->cap, sizeof *list->v);
	struct group *group = &list->v[list->n++];
	*group = (struct group){d, like, d->value, check->diagnosis->n_findings};
	struct finding *f = finding_add(
	    check, "route-outlier", is_default ? SEVERITY_MEDIUM : SEVERITY_LOW, CONFIDENCE_LIKELY);
	f->prefix = strcmp(d->key, "default") == 0 ? NULL : d->key;
	return group;
}

static void report(
    struct check *check, struct group_list *list, size_t h, const struct difference *d)
{
	const struct fact *fact =
	    d->value == NULL ? NULL : facts_find(&check->facts[h], d->facet, d->key);
	const char *like = fact == NULL ? NULL : fact_like(fact);
	struct group *group = find_group(list, d, like);

	if (group == NULL)
		group = add_group(check, list, d, like);
	else if (!same_text(group->value, d->value))
		group->value = group->like;
	struct finding *f = &check->diagnosis->findings[group->finding];
	finding_add_host(check, f, h);
	if (f->n_hosts <= QUOTED_HOSTS)
		finding_quote(check, f, check->hosts[h], d->source);
	if (f->n_hosts == 1)
		quote_other(check, f, d);
}

static void explain(struct check *check, const struct group *group)
{
	struct finding *f = &check->diagnosis->findings[group->finding];
	const struct difference *d = group->difference;
	const char *others = d->others != NULL ? d->others : "absent";

	f->summary = arena_printf(check->arena, "route %s is %s, against %s on the others", d->key,
	    group->value != NULL ? group->value : "absent", others);
	f->why = arena_printf(check->arena,
	    "%zu of %zu hosts have: %s. This route leads to a real network, not to containers, so "
	    "hosts that do the same work should agree on it.",
	    d->agree, d->compared, others);
	/* Several hosts that are no few of the group agree: a role, rather than a fault. */
	if (f->n_hosts >= PART_HOSTS && f->n_hosts * PART_SHARE > d->compared)
		f->severity = SEVERITY_INFO;
	finding_add_fix(check, f,
	    "If it is not meant: see who sets it (netplan, cloud-init, a VPN) and align it with the "
	    "group.");
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
	for (size_t i = 0; i < list.n; i++)
		explain(check, &list.v[i]);
	findings_lead_with_hosts(check, first);
}
