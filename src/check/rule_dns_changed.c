#include "oddhost/check/rules.h"
#include "oddhost/check/since.h"

#include <string.h>

#define QUOTED_HOSTS 4

/* No address in common: a name with many that rotate keeps some. */
static bool changed(const struct resolution *then, const struct resolution *now)
{
	if (then == NULL || now == NULL || then->failed || now->failed || then->n == 0 ||
	    now->n == 0)
		return false;
	for (size_t i = 0; i < then->n; i++) {
		for (size_t k = 0; k < now->n; k++) {
			if (ip_equal(&then->addresses[i], &now->addresses[k]))
				return false;
		}
	}
	return true;
}

static void explain(struct check *check, struct finding *f, const struct target *target,
    const struct resolution *then, const struct resolution *now)
{
	char before[IP_TEXT_SIZE], after[IP_TEXT_SIZE];

	f->address = arena_dup(check->arena, ip_format(&now->addresses[0], after));
	f->summary = arena_printf(check->arena, "%s has moved from %s to %s since the run of %s",
	    f->target, ip_format(&then->addresses[0], before), f->address,
	    check->diagnosis->baseline->run->meta.started);
	f->why = "The name stays in the application's configuration, and the address behind it is "
		 "another one: a failover, a migration, a new entry. A route or an allow-list that "
		 "was right for the old address may be wrong for the new one.";
	finding_add_fix(check, f,
	    "Nothing, where the move was meant and every host reaches it. Else see who changed the "
	    "name, and whether routes, reserved prefixes and allow-lists hold the new address.");
	finding_add_fix(check, f, "$ getent ahosts %s; ip route get %s",
	    check_shell_word(check, target->name), f->address);
}

static void look_at(struct check *check, size_t t)
{
	const struct target *target = &check->run->meta.targets[t];
	struct finding *f = NULL;

	for (size_t h = 0; h < check->n; h++) {
		const struct host *earlier = since_host(check, check->hosts[h]);
		const struct sight *sight = check_sight(check, h, t);
		const struct resolution *then =
		    earlier == NULL ? NULL : host_resolution(earlier, target->text);
		if (!changed(then, sight->resolution))
			continue;
		if (f == NULL) {
			f = finding_add(check, "dns-changed", SEVERITY_INFO, CONFIDENCE_CERTAIN);
			f->target = target->text;
			explain(check, f, target, then, sight->resolution);
		}
		if (sight->reach == REACH_FAILED || sight->reach == REACH_SILENT)
			f->severity = SEVERITY_MEDIUM;
		finding_add_host(check, f, h);
		if (f->n_hosts <= QUOTED_HOSTS)
			finding_quote(check, f, check->hosts[h], sight->resolution->source);
	}
}

void rule_dns_changed(struct check *check)
{
	for (size_t t = 0; check->diagnosis->baseline != NULL && t < check->run->meta.n_targets;
	     t++)
		look_at(check, t);
}
