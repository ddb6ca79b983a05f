#include "oddhost/check/fix.h"
#include "oddhost/check/forecast.h"
#include "oddhost/check/rules.h"
#include "oddhost/check/subnets.h"

#include <string.h>

#define NAMED_HOSTS 8
#define NEAR 3 /* creations: a few deploys of one network */

/* The findings of this rule, and how far away the nearest host of each is. */
struct ahead {
	struct check *check;
	size_t first; /* finding in the diagnosis */
	size_t *creations;
	size_t n, cap;
};

static bool has_one_in_the_way(struct check *check, size_t h)
{
	const struct container_subnet *subnets;
	size_t n = subnets_of_place(check, h, &subnets);

	for (size_t i = 0; i < n; i++) {
		if (subnet_is_docker(&subnets[i]) &&
		    needs_overlapping(check, &subnets[i].prefix) != NULL)
			return true;
	}
	return false;
}

/*
 * Near is what the next few deploys reach: one of all networks of the host, where every new one
 * moves on. Where the lowest free subnet is given out, re-creating moves nothing.
 */
static enum severity severity_of(const struct forecast *forecast)
{
	size_t near = forecast->networks > NEAR ? forecast->networks : NEAR;

	if (forecast->model != POOLS_ROTATING)
		near = 1;
	if (forecast->creations > near)
		return SEVERITY_INFO;
	return forecast->known ? SEVERITY_MEDIUM : SEVERITY_LOW;
}

static struct finding *find_or_add(struct ahead *ahead, enum severity severity,
    const struct forecast *forecast, const struct host *host)
{
	struct check *check = ahead->check;
	const char *what = need_text(check->arena, forecast->with);
	char prefix[PREFIX_TEXT_SIZE];

	prefix_format(&forecast->with->prefix, prefix);
	for (size_t i = 0; i < ahead->n; i++) {
		struct finding *f = &check->diagnosis->findings[ahead->first + i];
		if (f->severity == severity && strcmp(f->prefix, prefix) == 0)
			return f;
	}
	struct finding *f = finding_add(check, "next-subnet-collides", severity, CONFIDENCE_LIKELY);
	ahead->creations = arena_grow(
	    check->arena, ahead->creations, ahead->n, &ahead->cap, sizeof *ahead->creations);
	ahead->creations[ahead->n++] = FORECAST_FAR + 1;
	f->prefix = arena_dup(check->arena, prefix);
	f->target = forecast->with->kind == NEED_TARGET ? forecast->with->name : NULL;
	f->why = arena_printf(check->arena,
	    "Docker picks the subnets of new networks out of its address pools, and knows nothing of "
	    "%s. Nothing fails yet; a deploy that re-creates networks will cut it off.",
	    what);
	fix_declare_pools(check, f, host, what);
	finding_add_fix(
	    check, f, "The commands for each host, RUN being the directory of this run:");
	finding_add_fix(check, f, "$ oddhost advise RUN");
	return f;
}

static void look_at(struct ahead *ahead, size_t h)
{
	struct check *check = ahead->check;
	const struct host *host = check->hosts[h];
	const char *name = check_name(check, h);
	char subnet[PREFIX_TEXT_SIZE];
	struct forecast forecast;

	forecast_host(check, h, &forecast);
	struct finding *f = find_or_add(ahead, severity_of(&forecast), &forecast, host);
	size_t *nearest = &ahead->creations[f - &check->diagnosis->findings[ahead->first]];
	prefix_format(&forecast.subnet, subnet);
	finding_add_host(check, f, h);
	if (!forecast.firm)
		f->confidence = CONFIDENCE_POSSIBLE;
	if (forecast.creations < *nearest) {
		*nearest = forecast.creations;
		f->summary = arena_printf(check->arena,
		    "docker's pools run into %s: %s is %zu network creation%s away (%s)",
		    need_text(check->arena, forecast.with), subnet, forecast.creations,
		    forecast.creations == 1 ? "" : "s", name);
	}
	if (f->n_hosts > NAMED_HOSTS)
		return;
	f->why = arena_printf(check->arena, "%s %s: network creation %zu from here takes %s (%s).",
	    f->why, name, forecast.creations, subnet, forecast.assumption);
	finding_quote(check, f, host, forecast.source);
}

/*
 * Where no network got its subnet from docker, no deploy asks for one. Where one is in the way
 * already, its fix is the same, and it is the news.
 */
static bool is_ahead(struct check *check, size_t h)
{
	struct forecast forecast;

	forecast_host(check, h, &forecast);
	return forecast.possible && forecast.creations > 0 && forecast.networks > 0 &&
	       !has_one_in_the_way(check, h);
}

void rule_next_subnet_collides(struct check *check)
{
	struct ahead ahead = {.check = check, .first = check->diagnosis->n_findings};

	needs_of(check);
	for (size_t h = 0; h < check->n; h++) {
		struct check aside = *check; /* most of what is looked at is not kept */
		aside.arena = arena_new();
		bool ahead_of_it = is_ahead(&aside, h);
		arena_free(aside.arena);
		if (ahead_of_it)
			look_at(&ahead, h);
	}
	findings_lead_with_hosts(check, ahead.first);
}
