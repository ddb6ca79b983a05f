#include "oddhost/check/rules.h"

#include <string.h>

#include "oddhost/check/facts.h"

/* The same deviation on another host: it joins the finding. */
static struct finding *find_same(struct check *check, size_t first, const char *fingerprint)
{
	for (size_t i = first; i < check->diagnosis->n_findings; i++) {
		if (strcmp(check->diagnosis->findings[i].fingerprint, fingerprint) == 0)
			return &check->diagnosis->findings[i];
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

static void report(struct check *check, size_t first, size_t h, const struct difference *d)
{
	struct arena *a = check->arena;
	const char *here = d->value != NULL ? d->value : "absent";
	const char *others = d->others != NULL ? d->others : "absent";
	const char *same = arena_printf(a, "%s|%s|%s", d->key, here, others);
	struct finding *f = find_same(check, first, same);
	bool is_default = strcmp(d->key, "default") == 0;

	if (f == NULL) {
		f = finding_add(check, "route-outlier",
		    is_default && d->facet == FACET_ROUTE ? SEVERITY_MEDIUM : SEVERITY_LOW,
		    CONFIDENCE_LIKELY);
		f->fingerprint = same; /* until all findings get theirs */
		f->prefix = is_default ? NULL : d->key;
		f->why = arena_printf(a,
		    "%zu of %zu hosts have: %s. This route leads to a real network, not to "
		    "containers, so hosts that do the same work should agree on it.",
		    d->agree, d->compared, others);
		finding_add_fix(check, f,
		    "If it is not meant: see who sets it (netplan, cloud-init, a VPN) and align it "
		    "with the group.");
	}
	finding_add_host(check, f, check_name(check, h));
	f->summary = arena_printf(a, "%s: route %s is %s, against %s on the others",
	    finding_hosts(check, f), d->key, here, others);
	if (f->n_hosts <= 4)
		finding_quote(check, f, check->hosts[h], d->source);
	if (f->n_hosts == 1)
		quote_other(check, f, d);
}

void rule_route_outlier(struct check *check)
{
	size_t first = check->diagnosis->n_findings;

	for (size_t h = 0; h < check->n; h++) {
		const struct host_view *view = &check->diagnosis->hosts[h];
		for (size_t i = 0; i < view->n_differs; i++) {
			enum facet facet = view->differs[i].facet;
			if (facet == FACET_ROUTE || facet == FACET_ROUTE6)
				report(check, first, h, &view->differs[i]);
		}
	}
}
