#include "oddhost/check/forecast.h"

#include <string.h>

#include "oddhost/base/buf.h"
#include "oddhost/check/subnets.h"

/* What a host's docker chooses from, as far as it can be seen. */
struct view_of_docker {
	struct check *check;
	const struct host *host;
	struct pools_rules rules;
	bool version_known, pools_known, configured;
	struct pools pools;
	struct prefix *allocated; /* pools.allocated, to be added to */
	size_t cap_allocated;
	struct container_subnet *subnets; /* of the host's docker networks */
	size_t n_subnets;
};

/* A network of another local driver (macvlan, ipvlan) takes its subnet from the same pools. */
static bool takes_from_pools(const struct docker_network *network)
{
	return network->driver != NULL && strcmp(network->driver, "bridge") != 0 &&
	       strcmp(network->driver, "overlay") != 0;
}

static void allocate(struct view_of_docker *docker, const struct prefix *subnet)
{
	struct pools *pools = &docker->pools;

	docker->allocated = arena_grow(docker->check->arena, docker->allocated, pools->n_allocated,
	    &docker->cap_allocated, sizeof *docker->allocated);
	docker->allocated[pools->n_allocated++] = *subnet;
	pools->allocated = docker->allocated;
}

/* The host's subnets, and those of its networks that are no routes of the host. */
static void find_subnets(struct view_of_docker *docker)
{
	const struct host *host = docker->host;
	struct container_subnet *subnets;
	size_t n = subnets_of_host(docker->check->arena, host, &subnets), cap = n;

	for (size_t i = 0; i < host->n_networks; i++) {
		const struct docker_network *network = &host->networks[i];
		for (size_t k = 0; takes_from_pools(network) && k < network->n_subnets; k++) {
			subnets =
			    arena_grow(docker->check->arena, subnets, n, &cap, sizeof *subnets);
			subnets[n++] = (struct container_subnet){network->subnets[k], NULL,
			    "docker", network, {network->detail.probe, network->subnet_lines[k]}};
		}
	}
	docker->subnets = subnets;
	docker->n_subnets = n;
}

static void find_allocated(struct view_of_docker *docker)
{
	for (size_t i = 0; i < docker->n_subnets; i++) {
		if (subnet_is_docker(&docker->subnets[i]))
			allocate(docker, &docker->subnets[i].prefix);
	}
}

static void find_reserved(struct view_of_docker *docker)
{
	const struct host *host = docker->host;
	struct prefix *reserved = arena_alloc(
	    docker->check->arena, (host->routes.n + host->n_nameservers) * sizeof *reserved);
	size_t n = 0;

	for (size_t i = 0; i < host->routes.n; i++) {
		if (pools_route_reserved(&docker->rules, &host->routes.v[i]))
			reserved[n++] = host->routes.v[i].dst;
	}
	for (size_t i = 0; i < host->n_nameservers; i++)
		reserved[n++] = prefix_of_ip(&host->nameservers[i].ip, 128);
	docker->pools.reserved = reserved;
	docker->pools.n_reserved = n;
}

static void find_pools(struct view_of_docker *docker)
{
	struct pools *pools = &docker->pools;

	docker->pools_known = subnets_pools(docker->host, &pools->v, &pools->n);
	docker->configured = pools->n > 0;
	if (!docker->configured)
		pools->v = pools_default(&pools->n);
}

/*
 * Has the network a subnet that docker chose? It is one of its list, and was not asked for. docker0
 * keeps its subnet over restarts and is only chosen anew, at every start, where pools are
 * configured and no bip is.
 */
static bool is_chosen(const struct view_of_docker *docker, const struct container_subnet *subnet)
{
	uint64_t place;

	return subnet_is_docker(subnet) && !subnet_was_asked(docker->host, subnet) &&
	       pools_place(docker->pools.v, docker->pools.n, &subnet->prefix, &place) &&
	       (!subnet_is_docker0(subnet) ||
		   (docker->configured && docker->host->daemon.bip == NULL));
}

static int64_t created(const struct container_subnet *subnet)
{
	return subnet->network == NULL ? 0 : subnet->network->created_ns;
}

/* Of two networks of docker's choice, is this one the newer, as far as that is known? */
static bool is_newer(const struct view_of_docker *docker, const struct container_subnet *subnet,
    const struct container_subnet *than)
{
	uint64_t place = 0, other = 0;

	if (than == NULL || created(subnet) != created(than))
		return than == NULL || created(subnet) > created(than);
	pools_place(docker->pools.v, docker->pools.n, &subnet->prefix, &place);
	pools_place(docker->pools.v, docker->pools.n, &than->prefix, &other);
	return place > other;
}

static const char *name_of(struct view_of_docker *docker, const struct container_subnet *subnet)
{
	char text[PREFIX_TEXT_SIZE];

	prefix_format(&subnet->prefix, text);
	if (subnet->network == NULL)
		return arena_dup(docker->check->arena, text);
	return arena_printf(docker->check->arena, "%s (%s)", text, subnet->network->name);
}

/* Set the cursor as far as it shows, and say how that is known. Returns whether it shows at all. */
static bool find_cursor(struct view_of_docker *docker, struct forecast *ret, struct buf *said)
{
	const struct docker_engine *engine = &docker->host->engine;
	const struct container_subnet *newest = NULL;
	uint64_t length = pools_length(docker->pools.v, docker->pools.n);
	bool all_dated = true;

	for (size_t i = 0; i < docker->n_subnets; i++) {
		const struct container_subnet *subnet = &docker->subnets[i];
		if (!is_chosen(docker, subnet))
			continue;
		all_dated = all_dated && created(subnet) > 0;
		if (engine->started_ns > 0 && created(subnet) > 0 &&
		    created(subnet) < engine->started_ns)
			continue;
		if (is_newer(docker, subnet, newest))
			newest = subnet;
	}
	if (newest == NULL) {
		buf_printf(said, "docker is at the head of its pools, %s",
		    engine->started_ns > 0
			? "if no network was made and removed since it was started"
			: "since no network shows how far it has got");
		return engine->started_ns > 0;
	}
	pools_place(docker->pools.v, docker->pools.n, &newest->prefix, &docker->pools.cursor);
	docker->pools.cursor = (docker->pools.cursor + 1) % length;
	ret->newest = &newest->prefix;
	ret->source = newest->source;
	buf_printf(said, "docker goes on behind %s, %s", name_of(docker, newest),
	    !all_dated ? "the last one in its pools: which one is the newest is not known"
	    : engine->started_ns > 0
		? "the newest network made since it was started, if none was made and removed after it"
		: "the newest network, if it was not restarted since");
	return all_dated && engine->started_ns > 0;
}

static void say_model(struct view_of_docker *docker, struct forecast *ret, struct buf *said)
{
	if (!docker->version_known)
		buf_puts(said, "an engine of 18.06 to 26.1 is assumed, where each network gets the "
			       "next subnet; ");
	if (!docker->pools_known)
		buf_puts(said, "its pools are not known: taken for docker's own; ");
	if (!docker->host->routes_known)
		buf_puts(said, "its routes are not known, which docker stays clear of; ");
	else if (docker->host->routes.partial)
		buf_puts(said, "its routes, which docker stays clear of, are not known whole; ");
	if (!docker->host->nameservers_known)
		buf_puts(said, "its nameservers are not known, which docker stays clear of; ");
	if (ret->model == POOLS_ROTATING)
		return;
	buf_puts(said, "the lowest free subnet is given out: a network that is re-created gets the "
		       "same one again, and further ones take more networks at once");
}

/* Else no creation, however far away, can cut anything off. */
static bool may_collide(struct view_of_docker *docker)
{
	for (size_t i = 0; i < docker->pools.n; i++) {
		if (needs_overlapping(docker->check, &docker->pools.v[i].base) != NULL)
			return true;
	}
	return false;
}

static void walk(struct view_of_docker *docker, struct forecast *ret)
{
	size_t most = may_collide(docker) ? FORECAST_FAR : FORECAST_SHOWN;
	struct prefix subnet;

	for (size_t i = 1; i <= most && pools_next(&docker->pools, &subnet); i++) {
		const struct need *need =
		    ret->creations > 0 ? NULL : needs_overlapping(docker->check, &subnet);
		if (need != NULL) {
			ret->creations = i;
			ret->subnet = subnet;
			ret->with = need;
		}
		if (i <= FORECAST_SHOWN)
			ret->next[ret->n++] = subnet;
		else if (ret->creations > 0)
			break;
		allocate(docker, &subnet);
	}
}

void forecast_host(struct check *check, size_t h, struct forecast *ret)
{
	struct view_of_docker docker = {.check = check, .host = check->hosts[h]};
	struct buf said = {0};
	bool placed = true;

	*ret = (struct forecast){.engine = docker.host->engine.version,
	    .model = POOLS_ROTATING,
	    .source = docker.host->engine.source};
	find_subnets(&docker);
	ret->assumption = subnets_docker_unknown(docker.host, docker.subnets, docker.n_subnets);
	ret->possible = ret->assumption == NULL;
	if (!ret->possible)
		return;
	docker.version_known =
	    ret->engine != NULL && pools_rules_of(view_of(ret->engine), &docker.rules);
	if (!docker.version_known)
		docker.rules = (struct pools_rules){POOLS_ROTATING, false};
	ret->model = docker.pools.model = docker.rules.model;
	find_allocated(&docker);
	find_reserved(&docker);
	find_pools(&docker);
	for (size_t i = 0; i < docker.n_subnets; i++)
		ret->networks += is_chosen(&docker, &docker.subnets[i]) &&
				 !subnet_is_docker0(&docker.subnets[i]);
	say_model(&docker, ret, &said);
	if (ret->model == POOLS_ROTATING)
		placed = find_cursor(&docker, ret, &said);
	ret->assumption = arena_dup(check->arena, buf_str(&said));
	buf_free(&said);
	ret->known = placed && docker.version_known && docker.pools_known &&
		     docker.host->routes_known && !docker.host->routes.partial &&
		     docker.host->nameservers_known;
	ret->firm = ret->known && ret->model != POOLS_ROTATING;
	walk(&docker, ret);
}
