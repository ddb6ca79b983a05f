#include "oddhost/check/overlap.h"

#include <stdlib.h>
#include <string.h>

#include "oddhost/base/buf.h"
#include "oddhost/check/fix.h"
#include "oddhost/net/prefix_set.h"

#define QUOTED_HOSTS 8   /* a finding */
#define QUOTED_SUBNETS 4 /* of a host */
#define MOVED 4          /* networks that the steps are told of */
#define LISTED 3         /* names or prefixes in a text */

struct text_list {
	const char **v;
	size_t n, cap;
};

/* One finding's: the subnets of its first host, and all their prefixes. */
struct overlap_group {
	size_t finding, host; /* the first */
	struct overlap_list list;
	struct prefix_set prefixes;
	struct text_list owners, whats; /* each once */
};

struct overlap *overlap_list_add(struct check *check, struct overlap_list *list)
{
	list->v = arena_grow(check->arena, list->v, list->n, &list->cap, sizeof *list->v);
	return &list->v[list->n++];
}

void overlaps_begin(struct overlaps *overlaps, struct check *check, const char *rule)
{
	*overlaps =
	    (struct overlaps){.check = check, .rule = rule, .first = check->diagnosis->n_findings};
}

/* "a, b, c and 13 more" */
static const char *list_text(struct arena *arena, const char *const *v, size_t n)
{
	struct buf out = {0};

	for (size_t i = 0; i < n && i < LISTED; i++)
		buf_printf(&out, "%s%s", i == 0 ? "" : i + 1 == n ? " and " : ", ", v[i]);
	if (n > LISTED)
		buf_printf(&out, " and %zu more", n - LISTED);
	const char *text = arena_dup(arena, buf_str(&out));
	buf_free(&out);
	return text;
}

static const char *prefixes_text(struct arena *arena, const struct prefix_set *set)
{
	const char *v[LISTED];
	char text[PREFIX_TEXT_SIZE];

	for (size_t i = 0; i < set->n && i < LISTED; i++)
		v[i] = arena_dup(arena, prefix_format(&set->v[i], text));
	return list_text(arena, v, set->n);
}

static void add_text(struct check *check, struct text_list *list, const char *text)
{
	list->v = arena_grow(check->arena, list->v, list->n, &list->cap, sizeof *list->v);
	list->v[list->n++] = text;
}

static int by_name(const void *a, const void *b)
{
	return strverscmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort_texts(struct text_list *list)
{
	size_t n = 0;

	if (list->n > 1)
		qsort(list->v, list->n, sizeof *list->v, by_name);
	for (size_t i = 0; i < list->n; i++) {
		if (n == 0 || strcmp(list->v[n - 1], list->v[i]) != 0)
			list->v[n++] = list->v[i];
	}
	list->n = n;
}

/* The subnets of one host that are in the way of the same thing; its table finds them by that. */
static struct overlap_group *group_of(struct check *check, size_t h, struct table *table,
    const struct overlap *overlap, bool *ret_new)
{
	const char *key = arena_printf(
	    check->arena, "%d %s %s", (int)overlap->severity, overlap->relation, overlap->kind);
	struct overlap_group *group = table_get(table, view_of(key));

	*ret_new = group == NULL;
	if (group == NULL) {
		group = arena_alloc(check->arena, sizeof *group);
		group->host = h;
		group->prefixes.arena = check->arena;
		table_add(table, view_of(key), group);
	}
	*overlap_list_add(check, &group->list) = *overlap;
	prefix_set_add(&group->prefixes, &overlap->subnet.prefix);
	add_text(check, &group->owners,
	    subnet_owner_text(check->arena, check->hosts[h], &overlap->subnet));
	add_text(check, &group->whats, overlap->what);
	return group;
}

/* What makes hosts alike: what is in the way of what, wherever it lies. */
static const char *key_of(struct check *check, const struct overlap_group *group)
{
	const struct overlap *o = &group->list.v[0];
	struct buf out = {0};

	buf_printf(&out, "%d %s", (int)o->severity, o->relation);
	for (size_t i = 0; i < group->whats.n; i++)
		buf_printf(&out, "\n%s", group->whats.v[i]);
	for (size_t i = 0; i < group->owners.n; i++)
		buf_printf(&out, "\n\n%s", group->owners.v[i]);
	const char *key = arena_dup(check->arena, buf_str(&out));
	buf_free(&out);
	return key;
}

static void quote(struct check *check, struct finding *f, const struct overlap_group *group)
{
	const struct host *host = check->hosts[group->host];

	for (size_t i = 0; i < group->list.n && i < QUOTED_SUBNETS; i++) {
		const struct overlap *o = &group->list.v[i];
		finding_quote(check, f, host, o->subnet.source);
		if (o->subnet.network != NULL)
			finding_quote(check, f, host, o->subnet.network->listed);
		finding_quote(check, f, host, o->source);
	}
}

/* The host's group joins the finding of its like, or begins one. */
static void join(struct overlaps *o, struct overlap_group *group)
{
	struct check *check = o->check;
	const struct overlap *overlap = &group->list.v[0];

	sort_texts(&group->owners);
	sort_texts(&group->whats);
	const char *key = key_of(check, group);
	struct overlap_group *like = table_get(&o->groups, view_of(key));

	if (like == NULL) {
		like = group;
		table_add(&o->groups, view_of(key), group);
		o->v =
		    arena_grow(check->arena, o->v, o->n, &o->cap, sizeof(struct overlap_group *));
		o->v[o->n++] = group;
		group->finding = check->diagnosis->n_findings;
		finding_add(check, o->rule, overlap->severity, overlap->confidence);
	} else {
		for (size_t i = 0; i < group->prefixes.n; i++)
			prefix_set_add(&like->prefixes, &group->prefixes.v[i]);
	}
	struct finding *f = &check->diagnosis->findings[like->finding];
	finding_add_host(check, f, group->host);
	if (f->n_hosts <= QUOTED_HOSTS)
		quote(check, f, group);
}

void overlaps_add_host(struct overlaps *overlaps, size_t host, const struct overlap_list *list)
{
	struct check *check = overlaps->check;
	struct overlap_group **groups = NULL;
	struct table table = {0};
	size_t n = 0, cap = 0;
	bool is_new;

	for (size_t i = 0; i < list->n; i++) {
		struct overlap_group *group = group_of(check, host, &table, &list->v[i], &is_new);
		if (!is_new)
			continue;
		groups = arena_grow(check->arena, groups, n, &cap, sizeof(struct overlap_group *));
		groups[n++] = group;
	}
	for (size_t i = 0; i < n; i++)
		join(overlaps, groups[i]);
	table_free(&table);
}

/* Neither docker's pools nor a restart move these. */
static void move_within(struct check *check, struct finding *f,
    const struct docker_network *network, const char *clear_of)
{
	const char *name = check_shell_word(check, network->name);

	finding_add_fix(check, f,
	    "Note the network's settings and its containers, and create it again with a subnet that "
	    "is clear of %s (where a compose file or a stack names it, there)%s:",
	    clear_of,
	    strcmp(network->driver, "overlay") == 0
		? "; without --subnet, a swarm takes it from the pools that `docker swarm init "
		  "--default-addr-pool` was given"
		: "");
	finding_add_fix(check, f, "$ docker network inspect %s", name);
}

static void verify(struct check *check, struct finding *f, const struct overlap_group *group)
{
	char text[PREFIX_TEXT_SIZE];

	if (subnet_is_within(&group->list.v[0].subnet)) {
		finding_add_fix(check, f, "Verify: no container network may hold one of these:");
		finding_add_fix(check, f,
		    "$ docker network inspect -f '{{.Name}} {{json .IPAM.Config}}' $(docker network "
		    "ls -q)");
		return;
	}
	if (f->prefix != NULL)
		finding_add_fix(check, f, "Verify: no route may lie in %s:", f->prefix);
	else
		finding_add_fix(check, f, "Verify: no route may lie in one of these:");
	for (size_t i = 0; i < group->prefixes.n && i < MOVED; i++)
		finding_add_fix(check, f, "$ ip route show root %s",
		    prefix_format(&group->prefixes.v[i], text));
}

static void explain(struct check *check, struct overlap_group *group)
{
	struct finding *f = &check->diagnosis->findings[group->finding];
	const struct host *host = check->hosts[group->host];
	const struct overlap *o = &group->list.v[0];
	char text[PREFIX_TEXT_SIZE];

	prefix_set_sort(&group->prefixes);
	const char *what = list_text(check->arena, group->whats.v, group->whats.n);
	const char *clear_of = group->whats.n == 1 ? o->clear_of : what;
	const char *holds = arena_printf(check->arena, "%s hold%s %s, %s %s",
	    list_text(check->arena, group->owners.v, group->owners.n),
	    group->owners.n == 1 ? "s" : "", prefixes_text(check->arena, &group->prefixes),
	    o->relation, what);
	if (group->prefixes.n == 1)
		f->prefix = arena_dup(check->arena, prefix_format(&group->prefixes.v[0], text));
	f->target = o->target;
	f->address = o->address;
	f->summary = arena_printf(check->arena, "%s%s", holds, o->tail);
	f->why = arena_printf(check->arena, "%s. %s", holds, o->why);
	for (size_t i = 0; i < group->list.n && i < MOVED; i++) {
		const struct container_subnet *subnet = &group->list.v[i].subnet;
		size_t before = f->n_fix;
		if (subnet_is_within(subnet))
			move_within(check, f, subnet->network, clear_of);
		else
			fix_move_network(check, f, host, subnet->dev, subnet->network, clear_of);
		finding_once_fix(f, before);
	}
	if (group->list.n > MOVED)
		finding_add_fix(check, f,
		    "And so on with the others: `oddhost advise` has the commands for all of them.");
	verify(check, f, group);
}

void overlaps_end(struct overlaps *overlaps)
{
	for (size_t i = 0; i < overlaps->n; i++)
		explain(overlaps->check, overlaps->v[i]);
	findings_lead_with_hosts(overlaps->check, overlaps->first);
	table_free(&overlaps->groups);
}
