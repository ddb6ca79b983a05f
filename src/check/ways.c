#include "oddhost/check/ways.h"

#include <string.h>

#include "oddhost/check/facts.h"

#define NAMED_WAYS 3
#define WAYS_KEPT 64 /* a group has a gateway for each of its few subnets */

struct way_words way_words(const struct check *check, size_t target, size_t host)
{
	const struct sight *sight = check_sight(check, host, target);
	struct way_words words = {0};

	if (sight->tried == NULL || sight->tried->contradiction)
		return words;
	words.value = path_text(check->arena, check->hosts[host], sight->tried);
	const struct fact *fact =
	    facts_find(&check->facts[host], FACET_EGRESS, check->run->meta.targets[target].text);
	/* A fact of several addresses holds several paths, of which none is this one; and the end
	 * of a tunnel is no router of the network. */
	if (fact != NULL && words.value != NULL && strcmp(fact->value, words.value) == 0 &&
	    sight->tried->owner == NULL)
		words.like = fact->like;
	return words;
}

static bool has_way(const struct answered *answered, const struct way_words *words)
{
	for (size_t i = 0; i < answered->n_ways; i++) {
		if (strcmp(answered->ways[i].value, words->value) == 0)
			return true;
	}
	return false;
}

static bool has_like(const struct answered *answered, const struct way_words *words)
{
	for (size_t i = 0; i < answered->n_ways && words->like != NULL; i++) {
		if (answered->ways[i].like != NULL &&
		    strcmp(answered->ways[i].like, words->like) == 0)
			return true;
	}
	return false;
}

struct answered answered_find(const struct check *check, size_t target)
{
	struct answered answered = {.target = target};

	for (size_t h = 0; h < check->n; h++) {
		const struct sight *sight = check_sight(check, h, target);
		if (sight->reach != REACH_OK)
			continue;
		struct way_words words = way_words(check, target, h);
		answered.n++;
		if (words.value == NULL || answered.n_ways == WAYS_KEPT ||
		    has_way(&answered, &words))
			continue;
		answered.ways = arena_grow(check->arena, answered.ways, answered.n_ways,
		    &answered.cap_ways, sizeof *answered.ways);
		answered.ways[answered.n_ways++] = words;
		answered.first = answered.first != NULL ? answered.first : sight->tried;
	}
	return answered;
}

enum way way_of(const struct check *check, const struct answered *answered, size_t host)
{
	const struct path *tried = check_sight(check, host, answered->target)->tried;
	struct way_words words = way_words(check, answered->target, host);

	if (words.value == NULL || answered->n_ways == 0)
		return WAY_UNKNOWN;
	if (tried->owner != NULL && strcmp(tried->owner, "vpn") != 0)
		return WAY_INSIDE;
	if (has_way(answered, &words))
		return WAY_ALIKE;
	return has_like(answered, &words) ? WAY_LIKEWISE : WAY_DIFFERS;
}

const char *ways_text(struct check *check, size_t target, const struct finding *f)
{
	const char *named[NAMED_WAYS], *text = "";
	size_t n = 0;

	for (size_t i = 0; i < f->n_hosts; i++) {
		const char *value = way_words(check, target, f->places[i]).value;
		size_t k = 0;
		while (value != NULL && k < n && strcmp(named[k], value) != 0)
			k++;
		if (value == NULL || k < n)
			continue;
		if (n == NAMED_WAYS)
			return arena_printf(check->arena, "%s and others", text);
		named[n++] = value;
		text = arena_printf(check->arena, "%s%s%s", text, n > 1 ? ", " : "", value);
	}
	return text;
}

static bool has_key(const struct route *route, enum facet facet, const char *key)
{
	char text[PREFIX_TEXT_SIZE];

	if (route == NULL || facet != (route->dst.ip.family == IP_V4 ? FACET_ROUTE : FACET_ROUTE6))
		return false;
	return strcmp(route->dst.len == 0 ? "default" : prefix_format(&route->dst, text), key) == 0;
}

bool ways_explain(struct check *check, size_t host, enum facet facet, const char *key)
{
	for (size_t t = 0; t < check->run->meta.n_targets; t++) {
		const struct sight *sight = check_sight(check, host, t);
		for (size_t i = 0; i < sight->n_paths && sight->misrouted; i++) {
			const struct ip *ip = &sight->paths[i].address;
			const struct sought *sought = check_sought(check, t, ip);
			const struct path *peer =
			    sought->first_peer == check->n
				? NULL
				: check_path(check, sought->first_peer, t, ip);
			if (has_key(sight->paths[i].route, facet, key) ||
			    (peer != NULL && has_key(peer->route, facet, key)))
				return true;
		}
	}
	return false;
}
