#include "oddhost/inventory/limit.h"

#include <stdlib.h>
#include <string.h>

#include "oddhost/base/mem.h"
#include "oddhost/base/text.h"
#include "oddhost/inventory/hierarchy.h"
#include "oddhost/inventory/limit_terms.h"
#include "oddhost/inventory/nodeset.h"
#include "oddhost/inventory/pattern.h"

#define MOST_NODES (3 * INVENTORY_MOST_HOSTS)

struct selection {
	struct inventory *inv;
	struct arena *arena; /* for the work; freed at the end */
	bool *taken;         /* by a host's index */
	bool *now;           /* those that the current term means */
	bool in_order;       /* the limit is ClusterShell's */
	size_t nodes;        /* names of node sets that were looked up */
};

struct subscript {
	bool given, range, dash; /* dash: [1-3] instead of [1:3] */
	long begin, end;
};

/* What a term means so far: a host that is found twice counts twice, as in Ansible's subscripts. */
struct hosts {
	struct selection *s;
	struct inventory_host **v;
	size_t n, cap;
	bool only_groups;     /* `@name` */
	const char **missing; /* names of a node set that nobody bears */
	size_t n_missing, cap_missing;
};

/* ---- subscripts ---- */

static bool parse_long(struct view v, long *ret)
{
	bool negative = view_take(&v, "-");
	uint64_t value;

	if (!view_uint(v, 0, INVENTORY_MOST_HOSTS, &value))
		return false;
	*ret = negative ? -(long)value : (long)value;
	return true;
}

/* `web[0]`, `web[-1]`, `web[1:3]`, `web[1:]`: cut off behind; else it is part of a glob. */
static struct subscript take_subscript(struct view *term)
{
	struct subscript none = {0}, found = {.given = true};
	struct view inner;
	size_t open = term->n;

	if (!view_ends(*term, "]"))
		return none;
	while (open > 0 && term->p[open - 1] != '[')
		open--;
	if (open < 2)
		return none;
	inner = view_left(view_skip(*term, open), term->n - open - 1);
	long colon = view_find_char(inner, ':');
	if (colon < 0 && inner.n > 1)
		colon = view_find_char(view_skip(inner, 1), '-') < 0
			    ? -1
			    : view_find_char(view_skip(inner, 1), '-') + 1;
	if (colon < 0) {
		if (!parse_long(inner, &found.begin))
			return none;
	} else {
		struct view end = view_skip(inner, (size_t)colon + 1);
		found.range = true;
		found.dash = inner.p[colon] == '-';
		found.end = INVENTORY_MOST_HOSTS;
		if (inner.p[0] == '-' ||
		    !parse_long(view_left(inner, (size_t)colon), &found.begin) ||
		    (end.n > 0 && (end.p[0] == '-' || !parse_long(end, &found.end))))
			return none;
	}
	term->n = open - 1;
	return found;
}

static bool apply_subscript(
    struct view term, struct subscript sub, struct hosts *hosts, struct err *err)
{
	if (!sub.given || hosts->n == 0)
		return true;
	long n = (long)hosts->n, begin = sub.begin, end = sub.range ? sub.end : sub.begin;

	if (begin < 0)
		end = begin += n;
	if (!sub.range && (begin < 0 || begin >= n))
		return err_set(err, "limit: '%.*s': there are only %ld hosts, counted from 0",
		    VIEW_ARG(view_left(term, 80)), n);
	if (end >= n)
		end = n - 1;
	if (begin > end) {
		hosts->n = 0;
		return true;
	}
	hosts->v += begin;
	hosts->n = (size_t)(end - begin + 1);
	return true;
}

/* ---- what a term means ---- */

static void add_host(struct hosts *hosts, struct inventory_host *host)
{
	hosts->v = arena_grow(hosts->s->arena, hosts->v, hosts->n, &hosts->cap, sizeof *hosts->v);
	hosts->v[hosts->n++] = host;
}

static void add_group(struct hosts *hosts, struct inventory_group *group)
{
	size_t n;
	struct inventory_host **v = hierarchy_hosts(hosts->s->inv, hosts->s->arena, group, &n);

	for (size_t i = 0; i < n; i++)
		add_host(hosts, v[i]);
}

/* A word without special characters: no need to look at every name. */
static bool find_word(struct hosts *hosts, struct view word)
{
	struct inventory_group *group = inventory_group(hosts->s->inv, word);
	struct inventory_host *host =
	    hosts->only_groups ? NULL : inventory_host(hosts->s->inv, word);

	if (group != NULL)
		add_group(hosts, group);
	if (host != NULL && (group == NULL || view_find_char(word, '.') >= 0))
		add_host(hosts, host);
	return group != NULL || host != NULL;
}

/* Groups first, then hosts. */
static bool match_names(
    struct hosts *hosts, const struct pattern *pattern, bool *ret_any, struct err *err)
{
	const struct inventory *inv = hosts->s->inv;
	bool match;

	for (size_t i = 0; i < inv->n_groups; i++) {
		if (!pattern_matches(pattern, inv->groups[i]->name, &match, err))
			return false;
		if (match)
			add_group(hosts, inv->groups[i]);
		*ret_any |= match;
	}
	for (size_t i = 0; i < inv->n_hosts && !hosts->only_groups; i++) {
		if (!pattern_matches(pattern, inv->hosts[i]->name, &match, err))
			return false;
		if (match)
			add_host(hosts, inv->hosts[i]);
		*ret_any |= match;
	}
	return true;
}

static bool find_pattern(struct hosts *hosts, struct view text, bool *ret_any, struct err *err)
{
	struct pattern *pattern = pattern_new(text, err);
	bool ok = pattern != NULL && match_names(hosts, pattern, ret_any, err);

	pattern_free(pattern);
	return ok || err_wrap(err, "limit");
}

static bool find_glob(struct hosts *hosts, struct view word, bool *ret_any, struct err *err)
{
	if (pattern_is_glob(word))
		return find_pattern(hosts, word, ret_any, err);
	*ret_any = find_word(hosts, word);
	return true;
}

static bool take_node(void *arg, struct view name)
{
	struct hosts *hosts = arg;
	struct arena *arena = hosts->s->arena;

	if (++hosts->s->nodes > MOST_NODES)
		return false;
	if (find_word(hosts, name))
		return true;
	hosts->missing = arena_grow(
	    arena, hosts->missing, hosts->n_missing, &hosts->cap_missing, sizeof *hosts->missing);
	hosts->missing[hosts->n_missing++] = arena_dup_view(arena, name);
	return true;
}

/* Some of the names are there: say which are not. */
static bool find_nodes(struct hosts *hosts, struct view term, bool *ret_any, struct err *err)
{
	if (!nodeset_expand(term, take_node, hosts, err))
		return err_wrap(err, "limit");
	if (hosts->s->nodes > MOST_NODES)
		return err_set(err, "limit: its node sets mean more than %d hosts", MOST_NODES);
	*ret_any = hosts->n > 0;
	if (hosts->n > 0 && hosts->n_missing > 0)
		inventory_warn_at(hosts->s->inv, "limit", 0, "'%.*s': there is no %.300s",
		    VIEW_ARG(view_left(term, 80)),
		    text_fold(hosts->s->arena, hosts->missing, hosts->n_missing, 12));
	return true;
}

static bool find_one(void *arg, struct view name)
{
	struct hosts *probe = arg;

	probe->n += inventory_host(probe->s->inv, name) != NULL;
	return probe->n == 0;
}

/* `web[1-3]` where web is a group and web1 a host: Ansible's meaning holds, and that is said. */
static void warn_of_two_meanings(struct hosts *hosts, struct view term, struct view group)
{
	struct hosts probe = {.s = hosts->s};
	struct err err;

	if (!nodeset_expand(term, find_one, &probe, &err) || probe.n == 0)
		return;
	inventory_warn_at(hosts->s->inv, "limit", 0,
	    "'%.*s' is taken as Ansible does, for numbers of the hosts of '%.*s', counted from 0; "
	    "the hosts of these names are '%.*s/1]'",
	    VIEW_ARG(view_left(term, 80)), VIEW_ARG(view_left(group, 80)),
	    VIEW_ARG(view_left(term, term.n - 1)));
}

/*
 * A glob, a subscripted one, or a node set: that only where Ansible would see nothing in it, or
 * where the limit is written as ClusterShell's.
 */
static bool find_names(struct hosts *hosts, struct view term, bool *ret_any, struct err *err)
{
	enum nodeset_kind kind = nodeset_kind(term);
	struct view word = term;
	struct subscript sub = take_subscript(&word);

	if (hosts->s->in_order && kind != NODESET_NONE) {
		if (!find_nodes(hosts, term, ret_any, err))
			return false;
		if (*ret_any || !sub.given)
			return true;
	}
	if (nodeset_kind(word) != NODESET_ONLY && !find_glob(hosts, word, ret_any, err))
		return false;
	if (*ret_any && sub.dash)
		warn_of_two_meanings(hosts, term, word);
	if (*ret_any)
		return apply_subscript(term, sub, hosts, err);
	return kind == NODESET_NONE || find_nodes(hosts, term, ret_any, err);
}

/* Into s->now. A plain host's name is that host first. */
static bool find_term(struct selection *s, const struct limit_term *term, struct err *err)
{
	struct hosts hosts = {.s = s};
	struct view text = term->text;
	struct inventory_host *host = inventory_host(s->inv, text);
	bool any = false;

	if (term->how == ',' && host != NULL) {
		s->now[host->index] = true;
		return true;
	}
	if (view_starts(text, "~")) {
		if (!find_pattern(&hosts, text, &any, err))
			return false;
	} else {
		hosts.only_groups = view_take(&text, "@");
		if (!find_names(&hosts, text, &any, err))
			return false;
	}
	if (!any && !view_eq(text, "all"))
		inventory_warn_at(s->inv, "limit", 0, "'%.*s' matches no group and no host",
		    VIEW_ARG(view_left(term->text, 80)));
	for (size_t i = 0; i < hosts.n; i++)
		s->now[hosts.v[i]->index] = true;
	return true;
}

/* ---- the whole ---- */

static void apply_term(struct selection *s, char how)
{
	for (size_t i = 0; i < s->inv->n_hosts; i++) {
		if (how == '&')
			s->taken[i] = s->taken[i] && s->now[i];
		else if (how == '!')
			s->taken[i] = s->taken[i] && !s->now[i];
		else
			s->taken[i] = s->taken[i] != s->now[i];
		s->now[i] = false;
	}
}

/*
 * Plain terms add to s->taken at once (s->now is the same array), so that a file of many names
 * takes one pass; each other operator costs a pass over all hosts.
 */
static bool evaluate_term(struct selection *s, const struct limit_term *term, struct err *err)
{
	bool *scratch = s->now;

	if (term->how == ',')
		s->now = s->taken;
	bool ok = find_term(s, term, err);
	s->now = scratch;
	if (ok && term->how != ',')
		apply_term(s, term->how);
	return ok;
}

/* Only modifiers imply all. Ansible evaluates what adds, then '&', then '!', wherever they stand.
 */
static bool evaluate(struct selection *s, const struct limit_terms *terms, struct err *err)
{
	static const char order[] = {',', '&', '!'};
	bool plain = false;

	s->in_order = terms->in_order;
	for (size_t i = 0; i < terms->n; i++)
		plain = plain || (terms->v[i].how == ',' && (i == 0 || !terms->in_order));
	if (!plain)
		memset(s->taken, true, s->inv->n_hosts);
	for (size_t k = 0; k < sizeof order && !terms->in_order; k++) {
		for (size_t i = 0; i < terms->n; i++) {
			if (terms->v[i].how == order[k] && !evaluate_term(s, &terms->v[i], err))
				return false;
		}
	}
	for (size_t i = 0; i < terms->n && terms->in_order; i++) {
		if (!evaluate_term(s, &terms->v[i], err))
			return false;
	}
	return true;
}

/* For people: what could have been asked for. */
static const char *what_there_is(struct selection *s)
{
	const char **names = mem_alloc((s->inv->n_hosts + s->inv->n_groups + 1) * sizeof *names);
	size_t n = 0, n_hosts;

	for (size_t i = 0; i < s->inv->n_hosts; i++)
		names[n++] = s->inv->hosts[i]->name;
	n_hosts = n;
	for (size_t i = 0; i < s->inv->n_groups; i++) {
		const struct inventory_group *group = s->inv->groups[i];
		if (group->n_hosts > 0 || group->n_children > 0)
			names[n++] = group->name;
	}
	const char *hosts = text_fold(s->arena, names, n_hosts, 8);
	const char *groups = text_fold(s->arena, names + n_hosts, n - n_hosts, 12);
	free(names);
	return arena_printf(s->arena, "groups: %.180s; hosts: %.180s", groups, hosts);
}

bool limit_select(struct inventory *inv, struct arena *arena, const char *limit,
    struct inventory_host ***ret_hosts, size_t *ret_n, struct err *err)
{
	struct selection s = {.inv = inv, .arena = arena_new()};
	struct limit_terms terms;
	struct inventory_host **hosts;
	size_t n = 0;
	bool ok = false;

	s.taken = arena_alloc(s.arena, inv->n_hosts + 1);
	s.now = arena_alloc(s.arena, inv->n_hosts + 1);
	if (inv->n_hosts == 0) {
		err_set(err, "the inventory has no hosts");
		goto out;
	}
	if (!limit_terms_read(inv, s.arena, view_of(limit), &terms, err) ||
	    !evaluate(&s, &terms, err))
		goto out;
	hosts = arena_alloc(arena, (inv->n_hosts + 1) * sizeof *hosts);
	for (size_t i = 0; i < inv->n_hosts; i++) {
		if (s.taken[i])
			hosts[n++] = inv->hosts[i];
	}
	if (n == 0) {
		err_set(
		    err, "limit '%.80s' leaves no host; there are %s", limit, what_there_is(&s));
		goto out;
	}
	*ret_hosts = hosts;
	*ret_n = n;
	ok = true;
out:
	arena_free(s.arena);
	return ok;
}
