/*
 * The published incident as a diagnosis made by hand, so that the reports are tested apart from
 * the parsers and checks. The outputs are those of Su Yang (soulteary),
 * "没能躲开的云服务容器网络问题", 2020-12-04, CC BY 4.0.
 */
#ifndef ODDHOST_TESTS_REPORT_SAMPLE_H
#define ODDHOST_TESTS_REPORT_SAMPLE_H

#include <stdio.h>
#include <string.h>

#include "oddhost/model/diagnosis.h"

#define TARGET "rm-intra.mysql.rds.aliyuncs.com"
#define PROJECT "project-grpup_project-name"

struct sample {
	struct run *run;
	struct diagnosis d;
};

static void sample_probe(
    struct host_record *record, const char *name, const char *command, const char *output)
{
	struct probe_result *probe = host_record_add_probe(record, name);

	probe->command = command;
	probe->exit = 0;
	probe->out = arena_view(record->arena, view_of(output));
}

static void sample_route(struct host *host, const char *dst, const char *gateway, const char *dev)
{
	struct route *route = route_table_add(&host->routes);

	prefix_parse(view_of(dst), &route->dst);
	if (gateway != NULL)
		ip_parse(view_of(gateway), &route->gateway);
	route->dev = dev;
	route->scope = gateway ? ROUTE_SCOPE_GLOBAL : ROUTE_SCOPE_LINK;
}

static void sample_network(struct host *host, const char *name, const char *bridge)
{
	host->networks = arena_grow(host->arena, host->networks, host->n_networks,
	    &host->cap_networks, sizeof *host->networks);
	host->networks[host->n_networks++] =
	    (struct docker_network){.name = name, .driver = "bridge", .bridge = bridge};
	host_index_networks(host);
}

static struct host *sample_host(struct sample *s, const char *name, enum host_status status)
{
	struct host_record *record = host_record_new(name);
	struct host *host = arena_alloc(record->arena, sizeof *host);

	record->address = name;
	record->status = status;
	record->error = "";
	record->started = "2020-12-04T03:00:00Z";
	host->record = record;
	host->arena = record->arena;
	host->routes.arena = record->arena;
	host->diags.arena = record->arena;
	run_add(s->run, record);
	s->d.hosts[s->d.n_hosts++] = (struct host_view){.host = host};
	return host;
}

static void sample_begin(struct sample *s, const char *group, size_t hosts)
{
	memset(s, 0, sizeof *s);
	s->run = run_new();
	s->d.arena = arena_new();
	s->d.run = s->run;
	s->d.hosts = arena_alloc(s->d.arena, (hosts + 1) * sizeof *s->d.hosts);
	s->run->meta = (struct run_meta){.version = "0.1.0",
	    .group = group,
	    .started = "2020-12-04T03:00:00Z",
	    .finished = "2020-12-04T03:00:04Z",
	    .n_hosts = hosts};
}

static void sample_free(struct sample *s)
{
	arena_free(s->d.arena);
	run_free(s->run);
}

static const char **sample_strings(struct sample *s, const char *const *v, size_t n)
{
	const char **copy = arena_alloc(s->d.arena, (n + 1) * sizeof *copy);

	memcpy(copy, v, n * sizeof *copy);
	return copy;
}

#define STRINGS(s, field, n_field, ...)                                                            \
	do {                                                                                       \
		const char *const list_[] = {__VA_ARGS__};                                         \
		(field) = sample_strings(s, list_, sizeof list_ / sizeof *list_);                  \
		(n_field) = sizeof list_ / sizeof *list_;                                          \
	} while (0)

static struct finding *sample_finding(struct sample *s, struct finding finding)
{
	s->d.findings = arena_grow(
	    s->d.arena, s->d.findings, s->d.n_findings, &s->d.cap_findings, sizeof *s->d.findings);
	finding.id = arena_printf(s->d.arena, "F%zu", s->d.n_findings + 1);
	s->d.findings[s->d.n_findings] = finding;
	return &s->d.findings[s->d.n_findings++];
}

/* A line of a probe's output as evidence: quoted from the record itself. */
static struct evidence sample_quote(struct sample *s, size_t host, const char *probe, unsigned line)
{
	const struct host_record *record = s->d.hosts[host].host->record;

	return (struct evidence){record->name, probe, line,
	    arena_dup_view(s->d.arena, probe_line(host_record_probe(record, probe), line))};
}

static void sample_cite(
    struct sample *s, struct finding *f, size_t host, const char *probe, unsigned line)
{
	f->evidence = arena_grow(
	    s->d.arena, f->evidence, f->n_evidence, &f->cap_evidence, sizeof *f->evidence);
	f->evidence[f->n_evidence++] = sample_quote(s, host, probe, line);
}

static void sample_claim(struct sample *s, const char *text, const char *probe, unsigned line)
{
	struct claim *claim;

	s->d.ruled_out = arena_grow(s->d.arena, s->d.ruled_out, s->d.n_ruled_out,
	    &s->d.cap_ruled_out, sizeof *s->d.ruled_out);
	claim = &s->d.ruled_out[s->d.n_ruled_out++];
	claim->text = text;
	claim->evidence = arena_alloc(s->d.arena, 4 * sizeof *claim->evidence);
	for (size_t h = 1; h < 4; h++)
		claim->evidence[claim->n_evidence++] = sample_quote(s, h, probe, line);
}

static void sample_differ(struct sample *s, size_t host, struct difference difference)
{
	struct host_view *view = &s->d.hosts[host];

	view->differs = arena_grow(
	    s->d.arena, view->differs, view->n_differs, &view->cap_differs, sizeof *view->differs);
	view->differs[view->n_differs++] = difference;
	view->score += 0.354;
}

static const struct {
	const char *name, *subnet, *subnet_mask, *bridge, *traefik, *prefix, *ms;
} sample_incident_hosts[] = {
    {"host-pre", "192.168.0.0", "255.255.240.0", "br-c3c094fc6759", "br-df03b027a5e8",
	"192.168.0.0/20", NULL},
    {"host-01", "192.168.32.0", "255.255.240.0", "br-bb02c47906ee", "br-0cb13ae8df3c",
	"192.168.32.0/20", "1.11"},
    {"host-02", "172.28.0.0", "255.255.0.0", "br-f11216ce202f", "br-405544233f47", "172.28.0.0/16",
	"0.992"},
    {"host-03", "172.19.0.0", "255.255.255.0", "br-5089b1504e22", "br-df03b027a5e8",
	"172.19.0.0/24", "1.07"},
};

static void sample_incident_host(struct sample *s, size_t i)
{
	struct host *host = sample_host(s, sample_incident_hosts[i].name, HOST_OK);
	struct host_record *record = s->run->hosts[s->run->n_hosts - 1];
	const char *ms = sample_incident_hosts[i].ms, *lines[2], *entries[2];
	struct arena *a = record->arena;

	/* route -n sorts by address: 172.17, 172.18, 172.x, 192.168.x, the LAN. */
	for (int k = 0; k < 2; k++) {
		lines[k] = arena_printf(a,
		    "%-15s 0.0.0.0         %-15s U     0      0        0 %s\n",
		    k == 0 ? "172.18.0.0" : sample_incident_hosts[i].subnet,
		    k == 0 ? "255.255.0.0" : sample_incident_hosts[i].subnet_mask,
		    k == 0 ? sample_incident_hosts[i].traefik : sample_incident_hosts[i].bridge);
		entries[k] =
		    ms ? arena_printf(a,
			     "64 bytes from 192.168.0.166 (192.168.0.166): icmp_seq=%d ttl=102 "
			     "time=%s ms\n",
			     k + 1, ms)
		       : arena_printf(a,
			     "From host-pre (192.168.0.1) icmp_seq=%d Destination Host "
			     "Unreachable\n",
			     k + 1);
	}
	sample_probe(record, "routes", "route -n",
	    arena_printf(a,
		"Kernel IP routing table\n"
		"Destination     Gateway         Genmask         Flags Metric Ref    Use Iface\n"
		"0.0.0.0         192.168.73.253  0.0.0.0         UG    100    0        0 eth0\n"
		"172.17.0.0      0.0.0.0         255.255.0.0     U     0      0        0 "
		"docker0\n%s%s"
		"192.168.73.0    0.0.0.0         255.255.255.0   U     0      0        0 eth0\n"
		"192.168.73.253  0.0.0.0         255.255.255.255 UH    100    0        0 eth0\n",
		lines[0], lines[1]));
	sample_probe(record, "ping:" TARGET, "ping -n -c 3 " TARGET,
	    arena_printf(a, "PING " TARGET " (192.168.0.166) 56(84) bytes of data.\n%s%s",
		entries[0], entries[1]));
	if (i == 0)
		sample_probe(record, "docker_networks", "docker network ls",
		    "NETWORK ID          NAME                            DRIVER              "
		    "SCOPE\n"
		    "0fba8dbbbff8        bridge                          bridge              "
		    "local\n"
		    "8b92ba96f640        host                            host                "
		    "local\n"
		    "c3c094fc6759        " PROJECT "      bridge              local\n"
		    "123b8780367b        none                            null                "
		    "local\n"
		    "df03b027a5e8        traefik                         bridge              "
		    "local\n");

	host->routes_known = true;
	host->networks_known = i == 0;
	sample_network(host, "bridge", "docker0");
	if (i == 0) {
		sample_network(host, PROJECT, "br-c3c094fc6759");
		sample_network(host, "traefik", "br-df03b027a5e8");
	}
	sample_route(host, "0.0.0.0/0", "192.168.73.253", "eth0");
	sample_route(host, "172.17.0.0/16", NULL, "docker0");
	sample_route(host, "172.18.0.0/16", NULL, sample_incident_hosts[i].traefik);
	sample_route(host, sample_incident_hosts[i].prefix, NULL, sample_incident_hosts[i].bridge);
	sample_route(host, "192.168.73.0/24", NULL, "eth0");
	sample_route(host, "192.168.73.253/32", NULL, "eth0");
	host->resolutions = arena_alloc(a, sizeof *host->resolutions);
	host->resolutions[0] = (struct resolution){.target = TARGET, .n = 1};
	host->resolutions[0].addresses = arena_alloc(a, sizeof(struct ip));
	ip_parse(view_of("192.168.0.166"), &host->resolutions[0].addresses[0]);
	host->n_resolutions = 1;
	host->pings = arena_alloc(a, sizeof *host->pings);
	host->ping_targets = arena_alloc(a, sizeof *host->ping_targets);
	host->ping_targets[0] = TARGET;
	host->n_pings = 1;
}

static void sample_critical(struct sample *s)
{
	struct finding *f = sample_finding(s,
	    (struct finding){.rule = "target-shadowed",
		.severity = SEVERITY_CRITICAL,
		.confidence = CONFIDENCE_CERTAIN,
		.target = TARGET,
		.address = "192.168.0.166",
		.prefix = "192.168.0.0/20",
		.summary = "host-pre keeps packets for " TARGET
			   " to itself: its docker network " PROJECT " covers 192.168.0.166",
		.why = TARGET
		" resolves to 192.168.0.166 on all four hosts. On host-pre the longest "
		"matching route for it is 192.168.0.0/20 on br-c3c094fc6759, the bridge of docker "
		"network " PROJECT
		". So the kernel looks for the database among the containers and "
		"never sends a packet to the gateway 192.168.73.253. The ping's answer "
		"\"Destination "
		"Host Unreachable\" comes from 192.168.0.1, host-pre's own bridge. The three other "
		"hosts route the same address by the gateway and reach it.",
		.fingerprint = "target-shadowed:host-pre:" TARGET});

	STRINGS(s, f->hosts, f->n_hosts, "host-pre");
	STRINGS(s, f->fix, f->n_fix,
	    "Merge this into /etc/docker/daemon.json on host-pre, so that no network lands in "
	    "192.168.0.0/16 again:\n{\n  \"default-address-pools\": [\n    {\"base\": "
	    "\"172.18.0.0/16\", \"size\": 24},\n    {\"base\": \"172.19.0.0/16\", \"size\": 24}\n  "
	    "]\n}",
	    "Restart docker; containers stop for that time:", "$ systemctl restart docker",
	    "Re-create the network " PROJECT " (stop its containers first):",
	    "$ docker compose -p project-grpup down", "$ docker network rm " PROJECT,
	    "$ docker compose -p project-grpup up -d",
	    "Check that the address leaves by the gateway again:", "$ ip route get 192.168.0.166",
	    "Check that the database answers:", "$ ping -c 3 " TARGET);
	sample_cite(s, f, 0, "routes", 6);
	sample_cite(s, f, 0, "ping:" TARGET, 2);
	sample_cite(s, f, 0, "ping:" TARGET, 3);
	sample_cite(s, f, 0, "docker_networks", 4);
	for (size_t h = 1; h < 4; h++)
		sample_cite(s, f, h, "ping:" TARGET, 2);
}

static void sample_high(struct sample *s)
{
	struct finding *f = sample_finding(s,
	    (struct finding){.rule = "reserved-overlap",
		.severity = SEVERITY_HIGH,
		.confidence = CONFIDENCE_CERTAIN,
		.prefix = "192.168.32.0/20",
		.summary =
		    "host-01 has containers in 192.168.32.0/20, inside the reserved 192.168.0.0/16 "
		    "(rds-vpc)",
		.why = "Nothing fails today, but the database's network may use any address of "
		       "192.168.0.0/16. The day it moves into 192.168.32.0/20, host-01 loses it.",
		.fingerprint = "reserved-overlap:host-01:192.168.0.0/16"});

	STRINGS(s, f->hosts, f->n_hosts, "host-01");
	STRINGS(s, f->fix, f->n_fix,
	    "Give host-01 the same default-address-pools as in F1, and re-create its network at "
	    "the "
	    "next deploy.");
	sample_cite(s, f, 1, "routes", 6);
}

static void sample_suspects(struct sample *s)
{
	struct suspect *v = arena_alloc(s->d.arena, 2 * sizeof *v);

	v[0] = (struct suspect){.facet = FACET_EGRESS,
	    .key = TARGET,
	    .value = "on-link through docker network " PROJECT,
	    .score = 1.0,
	    .target = TARGET};
	v[1] = (struct suspect){.facet = FACET_ROUTE,
	    .key = "192.168.0.0/20",
	    .value = "docker network " PROJECT,
	    .score = 1.0,
	    .target = TARGET};
	STRINGS(s, v[0].failing, v[0].n_failing, "host-pre");
	STRINGS(s, v[1].failing, v[1].n_failing, "host-pre");
	s->d.suspects = v;
	s->d.n_suspects = 2;
}

static void __attribute__((unused)) sample_incident(struct sample *s)
{
	sample_begin(s, "api", 5);
	s->run->meta.n_hosts = 4;
	s->run->meta.targets = arena_alloc(s->run->arena, sizeof *s->run->meta.targets);
	s->run->meta.targets[0] = (struct target){TARGET, TARGET, 0};
	s->run->meta.n_targets = 1;
	s->run->meta.reserved = arena_alloc(s->run->arena, sizeof *s->run->meta.reserved);
	prefix_parse(view_of("192.168.0.0/16"), &s->run->meta.reserved[0].prefix);
	s->run->meta.reserved[0].name = "rds-vpc";
	s->run->meta.n_reserved = 1;
	for (size_t i = 0; i < 4; i++)
		sample_incident_host(s, i);
	s->d.severity = SEVERITY_CRITICAL;
	s->d.summary = "host-pre cannot reach " TARGET ": its own docker network " PROJECT
		       " covers the database's address.";
	sample_critical(s);
	sample_high(s);
	s->d.hosts[0].worst = SEVERITY_CRITICAL;
	s->d.hosts[1].worst = SEVERITY_HIGH;
	sample_differ(s, 0,
	    (struct difference){FACET_EGRESS, TARGET, "on-link through docker network " PROJECT,
		"via 192.168.73.253", 3, 4, {NULL, 0}});
	sample_differ(s, 0,
	    (struct difference){
		FACET_ROUTE, "192.168.0.0/20", "docker network " PROJECT, NULL, 3, 4, {NULL, 0}});
	sample_differ(
	    s, 0, (struct difference){FACET_PING, TARGET, "unreachable", "ok", 3, 4, {NULL, 0}});
	sample_differ(s, 1,
	    (struct difference){
		FACET_ROUTE, "192.168.32.0/20", "docker network", NULL, 3, 4, {NULL, 0}});
	sample_suspects(s);
	sample_claim(s, "The database is not down: three hosts reach it.", "ping:" TARGET, 2);
	sample_claim(s, "Name resolution is not the cause: all hosts resolve 192.168.0.166.",
	    "ping:" TARGET, 1);
	STRINGS(s, s->d.notes, s->d.n_notes,
	    "docker_networks was not gathered on host-01, host-02 and host-03: the names of their "
	    "networks are not known.");
}

#endif
