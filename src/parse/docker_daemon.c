#include "oddhost/parse/docker.h"

#include "oddhost/base/json.h"
#include "oddhost/parse/docker_json.h"
#include "oddhost/parse/line.h"

/* Does the text stop being JSON at a comment? The reader may be a character into it. */
static bool has_comment(struct view text, const char *at)
{
	size_t offset = (size_t)(at - text.p);

	if (offset > 0 && at[-1] == '/')
		offset--;
	struct view stop = view_trim(view_skip(text, offset));
	return view_starts(stop, "//") || view_starts(stop, "/*") || view_starts(stop, "#");
}

static void take_settings(const struct json *root, struct view text, struct arena *arena,
    struct docker_daemon *ret, struct diag_list *diags)
{
	static const char key[] = "default-address-pools";
	struct docker_pools pools = {.arena = arena, .diags = diags};
	const char *bip = NULL;

	if (!json_read_string(root, "bip", &bip)) {
		diag_add(diags, 0, "expected a string as bip");
		return;
	}
	if (!docker_pools_read(&pools, json_get(root, key), text, key))
		return;
	ret->valid = true;
	ret->bip = arena_dup(arena, bip);
	ret->pools = pools.v;
	ret->n_pools = pools.n;
	ret->cap_pools = pools.cap;
}

void parse_docker_daemon(
    struct view text, struct arena *arena, struct docker_daemon *ret, struct diag_list *diags)
{
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
	take_settings(root, text, arena, ret, diags);
	json_free(root);
}
