#include "oddhost/check/fix.h"
#include "oddhost/check/needs.h"
#include "oddhost/check/rules.h"
#include "oddhost/check/subnets.h"

#include <stdlib.h>
#include <string.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/text.h"

#define NAMED_CLASSES 6
#define QUOTED_HOSTS 8

/* Hosts whose docker uses the same pools. */
struct pools_class {
	const struct docker_pool *v; /* none: docker's own */
	size_t n_pools;
	const struct need *need; /* that they overlap; NULL: clear of all */
	const char **names;      /* of the hosts */
	size_t n, cap;
	bool named; /* in the finding */
};

struct classes {
	struct pools_class *v;
	size_t n, cap, hosts;
};

static const struct need *need_in(struct check *check, const struct docker_pool *v, size_t n)
{
	if (n == 0)
		v = pools_default(&n);
	for (size_t i = 0; i < n; i++) {
		const struct need *need = needs_overlapping(check, &v[i].base);
		if (need != NULL)
			return need;
	}
	return NULL;
}

/* The class of the host's pools; NULL where they are not known, or no class has them. */
static struct pools_class *class_of(const struct classes *classes, const struct host *host)
{
	const struct docker_pool *v;
	size_t n;

	if (!subnets_pools(host, &v, &n))
		return NULL;
	for (size_t i = 0; i < classes->n; i++) {
		if (pools_same(classes->v[i].v, classes->v[i].n_pools, v, n))
			return &classes->v[i];
	}
	return NULL;
}

static void sort_in(struct check *check, struct classes *classes, size_t h)
{
	struct pools_class *class = class_of(classes, check->hosts[h]);
	const struct docker_pool *v;
	size_t n;

	if (!subnets_pools(check->hosts[h], &v, &n))
		return;
	if (class == NULL) {
		classes->v = arena_grow(
		    check->arena, classes->v, classes->n, &classes->cap, sizeof *classes->v);
		class = &classes->v[classes->n++];
		*class = (struct pools_class){.v = v, .n_pools = n, .need = need_in(check, v, n)};
	}
	class->names =
	    arena_grow(check->arena, class->names, class->n, &class->cap, sizeof *class->names);
	class->names[class->n++] = check_name(check, h);
	classes->hosts++;
}

static int largest_first(const void *a, const void *b)
{
	const struct pools_class *x = a, *y = b;

	if (x->n != y->n)
		return x->n > y->n ? -1 : 1;
	return strverscmp(x->names[0], y->names[0]);
}

/* "h1: docker's own; h[2-3]: 10.9.0.0/16 in /24" */
static const char *text_of(struct check *check, const struct classes *classes)
{
	char prefix[PREFIX_TEXT_SIZE];
	struct buf out = {0};

	for (size_t i = 0; i < classes->n && i < NAMED_CLASSES; i++) {
		const struct pools_class *class = &classes->v[i];
		buf_printf(&out, "%s%s: %s", i ? "; " : "",
		    text_fold(check->arena, class->names, class->n, 8),
		    class->n_pools == 0 ? "docker's own" : "");
		for (size_t k = 0; k < class->n_pools; k++)
			buf_printf(&out, "%s%s in /%u", k ? ", " : "",
			    prefix_format(&class->v[k].base, prefix), class->v[k].size);
	}
	if (classes->n > NAMED_CLASSES)
		buf_printf(&out, "; and %zu more", classes->n - NAMED_CLASSES);
	const char *text = arena_dup(check->arena, buf_str(&out));
	buf_free(&out);
	return text;
}

/*
 * Where some pools are clear of what the group needs and others are not, the hosts with the others
 * are named. Else those against two thirds of at least three hosts, or all where there is no such
 * majority. Returns a need that is not kept clear, where that is what differs.
 */
static const struct need *choose_named(struct classes *classes)
{
	bool majority = classes->hosts >= 3 && 3 * classes->v[0].n >= 2 * classes->hosts;
	const struct need *need = NULL;
	size_t clear = 0;

	for (size_t i = 0; i < classes->n; i++) {
		clear += classes->v[i].need == NULL;
		need = need == NULL ? classes->v[i].need : need;
	}
	if (clear == 0)
		need = NULL;
	for (size_t i = 0; i < classes->n; i++)
		classes->v[i].named =
		    need != NULL ? classes->v[i].need != NULL : !majority || i > 0;
	return need;
}

/* What says which pools the host's docker uses: its own word, else the file's. */
static void quote(struct check *check, struct finding *f, const struct host *host)
{
	struct source source = host->daemon.source;
	struct view rest, line;

	if (host->engine.pools_known) {
		finding_quote(check, f, host, host->engine.source);
		return;
	}
	if (source.probe == NULL)
		return;
	rest = source.probe->out;
	for (unsigned n = 1; source.line == 0 && view_next_line(&rest, &line); n++) {
		if (view_find(line, "default-address-pools") >= 0)
			source.line = n;
	}
	if (source.line > 0)
		finding_quote(check, f, host, source);
	else
		finding_quote_error(check, f, host, source.probe); /* there is no such file */
}

void rule_pools_differ(struct check *check)
{
	size_t first = check->diagnosis->n_findings;
	struct classes classes = {0};

	for (size_t h = 0; h < check->n; h++)
		sort_in(check, &classes, h);
	if (classes.n < 2)
		return;
	qsort(classes.v, classes.n, sizeof *classes.v, largest_first);
	const struct need *need = choose_named(&classes);
	const char *what = need == NULL ? "what the group needs" : need_text(check->arena, need);
	struct finding *f = finding_add(
	    check, "pools-differ", need != NULL ? SEVERITY_LOW : SEVERITY_INFO, CONFIDENCE_CERTAIN);
	for (size_t h = 0; h < check->n; h++) {
		const struct pools_class *class = class_of(&classes, check->hosts[h]);
		if (class == NULL || !class->named)
			continue;
		finding_add_host(check, f, h);
		if (f->n_hosts <= QUOTED_HOSTS)
			quote(check, f, check->hosts[h]);
	}
	f->summary =
	    need == NULL
		? "docker's address pools differ within the group"
		: arena_printf(check->arena,
		      "docker's address pools hold %s; others of the group are clear of it", what);
	f->why = arena_printf(check->arena,
	    "Hosts alike should have the same pools, or a deploy that is harmless on one cuts off "
	    "another. Pools: %s.",
	    text_of(check, &classes));
	fix_declare_pools(check, f, check->hosts[f->places[0]], what);
	findings_lead_with_hosts(check, first);
}
