#include "oddhost/check/rules.h"

#include <stdlib.h>
#include <string.h>

#include "oddhost/base/text.h"

#define QUOTED_PEERS 4

/* How the group's pings of one host went. */
struct pinged {
	const char *name;
	size_t answered, failed; /* hosts that it answered, and others */
};

struct mesh {
	struct pinged *v; /* by name */
	size_t n;
};

static bool failed(const struct ping *ping)
{
	return ping->status == PING_SILENT || ping->status == PING_UNREACHABLE ||
	       ping->status == PING_NO_ROUTE;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct pinged *)a)->name, ((const struct pinged *)b)->name);
}

static struct mesh count(struct check *check)
{
	struct mesh mesh = {0};
	size_t all = 0;

	for (size_t h = 0; h < check->n; h++)
		all += check->hosts[h]->n_peers;
	mesh.v = arena_alloc(check->arena, all * sizeof *mesh.v);
	all = 0;
	for (size_t h = 0; h < check->n; h++) {
		for (size_t i = 0; i < check->hosts[h]->n_peers; i++) {
			const struct peer *peer = &check->hosts[h]->peers[i];
			mesh.v[all++] = (struct pinged){
			    peer->name, ping_answered(&peer->ping), failed(&peer->ping)};
		}
	}
	if (all > 1)
		qsort(mesh.v, all, sizeof *mesh.v, by_name);
	for (size_t i = 0; i < all; i++) {
		struct pinged *last = mesh.n > 0 ? &mesh.v[mesh.n - 1] : NULL;
		if (last == NULL || strcmp(last->name, mesh.v[i].name) != 0) {
			mesh.v[mesh.n++] = mesh.v[i];
			continue;
		}
		last->answered += mesh.v[i].answered;
		last->failed += mesh.v[i].failed;
	}
	return mesh;
}

/*
 * Silence of a peer that answers nobody says nothing about who asks it; so it must answer another
 * host, and more hosts than it does not answer.
 */
static bool is_odd(const struct mesh *mesh, const struct peer *peer)
{
	struct pinged key = {.name = peer->name};
	const struct pinged *found =
	    mesh->n == 0 ? NULL : bsearch(&key, mesh->v, mesh->n, sizeof key, by_name);

	return failed(&peer->ping) && found != NULL && found->answered > found->failed;
}

static void explain(struct check *check, struct finding *f, size_t h, const char **names, size_t n)
{
	const struct host *host = check->hosts[h];
	const char *peers = text_fold(check->arena, names, n, 6);

	f->summary = arena_printf(check->arena, "%s cannot reach %s%s, which other hosts reach",
	    host->record->name, n == host->n_peers ? "any of its peers: " : "", peers);
	f->why = arena_printf(check->arena,
	    "Other hosts of the group are answered by %s, so %s up and answer%s ping. On %s either a "
	    "route leads elsewhere (a container network over the peers' addresses does that), or "
	    "something between drops its packets.",
	    peers, n == 1 ? "it is" : "they are", n == 1 ? "s" : "", host->record->name);
	finding_add_fix(check, f, "See by which way it would send, and compare with a peer:");
	finding_add_fix(check, f, "$ ip route get ADDRESS; ip neigh");
}

static void look_at(struct check *check, const struct mesh *mesh, size_t h)
{
	const struct host *host = check->hosts[h];
	const char **names = arena_alloc(check->arena, host->n_peers * sizeof *names);
	struct finding *f = NULL;
	bool errors = false;
	size_t n = 0;

	for (size_t i = 0; i < host->n_peers; i++) {
		const struct peer *peer = &host->peers[i];
		if (!is_odd(mesh, peer))
			continue;
		if (f == NULL)
			f = finding_add(
			    check, "peer-unreachable", SEVERITY_MEDIUM, CONFIDENCE_POSSIBLE);
		names[n++] = peer->name;
		errors = errors || peer->ping.status != PING_SILENT;
		if (n <= QUOTED_PEERS) {
			finding_quote(check, f, host, peer->ping.source);
			finding_quote(check, f, host, source_of_error(&peer->ping, 0));
		}
	}
	if (f == NULL)
		return;
	if (errors) {
		f->severity = SEVERITY_HIGH;
		f->confidence = CONFIDENCE_LIKELY;
	}
	finding_add_host(check, f, h);
	explain(check, f, h, names, n);
}

void rule_peer_unreachable(struct check *check)
{
	struct mesh mesh = count(check);

	for (size_t h = 0; h < check->n; h++)
		look_at(check, &mesh, h);
}
