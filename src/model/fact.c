#include "oddhost/model/fact.h"

const char *facet_name(enum facet facet)
{
	static const char *const names[FACET_COUNT] = {
	    [FACET_EGRESS] = "egress",
	    [FACET_ROUTE] = "route",
	    [FACET_ROUTE6] = "route6",
	    [FACET_RULE] = "rule",
	    [FACET_NETWORK] = "docker-network",
	    [FACET_DNS] = "dns",
	    [FACET_DAEMON] = "docker-daemon",
	    [FACET_SYSTEM] = "system",
	    [FACET_SERVICE] = "local-service",
	    [FACET_OWN] = "own-probe",
	    [FACET_CONTAINER] = "container",
	    [FACET_PING] = "ping",
	    [FACET_TCP] = "tcp",
	};

	return names[facet];
}
