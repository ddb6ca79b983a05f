#include "oddhost/parse/docker_json.h"

#include <strings.h>

#include "oddhost/parse/line.h"

bool docker_pools_add(struct docker_pools *pools, struct view base, long size, unsigned line)
{
	struct docker_pool pool;

	if (!prefix_parse(base, &pool.base) || size < 1 || size < pool.base.len ||
	    size > (pool.base.ip.family == IP_V4 ? 32 : 128)) {
		line_reject(pools->diags, line, base,
		    "a pool's base ADDRESS/LENGTH and a size from that length on (dockerd does not "
		    "start without)");
		return false;
	}
	pool.size = (uint8_t)size;
	pools->v = arena_grow(pools->arena, pools->v, pools->n, &pools->cap, sizeof pool);
	pools->v[pools->n++] = pool;
	return true;
}

static const struct json *any_case(const struct json *object, const char *key)
{
	for (const struct json *item = json_first(object); item != NULL; item = json_next(item)) {
		if (json_key(item) != NULL && strcasecmp(json_key(item), key) == 0)
			return item;
	}
	return NULL;
}

bool docker_pools_read(
    struct docker_pools *pools, const struct json *array, struct view text, const char *key)
{
	struct line_finder finder = {.rest = text, .line = 1};
	bool read = true;

	if (array == NULL || json_is_null(array))
		return true;
	if (!json_is_array(array)) {
		diag_add(pools->diags, 0, "expected an array as %s", key);
		return false;
	}
	for (const struct json *item = json_first(array); item != NULL; item = json_next(item)) {
		const struct json *base = any_case(item, "base"), *size = any_case(item, "size");
		const char *s = json_string(base, "");
		long number = -1;
		unsigned at = base == NULL ? 0 : line_of_value(&finder, json_key(base), s);
		if (size != NULL)
			json_read_int(item, json_key(size), 0, 128, &number);
		read = docker_pools_add(pools, view_of(s), number, at) && read;
	}
	return read;
}

const char *docker_label(const struct json *labels, const char *key, struct arena *arena)
{
	struct view list = view_of(json_string(labels, "")), label;
	const char *value = json_get_string(labels, key, NULL);

	if (value != NULL)
		return arena_dup(arena, value);
	while (view_next_part(&list, ',', &label)) {
		if (view_take(&label, key) && view_take(&label, "="))
			return arena_dup_view(arena, label);
	}
	return NULL;
}
