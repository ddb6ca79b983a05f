#include "oddhost/check/rules.h"

#include <stdlib.h>
#include <string.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/mem.h"
#include "oddhost/base/table.h"
#include "oddhost/base/text.h"
#include "oddhost/check/facts.h"
#include "oddhost/check/subnets.h"
#include "oddhost/check/ways.h"
#include "oddhost/net/prefix_set.h"

#define QUOTED_HOSTS 4
#define LISTED 3      /* routes in a text */
#define PART_HOSTS 4  /* hosts with the same deviation, at least … */
#define PART_SHARE 10 /* … and more than one in so many: no outliers */
#define BRIEF 160     /* bytes of a value in a text: a route may have thousands of next hops */

/* One deviation and the hosts that share it. */
struct deviation {
	const struct difference *difference; /* of the first host */
	const char *like, *value;            /* what they share; NULL: they lack the route */
	bool is_default;
	bool no_family; /* the hosts have no route of that family at all */
	size_t *hosts;
	size_t n, cap;
};

struct deviations {
	struct check *check;
	struct table by_key;
	struct deviation **v;
	size_t n, cap;
};

static struct deviation *find_or_add(
    struct deviations *list, const struct difference *d, const char *like, bool no_family)
{
	struct arena *arena = list->check->arena;
	const char *key = arena_printf(arena, "%d %d\n%s\n%s\n%s", (int)d->facet, no_family, d->key,
	    like != NULL ? like : "", d->others != NULL ? d->others : "");
	struct deviation *found = table_get(&list->by_key, view_of(key));

	if (found != NULL)
		return found;
	found = arena_alloc(arena, sizeof *found);
	*found = (struct deviation){
	    .difference = d,
	    .like = like,
	    .value = d->value,
	    .is_default = strcmp(d->key, "default") == 0 && d->facet == FACET_ROUTE,
	    .no_family = no_family,
	};
	table_add(&list->by_key, view_of(key), found);
	list->v = arena_grow(arena, list->v, list->n, &list->cap, sizeof(struct deviation *));
	list->v[list->n++] = found;
	return found;
}

static void collect(struct deviations *list, size_t h, const struct difference *d, bool no_family)
{
	struct check *check = list->check;
	const struct fact *fact =
	    d->value == NULL ? NULL : facts_find(&check->facts[h], d->facet, d->key);
	struct deviation *found =
	    find_or_add(list, d, fact == NULL ? NULL : fact_like(fact), no_family);

	if (!text_same(found->value, d->value))
		found->value = found->like;
	found->hosts =
	    arena_grow(check->arena, found->hosts, found->n, &found->cap, sizeof *found->hosts);
	found->hosts[found->n++] = h;
}

/* Several hosts that are no few of the group agree: a role, rather than a fault. */
static bool is_role(const struct deviation *d)
{
	return d->n >= PART_HOSTS && d->n * PART_SHARE > d->difference->compared;
}

static enum severity severity_of(const struct deviation *d)
{
	if (is_role(d) || d->no_family)
		return SEVERITY_INFO;
	return d->is_default ? SEVERITY_MEDIUM : SEVERITY_LOW;
}

/* Deviations of the same hosts stand together, but a default route alone. */
static int by_hosts(const void *a, const void *b)
{
	const struct deviation *x = *(struct deviation *const *)a;
	const struct deviation *y = *(struct deviation *const *)b;

	if (x->is_default != y->is_default)
		return x->is_default ? -1 : 1;
	if (severity_of(x) != severity_of(y))
		return severity_of(x) > severity_of(y) ? -1 : 1;
	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	return memcmp(x->hosts, y->hosts, x->n * sizeof *x->hosts);
}

static int by_hosts_and_key(const void *a, const void *b)
{
	const struct deviation *x = *(struct deviation *const *)a;
	const struct deviation *y = *(struct deviation *const *)b;
	int order = by_hosts(a, b);

	if (order == 0 && x->difference->facet != y->difference->facet)
		order = x->difference->facet < y->difference->facet ? -1 : 1;
	return order != 0 ? order : strverscmp(x->difference->key, y->difference->key);
}

static const char *brief(struct check *check, const char *text)
{
	return strlen(text) <= BRIEF ? text : arena_printf(check->arena, "%.*s …", BRIEF, text);
}

static const char *others_of(struct check *check, const struct deviation *d)
{
	return d->difference->others != NULL ? brief(check, d->difference->others) : "absent";
}

/* "route 10.9.0.0/16 is absent, against via 10.1.0.1 on the others" */
static const char *text_of(struct check *check, struct deviation *const *v, size_t n)
{
	struct buf out = {0};

	if (n > 1)
		buf_printf(&out, "%zu routes are not as on the others: ", n);
	for (size_t i = 0; i < n && i < LISTED; i++)
		buf_printf(&out, "%s%s is %s, against %s%s",
		    n == 1  ? "route "
		    : i > 0 ? "; "
			    : "",
		    v[i]->difference->key,
		    v[i]->value != NULL ? brief(check, v[i]->value) : "absent",
		    others_of(check, v[i]), n == 1 ? " on the others" : "");
	if (n > LISTED)
		buf_printf(&out, "; and %zu more", n - LISTED);
	const char *text = arena_dup(check->arena, buf_str(&out));
	buf_free(&out);
	return text;
}

/* The host's own lines; where it lacks the route, that of a host that has it. */
static void quote(struct check *check, struct finding *f, const struct deviation *d)
{
	const struct difference *first = d->difference;

	for (size_t i = 0; i < d->n && i < QUOTED_HOSTS; i++) {
		const struct fact *fact =
		    facts_find(&check->facts[d->hosts[i]], first->facet, first->key);
		if (fact != NULL)
			finding_quote(check, f, check->hosts[d->hosts[i]], fact->source);
	}
	for (size_t h = 0; first->others != NULL && h < check->n; h++) {
		const struct fact *fact = facts_find(&check->facts[h], first->facet, first->key);
		if (fact == NULL || strcmp(fact->value, first->others) != 0)
			continue;
		finding_quote(check, f, check->hosts[h], fact->source);
		return;
	}
}

/* One finding for what the same hosts have or lack. */
static void report(struct check *check, struct deviation *const *v, size_t n)
{
	const struct difference *d = v[0]->difference;
	struct finding *f =
	    finding_add(check, "route-outlier", severity_of(v[0]), CONFIDENCE_LIKELY);

	f->prefix = n == 1 && strcmp(d->key, "default") != 0 ? d->key : NULL;
	for (size_t i = 0; i < v[0]->n; i++)
		finding_add_host(check, f, v[0]->hosts[i]);
	for (size_t i = 0; i < n && i < LISTED; i++)
		quote(check, f, v[i]);
	f->summary = text_of(check, v, n);
	f->why = arena_printf(check->arena,
	    "%zu of %zu hosts have%s: %s. Such a route leads to a real network, not to containers, so "
	    "hosts that do the same work should agree on it.",
	    d->agree, d->compared, n == 1 ? "" : ", of the first", others_of(check, v[0]));
	finding_add_fix(check, f,
	    "If it is not meant: see who sets it (netplan, cloud-init, a VPN) and align it with the "
	    "group.");
}

/* The networks of the host's own containers, which others may have a route to through it. */
static struct prefix_set networks_inside(struct check *check, size_t h)
{
	struct prefix_set set = {.arena = check->arena};
	const struct container_subnet *subnets;
	size_t n = subnets_of_place(check, h, &subnets);

	for (size_t i = 0; i < n; i++)
		prefix_set_add(&set, &subnets[i].prefix);
	prefix_set_sort(&set);
	return set;
}

/* Does the host lack that route only since it holds the network itself? */
static bool is_inside(const struct prefix_set *inside, const struct difference *d)
{
	struct prefix prefix;

	if (d->value != NULL || !prefix_parse(view_of(d->key), &prefix))
		return false;
	const struct prefix *found = prefix_set_within(inside, &prefix);
	return found != NULL && prefix_equal(found, &prefix);
}

/* Has the host no IPv6 route at all? Then it may have no IPv6 by intent. */
static bool lacks_ipv6(const struct fact_list *facts)
{
	for (size_t i = 0; i < facts->n; i++) {
		if (facts->v[i].facet == FACET_ROUTE6)
			return false;
	}
	return true;
}

static void look_at(struct deviations *list, size_t h)
{
	const struct host_view *view = &list->check->diagnosis->hosts[h];
	struct prefix_set inside = networks_inside(list->check, h);
	bool lacks = lacks_ipv6(&list->check->facts[h]);

	for (size_t i = 0; i < view->n_differs; i++) {
		const struct difference *d = &view->differs[i];
		if ((d->facet == FACET_ROUTE || d->facet == FACET_ROUTE6) &&
		    !is_inside(&inside, d) && !ways_explain(list->check, h, d->facet, d->key))
			collect(list, h, d, lacks && d->facet == FACET_ROUTE6);
	}
}

void rule_route_outlier(struct check *check)
{
	size_t first = check->diagnosis->n_findings;
	struct deviations list = {.check = check};

	for (size_t h = 0; h < check->n; h++)
		look_at(&list, h);
	if (list.n > 1)
		qsort(list.v, list.n, sizeof(struct deviation *), by_hosts_and_key);
	for (size_t i = 0, next; i < list.n; i = next) {
		for (next = i + 1; next < list.n && by_hosts(&list.v[i], &list.v[next]) == 0;
		     next++)
			;
		report(check, list.v + i, next - i);
	}
	findings_lead_with_hosts(check, first);
	table_free(&list.by_key);
}
