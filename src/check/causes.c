#include "oddhost/check/causes.h"

static bool has_no_way(const struct path *path)
{
	return path->known && !path->uncertain && path->reason != LOOKUP_FOUND;
}

/* The path that has none: the one that was tried, else, where no address has one, the first. */
static const struct path *find_no_way(const struct sight *sight)
{
	if (sight->tried != NULL)
		return has_no_way(sight->tried) ? sight->tried : NULL;
	for (size_t i = 0; i < sight->n_paths; i++) {
		if (!has_no_way(&sight->paths[i]))
			return NULL;
	}
	return sight->n_paths > 0 ? &sight->paths[0] : NULL;
}

/* The target is looked for in the host's own network, and nobody there has its address. */
static bool is_unheard(const struct host *host, const struct path *path)
{
	return path != NULL && path->owner == NULL && path->gateway.family == IP_NONE &&
	       path_neighbour_failed(host, path) != NULL;
}

static enum symptom symptom_of(const struct host *host, const struct sight *sight)
{
	const struct path *nowhere = find_no_way(sight);

	if (sight->shadow != NULL || (sight->resolution != NULL && sight->resolution->failed) ||
	    (sight->tried != NULL && sight->tried->contradiction) || !reach_fails(sight->reach))
		return SYMPTOM_NONE;
	if (nowhere != NULL)
		return nowhere->reason == LOOKUP_NO_ROUTE ? SYMPTOM_NO_WAY : SYMPTOM_DROPPED;
	if (sight->misnamed)
		return SYMPTOM_NONE;
	if (sight->tcp != NULL && sight->tcp->status == TCP_REFUSED)
		return SYMPTOM_SERVICE;
	if (sight->ping != NULL && sight->ping->status == PING_REFUSED)
		return SYMPTOM_REFUSED;
	if (is_unheard(host, sight->tried))
		return SYMPTOM_UNHEARD;
	if (sight->tcp != NULL && sight->tcp->status == TCP_TIMEOUT)
		return SYMPTOM_FILTERED;
	return sight->reach == REACH_SILENT ? SYMPTOM_SILENCE : SYMPTOM_ERRORS;
}

static struct cause cause_of(const struct check *check, const struct answered *answered, size_t h)
{
	const struct sight *sight = check_sight(check, h, answered->target);
	struct cause cause = {symptom_of(check->hosts[h], sight), WAY_ALIKE, NULL};

	if (cause.symptom >= SYMPTOM_UNHEARD && answered->n > 0)
		cause.way = way_of(check, answered, h);
	if (cause.symptom == SYMPTOM_NO_WAY || cause.symptom == SYMPTOM_DROPPED)
		cause.path = find_no_way(sight);
	else if (cause.way == WAY_DIFFERS)
		cause.path = sight->tried;
	return cause;
}

/* Where nobody is answered they fail for one cause, of which the strongest symptom tells most. */
static void join_all(const struct check *check, struct cause *causes)
{
	enum symptom strongest = SYMPTOM_SILENCE;

	for (size_t h = 0; h < check->n; h++) {
		if (causes[h].symptom >= SYMPTOM_UNHEARD && causes[h].symptom < strongest)
			strongest = causes[h].symptom;
	}
	for (size_t h = 0; h < check->n; h++) {
		if (causes[h].symptom >= SYMPTOM_UNHEARD)
			causes[h].symptom = strongest;
	}
}

struct cause *causes_of(const struct check *check, const struct answered *answered)
{
	struct cause *causes = arena_alloc(check->arena, check->n * sizeof *causes);

	for (size_t h = 0; h < check->n; h++)
		causes[h] = cause_of(check, answered, h);
	if (answered->n == 0)
		join_all(check, causes);
	return causes;
}
