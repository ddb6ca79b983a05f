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

bool run_is_complete(const struct run *run)
{
	if (run->n_hosts < run->meta.n_hosts || run->diags.n > 0)
		return false;
	for (size_t i = 0; i < run->n_hosts; i++) {
		const struct host_record *host = run->hosts[i];
		if (host->status != HOST_OK)
			return false;
		for (size_t k = 0; k < host->n_probes; k++) {
			enum probe_status status = host->probes[k].status;
			if (status != PROBE_OK && status != PROBE_MISSING_COMMAND)
				return false;
		}
	}
	return true;
}
