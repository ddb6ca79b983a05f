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

static struct finding *begin(struct check *check, size_t t, const struct path *path)
{
	struct finding *f =
	    finding_add(check, "path-contradiction", SEVERITY_LOW, CONFIDENCE_POSSIBLE);
	char text[IP_TEXT_SIZE];

	f->target = check->run->meta.targets[t].text;
	f->address = arena_dup(check->arena, ip_format(&path->address, text));
	f->why =
	    "The kernel was asked (`ip route get`) and its answer counts; but the route table "
	    "that was read in the same minute says otherwise. Either the routes are changing "
	    "right now, or something decides that the table does not show: a rule by mark, user "
	    "or port, a VRF, an XFRM policy. What other findings say of this path rests on less "
	    "than usual.";
	finding_add_fix(check, f, "Ask again, and look at what decides beside the table:");
	finding_add_fix(check, f,
	    "$ ip route get %s; ip rule; ip route show table all; ip xfrm policy", f->address);
	return f;
}

void rule_path_contradiction(struct check *check)
{
	for (size_t t = 0; t < check->run->meta.n_targets; t++) {
		struct finding *f = NULL;
		for (size_t h = 0; h < check->n; h++) {
			const struct sight *sight = check_sight(check, h, t);
			const struct host *host = check->hosts[h];
			const struct path *path = contradiction(sight);
			if (path == NULL)
				continue;
			f = f != NULL ? f : begin(check, t, path);
			if (sight->reach == REACH_FAILED)
				f->severity = SEVERITY_MEDIUM;
			finding_add_host(check, f, h);
			if (f->n_hosts > QUOTED_HOSTS)
				continue;
			finding_quote(check, f, host, path->egress->source);
			finding_quote(check, f, host, source_of_route(host, path->route));
		}
		if (f != NULL)
			f->summary = arena_printf(check->arena,
			    "%s: the kernel's own answer for %s is not what the route table says",
			    finding_hosts(check, f), f->target);
	}
}
