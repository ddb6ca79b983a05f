#include "oddhost/check/rules.h"

#include <string.h>

#define QUOTED_HOSTS 8

static const struct service *service_of(const struct host *host, const char *name)
{
	for (size_t i = 0; i < host->n_services; i++) {
		if (strcmp(host->services[i].name, name) == 0)
			return &host->services[i];
	}
	return NULL;
}

static size_t count(const struct check *check, const char *name, enum service_state state)
{
	size_t n = 0;

	for (size_t h = 0; h < check->n; h++) {
		const struct service *s = service_of(check->hosts[h], name);
		n += s != NULL && s->state == state;
	}
	return n;
}

static void report(struct check *check, const char *name)
{
	struct finding *f = finding_add(check, "service-down", SEVERITY_HIGH, CONFIDENCE_CERTAIN);
	size_t up = count(check, name, SERVICE_UP);

	f->target = name;
	for (size_t h = 0; h < check->n; h++) {
		const struct service *s = service_of(check->hosts[h], name);
		if (s == NULL || s->state != SERVICE_DOWN)
			continue;
		finding_add_host(check, f, h);
		if (f->n_hosts <= QUOTED_HOSTS)
			finding_quote(check, f, check->hosts[h], s->source);
	}
	f->summary = arena_printf(check->arena, "%s: the local service %s does not answer",
	    finding_hosts(check, f), name);
	f->why = arena_printf(check->arena,
	    "The inventory says that %s must answer on the host itself (oddhost_local), and it was "
	    "asked there, without any network between. %s",
	    name,
	    up > 0 ? arena_printf(
			 check->arena, "It answers on %zu other host%s.", up, up == 1 ? "" : "s")
		   : "It answers on no host.");
	finding_add_fix(check, f, "Look at the application before the network:");
	finding_add_fix(check, f, "$ docker ps -a; ss -ltnp");
}

/* Each service once, at the first host that is asked for it. */
void rule_service_down(struct check *check)
{
	for (size_t h = 0; h < check->n; h++) {
		const struct host *host = check->hosts[h];
		for (size_t i = 0; i < host->n_services; i++) {
			const char *name = host->services[i].name;
			bool seen = false;
			for (size_t k = 0; k < h && !seen; k++)
				seen = service_of(check->hosts[k], name) != NULL;
			if (!seen && count(check, name, SERVICE_DOWN) > 0)
				report(check, name);
		}
	}
}
