#include "oddhost/check/rules.h"

#include <string.h>

/* The path's address, looked for on a bridge of the host's own and not found there. */
static const struct neighbour *failed_on_bridge(const struct host *host, const struct ip *ip)
{
	const struct neighbour *neighbour = host_neighbour_failed(host, ip);

	return neighbour != NULL && host_virtual_owner(host, neighbour->dev) != NULL ? neighbour
										     : NULL;
}

static void report(struct check *check, size_t t, size_t h, const struct neighbour *neighbour)
{
	const struct host *host = check->hosts[h];
	const char *owner = path_owner_text(check->arena, host, neighbour->dev);
	struct finding *f = finding_add(check, "neighbour-failed", SEVERITY_LOW, CONFIDENCE_LIKELY);
	char text[IP_TEXT_SIZE];

	f->target = check->run->meta.targets[t].text;
	f->address = arena_dup(check->arena, ip_format(&neighbour->ip, text));
	finding_add_host(check, f, h);
	f->summary = arena_printf(check->arena, "%s has looked for %s (%s) in its own %s, in vain",
	    host->record->name, f->target, f->address, owner);
	f->why = arena_printf(check->arena,
	    "The kernel's neighbour table has the address as %s on %s: packets for it went into that "
	    "bridge a short while ago, and nobody there answered to it. What is known of the routes "
	    "does not show why.",
	    neighbour_state_name(neighbour->state), neighbour->dev);
	finding_quote(check, f, host, (struct source){host->neighbours_source, neighbour->line});
	finding_add_fix(check, f, "See by which route it goes there, now and in other tables:");
	finding_add_fix(
	    check, f, "$ ip route get %s; ip rule; ip route show table all", f->address);
}

/* Where a shadow was found the line is evidence there; a target that answers was found since. */
static void look_at(struct check *check, size_t h, size_t t)
{
	const struct sight *sight = check_sight(check, h, t);

	if (sight->shadow != NULL || sight->reach == REACH_OK)
		return;
	for (size_t i = 0; i < sight->n_paths; i++) {
		const struct neighbour *neighbour =
		    failed_on_bridge(check->hosts[h], &sight->paths[i].address);
		if (neighbour != NULL) {
			report(check, t, h, neighbour);
			return;
		}
	}
}

void rule_neighbour_failed(struct check *check)
{
	for (size_t h = 0; h < check->n; h++) {
		for (size_t t = 0; t < check->run->meta.n_targets; t++)
			look_at(check, h, t);
	}
}
