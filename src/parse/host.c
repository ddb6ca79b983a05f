#include "oddhost/parse/host.h"

#include <string.h>

#include "oddhost/base/clock.h"
#include "oddhost/parse/addresses.h"
#include "oddhost/parse/answer.h"
#include "oddhost/parse/cloud.h"
#include "oddhost/parse/docker.h"
#include "oddhost/parse/neighbours.h"
#include "oddhost/parse/resolv.h"
#include "oddhost/parse/routes.h"
#include "oddhost/parse/system.h"
#include "oddhost/parse/targets.h"

#define NS 1000000000
#define CLOCK_SLACK_S 5

/* Returns the probe that the rules were read from, or NULL. */
static const struct probe_result *read_rules(
    struct host *host, const char *name, struct rule_list *rules)
{
	const struct probe_result *probe = host_record_probe(host->record, name);

	rules->arena = host->arena;
	if (!answer_usable(probe))
		return NULL;
	parse_rules(answer_text(probe), rules, answer_diags(host, probe));
	rules->partial |= probe->status == PROBE_TRUNCATED;
	return probe;
}

static void read_routes(struct host *host)
{
	const struct probe_result *v4 = host_record_probe(host->record, "routes");
	const struct probe_result *v6 = host_record_probe(host->record, "routes6");

	/* A host that was reached has routes, if only those of its loopback in table local: an
	 * empty IPv4 answer is none. */
	if (answer_usable(v4) && view_trim(v4->out).n > 0) {
		host->routes_source = v4;
		host->routes_known =
		    parse_routes(answer_text(v4), IP_V4, &host->routes, answer_diags(host, v4));
		host->routes.partial |= v4->status == PROBE_TRUNCATED;
	}
	if (answer_usable(v6)) {
		host->routes6_source = v6;
		host->routes6_known =
		    parse_routes(answer_text(v6), IP_V6, &host->routes, answer_diags(host, v6));
		host->routes.partial6 |= v6->status == PROBE_TRUNCATED;
	}
	host->routes.v = arena_fit(
	    host->arena, host->routes.v, host->routes.n, &host->routes.cap, sizeof *host->routes.v);
	host->rules_source = read_rules(host, "rules", &host->rules);
	host->rules6_source = read_rules(host, "rules6", &host->rules6);
}

static void read_addresses(struct host *host)
{
	const struct probe_result *probe = host_record_probe(host->record, "addrs");
	struct address_list list = {.arena = host->arena};

	if (!answer_usable(probe))
		return;
	host->addresses_source = probe;
	host->addresses_known =
	    parse_addresses(answer_text(probe), &list, answer_diags(host, probe));
	host->addresses = list.v;
	host->n_addresses = list.n;
	host->cap_addresses = list.cap;
}

static void read_containers(struct host *host)
{
	const struct probe_result *probe = host_record_probe(host->record, "docker_ps");
	struct container_list list = {.arena = host->arena};

	if (!answer_usable(probe))
		return;
	host->containers_source = probe;
	host->containers_known =
	    parse_docker_ps(answer_text(probe), &list, answer_diags(host, probe));
	host->containers = list.v;
	host->n_containers = list.n;
	host->cap_containers = list.cap;
}

/* "cat: /etc/docker/daemon.json: No such file or directory", on stderr or in a transcript. */
static bool says_absent(const struct probe_result *probe)
{
	return view_find(probe->err, "No such file") >= 0 ||
	       (view_find(probe->out, "No such file") >= 0 &&
		   !view_starts(view_trim(probe->out), "{"));
}

static void read_daemon(struct host *host)
{
	const struct probe_result *probe = host_record_probe(host->record, "docker_daemon");

	if (probe == NULL)
		return;
	if (says_absent(probe))
		host->daemon = (struct docker_daemon){.known = true};
	else if (answer_is_whole(probe) && probe->exit <= 0)
		parse_docker_daemon(
		    probe->out, host->arena, &host->daemon, answer_diags(host, probe));
	host->daemon.source = (struct source){probe, 0};
}

static void read_engine(struct host *host)
{
	const struct probe_result *probe = host_record_probe(host->record, "docker_info");

	host->engine.live_restore = -1;
	if (!answer_usable(probe))
		return;
	parse_docker_info(
	    answer_text(probe), host->arena, &host->engine, answer_diags(host, probe));
	host->engine.source.probe = probe;
}

/* The servers behind the stub of systemd-resolved, where there is only that. */
static void read_resolv(struct host *host)
{
	static const char *const names[] = {"resolv", "resolv_systemd"};
	bool stub = true;

	for (size_t i = 0; i < 2 && stub; i++) {
		const struct probe_result *probe = host_record_probe(host->record, names[i]);
		struct resolv resolv = {.arena = host->arena};
		if (!answer_usable(probe) || probe->exit > 0 ||
		    !parse_resolv(answer_text(probe), &resolv, answer_diags(host, probe)))
			return;
		stub = resolv_is_stub(&resolv);
		host->nameservers_known = !stub && answer_is_whole(probe);
		host->nameservers = resolv.servers;
		host->n_nameservers = resolv.n_servers;
		host->cap_nameservers = resolv.cap_servers;
		host->search = resolv.search;
		host->n_search = resolv.n_search;
		host->cap_search = resolv.cap_search;
		host->nameservers_source = probe;
	}
}

static void read_neighbours(struct host *host)
{
	const struct probe_result *probe = host_record_probe(host->record, "neigh");
	struct neighbour_list list = {.arena = host->arena};

	if (!answer_usable(probe))
		return;
	host->neighbours_source = probe;
	host->neighbours_known =
	    parse_neighbours(answer_text(probe), &list, answer_diags(host, probe)) &&
	    answer_is_whole(probe);
	host->neighbours = list.v;
	host->n_neighbours = list.n;
	host->cap_neighbours = list.cap;
}

static void read_sysctls(struct host *host)
{
	const struct probe_result *probe = host_record_probe(host->record, "sysctl");

	parse_sysctls(answer_usable(probe) ? answer_text(probe) : view_of(""), &host->sysctls,
	    answer_usable(probe) ? answer_diags(host, probe) : NULL);
	host->sysctls.source = (struct source){probe, 0};
}

static void read_cloud(struct host *host)
{
	const struct probe_result *probe = host_record_probe(host->record, "cloud");

	/* What was said before the time was over holds, too. */
	if (probe == NULL || (!answer_usable(probe) && probe->status != PROBE_TIMEOUT))
		return;
	parse_cloud(probe->out, host->arena, &host->cloud, answer_diags(host, probe));
	host->cloud.source = probe;
}

/*
 * The host said its time between the record's start and its end; a few seconds more are allowed,
 * since that start is in whole seconds and this machine's own clock is no better than others.
 */
static void compare_clocks(struct host *host, int64_t said_ns)
{
	const struct host_record *record = host->record;
	int64_t began_ns, said, from, to;

	if (said_ns == 0 || record->started == NULL ||
	    !clock_parse(view_of(record->started), &began_ns))
		return;
	said = said_ns / NS;
	from = began_ns / NS - CLOCK_SLACK_S;
	to = began_ns / NS + record->elapsed_ms / 1000 + CLOCK_SLACK_S;
	host->clock_known = true;
	host->clock_off_s = said < from ? said - from : said > to ? said - to : 0;
}

/* The probes that add to one another. */
static void read_additive(struct host *host)
{
	const struct host_record *record = host->record;
	struct network_list list = {.arena = host->arena};
	struct system system = {0};

	for (size_t i = 0; i < record->n_probes; i++) {
		const struct probe_result *probe = &record->probes[i];
		bool networks = strcmp(probe->name, "docker_networks") == 0 ||
				strcmp(probe->name, "docker_inspect") == 0;
		if (!answer_usable(probe))
			continue;
		if (networks && view_trim(probe->out).n > 0)
			host->networks_known |=
			    parse_docker_networks(answer_text(probe), probe->command, probe, &list,
				answer_diags(host, probe)) &&
			    answer_is_whole(probe);
		else if (strcmp(probe->name, "host") == 0)
			parse_system(
			    answer_text(probe), host->arena, &system, answer_diags(host, probe));
	}
	host->networks = list.v;
	host->n_networks = list.n;
	host->cap_networks = list.cap;
	host_index_networks(host);
	host->kernel = system.kernel;
	host->os = system.os;
	host->uptime = system.uptime;
	host->upgraded = system.upgraded;
	compare_clocks(host, system.clock_ns);
}

struct host *parse_host(struct host_record *record, const struct run_meta *meta)
{
	struct arena *arena = record->arena;
	struct host *host = arena_alloc(arena, sizeof *host);

	host->record = record;
	host->arena = arena;
	host->routes.arena = arena;
	host->diags.arena = arena;
	read_routes(host);
	read_addresses(host);
	read_additive(host);
	read_containers(host);
	read_daemon(host);
	read_engine(host);
	read_resolv(host);
	read_neighbours(host);
	read_sysctls(host);
	read_cloud(host);
	parse_targets(host, meta);
	host->diags.source = NULL;
	return host;
}
