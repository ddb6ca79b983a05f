#include "oddhost/check/group_pools.h"
#include "oddhost/check/rules.h"
#include "oddhost/check/subnets.h"

#include <string.h>

#define QUOTED_HOSTS 8

static bool same(const struct docker_daemon *daemon, const struct docker_engine *engine)
{
	return pools_same(daemon->pools, daemon->n_pools, engine->pools, engine->n_pools);
}

/* daemon.json declares pools that docker was not started with. */
static void look_at_engine(struct check *check, struct finding **f, size_t h)
{
	const struct host *host = check->hosts[h];

	if (!host->daemon.valid || host->daemon.n_pools == 0 || !host->engine.pools_known ||
	    same(&host->daemon, &host->engine))
		return;
	if (*f == NULL) {
		*f = finding_add(check, "stale-networks", SEVERITY_LOW, CONFIDENCE_CERTAIN);
		(*f)->summary = "daemon.json declares address pools that docker does not use yet";
		(*f)->why =
		    "Docker reads default-address-pools when it starts; a reload does not apply them. "
		    "Until it is restarted, new networks get subnets from the old pools.";
		finding_add_fix(check, *f,
		    "Restart docker at a quiet moment; then re-create networks that "
		    "have their subnets from the old pools. The commands for each host, RUN being the directory of this run:");
		finding_add_fix(check, *f, "$ oddhost advise RUN");
	}
	finding_add_host(check, *f, h);
	finding_quote(check, *f, host, host->engine.source);
}

/*
 * Was the subnet chosen by docker out of pools that it had before? It is one of docker's own list,
 * outside the pools it has now; what was asked for means something, as was what is newer than them.
 */
static bool is_stale(const struct host *host, const struct container_subnet *subnet,
    const struct docker_pool *v, size_t n)
{
	size_t n_own;
	const struct docker_pool *own = pools_default(&n_own);
	uint64_t place;

	for (size_t i = 0; i < n; i++) {
		if (prefix_overlaps(&v[i].base, &subnet->prefix))
			return false;
	}
	if (host->engine.started_ns > 0 && subnet->network != NULL &&
	    subnet->network->created_ns > host->engine.started_ns)
		return false;
	return subnet_is_docker(subnet) && !subnet_is_docker0(subnet) &&
	       !subnet_was_asked(host, subnet) && pools_place(own, n_own, &subnet->prefix, &place);
}

static void look_at_networks(struct check *check, struct finding **f, size_t h)
{
	const struct host *host = check->hosts[h];
	struct container_subnet *subnets;
	const struct docker_pool *v;
	size_t n, n_subnets, stale = 0;

	if (!subnets_pools(host, &v, &n) || n == 0)
		return;
	n_subnets = subnets_of_host(check->arena, host, &subnets);
	for (size_t i = 0; i < n_subnets; i++) {
		if (!is_stale(host, &subnets[i], v, n))
			continue;
		if (*f == NULL) {
			*f = finding_add(check, "stale-networks", SEVERITY_LOW, CONFIDENCE_LIKELY);
			(*f)->why =
			    "Pools apply to new networks only: one that was made before keeps its subnet "
			    "until it is removed and made again. So what the pools were declared for is "
			    "not reached yet.";
			finding_add_fix(check, *f,
			    "Re-create them. The commands for each host, RUN being the directory of this run:");
			finding_add_fix(check, *f, "$ oddhost advise RUN");
			(*f)->summary = arena_printf(check->arena,
			    "%s has its subnet from outside the address pools: not re-created since they "
			    "were declared",
			    subnet_owner_text(check->arena, host, &subnets[i]));
		}
		if (stale++ == 0)
			finding_add_host(check, *f, h);
		if ((*f)->n_hosts <= QUOTED_HOSTS)
			finding_quote(check, *f, host, subnets[i].source);
	}
}

void rule_stale_networks(struct check *check)
{
	size_t first = check->diagnosis->n_findings;
	struct finding *f = NULL;

	for (size_t h = 0; h < check->n; h++)
		look_at_engine(check, &f, h);
	f = NULL;
	for (size_t h = 0; h < check->n; h++)
		look_at_networks(check, &f, h);
	findings_lead_with_hosts(check, first);
}
