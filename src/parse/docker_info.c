#include "oddhost/parse/docker.h"

#include <string.h>

#include "oddhost/base/clock.h"
#include "oddhost/base/json.h"
#include "oddhost/parse/docker_json.h"
#include "oddhost/parse/line.h"

#define NS 1000000000

struct reader {
	struct docker_engine *engine;
	struct arena *arena;
	struct diag_list *diags;
	struct view text;
	struct docker_pools pools;
	bool pools_read; /* all that were there */
};

static void take_version(struct reader *r, struct view version, bool podman, unsigned number)
{
	if (version.n == 0)
		return; /* the engine did not answer, only its client */
	r->engine->source.line = number;
	r->engine->known = true;
	r->engine->podman = podman;
	r->engine->version = arena_dup_view(r->arena, version);
}

/* podman's whole answer is {"host": …, "version": {"Version": …}}. */
static const char *podman_version(const struct json *object)
{
	return json_get_string(
	    object, "PodmanVersion", json_get_string(json_get(object, "version"), "Version", NULL));
}

/* Does an engine of that version say its pools, so that null means that none are configured? */
static bool says_pools(const char *version)
{
	struct view rest = view_of(version), major;
	uint64_t number;

	return view_next_part(&rest, '.', &major) && view_uint(major, 20, 10000, &number);
}

static bool take_value(const struct json *object, unsigned number, void *arg)
{
	struct reader *r = arg;
	struct docker_engine *engine = r->engine;
	const struct json *pools = json_get(object, "DefaultAddressPools");
	const struct json *live = json_get(object, "LiveRestoreEnabled");
	const char *docker = json_get_string(object, "ServerVersion", NULL);
	const char *podman = podman_version(object);
	long started = 0; /* past 2191 is no time that a file may have */

	if (!json_read_int(object, "Started", 0, 7000000000, &started) ||
	    (docker == NULL && podman == NULL && started == 0)) {
		diag_add(r->diags, number, "expected an object with ServerVersion");
		return false;
	}
	if (started > 0)
		engine->started_ns = (int64_t)started * NS;
	if (podman != NULL)
		take_version(r, view_of(podman), true, number);
	else if (docker != NULL)
		take_version(r, view_of(docker), false, number);
	if (docker == NULL || *docker == '\0')
		return engine->known || started > 0;
	if (json_is_bool(live))
		engine->live_restore = json_bool(live, false);
	/* A newer client has the field, an older engine has nothing to put there: null. */
	engine->pools_known = json_is_array(pools) || (json_is_null(pools) && says_pools(docker));
	r->pools_read = docker_pools_read(&r->pools, pools, r->text, "DefaultAddressPools");
	return true;
}

/* "Base: 10.0.0.0/8, Size: 24". */
static bool take_plain_pool(struct reader *r, struct view line, unsigned number)
{
	struct view base;
	uint64_t size;

	if (!view_take(&line, "Base: ") || !view_next_part(&line, ',', &base) ||
	    !view_take(&line, " Size: ") || !view_uint(line, 0, 128, &size))
		return false;
	r->engine->pools_known = true;
	r->pools_read = docker_pools_add(&r->pools, base, (long)size, number) && r->pools_read;
	return true;
}

/*
 * The plain text, of which only these lines are read. Where it shows no pools, none may be
 * configured, or the client may be too old to print them: so they are not known.
 */
static bool take_text(struct reader *r, struct view text)
{
	struct line_reader lines = {.rest = text};
	struct view line;
	bool in_version = false;

	while (line_next(&lines, &line)) {
		struct view rest = view_trim(line);
		if (view_take(&rest, "Server Version: ")) {
			take_version(r, rest, false, lines.number);
		} else if (view_take(&rest, "Live Restore Enabled: ")) {
			r->engine->live_restore = view_eq(rest, "true")    ? 1
						  : view_eq(rest, "false") ? 0
									   : -1;
		} else if (!take_plain_pool(r, rest, lines.number) && in_version &&
			   view_take(&rest, "Version: ")) {
			take_version(r, rest, true, lines.number);
		}
		if (line.p[0] != ' ')
			in_version = view_eq(line, "version:"); /* podman's YAML */
	}
	if (!r->engine->known)
		diag_add(r->diags, 0, "expected what docker info prints, with Server Version");
	return r->engine->known;
}

bool parse_docker_info(
    struct view text, struct arena *arena, struct docker_engine *ret, struct diag_list *diags)
{
	struct reader r = {.engine = ret,
	    .arena = arena,
	    .diags = diags,
	    .text = text,
	    .pools = {.arena = arena, .diags = diags},
	    .pools_read = true};

	*ret = (struct docker_engine){.live_restore = -1};
	if (view_trim(text).n == 0)
		return true;
	bool understood = view_starts(view_trim(text), "{")
			      ? line_each_json(text, diags, take_value, &r) > 0
			      : take_text(&r, text);
	ret->pools_known = ret->pools_known && r.pools_read;
	if (ret->pools_known) {
		ret->pools = r.pools.v;
		ret->n_pools = r.pools.n;
		ret->cap_pools = r.pools.cap;
	}
	return understood;
}
