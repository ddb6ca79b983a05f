#include "oddhost/check/needs.h"
#include "oddhost/check/rules.h"
#include "oddhost/check/since.h"
#include "oddhost/check/subnets.h"

#include <string.h>

#include "oddhost/base/text.h"

#define LOOKED_UP 64 /* of a finding's hosts, so many are looked for among the peers */
#define NAMED 6

/* Could a container network have cut the host off from the bastion? Docker's own default pools. */
static bool in_docker_pools(const struct ip *ip)
{
	size_t n;
	const struct docker_pool *pools = pools_default(&n);

	for (size_t i = 0; i < n; i++) {
		if (prefix_contains_ip(&pools[i].base, ip))
			return true;
	}
	return false;
}

/* A container network of that host which covers the address, in words; NULL: none is known. */
static const char *cover_text(struct check *check, const struct host *host, const struct ip *ip)
{
	struct container_subnet *subnets;
	size_t n = subnets_of_host(check->arena, host, &subnets);
	char prefix[PREFIX_TEXT_SIZE];

	for (size_t i = 0; i < n; i++) {
		if (prefix_contains_ip(&subnets[i].prefix, ip))
			return arena_printf(check->arena, "%s (%s)",
			    subnet_owner_text(check->arena, host, &subnets[i]),
			    prefix_format(&subnets[i].prefix, prefix));
	}
	return NULL;
}

/* The host itself, as the baseline knew it: the likeliest culprit. */
static const char *earlier_text(struct check *check, const struct finding *f, const struct ip *ip)
{
	for (size_t i = 0; i < f->n_hosts; i++) {
		const struct host *earlier = since_host(check, check->hosts[f->places[i]]);
		const char *text = earlier == NULL ? NULL : cover_text(check, earlier, ip);
		if (text != NULL)
			return arena_printf(check->arena,
			    " In the run of %s, %s on %s covered this machine's address: its answers go to a bridge "
			    "now, if that is still so. Try its console.",
			    check->diagnosis->baseline->run->meta.started, text, f->hosts[i]);
	}
	return NULL;
}

static const char *hypothesis(struct check *check, const struct finding *f)
{
	const char *text = check->run->meta.bastion;
	struct ip bastion;

	if (text == NULL || !ip_parse(view_of(text), &bastion))
		return "";
	const char *earlier = earlier_text(check, f, &bastion);
	if (earlier != NULL)
		return earlier;
	for (size_t h = 0; h < check->n; h++) {
		const char *cover = cover_text(check, check->hosts[h], &bastion);
		if (cover != NULL)
			return arena_printf(check->arena,
			    " On %s, %s covers this machine's address %s: the same on these "
			    "hosts would send their answers to a bridge. Try their console.",
			    check_name(check, h), cover, text);
	}
	const struct reserved *reserved = check_reserved(check, &bastion);
	if (reserved != NULL && in_docker_pools(&bastion))
		return arena_printf(check->arena,
		    " This machine's address %s lies in %s, and in docker's default pools: a docker "
		    "network on these hosts may have taken its subnet, so that their answers go to a "
		    "bridge. Try their console.",
		    text,
		    need_text(check->arena,
			&(struct need){reserved->prefix, NEED_RESERVED, reserved->name}));
	if (in_docker_pools(&bastion))
		return arena_printf(check->arena,
		    " This machine's address %s lies in docker's default pools: a docker network on these "
		    "hosts may have taken its subnet, so that their answers go to a bridge. Try "
		    "their console.",
		    text);
	return "";
}

/* The asker's ping of that peer, if it was answered; or NULL. */
static const struct ping *answer(const struct host *asker, const char *name)
{
	for (size_t i = 0; i < asker->n_peers; i++) {
		const struct ping *ping = &asker->peers[i].ping;
		if (strcmp(asker->peers[i].name, name) == 0)
			return ping_answered(ping) ? ping : NULL;
	}
	return NULL;
}

/* Its peers' word (oddhost_mesh): what answers them is up, and only its way to this machine is
 * gone. */
static const char *peers_say(struct check *check, struct finding *f)
{
	const char **alive = arena_alloc(check->arena, LOOKED_UP * sizeof *alive);
	size_t n = 0;

	for (size_t i = 0; i < f->n_hosts && i < LOOKED_UP; i++) {
		const struct ping *ping = NULL;
		for (size_t h = 0; h < check->n && ping == NULL; h++) {
			ping = answer(check->hosts[h], f->hosts[i]);
			finding_quote(check, f, check->hosts[h], source_of_reply(ping));
		}
		if (ping != NULL)
			alive[n++] = f->hosts[i];
	}
	if (n == 0)
		return "";
	return arena_printf(check->arena,
	    " %s %s a peer's ping, so %s up: what is gone is the way between %s and this machine.",
	    text_fold(check->arena, alive, n, NAMED), n == 1 ? "answers" : "answer",
	    n == 1 ? "it is" : "they are", n == 1 ? "it" : "them");
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
	f->why = arena_printf(check->arena,
	    "What is on %s is not known; %s may be the odd one out.%s%s",
	    f->n_hosts == 1 ? "this host" : "these hosts", f->n_hosts == 1 ? "it" : "one of them",
	    silent ? peers_say(check, f) : "", silent ? hypothesis(check, f) : "");
	finding_add_fix(check, f, "%s", host_status_advice(status));
}

void rule_host_unreachable(struct check *check)
{
	for (unsigned status = 0; status < HOST_STATUS_COUNT; status++)
		report(check, (enum host_status)status);
}
