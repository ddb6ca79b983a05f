#include "oddhost/parse/targets.h"

#include <string.h>

#include "oddhost/parse/answer.h"
#include "oddhost/parse/names.h"
#include "oddhost/parse/ping.h"
#include "oddhost/parse/service.h"
#include "oddhost/parse/tcp.h"

/* A host has a few targets and peers; a crafted record with more is cut off. */
#define TARGETS_MOST 1024

struct reader {
	struct host *host;
	const struct run_meta *meta;
	struct egress_list egresses;
	struct tcp_list tcps;
};

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
	if (!answer_usable(probe) || (view_trim(probe->out).n == 0 && probe->exit != 2) ||
	    !parse_getent(
		answer_text(probe), r->host->arena, &resolution, answer_diags(r->host, probe)))
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
	parse_ping(
	    answer_text(probe), probe->err, r->host->arena, &ping, answer_diags(r->host, probe));
	if (ping.target == NULL && ping.status == PING_UNKNOWN)
		return;
	ping.source.probe = probe;
	add_ping(r, target_text(r, name), &ping);
}

static void read_tcp(struct reader *r, const struct probe_result *probe, const char *name)
{
	size_t from = r->tcps.n;

	if (!answer_usable(probe))
		return;
	parse_tcp(answer_text(probe), &r->tcps, answer_diags(r->host, probe));
	for (size_t i = from; i < r->tcps.n; i++) {
		r->tcps.v[i].target = target_text(r, name);
		r->tcps.v[i].source.probe = probe;
	}
}

static void read_service(struct reader *r, const struct probe_result *probe, const char *name)
{
	struct host *host = r->host;
	struct service service = {.name = name, .source = {.probe = probe}};

	if (!answer_usable(probe) || host->n_services == TARGETS_MOST)
		return;
	parse_service(answer_text(probe), host->arena, &service, answer_diags(r->host, probe));
	host->services = arena_grow(
	    host->arena, host->services, host->n_services, &host->cap_services, sizeof service);
	host->services[host->n_services++] = service;
}

static void read_mesh(struct reader *r)
{
	struct host *host = r->host;
	const struct probe_result *probe = host_record_probe(host->record, "mesh");
	struct peer_list list = {.arena = host->arena};

	if (!answer_usable(probe))
		return;
	parse_mesh(answer_text(probe), &list, answer_diags(r->host, probe));
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
	parse_egress(answer_text(probe), list, answer_diags(r->host, probe));
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

static void read_all(struct reader *r)
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

void parse_targets(struct host *host, const struct run_meta *meta)
{
	struct reader r = {
	    .host = host, .meta = meta, .egresses.arena = host->arena, .tcps.arena = host->arena};

	read_all(&r);
	read_mesh(&r);
}
