#include "oddhost/check/rules.h"

#define QUOTED_HOSTS 4

static const struct path *contradiction(const struct sight *sight)
{
	for (size_t i = 0; i < sight->n_paths; i++) {
		if (sight->paths[i].contradiction)
			return &sight->paths[i];
	}
	return NULL;
}

/* The table's winner, in words, as path_text() has the kernel's. */
static const char *listed_text(
    struct arena *arena, const struct host *host, const struct path *path)
{
	struct path listed = {.known = true, .reason = LOOKUP_NO_ROUTE};

	if (path->listed != NULL && path->listed->dev != NULL) {
		listed.reason = LOOKUP_FOUND;
		listed.gateway = path->listed->gateway;
		listed.dev = path->listed->dev;
	}
	return path_text(arena, host, &listed);
}

/* Would the packets stay on the host, if one of the two is right? */
static bool may_stay_inside(const struct host *host, const struct path *path)
{
	return path->owner != NULL ||
	       (path->listed != NULL && host_virtual_owner(host, path->listed->dev) != NULL);
}

static enum severity severity_of(
    const struct host *host, const struct sight *sight, const struct path *path)
{
	if (!reach_fails(sight_trial(sight, path)->reach))
		return SEVERITY_LOW;
	return may_stay_inside(host, path) ? SEVERITY_CRITICAL : SEVERITY_HIGH;
}

static struct finding *begin(
    struct check *check, size_t t, enum severity severity, const struct path *path)
{
	struct finding *f = finding_add(check, "path-contradiction", severity, CONFIDENCE_POSSIBLE);
	char text[IP_TEXT_SIZE];

	f->target = check->run->meta.targets[t].text;
	f->address = arena_dup(check->arena, ip_format(&path->address, text));
	finding_add_fix(check, f, "Ask again, and look at what decides beside the table:");
	finding_add_fix(check, f,
	    "$ ip route get %s; ip rule; ip route show table all; ip xfrm policy", f->address);
	finding_add_fix(check, f,
	    "If the two agree now, the routes were changing: make the run again, and go by what it "
	    "finds.");
	return f;
}

static void explain(struct check *check, struct finding *f, size_t h, const struct path *path)
{
	const struct host *host = check->hosts[h];
	const char *kernel = path_text(check->arena, host, path);
	const char *listed = listed_text(check->arena, host, path);
	const char *fails = f->severity > SEVERITY_LOW
				? arena_printf(check->arena, "cannot reach %s, and ", f->target)
				: "";

	f->summary = arena_printf(check->arena,
	    "%s: %sthe kernel's own answer for %s contradicts the route table: %s, against %s",
	    finding_hosts(check, f), fails, f->address, kernel, listed);
	f->why = arena_printf(check->arena,
	    "On %s the kernel was asked (`ip route get`) and says: %s. The route table that was read "
	    "in the same minute says: %s. Either the routes are changing right now (docker makes or "
	    "removes a network), or something decides that the table does not show: a rule by mark, "
	    "user or port, a VRF, an XFRM policy.%s",
	    host->record->name, kernel, listed,
	    f->severity == SEVERITY_CRITICAL
		? " By one of the two the packets never leave the host, which would explain that "
		  "nothing answers."
		: " What other findings say of this path rests on less than usual.");
}

static void quote(struct check *check, struct finding *f, size_t h, const struct sight *sight)
{
	const struct path *path = contradiction(sight);
	const struct trial *trial = sight_trial(sight, path);
	const struct host *host = check->hosts[h];

	finding_quote(check, f, host, path->egress->source);
	finding_quote(check, f, host, source_of_route(host, path->listed));
	if (trial->tcp != NULL)
		finding_quote(check, f, host, trial->tcp->source);
	if (trial->ping != NULL)
		finding_quote(check, f, host, trial->ping->source);
}

static void report(struct check *check, size_t t, enum severity severity)
{
	struct finding *f = NULL;

	for (size_t h = 0; h < check->n; h++) {
		const struct sight *sight = check_sight(check, h, t);
		const struct path *path = contradiction(sight);
		if (path == NULL || severity_of(check->hosts[h], sight, path) != severity)
			continue;
		f = f != NULL ? f : begin(check, t, severity, path);
		finding_add_host(check, f, h);
		if (f->n_hosts <= QUOTED_HOSTS)
			quote(check, f, h, sight);
	}
	if (f != NULL)
		explain(check, f, f->places[0], contradiction(check_sight(check, f->places[0], t)));
}

void rule_path_contradiction(struct check *check)
{
	static const enum severity severities[] = {SEVERITY_CRITICAL, SEVERITY_HIGH, SEVERITY_LOW};

	for (size_t t = 0; t < check->run->meta.n_targets; t++) {
		for (size_t i = 0; i < sizeof severities / sizeof *severities; i++)
			report(check, t, severities[i]);
	}
}
