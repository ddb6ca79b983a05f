#include "oddhost/check/rules.h"
#include "oddhost/check/subnets.h"

#include <string.h>

#define QUOTED_HOSTS 8

/* How the group's docker daemons are. */
struct daemons {
	size_t down, running, busy;     /* busy: running, with containers that run */
	size_t busy_host, running_host; /* the first of them */
};

static bool runs_containers(const struct host *host)
{
	for (size_t i = 0; i < host->n_containers; i++) {
		if (host->containers[i].state == CONTAINER_RUNNING)
			return true;
	}
	return false;
}

static struct daemons count(const struct check *check)
{
	struct daemons d = {0};

	for (size_t h = 0; h < check->n; h++) {
		const struct host *host = check->hosts[h];
		if (subnets_docker_down(host)) {
			d.down++;
		} else if (host->networks_known && !host->engine.podman) {
			if (d.running++ == 0)
				d.running_host = h;
			if (runs_containers(host) && d.busy++ == 0)
				d.busy_host = h;
		}
	}
	return d;
}

/* Where most others work with docker, it is missed; where it runs nowhere, it may not be meant to.
 */
static enum severity severity_of(const struct daemons *d)
{
	if (d->running == 0)
		return SEVERITY_LOW;
	return d->busy >= d->down && 2 * d->busy >= d->running ? SEVERITY_HIGH : SEVERITY_MEDIUM;
}

static void explain(struct check *check, struct finding *f, const struct daemons *d)
{
	const char *others = "";

	if (d->busy > 0)
		others = arena_printf(check->arena, " %zu other host%s containers under theirs.",
		    d->busy, d->busy == 1 ? " runs" : "s run");
	else if (d->running > 0)
		others = arena_printf(check->arena, " That of %zu other host%s answers.",
		    d->running, d->running == 1 ? "" : "s");
	f->summary = "docker is there, and its daemon does not run";
	f->why = arena_printf(check->arena,
	    "Without it no container is started, stopped or watched, and those that ran are gone, "
	    "unless live-restore is on.%s What its networks are, and whether containers are well, "
	    "is not known there.",
	    others);
	finding_add_fix(check, f, "See why it does not run, and start it where it is meant to:");
	finding_add_fix(
	    check, f, "$ systemctl status docker; journalctl -u docker --no-pager -n 50");
	finding_add_fix(check, f, "$ systemctl start docker && docker ps");
}

void rule_docker_down(struct check *check)
{
	size_t first = check->diagnosis->n_findings;
	struct daemons daemons = count(check);

	if (daemons.down == 0)
		return;
	struct finding *f =
	    finding_add(check, "docker-down", severity_of(&daemons), CONFIDENCE_CERTAIN);
	for (size_t h = 0; h < check->n; h++) {
		if (!subnets_docker_down(check->hosts[h]))
			continue;
		finding_add_host(check, f, h);
		if (f->n_hosts <= QUOTED_HOSTS)
			finding_quote_error(check, f, check->hosts[h],
			    host_record_probe(check->run->hosts[h], "docker_networks"));
	}
	if (daemons.running > 0) {
		size_t peer = daemons.busy > 0 ? daemons.busy_host : daemons.running_host;
		finding_quote(check, f, check->hosts[peer],
		    (struct source){host_record_probe(check->run->hosts[peer],
					daemons.busy > 0 ? "docker_ps" : "docker_networks"),
			1});
	}
	explain(check, f, &daemons);
	findings_lead_with_hosts(check, first);
}
