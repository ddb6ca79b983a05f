#include "oddhost/check/rules.h"

#include <string.h>

#define QUOTED_HOSTS 8

/* What is wrong with it, in docker's word; NULL: nothing that is known. */
static const char *illness(const struct container *c)
{
	if (c->state == CONTAINER_RESTARTING)
		return "restarting";
	if (c->state == CONTAINER_DEAD)
		return "dead";
	return c->health == HEALTH_UNHEALTHY ? "unhealthy" : NULL;
}

static struct finding *find(struct check *check, size_t first, const char *summary)
{
	for (size_t i = first; i < check->diagnosis->n_findings; i++) {
		if (strcmp(check->diagnosis->findings[i].summary, summary) == 0)
			return &check->diagnosis->findings[i];
	}
	return NULL;
}

static struct finding *begin(struct check *check, const struct container *c, const char *summary)
{
	struct finding *f =
	    finding_add(check, "container-unhealthy", SEVERITY_MEDIUM, CONFIDENCE_CERTAIN);
	const char *word = check_shell_word(check, c->name);

	f->target = c->name;
	f->summary = summary;
	f->why = "Docker itself says so. Where the service fails, look here before the network; a "
		 "container that cannot reach what it needs ends like this, too.";
	finding_add_fix(check, f, "See what it says, and what its health check asks:");
	finding_add_fix(check, f,
	    "$ docker logs --tail 50 %s; docker inspect -f '{{json .State}}' %s", word, word);
	return f;
}

void rule_container_unhealthy(struct check *check)
{
	size_t first = check->diagnosis->n_findings;

	for (size_t h = 0; h < check->n; h++) {
		const struct host *host = check->hosts[h];
		for (size_t i = 0; i < host->n_containers; i++) {
			const struct container *c = &host->containers[i];
			const char *what = illness(c);
			if (what == NULL || c->name == NULL)
				continue;
			const char *summary =
			    arena_printf(check->arena, "container %s is %s", c->name, what);
			struct finding *f = find(check, first, summary);
			if (f == NULL)
				f = begin(check, c, summary);
			if (f->n_hosts > 0 && f->places[f->n_hosts - 1] == h)
				continue;
			finding_add_host(check, f, h);
			if (f->n_hosts <= QUOTED_HOSTS)
				finding_quote(check, f, host,
				    (struct source){host->containers_source, c->line});
		}
	}
	findings_lead_with_hosts(check, first);
}
