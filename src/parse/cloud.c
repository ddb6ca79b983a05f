#include "oddhost/parse/cloud.h"

#include "oddhost/parse/line.h"

#define VALUE_MOST 200 /* an id has some 20 characters, a network's path in Google's cloud 100 */

static bool take_prefix(struct view word, struct prefix *ret)
{
	long slash = view_find_char(word, '/');
	struct ip ip, mask;

	if (prefix_parse(word, ret))
		return slash > 0;
	return slash > 0 && ip_parse(view_left(word, (size_t)slash), &ip) &&
	       ip_parse(view_skip(word, (size_t)slash + 1), &mask) &&
	       prefix_from_mask(&ip, &mask, ret);
}

static bool take_prefixes(
    struct view rest, struct arena *arena, struct cloud *cloud, bool vpc, unsigned line)
{
	struct view word;
	bool any = false;

	while (cloud->n_prefixes < CLOUD_PREFIXES_MOST && view_next_word(&rest, &word)) {
		struct cloud_prefix found = {.vpc = vpc, .line = line};
		if (!take_prefix(word, &found.prefix))
			return false;
		cloud->prefixes = arena_grow(arena, cloud->prefixes, cloud->n_prefixes,
		    &cloud->cap_prefixes, sizeof *cloud->prefixes);
		cloud->prefixes[cloud->n_prefixes++] = found;
		any = true;
	}
	return any;
}

static bool take_cloud(struct view value, struct arena *arena, struct cloud *cloud)
{
	cloud->known = !view_eq(value, "unknown");
	if (cloud->known && !view_eq(value, "none"))
		cloud->provider = arena_dup_view(arena, value);
	return true;
}

static bool take(struct view line, unsigned number, struct arena *arena, struct cloud *cloud)
{
	const struct {
		const char *key;
		const char **at;
	} texts[] = {
	    {"instance-id: ", &cloud->instance},
	    {"instance-type: ", &cloud->type},
	    {"region: ", &cloud->region},
	    {"zone: ", &cloud->zone},
	    {"vpc-id: ", &cloud->vpc},
	    {"subnet-id: ", &cloud->subnet},
	};
	struct view rest = view_trim(line);

	if (rest.n > VALUE_MOST)
		return false;
	if (view_take(&rest, "cloud: "))
		return take_cloud(rest, arena, cloud);
	if (view_take(&rest, "vpc-cidr: "))
		return take_prefixes(rest, arena, cloud, true, number);
	if (view_take(&rest, "subnet-cidr: "))
		return take_prefixes(rest, arena, cloud, false, number);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (view_take(&rest, texts[i].key)) {
			*texts[i].at = arena_dup_view(arena, rest);
			return true;
		}
	}
	return false;
}

bool parse_cloud(struct view text, struct arena *arena, struct cloud *ret, struct diag_list *diags)
{
	struct line_reader lines = {.rest = text};
	struct cloud cloud = {0};
	struct view line;
	bool any = false;

	while (line_next(&lines, &line)) {
		if (take(line, lines.number, arena, &cloud))
			any = true;
		else
			line_reject(
			    diags, lines.number, line, "KEY: VALUE of the cloud's metadata");
	}
	*ret = cloud;
	return any || view_trim(text).n == 0;
}
