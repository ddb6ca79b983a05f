#include "oddhost/parse/docker.h"

#include "oddhost/base/json.h"
#include "oddhost/parse/line.h"

static void take_pool(const struct json *item, struct line_finder *finder, struct arena *arena,
    struct docker_daemon *daemon, struct diag_list *diags)
{
	const char *base = json_get_string(item, "base", NULL);
	double size = json_get_number(item, "size", -1);
	unsigned at = base == NULL ? 0 : line_of_value(finder, "base", base);
	struct docker_pool pool;

	if (base == NULL || !prefix_parse(view_of(base), &pool.base)) {
		line_reject(diags, at, view_of(base), "a pool's base ADDRESS/LENGTH");
		return;
	}
	unsigned most = pool.base.ip.family == IP_V4 ? 32 : 128;
	if (size < pool.base.len || size > most || size != (unsigned)size) {
		line_reject(diags, at, view_of(base),
		    "a size from the base's length on with the pool (dockerd does not start "
		    "without)");
		return;
	}
	pool.size = (uint8_t)size;
	daemon->pools =
	    arena_grow(arena, daemon->pools, daemon->n_pools, &daemon->cap_pools, sizeof pool);
	daemon->pools[daemon->n_pools++] = pool;
}

/* Does the text stop being JSON at a comment? The reader may be a character into it. */
static bool has_comment(struct view text, const char *at)
{
	size_t offset = (size_t)(at - text.p);

	if (offset > 0 && at[-1] == '/')
		offset--;
	struct view stop = view_trim(view_skip(text, offset));
	return view_starts(stop, "//") || view_starts(stop, "/*") || view_starts(stop, "#");
}

void parse_docker_daemon(
    struct view text, struct arena *arena, struct docker_daemon *ret, struct diag_list *diags)
{
	struct line_finder finder = {.rest = text, .line = 1};
	struct view rest = text, line;
	struct err err;

	*ret = (struct docker_daemon){.known = true, .present = true};
	if (view_trim(text).n == 0) {
		ret->valid = true;
		return;
	}
	struct json *root = json_parse_first(&rest, &err);
	if (root == NULL || view_trim(rest).n > 0 || !json_is_object(root)) {
		unsigned number = 1;
		rest = root != NULL && view_trim(rest).n == 0 ? text : rest;
		for (const char *p = text.p; p < rest.p; p++)
			number += *p == '\n';
		bool comment = has_comment(text, rest.p);
		if (!view_next_line(&rest, &line) || view_trim(line).n == 0)
			line = view_of("the end");
		line_reject(diags, number, line,
		    comment ? "JSON, which has no comments (dockerd does not start with one)"
			    : "one JSON object");
		json_free(root);
		return;
	}
	ret->valid = true;
	ret->bip = arena_dup(arena, json_get_string(root, "bip", NULL));
	const struct json *item = json_first(json_get(root, "default-address-pools"));
	for (; item != NULL; item = json_next(item))
		take_pool(item, &finder, arena, ret, diags);
	json_free(root);
}
