#include "oddhost/check/rules.h"
#include "oddhost/check/subnets.h"

#include <string.h>

/* Could a container network have cut the host off from the bastion? Docker's own default pools. */
static bool in_docker_pools(const struct ip *ip)
{
	static const struct prefix pools[] = {
	    {{IP_V4, {172, 16}}, 12},
	    {{IP_V4, {192, 168}}, 16},
	};

	for (size_t i = 0; i < sizeof pools / sizeof *pools; i++) {
		if (prefix_contains_ip(&pools[i], ip))
			return true;
	}
	return false;
}

static const char *hypothesis(struct check *check)
{
	const char *text = check->run->meta.bastion;
	struct ip bastion;

	if (text == NULL || !ip_parse(view_of(text), &bastion))
		return "";
	for (size_t h = 0; h < check->n; h++) {
		struct container_subnet *subnets;
		size_t n = subnets_of_host(check->arena, check->hosts[h], &subnets);
		for (size_t i = 0; i < n; i++) {
			char prefix[PREFIX_TEXT_SIZE];
			if (prefix_contains_ip(&subnets[i].prefix, &bastion))
				return arena_printf(check->arena,
				    " On %s a container network holds %s, which covers this "
				    "machine's address %s: the same on these hosts would send "
				    "their answers to a bridge. Try their console.",
				    check_name(check, h), prefix_format(&subnets[i].prefix, prefix),
				    text);
		}
	}
	if (in_docker_pools(&bastion))
		return arena_printf(check->arena,
		    " This machine's address %s lies in docker's default pools: a docker network on these "
		    "hosts may have taken its subnet, so that their answers go to a bridge. Try "
		    "their console.",
		    text);
	return "";
}

static void report(struct check *check, enum host_status status)
{
	struct finding *f = NULL;

	for (size_t h = 0; h < check->n; h++) {
		const struct host_record *record = check->run->hosts[h];
		if (record->status != status || host_record_examined(record))
			continue;
		if (f == NULL)
			f = finding_add(
			    check, "host-unreachable", SEVERITY_MEDIUM, CONFIDENCE_CERTAIN);
		finding_add_host(check, f, h);
		if (f->n_evidence < 8 && *record->error != '\0') {
			f->evidence = arena_grow(check->arena, f->evidence, f->n_evidence,
			    &f->cap_evidence, sizeof *f->evidence);
			f->evidence[f->n_evidence++] =
			    (struct evidence){record->name, NULL, 0, record->error};
		}
	}
	if (f == NULL)
		return;
	bool silent = status == HOST_CONNECT_TIMEOUT || status == HOST_UNREACHABLE;
	f->summary = arena_printf(check->arena, "%s could not be examined: %s",
	    finding_hosts(check, f), host_status_name(status));
	f->why =
	    arena_printf(check->arena, "What is on %s is not known; %s may be the odd one out.%s",
		f->n_hosts == 1 ? "this host" : "these hosts",
		f->n_hosts == 1 ? "it" : "one of them", silent ? hypothesis(check) : "");
	finding_add_fix(check, f, "%s", host_status_advice(status));
}

void rule_host_unreachable(struct check *check)
{
	for (unsigned status = 0; status < HOST_STATUS_COUNT; status++)
		report(check, (enum host_status)status);
}
