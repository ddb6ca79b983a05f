#include "oddhost/model/fact.h"

#include <string.h>

#define IPV6 " IPv6"

const char *fact_target_key(struct arena *arena, const char *target, uint8_t family)
{
	return family == IP_V6 ? arena_printf(arena, "%s" IPV6, target) : target;
}

bool fact_is_about(const char *key, const char *target)
{
	size_t n = strlen(target);

	return strncmp(key, target, n) == 0 && (key[n] == '\0' || strcmp(key + n, IPV6) == 0);
}

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
