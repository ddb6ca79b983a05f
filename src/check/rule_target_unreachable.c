#include "oddhost/check/rules.h"

#include <string.h>

#include "oddhost/base/text.h"

#define QUOTED_HOSTS 4

/* How a host fails, so that hosts which fail alike share a finding. */
enum failure { NONE, NO_WAY, ERRORS, SILENCE, FAILURES };

static enum failure failure_of(const struct sight *sight)
{
	if (sight->shadow != NULL || (sight->resolution != NULL && sight->resolution->failed))
		return NONE; /* explained elsewhere */
	if (sight->reach != REACH_FAILED && sight->reach != REACH_SILENT)
		return NONE;
	for (size_t i = 0; i < sight->n_paths; i++) {
		if (sight->paths[i].known && sight->paths[i].reason != LOOKUP_FOUND)
			return NO_WAY;
	}
	return sight->reach == REACH_SILENT ? SILENCE : ERRORS;
}

static void quote(struct check *check, struct finding *f, size_t h, const struct sight *sight)
{
	const struct host *host = check->hosts[h];

	for (size_t i = 0; i < sight->n_paths && i < 2; i++) {
		const struct path *path = &sight->paths[i];
		finding_quote(check, f, host, source_of_route(host, path->route));
		if (path->egress != NULL)
			finding_quote(check, f, host, path->egress->source);
	}
	if (sight->ping == NULL)
		return;
	finding_quote(check, f, host, sight->ping->source);
	finding_quote(check, f, host, source_of_error(sight->ping, 0));
}

static enum severity severity_of(enum failure failure, size_t passing)
{
	if (failure == SILENCE)
		return passing > 0 ? SEVERITY_MEDIUM : SEVERITY_LOW;
	return SEVERITY_HIGH;
}

static const char *first_no_way(struct check *check, size_t t, const struct finding *f)
{
	for (size_t h = 0; h < check->n; h++) {
		const struct sight *sight = check_sight(check, h, t);
		if (strcmp(check_name(check, h), f->hosts[0]) != 0)
			continue;
		for (size_t i = 0; i < sight->n_paths; i++) {
			if (sight->paths[i].reason != LOOKUP_FOUND)
				return lookup_reason_name(sight->paths[i].reason);
		}
	}
	return "no-route";
}

static void explain(
    struct check *check, size_t t, struct finding *f, enum failure failure, size_t passing)
{
	struct arena *a = check->arena;
	const char *who = finding_hosts(check, f);

	if (failure == NO_WAY) {
		const char *reason = first_no_way(check, t, f);
		f->summary = arena_printf(
		    a, "%s cannot reach %s: its route table says %s", who, f->target, reason);
		f->why = arena_printf(a,
		    "The route table has no way to %s (%s): the packets are dropped on the host "
		    "itself.",
		    f->target, reason);
		finding_add_fix(check, f,
		    "Find out who set or removed the route (cloud-init, netplan, a VPN, fail2ban) "
		    "and put it back; compare with a healthy host: `oddhost diff`.");
		return;
	}
	if (passing == 0) {
		f->summary = arena_printf(a, "No host gets an answer from %s%s", f->target,
		    failure == SILENCE ? " by ping" : "");
		f->why =
		    failure == SILENCE
			? "Nothing came back to any host. That may be a filter: many services do not answer "
			  "ping. No host is accused."
			: "Every host that was asked fails alike, so the fault lies in what they "
			  "share: the target itself, or the network before it. No host is accused.";
		finding_add_fix(check, f,
		    failure == SILENCE ? "Test the service's own port from one of the hosts."
				       : "Check the target in the cloud's console: does it run, "
					 "did its address change, does its allow-list hold these "
					 "hosts?");
		return;
	}
	f->summary = arena_printf(
	    a, "%s cannot reach %s, and its routes are like its peers'", who, f->target);
	f->why = arena_printf(a,
	    "%zu other host%s answered by the same target, %s leaves these hosts by a real "
	    "interface, and %s. What remains lies outside of the host.",
	    passing, passing == 1 ? " is" : "s are", f->target,
	    failure == SILENCE ? "nothing comes back" : "errors come back");
	finding_add_fix(check, f,
	    "Ask the cloud: does the target's security group and allow-list hold the address of "
	    "%s? Is there a network ACL, or a route table of another subnet?",
	    who);
}

static void report(struct check *check, size_t t, enum failure failure, size_t passing)
{
	struct finding *f = NULL;

	for (size_t h = 0; h < check->n; h++) {
		const struct sight *sight = check_sight(check, h, t);
		if (failure_of(sight) != failure)
			continue;
		if (f == NULL) {
			f = finding_add(check, "target-unreachable", severity_of(failure, passing),
			    failure == SILENCE ? CONFIDENCE_POSSIBLE : CONFIDENCE_LIKELY);
			f->target = check->run->meta.targets[t].text;
		}
		finding_add_host(check, f, check_name(check, h));
		if (f->n_hosts <= QUOTED_HOSTS)
			quote(check, f, h, sight);
	}
	if (f != NULL)
		explain(check, t, f, failure, passing);
}

void rule_target_unreachable(struct check *check)
{
	for (size_t t = 0; t < check->run->meta.n_targets; t++) {
		size_t passing = 0;
		for (size_t h = 0; h < check->n; h++)
			passing += check_sight(check, h, t)->reach == REACH_OK;
		for (enum failure failure = NO_WAY; failure < FAILURES; failure++)
			report(check, t, failure, passing);
	}
}
