#include "oddhost/parse/host.h"

#include <string.h>

#include "oddhost/base/clock.h"
#include "oddhost/parse/addresses.h"
#include "oddhost/parse/cloud.h"
#include "oddhost/parse/docker.h"
#include "oddhost/parse/names.h"
#include "oddhost/parse/neighbours.h"
#include "oddhost/parse/ping.h"
#include "oddhost/parse/resolv.h"
#include "oddhost/parse/routes.h"
#include "oddhost/parse/service.h"
#include "oddhost/parse/system.h"
#include "oddhost/parse/tcp.h"

/* A host has a few targets and peers; a crafted record with more is cut off. */
#define TARGETS_MOST 1024

#define NS 1000000000
#define CLOCK_SLACK_S 5

struct reader {
	struct host *host;
	const struct run_meta *meta;
	struct network_list networks;
	struct egress_list egresses;
	struct tcp_list tcps;
};

/* Is there an answer that a parser may read and conclude from? */
static bool usable(const struct probe_result *probe)
{
	return probe != NULL && (probe->status == PROBE_OK ||
				    (probe->status == PROBE_TRUNCATED && probe->out.n > 0));
}

/* Where the output was cut short, what is missing from it proves nothing. */
static bool is_whole(const struct probe_result *probe)
{
	return probe->status == PROBE_OK;
}

/* What a parser may read: where the output was cut short, its whole lines. */
static struct view text_of(const struct probe_result *probe)
{
	struct view text = probe->out;

	while (probe->status == PROBE_TRUNCATED && text.n > 0 && text.p[text.n - 1] != '\n')
		text.n--;
	return text;
}

/* The host's list, with the probe's name as the source. */
static struct diag_list *diags_of(struct reader *r, const struct probe_result *probe)
{
	r->host->diags.source = probe->name;
	return &r->host->diags;
}

static const struct target *target_named(const struct run_meta *meta, const char *name)
{
	for (size_t i = 0; i < meta->n_targets; i++) {
		if (strcmp(meta->targets[i].text, name) == 0)
			return &meta->targets[i];
	}
	for (size_t i = 0; i < meta->n_targets; i++) {
		if (strcmp(meta->targets[i].name, name) == 0)
			return &meta->targets[i];
	}
	return NULL;
}

/* What the probe's TARGET is called in the model. */
static const char *target_text(struct reader *r, const char *name)
{
	const struct target *target = target_named(r->meta, name);

	return target != NULL ? target->text : arena_dup(r->host->arena, name);
}

/* Returns the probe that the rules were read from, or NULL. */
static const struct probe_result *read_rules(
    struct reader *r, const char *name, struct rule_list *rules)
{
	const struct probe_result *probe = host_record_probe(r->host->record, name);

	rules->arena = r->host->arena;
	if (!usable(probe))
		return NULL;
	parse_rules(text_of(probe), rules, diags_of(r, probe));
	rules->partial |= probe->status == PROBE_TRUNCATED;
	return probe;
}

static void read_routes(struct reader *r)
{
	struct host *host = r->host;
	const struct probe_result *v4 = host_record_probe(host->record, "routes");
	const struct probe_result *v6 = host_record_probe(host->record, "routes6");

	if (usable(v4)) {
		host->routes_source = v4;
		host->routes_known =
		    parse_routes(text_of(v4), IP_V4, &host->routes, diags_of(r, v4));
		host->routes.partial |= v4->status == PROBE_TRUNCATED;
	}
	if (usable(v6)) {
		host->routes6_source = v6;
		host->routes6_known =
		    parse_routes(text_of(v6), IP_V6, &host->routes, diags_of(r, v6));
		host->routes.partial6 |= v6->status == PROBE_TRUNCATED;
	}
	host->rules_source = read_rules(r, "rules", &host->rules);
	host->rules6_source = read_rules(r, "rules6", &host->rules6);
}

static void read_addresses(struct reader *r)
{
	struct host *host = r->host;
	const struct probe_result *probe = host_record_probe(host->record, "addrs");
	struct address_list list = {.arena = host->arena};

	if (!usable(probe))
		return;
	host->addresses_source = probe;
	host->addresses_known = parse_addresses(text_of(probe), &list, diags_of(r, probe));
	host->addresses = list.v;
	host->n_addresses = list.n;
	host->cap_addresses = list.cap;
}

static void read_containers(struct reader *r)
{
	struct host *host = r->host;
	const struct probe_result *probe = host_record_probe(host->record, "docker_ps");
	struct container_list list = {.arena = host->arena};

	if (!usable(probe))
		return;
	host->containers_source = probe;
	host->containers_known = parse_docker_ps(text_of(probe), &list, diags_of(r, probe));
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

static void read_daemon(struct reader *r)
{
	struct host *host = r->host;
	const struct probe_result *probe = host_record_probe(host->record, "docker_daemon");

	if (probe == NULL)
		return;
	if (says_absent(probe))
		host->daemon = (struct docker_daemon){.known = true};
	else if (is_whole(probe) && probe->exit <= 0)
		parse_docker_daemon(probe->out, host->arena, &host->daemon, diags_of(r, probe));
	host->daemon.source = (struct source){probe, 0};
}

static void read_engine(struct reader *r)
{
	struct host *host = r->host;
	const struct probe_result *probe = host_record_probe(host->record, "docker_info");

	host->engine.live_restore = -1;
	if (!usable(probe))
		return;
	parse_docker_info(text_of(probe), host->arena, &host->engine, diags_of(r, probe));
	host->engine.source = (struct source){probe, 0};
}

/* The servers behind the stub of systemd-resolved, where there is only that. */
static void read_resolv(struct reader *r)
{
	static const char *const names[] = {"resolv", "resolv_systemd"};
	struct host *host = r->host;
	bool stub = true;

	for (size_t i = 0; i < 2 && stub; i++) {
		const struct probe_result *probe = host_record_probe(host->record, names[i]);
		struct resolv resolv = {.arena = host->arena};
		if (!usable(probe) || probe->exit > 0 ||
		    !parse_resolv(text_of(probe), &resolv, diags_of(r, probe)))
			return;
		stub = resolv_is_stub(&resolv);
		host->nameservers_known = !stub && is_whole(probe);
		host->nameservers = resolv.servers;
		host->n_nameservers = resolv.n_servers;
		host->cap_nameservers = resolv.cap_servers;
		host->search = resolv.search;
		host->n_search = resolv.n_search;
		host->cap_search = resolv.cap_search;
		host->nameservers_source = probe;
	}
}

static void read_neighbours(struct reader *r)
{
	struct host *host = r->host;
	const struct probe_result *probe = host_record_probe(host->record, "neigh");
	struct neighbour_list list = {.arena = host->arena};

	if (!usable(probe))
		return;
	host->neighbours_source = probe;
	host->neighbours_known =
	    parse_neighbours(text_of(probe), &list, diags_of(r, probe)) && is_whole(probe);
	host->neighbours = list.v;
	host->n_neighbours = list.n;
	host->cap_neighbours = list.cap;
}

static void read_sysctls(struct reader *r)
{
	struct host *host = r->host;
	const struct probe_result *probe = host_record_probe(host->record, "sysctl");

	parse_sysctls(usable(probe) ? text_of(probe) : view_of(""), &host->sysctls,
	    usable(probe) ? diags_of(r, probe) : NULL);
	host->sysctls.source = (struct source){probe, 0};
}

static void read_cloud(struct reader *r)
{
	struct host *host = r->host;
	const struct probe_result *probe = host_record_probe(host->record, "cloud");

	/* What was said before the time was over holds, too. */
	if (probe == NULL || (!usable(probe) && probe->status != PROBE_TIMEOUT))
		return;
	parse_cloud(probe->out, host->arena, &host->cloud, diags_of(r, probe));
	host->cloud.source = probe;
}

static void add_resolution(struct reader *r, const struct resolution *resolution)
{
	struct host *host = r->host;
	const struct resolution *known = host_resolution(host, resolution->target);

	if (known != NULL) {
		host->resolutions[known - host->resolutions] = *resolution;
		return;
	}
	if (host->n_resolutions == TARGETS_MOST)
		return;
	host->resolutions = arena_grow(host->arena, host->resolutions, host->n_resolutions,
	    &host->cap_resolutions, sizeof *resolution);
	host->resolutions[host->n_resolutions++] = *resolution;
}

static void read_dns(struct reader *r, const struct probe_result *probe, const char *name)
{
	struct resolution resolution;

	/* getent(1): 2 is "not found"; 1 is a database it does not know. */
	if (!usable(probe) || (view_trim(probe->out).n == 0 && probe->exit != 2) ||
	    !parse_getent(text_of(probe), r->host->arena, &resolution, diags_of(r, probe)))
		return;
	resolution.target = target_text(r, name);
	resolution.source.probe = probe;
	add_resolution(r, &resolution);
}

static void add_ping(struct reader *r, const char *target, const struct ping *ping)
{
	struct host *host = r->host;
	const struct ping *known = host_ping(host, target);

	if (known != NULL) {
		host->pings[known - host->pings] = *ping;
		return;
	}
	if (host->n_pings == TARGETS_MOST)
		return;
	host->pings =
	    arena_grow(host->arena, host->pings, host->n_pings, &host->cap_pings, sizeof *ping);
	host->ping_targets = arena_grow(host->arena, host->ping_targets, host->n_pings,
	    &host->cap_ping_targets, sizeof *host->ping_targets);
	host->ping_targets[host->n_pings] = target;
	host->pings[host->n_pings++] = *ping;
}

static void read_ping(struct reader *r, const struct probe_result *probe, const char *name)
{
	struct ping ping;

	if (probe->out.n + probe->err.n == 0)
		return;
	parse_ping(text_of(probe), probe->err, r->host->arena, &ping, diags_of(r, probe));
	if (ping.target == NULL && ping.status == PING_UNKNOWN)
		return;
	ping.source.probe = probe;
	add_ping(r, target_text(r, name), &ping);
}

static void read_tcp(struct reader *r, const struct probe_result *probe, const char *name)
{
	size_t from = r->tcps.n;

	if (!usable(probe))
		return;
	parse_tcp(text_of(probe), &r->tcps, diags_of(r, probe));
	for (size_t i = from; i < r->tcps.n; i++) {
		r->tcps.v[i].target = target_text(r, name);
		r->tcps.v[i].source.probe = probe;
	}
}

static void read_service(struct reader *r, const struct probe_result *probe, const char *name)
{
	struct host *host = r->host;
	struct service service = {.name = name, .source = {.probe = probe}};

	if (!usable(probe) || host->n_services == TARGETS_MOST)
		return;
	parse_service(text_of(probe), host->arena, &service, diags_of(r, probe));
	host->services = arena_grow(
	    host->arena, host->services, host->n_services, &host->cap_services, sizeof service);
	host->services[host->n_services++] = service;
}

static void read_mesh(struct reader *r)
{
	struct host *host = r->host;
	const struct probe_result *probe = host_record_probe(host->record, "mesh");
	struct peer_list list = {.arena = host->arena};

	if (!usable(probe))
		return;
	parse_mesh(text_of(probe), &list, diags_of(r, probe));
	for (size_t i = 0; i < list.n; i++)
		list.v[i].ping.source.probe = probe;
	host->peers = list.v;
	host->n_peers = list.n;
	host->cap_peers = list.cap;
}

/* Where no dns probe spoke, ping's header did. */
static void resolve_by_ping(struct reader *r)
{
	struct host *host = r->host;

	for (size_t i = 0; i < host->n_pings; i++) {
		const struct ping *ping = &host->pings[i];
		struct resolution found = {.target = host->ping_targets[i],
		    .failed = ping->status == PING_UNKNOWN_HOST,
		    .source = ping->source};
		if (host_resolution(host, found.target) != NULL ||
		    (!found.failed && ping->address.family == IP_NONE))
			continue;
		if (!found.failed) {
			found.addresses = arena_alloc(host->arena, sizeof *found.addresses);
			found.addresses[0] = ping->address;
			found.n = found.cap = 1;
		}
		add_resolution(r, &found);
	}
}

static bool resolves_to(const struct resolution *resolution, const struct ip *ip)
{
	for (size_t i = 0; resolution != NULL && i < resolution->n; i++) {
		if (ip_equal(&resolution->addresses[i], ip))
			return true;
	}
	return false;
}

/* `egress:ADDRESS` belongs to the target that resolves to it. */
static const char *egress_target(struct reader *r, const char *name)
{
	struct ip ip;

	if (target_named(r->meta, name) == NULL && ip_parse(view_of(name), &ip)) {
		for (size_t i = 0; i < r->meta->n_targets; i++) {
			const char *text = r->meta->targets[i].text;
			if (resolves_to(host_resolution(r->host, text), &ip))
				return text;
		}
	}
	return target_text(r, name);
}

static bool is_answered(const struct egress_list *list, size_t from, const struct ip *ip)
{
	for (size_t i = from; i < list->n; i++) {
		if (ip_equal(&list->v[i].address, ip))
			return true;
	}
	return false;
}

/*
 * A refusal does not name its address: it is one that was asked for and has no answer. Where there
 * is one refusal for each of those, or all refusals are alike, it is clear which; else it stays
 * open.
 */
static void name_refusals(
    struct egress_list *list, size_t from, const struct ip *asked, size_t n_asked)
{
	size_t open = 0, refusals = 0;

	for (size_t i = from; i < list->n; i++)
		refusals += list->v[i].address.family == IP_NONE;
	for (size_t i = 0; i < n_asked; i++)
		open += !is_answered(list, from, &asked[i]);
	if (refusals != open || n_asked > TARGETS_MOST)
		return;
	for (size_t i = from, k = 0; i < list->n; i++) {
		if (list->v[i].address.family != IP_NONE)
			continue;
		while (k < n_asked && is_answered(list, from, &asked[k]))
			k++;
		if (k < n_asked)
			list->v[i].address = asked[k++];
	}
}

static void read_egress(struct reader *r, const struct probe_result *probe, const char *name)
{
	struct egress_list *list = &r->egresses;
	const char *target = egress_target(r, name);
	const struct resolution *resolution = host_resolution(r->host, target);
	size_t from = list->n;
	struct ip literal;

	if (probe->status == PROBE_SKIPPED || probe->status == PROBE_MISSING_COMMAND ||
	    from >= TARGETS_MOST)
		return;
	parse_egress(text_of(probe), list, diags_of(r, probe));
	size_t answers = list->n;
	parse_egress(probe->err, list, NULL); /* refusals; others' complaints are no answers */
	for (size_t i = from; i < list->n; i++) {
		list->v[i].target = target;
		list->v[i].source =
		    (struct source){probe, i < answers ? list->v[i].source.line : 0};
	}
	if (ip_parse(view_of(name), &literal))
		name_refusals(list, from, &literal, 1);
	else if (resolution != NULL)
		name_refusals(list, from, resolution->addresses, resolution->n);
}

/* The TARGET of "KIND:TARGET", or NULL where the probe is another's. */
static const char *target_of(const struct probe_result *probe, const char *kind)
{
	size_t n = strlen(kind);

	return strncmp(probe->name, kind, n) == 0 ? probe->name + n : NULL;
}

static void read_targets(struct reader *r)
{
	const struct host_record *record = r->host->record;
	const char *target;

	for (size_t i = 0; i < record->n_probes; i++) {
		const struct probe_result *probe = &record->probes[i];
		if ((target = target_of(probe, "dns:")) != NULL)
			read_dns(r, probe, target);
		else if ((target = target_of(probe, "ping:")) != NULL)
			read_ping(r, probe, target);
		else if ((target = target_of(probe, "tcp:")) != NULL)
			read_tcp(r, probe, target);
		else if ((target = target_of(probe, "local:")) != NULL)
			read_service(r, probe, target);
	}
	resolve_by_ping(r);
	for (size_t i = 0; i < record->n_probes; i++) {
		const struct probe_result *probe = &record->probes[i];
		if ((target = target_of(probe, "egress:")) != NULL)
			read_egress(r, probe, target);
	}
	r->host->tcps = r->tcps.v;
	r->host->n_tcps = r->tcps.n;
	r->host->cap_tcps = r->tcps.cap;
	r->host->egresses = r->egresses.v;
	r->host->n_egresses = r->egresses.n;
	r->host->cap_egresses = r->egresses.cap;
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
static void read_additive(struct reader *r)
{
	struct host *host = r->host;
	const struct host_record *record = host->record;
	struct system system = {0};

	for (size_t i = 0; i < record->n_probes; i++) {
		const struct probe_result *probe = &record->probes[i];
		bool networks = strcmp(probe->name, "docker_networks") == 0 ||
				strcmp(probe->name, "docker_inspect") == 0;
		if (!usable(probe))
			continue;
		if (networks && view_trim(probe->out).n > 0)
			host->networks_known |=
			    parse_docker_networks(text_of(probe), probe->command, probe,
				&r->networks, diags_of(r, probe)) &&
			    is_whole(probe);
		else if (strcmp(probe->name, "host") == 0)
			parse_system(text_of(probe), host->arena, &system);
	}
	host->networks = r->networks.v;
	host->n_networks = r->networks.n;
	host->cap_networks = r->networks.cap;
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
	struct reader r = {
	    .host = host,
	    .meta = meta,
	    .networks = {.arena = arena},
	    .egresses = {.arena = arena},
	    .tcps = {.arena = arena},
	};

	host->record = record;
	host->arena = arena;
	host->routes.arena = arena;
	host->diags.arena = arena;
	read_routes(&r);
	read_addresses(&r);
	read_additive(&r);
	read_containers(&r);
	read_daemon(&r);
	read_engine(&r);
	read_resolv(&r);
	read_neighbours(&r);
	read_sysctls(&r);
	read_cloud(&r);
	read_targets(&r);
	read_mesh(&r);
	host->diags.source = NULL;
	return host;
}
