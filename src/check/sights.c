#include "oddhost/check/sights.h"

#include <stdlib.h>
#include <string.h>

#include "oddhost/base/text.h"
#include "oddhost/check/check.h"

/* An open port proves more than a silent ping, and one that is closed more than an answered one. */
static enum reach reach_by(const struct tcp *tcp, const struct ping *ping, const struct path *path)
{
	if (tcp != NULL && tcp->status != TCP_OPEN)
		return REACH_FAILED;
	if (tcp != NULL || (ping != NULL && ping_answered(ping)))
		/* An answer from an address of its own says nothing about the target. */
		return path != NULL && path->local ? REACH_UNKNOWN : REACH_OK;
	if (ping == NULL)
		return REACH_UNKNOWN;
	switch (ping->status) {
	case PING_SILENT:
		return REACH_SILENT;
	case PING_UNREACHABLE:
	case PING_UNKNOWN_HOST:
	case PING_NO_ROUTE:
	case PING_REFUSED:
		return REACH_FAILED;
	case PING_OK:
	case PING_LOSS:
	case PING_UNKNOWN:
	case PING_NO_PERMISSION:
		break;
	}
	return REACH_UNKNOWN;
}

static enum reach reach_of(const struct sight *sight)
{
	enum reach reach = reach_by(sight->tcp, sight->ping, sight->tried);
	bool unnamed = sight->resolution != NULL && sight->resolution->failed;

	return unnamed && reach != REACH_OK ? REACH_FAILED : reach;
}

static const struct path *path_tried(const struct sight *sight)
{
	const struct ip *address;

	if (sight->tcp == NULL && sight->ping == NULL)
		return NULL;
	address = sight->tcp != NULL ? &sight->tcp->address : &sight->ping->address;
	if (address->family == IP_NONE)
		return sight->n_paths == 1 ? &sight->paths[0] : NULL;
	for (size_t i = 0; i < sight->n_paths; i++) {
		if (ip_equal(&sight->paths[i].address, address))
			return &sight->paths[i];
	}
	return NULL;
}

static bool went_to(const struct sight *sight, const struct path *path, const struct ip *address)
{
	return address->family == IP_NONE ? sight->n_paths == 1 : ip_equal(address, &path->address);
}

static struct trial trial_of(
    const struct host *host, const char *target, const struct sight *sight, const struct path *path)
{
	struct trial trial = {sight->tcp, sight->ping, sight->reach};

	if (sight->tried == NULL)
		return trial; /* at which of the addresses is not known: at any */
	trial.tcp = NULL;
	for (size_t i = 0; i < host->n_tcps; i++) {
		const struct tcp *tcp = &host->tcps[i];
		if (tcp->status != TCP_UNKNOWN && strcmp(tcp->target, target) == 0 &&
		    went_to(sight, path, &tcp->address))
			trial.tcp = tcp;
	}
	if (trial.ping != NULL && !went_to(sight, path, &trial.ping->address))
		trial.ping = NULL;
	trial.reach = reach_by(trial.tcp, trial.ping, path);
	return trial;
}

static void see(struct check *check, size_t h, size_t t)
{
	const struct host *host = check->hosts[h];
	const struct target *target = &check->run->meta.targets[t];
	struct sight *sight = &check->sights[h * check->run->meta.n_targets + t];
	const struct ip *addresses;
	struct ip scratch;

	sight->resolution = host_resolution(host, target->text);
	sight->ping = host_ping(host, target->text);
	sight->tcp = host_tcp(host, target->text);
	sight->n_paths = path_addresses(host, target, &addresses, &scratch);
	sight->paths = arena_alloc(check->arena, sight->n_paths * sizeof *sight->paths);
	sight->trials = arena_alloc(check->arena, sight->n_paths * sizeof *sight->trials);
	for (size_t i = 0; i < sight->n_paths; i++)
		sight->paths[i] = path_of(host, target->text, &addresses[i]);
	sight->tried = path_tried(sight);
	sight->reach = reach_of(sight);
	for (size_t i = 0; i < sight->n_paths; i++)
		sight->trials[i] = trial_of(host, target->text, sight, &sight->paths[i]);
}

static int by_address(const void *a, const void *b)
{
	const struct sought *x = a, *y = b;

	if (x->target != y->target)
		return x->target < y->target ? -1 : 1;
	return ip_cmp(&x->address, &y->address);
}

const struct trial *sight_trial(const struct sight *sight, const struct path *path)
{
	return &sight->trials[path - sight->paths];
}

bool sight_answers_beside(const struct sight *sight, const struct path *path)
{
	for (size_t i = 0; i < sight->n_paths; i++) {
		if (&sight->paths[i] != path && sight->trials[i].reach == REACH_OK)
			return true;
	}
	return false;
}

static struct sought *entry_of(const struct check *check, size_t target, const struct ip *ip)
{
	struct sought key = {.target = target, .address = *ip};

	return bsearch(&key, check->sought, check->n_sought, sizeof key, by_address);
}

static void count_answers(struct check *check, size_t h, size_t t)
{
	const struct sight *sight = check_sight(check, h, t);

	for (size_t i = 0; i < sight->n_paths; i++) {
		const struct path *path = &sight->paths[i];
		struct sought *s = entry_of(check, t, &path->address);
		bool answered = sight->trials[i].reach == REACH_OK;
		if (!path_leaves(path)) {
			s->answers_inside |= answered && path->owner != NULL;
			continue;
		}
		if (s->first_peer == check->n)
			s->first_peer = h;
		if (path->gateway.family != IP_NONE)
			s->answers_by_gateway |= answered;
		else
			s->answers_on_link |= answered;
	}
}

/* Does an address of that family answer the host? */
static bool answers_by(const struct sight *sight, enum ip_family family)
{
	for (size_t i = 0; i < sight->n_paths; i++) {
		if (sight->trials[i].reach == REACH_OK && sight->paths[i].address.family == family)
			return true;
	}
	return false;
}

/*
 * A client may take any of the addresses of a name: one that fails here and answers other hosts is
 * the host's word on the target, whatever the others are worth. Not where none of its family
 * answers here: a host without IPv6 goes by IPv4.
 */
static void mind_addresses(const struct check *check, struct sight *sight, size_t target)
{
	for (size_t i = 0; i < sight->n_paths && sight->reach == REACH_OK; i++) {
		const struct path *path = &sight->paths[i];
		const struct sought *s = entry_of(check, target, &path->address);
		if (sight->trials[i].reach != REACH_FAILED ||
		    !(s->answers_by_gateway || s->answers_on_link) ||
		    !answers_by(sight, path->address.family))
			continue;
		sight->tried = path;
		sight->tcp = sight->trials[i].tcp;
		sight->ping = sight->trials[i].ping;
		sight->reach = REACH_FAILED;
	}
}

static void find_sought(struct check *check)
{
	size_t targets = check->run->meta.n_targets, n = 0, kept = 0;

	for (size_t i = 0; i < check->n * targets; i++)
		n += check->sights[i].n_paths;
	check->sought = arena_alloc(check->arena, n * sizeof *check->sought);
	n = 0;
	for (size_t i = 0; i < check->n * targets; i++) {
		for (size_t k = 0; k < check->sights[i].n_paths; k++)
			check->sought[n++] = (struct sought){.target = i % targets,
			    .address = check->sights[i].paths[k].address,
			    .first_peer = check->n};
	}
	if (n > 1)
		qsort(check->sought, n, sizeof *check->sought, by_address);
	for (size_t i = 0; i < n; i++) {
		if (kept == 0 || by_address(&check->sought[kept - 1], &check->sought[i]) != 0)
			check->sought[kept++] = check->sought[i];
	}
	check->n_sought = kept;
	for (size_t i = 0; i < check->n * targets; i++)
		count_answers(check, i / targets, i % targets);
	for (size_t i = 0; i < check->n * targets; i++)
		mind_addresses(check, &check->sights[i], i % targets);
}

const struct sought *check_sought(const struct check *check, size_t target, const struct ip *ip)
{
	return entry_of(check, target, ip);
}

const struct path *check_path(
    const struct check *check, size_t host, size_t target, const struct ip *ip)
{
	const struct sight *sight = check_sight(check, host, target);

	for (size_t i = 0; i < sight->n_paths; i++) {
		if (ip_equal(&sight->paths[i].address, ip))
			return &sight->paths[i];
	}
	return NULL;
}

bool check_shadowed(const struct check *check, size_t host, const struct prefix *prefix)
{
	for (size_t t = 0; t < check->run->meta.n_targets; t++) {
		const struct sight *sight = check_sight(check, host, t);
		for (size_t i = 0; i < sight->n_paths; i++) {
			const struct path *path = &sight->paths[i];
			bool doubted = path->contradiction && reach_fails(sight->trials[i].reach);
			if ((path == sight->shadow || doubted) &&
			    prefix_contains_ip(prefix, &path->address))
				return true;
		}
	}
	return false;
}

const struct sought *check_peers(struct check *check, size_t target, const struct ip *ip)
{
	struct sought *s = entry_of(check, target, ip);
	const char **names;
	size_t n = 0;

	if (s->peers != NULL)
		return s;
	names = arena_alloc(check->arena, check->n * sizeof *names);
	s->peers_answered = true;
	for (size_t h = s->first_peer; h < check->n; h++) {
		const struct sight *sight = check_sight(check, h, target);
		const struct path *path = check_path(check, h, target, ip);
		if (path == NULL || !path_leaves(path) || sight->shadow == path)
			continue;
		if (n == 0)
			s->gateway = path->gateway;
		else if (!ip_equal(&s->gateway, &path->gateway))
			s->gateway = (struct ip){0};
		s->peers_answered =
		    s->peers_answered && sight_trial(sight, path)->reach == REACH_OK;
		names[n++] = check_name(check, h);
	}
	s->n_peers = n;
	s->peers = n == 0 ? "" : text_fold(check->arena, names, n, 6);
	return s;
}

const char *check_peers_text(struct check *check, const struct sought *sought)
{
	const char *s = sought->n_peers == 1 ? "s" : "", *way = "out by a real interface";
	char text[IP_TEXT_SIZE];

	if (sought->n_peers == 0)
		return "";
	if (sought->gateway.family != IP_NONE)
		way =
		    arena_printf(check->arena, "to gateway %s", ip_format(&sought->gateway, text));
	return arena_printf(check->arena, " %s send%s it %s%s%s%s.", sought->peers, s, way,
	    sought->peers_answered ? " and get" : "", sought->peers_answered ? s : "",
	    sought->peers_answered ? " answers" : "");
}

void sights_make(struct check *check)
{
	size_t targets = check->run->meta.n_targets;

	check->sights = arena_alloc(check->arena, check->n * targets * sizeof *check->sights);
	for (size_t i = 0; i < check->n * targets; i++)
		see(check, i / targets, i % targets);
	find_sought(check);
}

const struct sight *check_sight(const struct check *check, size_t host, size_t target)
{
	return &check->sights[host * check->run->meta.n_targets + target];
}
