#include "oddhost/check/ruled_out.h"

#include <string.h>

#include "oddhost/base/text.h"

#define QUOTED 4
#define GATEWAYS 8

struct symptom {
	struct check *check;
	size_t target;
	const char *name;
	size_t *failing, *passing; /* indices of hosts */
	size_t n_failing, n_passing;
};

static const char *names(const struct symptom *s, const size_t *hosts, size_t n)
{
	const char **list = arena_alloc(s->check->arena, n * sizeof *list);

	for (size_t i = 0; i < n; i++)
		list[i] = check_name(s->check, hosts[i]);
	return text_fold(s->check->arena, list, n, 6);
}

static const struct sight *sight_of(const struct symptom *s, size_t host)
{
	return check_sight(s->check, host, s->target);
}

static void target_is_up(const struct symptom *s)
{
	struct claim *claim = claim_add(s->check, "%s is not down: %s get%s answers from it.",
	    s->name, names(s, s->passing, s->n_passing), s->n_passing == 1 ? "s" : "");

	for (size_t i = 0; i < s->n_passing && i < QUOTED; i++)
		claim_quote(s->check, claim, s->check->hosts[s->passing[i]],
		    source_of_answer(sight_of(s, s->passing[i])));
}

/* The hosts on both sides of the symptom know the target by the same addresses. */
static void dns_agrees(const struct symptom *s)
{
	const struct resolution *first = sight_of(s, s->failing[0])->resolution;
	size_t n = s->n_failing + s->n_passing;
	char text[IP_TEXT_SIZE];
	struct ip itself;

	if (ip_parse(view_of(s->check->run->meta.targets[s->target].name), &itself))
		return; /* an address resolves to itself everywhere */
	for (size_t i = 0; i < n; i++) {
		size_t h = i < s->n_failing ? s->failing[i] : s->passing[i - s->n_failing];
		const struct resolution *r = sight_of(s, h)->resolution;
		if (first == NULL || r == NULL || r->failed || r->n == 0 || r->n != first->n ||
		    memcmp(r->addresses, first->addresses, r->n * sizeof *r->addresses) != 0)
			return;
	}
	struct claim *claim = claim_add(s->check, "Name resolution: all %zu hosts know %s as %s%s.",
	    n, s->name, ip_format(&first->addresses[0], text), first->n > 1 ? " (and more)" : "");
	for (size_t i = 0; i < n && i < QUOTED; i++) {
		size_t h = i < s->n_failing ? s->failing[i] : s->passing[i - s->n_failing];
		claim_quote(
		    s->check, claim, s->check->hosts[h], sight_of(s, h)->resolution->source);
	}
}

static const struct route *default_route(const struct host *host)
{
	for (size_t i = 0; i < host->routes.n; i++) {
		const struct route *route = &host->routes.v[i];
		if (route->dst.len == 0 && route->dst.ip.family == IP_V4 &&
		    route->gateway.family != IP_NONE && strcmp(route->table, "main") == 0)
			return route;
	}
	return NULL;
}

/* The gateway that packets for the target leave by; NULL: another way, or not known. */
static const struct ip *target_gateway(const struct sight *sight)
{
	const struct path *path = sight->tried;

	return path != NULL && path_leaves(path) && path->gateway.family != IP_NONE ? &path->gateway
										    : NULL;
}

/* The gateway that would carry the packets of a failing host: where they stay inside, its default.
 */
static const struct ip *gateway_of_failing(const struct symptom *s, size_t host)
{
	const struct sight *sight = sight_of(s, host);
	const struct route *route = default_route(s->check->hosts[host]);

	if (sight->shadow == NULL)
		return target_gateway(sight);
	return route == NULL ? NULL : &route->gateway;
}

static size_t hosts_behind(
    const struct symptom *s, const struct ip *gateway, bool failing, size_t *ret_hosts)
{
	const size_t *hosts = failing ? s->failing : s->passing;
	size_t n = 0, all = failing ? s->n_failing : s->n_passing;

	for (size_t i = 0; i < all; i++) {
		const struct ip *own = failing ? gateway_of_failing(s, hosts[i])
					       : target_gateway(sight_of(s, hosts[i]));
		if (own != NULL && ip_equal(own, gateway))
			ret_hosts[n++] = hosts[i];
	}
	return n;
}

/*
 * Failing and passing hosts stand behind the same gateway: what is between it and the target
 * carries the passing hosts' packets, so it would carry the others'.
 */
static void network_carries(const struct symptom *s, const struct ip *gateway)
{
	size_t *sick = arena_alloc(s->check->arena, s->n_failing * sizeof *sick);
	size_t *peers = arena_alloc(s->check->arena, s->n_passing * sizeof *peers);
	size_t n_sick = hosts_behind(s, gateway, true, sick);
	size_t n = hosts_behind(s, gateway, false, peers);
	char text[IP_TEXT_SIZE];

	if (n == 0)
		return;
	struct claim *claim = claim_add(s->check,
	    "The network (VPC) between: %s stand%s behind the same gateway %s as %s, and %s "
	    "through it.",
	    names(s, peers, n), n == 1 ? "s" : "", ip_format(gateway, text), names(s, sick, n_sick),
	    n == 1 ? "reaches the target" : "reach the target");
	const struct host *first = s->check->hosts[sick[0]];
	claim_quote(s->check, claim, first, source_of_route(first, default_route(first)));
	for (size_t i = 0; i < n && i < QUOTED; i++) {
		const struct host *host = s->check->hosts[peers[i]];
		const struct sight *sight = sight_of(s, peers[i]);
		claim_quote(s->check, claim, host,
		    sight->tried->egress != NULL ? sight->tried->egress->source
						 : source_of_route(host, sight->tried->route));
		claim_quote(s->check, claim, host, source_of_answer(sight));
	}
}

/* One claim for each gateway, the first few. */
static void networks_carry(const struct symptom *s)
{
	struct ip seen[GATEWAYS];
	size_t n = 0;

	for (size_t i = 0; i < s->n_failing && n < GATEWAYS; i++) {
		const struct ip *gateway = gateway_of_failing(s, s->failing[i]);
		size_t k = 0;
		while (gateway != NULL && k < n && !ip_equal(&seen[k], gateway))
			k++;
		if (gateway == NULL || k < n)
			continue;
		seen[n++] = *gateway;
		network_carries(s, gateway);
	}
}

/* They are answered by ping and not by the port: the way is there, and only the port fails. */
static void ping_answers(const struct symptom *s)
{
	for (size_t i = 0; i < s->n_failing; i++) {
		const struct sight *sight = sight_of(s, s->failing[i]);
		if (sight->shadow != NULL || sight->tcp == NULL || sight->ping == NULL ||
		    sight->ping->status != PING_OK)
			return;
	}
	struct claim *claim = claim_add(s->check,
	    "The way to %s: it answers the pings of %s, only connecting to its port fails.",
	    s->name, names(s, s->failing, s->n_failing));
	for (size_t i = 0; i < s->n_failing && i < QUOTED; i++)
		claim_quote(s->check, claim, s->check->hosts[s->failing[i]],
		    source_of_reply(sight_of(s, s->failing[i])->ping));
}

/* The failing hosts reach all of their peers: what lies between the hosts is sound. */
static void peers_answer(const struct symptom *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_failing; i++) {
		const struct host *host = s->check->hosts[s->failing[i]];
		if (host->n_peers == 0)
			return;
		for (size_t k = 0; k < host->n_peers; k++) {
			if (host->peers[k].ping.status != PING_OK)
				return;
			n++;
		}
	}
	struct claim *claim = claim_add(s->check,
	    "The network among the hosts: %s get%s an answer from every peer that was asked (%zu "
	    "pings).",
	    names(s, s->failing, s->n_failing), s->n_failing == 1 ? "s" : "", n);
	for (size_t i = 0; i < s->n_failing && i < QUOTED; i++) {
		const struct host *host = s->check->hosts[s->failing[i]];
		claim_quote(s->check, claim, host, source_of_reply(&host->peers[0].ping));
	}
}

/* The failing hosts of which it holds. */
static size_t failing_that(
    const struct symptom *s, bool (*holds)(const struct host *host), size_t *ret_hosts)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_failing; i++) {
		if (holds(s->check->hosts[s->failing[i]]))
			ret_hosts[n++] = s->failing[i];
	}
	return n;
}

static bool serves(const struct host *host)
{
	for (size_t k = 0; k < host->n_services; k++) {
		if (host->services[k].state != SERVICE_UP)
			return false;
	}
	return host->n_services > 0;
}

/* What must answer on the host itself does. */
static void services_answer(const struct symptom *s)
{
	size_t *hosts = arena_alloc(s->check->arena, s->n_failing * sizeof *hosts);
	size_t n = failing_that(s, serves, hosts);

	if (n == 0)
		return;
	struct claim *claim = claim_add(s->check,
	    "The application on %s: what must answer on the host itself does.", names(s, hosts, n));
	for (size_t i = 0; i < n && i < QUOTED; i++) {
		const struct host *host = s->check->hosts[hosts[i]];
		for (size_t k = 0; k < host->n_services && k < (n == 1 ? QUOTED : 1); k++)
			claim_quote(s->check, claim, host, host->services[k].source);
	}
}

static bool is_ill(const struct container *c)
{
	return c->health == HEALTH_UNHEALTHY || c->state == CONTAINER_RESTARTING ||
	       c->state == CONTAINER_DEAD;
}

/* Containers run, and none is ill, of a list that was read whole; and no service is down. */
static bool runs(const struct host *host)
{
	size_t running = 0;

	if (!host->containers_known || host->containers_source->status != PROBE_OK)
		return false;
	for (size_t k = 0; k < host->n_containers; k++) {
		if (is_ill(&host->containers[k]))
			return false;
		running += host->containers[k].state == CONTAINER_RUNNING;
	}
	for (size_t k = 0; k < host->n_services; k++) {
		if (host->services[k].state == SERVICE_DOWN)
			return false;
	}
	return running > 0;
}

static void quote_running(
    const struct symptom *s, struct claim *claim, const struct host *host, size_t most)
{
	for (size_t k = 0; k < host->n_containers && most > 0; k++) {
		if (host->containers[k].state != CONTAINER_RUNNING)
			continue;
		claim_quote(s->check, claim, host,
		    (struct source){host->containers_source, host->containers[k].line});
		most--;
	}
}

static void application_runs(const struct symptom *s)
{
	size_t *hosts = arena_alloc(s->check->arena, s->n_failing * sizeof *hosts);
	size_t n = failing_that(s, runs, hosts), running = 0;

	if (n == 0)
		return;
	for (size_t i = 0; i < n; i++) {
		const struct host *host = s->check->hosts[hosts[i]];
		for (size_t k = 0; k < host->n_containers; k++)
			running += host->containers[k].state == CONTAINER_RUNNING;
	}
	struct claim *claim = claim_add(s->check,
	    "The application on %s: %s %zu running container%s up, none is unhealthy or "
	    "restarting.",
	    names(s, hosts, n), n == 1 ? "its" : "their", running, running == 1 ? " is" : "s are");
	for (size_t i = 0; i < n && i < QUOTED; i++)
		quote_running(s, claim, s->check->hosts[hosts[i]], n == 1 ? QUOTED : 1);
}

void ruled_out_find(struct check *check)
{
	for (size_t t = 0; t < check->run->meta.n_targets; t++) {
		struct symptom s = {
		    .check = check, .target = t, .name = check->run->meta.targets[t].text};
		s.failing = arena_alloc(check->arena, check->n * sizeof *s.failing);
		s.passing = arena_alloc(check->arena, check->n * sizeof *s.passing);
		for (size_t h = 0; h < check->n; h++) {
			enum reach reach = check_sight(check, h, t)->reach;
			if (reach == REACH_OK)
				s.passing[s.n_passing++] = h;
			else if (reach != REACH_UNKNOWN)
				s.failing[s.n_failing++] = h;
		}
		if (s.n_failing == 0)
			continue;
		if (s.n_passing > 0) {
			target_is_up(&s);
			dns_agrees(&s);
			networks_carry(&s);
		}
		ping_answers(&s);
		peers_answer(&s);
		services_answer(&s);
		application_runs(&s);
	}
}
