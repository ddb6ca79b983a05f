#include "oddhost/model/diagnosis.h"

#include <string.h>

static const char *const severities[] = {"none", "info", "low", "medium", "high", "critical"};

const char *severity_name(enum severity severity)
{
	return severities[severity];
}

bool severity_from_name(const char *name, enum severity *ret)
{
	for (unsigned i = 0; i < sizeof severities / sizeof *severities; i++) {
		if (strcmp(name, severities[i]) == 0) {
			*ret = (enum severity)i;
			return true;
		}
	}
	return false;
}

const char *confidence_name(enum confidence confidence)
{
	static const char *const names[] = {"possible", "likely", "certain"};

	return names[confidence];
}

const char *finding_state_name(enum finding_state state)
{
	static const char *const names[] = {NULL, "new", "persisting"};

	return names[state];
}

/*
 * A host may lack docker, sysctl(8) or a tool to connect with, and without ip(8) `route -n` answers
 * in its place; but a host that can say nothing about its routes, names or pings was not examined.
 */
static bool may_be_missing(const struct host_record *host, const char *probe)
{
	static const char *const optional[] = {
	    "docker_", "tcp:", "sysctl", "local:", "mesh", "own:"};
	static const char *const beside_routes[] = {"routes6", "rules", "rules6", "addrs", "neigh"};
	const struct probe_result *routes = host_record_probe(host, "routes");

	for (size_t i = 0; i < sizeof optional / sizeof *optional; i++) {
		if (strncmp(probe, optional[i], strlen(optional[i])) == 0)
			return true;
	}
	if (routes == NULL || routes->status != PROBE_OK)
		return false;
	for (size_t i = 0; i < sizeof beside_routes / sizeof *beside_routes; i++) {
		if (strcmp(probe, beside_routes[i]) == 0)
			return true;
	}
	return strncmp(probe, "egress:", 7) == 0;
}

bool host_is_complete(const struct host_record *host)
{
	if (host->status != HOST_OK)
		return false;
	for (size_t k = 0; k < host->n_probes; k++) {
		enum probe_status status = host->probes[k].status;
		if (strcmp(host->probes[k].name, "cloud") == 0)
			continue; /* a service may be switched off there: nobody's fault */
		if (status != PROBE_OK && (status != PROBE_MISSING_COMMAND ||
					      !may_be_missing(host, host->probes[k].name)))
			return false;
	}
	return true;
}

bool run_is_complete(const struct run *run)
{
	if (run->n_hosts < run->meta.n_hosts || run->diags.n > 0)
		return false;
	for (size_t i = 0; i < run->n_hosts; i++) {
		if (!host_is_complete(run->hosts[i]))
			return false;
	}
	return true;
}
