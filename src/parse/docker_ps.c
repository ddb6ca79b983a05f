#include "oddhost/parse/docker.h"

#include <string.h>

#include "oddhost/base/json.h"
#include "oddhost/base/text.h"
#include "oddhost/parse/docker_json.h"
#include "oddhost/parse/line.h"

enum column { COL_ID, COL_IMAGE, COL_STATUS, COL_NETWORKS, COL_NAMES, COL_COUNT };

struct reader {
	struct container_list *list;
	struct diag_list *diags;
	bool header;
	size_t begin[COL_COUNT],
	    end[COL_COUNT]; /* of the columns, in code points; end 0: not there */
};

/* formatter/container.go's headers; those that are not read matter as the end of others. */
static const struct {
	const char *name;
	enum column column;
} headers[] = {
    {"CONTAINER ID", COL_ID},
    {"IMAGE", COL_IMAGE},
    {"STATUS", COL_STATUS},
    {"NETWORKS", COL_NETWORKS},
    {"NAMES", COL_NAMES},
};

/*
 * What the status says of state and health: "Up 2 days (healthy)", "Up 3 minutes (Paused)",
 * "Exited (0) 2 days ago", "Restarting (1) 5 seconds ago", "Created", "Dead" (moby,
 * container/state.go, String()). podman writes the names of its states with a capital
 * (ContainerStatus.String(), libpod/define/containerstate.go), "Unknown" among them.
 */
static bool read_status(struct container *c)
{
	static const struct {
		const char *word;
		enum container_state state;
	} states[] = {
	    {"Up", CONTAINER_RUNNING},
	    {"Exited", CONTAINER_EXITED},
	    {"Stopped", CONTAINER_EXITED},
	    {"Created", CONTAINER_CREATED},
	    {"Initialized", CONTAINER_CREATED},
	    {"Restarting", CONTAINER_RESTARTING},
	    {"Paused", CONTAINER_PAUSED},
	    {"Dead", CONTAINER_DEAD},
	    {"Removal", CONTAINER_REMOVING}, /* "Removal In Progress" */
	    {"Removing", CONTAINER_REMOVING},
	    {"Stopping", CONTAINER_STOPPING},
	    {"Unknown", CONTAINER_UNKNOWN},
	};
	struct view status = view_of(c->status);
	bool known = false;

	for (size_t i = 0; i < sizeof states / sizeof *states && !known; i++) {
		known = line_begins(status, states[i].word);
		c->state = known ? states[i].state : CONTAINER_UNKNOWN;
	}
	if (view_find(status, "(Paused)") > 0)
		c->state = CONTAINER_PAUSED;
	if (view_find(status, "(healthy)") > 0)
		c->health = HEALTH_HEALTHY;
	else if (view_find(status, "(unhealthy)") > 0)
		c->health = HEALTH_UNHEALTHY;
	else if (view_find(status, "(health: starting)") > 0)
		c->health = HEALTH_STARTING;
	return known;
}

static struct container *add(struct reader *r, unsigned number)
{
	struct container_list *list = r->list;

	if (list->n == DOCKER_MOST) {
		diag_add(r->diags, number, "more than %d containers, expected fewer", DOCKER_MOST);
		return NULL;
	}
	list->v = arena_grow(list->arena, list->v, list->n, &list->cap, sizeof *list->v);
	struct container *c = &list->v[list->n++];
	*c = (struct container){.line = number};
	return c;
}

static bool add_cells(struct reader *r, const struct view cell[COL_COUNT], unsigned number)
{
	struct arena *arena = r->list->arena;
	struct container trial = {.status = arena_dup_view(arena, cell[COL_STATUS])};

	if ((cell[COL_ID].n == 0 && cell[COL_NAMES].n == 0) ||
	    (cell[COL_STATUS].n > 0 && !read_status(&trial)))
		return false;
	struct container *c = add(r, number);
	if (c == NULL)
		return true;
	c->id = arena_dup_view(arena, cell[COL_ID]);
	c->image = arena_dup_view(arena, cell[COL_IMAGE]);
	c->name = arena_dup_view(arena, cell[COL_NAMES]);
	c->status = trial.status;
	c->networks = cell[COL_NETWORKS].n > 0 ? arena_dup_view(arena, cell[COL_NETWORKS]) : NULL;
	read_status(c);
	return true;
}

static void take_header(struct reader *r, struct view line)
{
	struct view rest = line, field;

	memset(r->end, 0, sizeof r->end);
	r->header = true;
	while (line_next_field(&rest, &field)) {
		size_t next = line.n; /* where the column behind begins */
		for (size_t i = (size_t)(rest.p - line.p); i < line.n && next == line.n; i++) {
			if (line.p[i] != ' ' && line.p[i] != '\t')
				next = i;
		}
		for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
			if (!view_eq(field, headers[i].name))
				continue;
			r->begin[headers[i].column] = (size_t)(field.p - line.p);
			r->end[headers[i].column] = next == line.n ? SIZE_MAX : next;
		}
	}
}

/*
 * A row under a header: docker pads by code points. Every column must begin behind a blank;
 * otherwise the row does not stand under this header (a paste may have moved it).
 */
static bool cut_columns(const struct reader *r, struct view line, struct view cell[COL_COUNT])
{
	struct view rest = line;
	uint32_t rune;
	bool blank = true;

	for (size_t at = 0;; at++) {
		size_t offset = (size_t)(rest.p - line.p);
		for (int c = 0; c < COL_COUNT; c++) {
			if (r->end[c] == 0)
				continue;
			if ((at == r->begin[c] || at == r->end[c]) && !blank)
				return false;
			if (at == r->begin[c])
				cell[c] = view_skip(line, offset);
			if (at == r->end[c])
				cell[c] = view_trim(
				    view_left(cell[c], offset - (size_t)(cell[c].p - line.p)));
		}
		if (!text_next_rune(&rest, &rune))
			break;
		blank = rune == ' ' || rune == '\t';
	}
	for (int c = 0; c < COL_COUNT; c++)
		cell[c] = view_trim(cell[c]);
	return true;
}

static bool is_status(struct view v)
{
	struct container c = {0};
	char start[24] = "";

	memcpy(start, v.p, v.n < sizeof start ? v.n : sizeof start - 1);
	c.status = start;
	return read_status(&c);
}

/*
 * A row without a header, or moved away from it: id, image, the quoted command, created, status,
 * ports (which may be empty), names. Only the command is quoted, so it ends at the last quote.
 */
static bool cut_fields(struct view line, struct view cell[COL_COUNT])
{
	struct view rest = line, created, field;
	long quote = view_find_char(line, '"');
	size_t end = line.n;

	if (quote < 0 || !view_next_word(&rest, &cell[COL_ID]) ||
	    !view_next_word(&rest, &cell[COL_IMAGE]) || cell[COL_IMAGE].p >= line.p + quote ||
	    cell[COL_ID].n < 12)
		return false;
	while (line.p[end - 1] != '"')
		end--;
	rest = view_skip(line, end);
	if (!line_next_field(&rest, &created) || !line_next_field(&rest, &cell[COL_STATUS]) ||
	    !is_status(cell[COL_STATUS]))
		return false;
	while (line_next_field(&rest, &field))
		cell[COL_NAMES] = field;
	return cell[COL_NAMES].n > 0;
}

static bool take_table(struct reader *r, struct view text)
{
	struct line_reader lines = {.rest = text};
	struct view line;
	bool any = false;

	while (line_next(&lines, &line)) {
		struct view cell[COL_COUNT] = {{0}}, other[COL_COUNT] = {{0}};
		if (line_is_warning(line))
			continue;
		if (view_find(line, "CONTAINER ID") == 0 || line_begins(line, "NAMES")) {
			take_header(r, line);
			any = true;
		} else if ((r->header && cut_columns(r, line, cell) &&
			       add_cells(r, cell, lines.number)) ||
			   (cut_fields(line, other) && add_cells(r, other, lines.number))) {
			any = true;
		} else {
			line_reject(r->diags, lines.number, line, "a row of docker ps");
		}
	}
	return any;
}

/* Our own format says the project, and "" for none; docker's and podman's have it as a label. */
static const char *project_of(const struct json *object, struct arena *arena)
{
	const char *project = json_get_string(object, "Project", NULL);

	if (project == NULL)
		return docker_label(json_get(object, "Labels"), DOCKER_LABEL_PROJECT, arena);
	return *project == '\0' ? NULL : arena_dup(arena, project);
}

/* podman's is an array of names. */
static const char *networks_of(const struct json *object, struct arena *arena)
{
	const struct json *networks = json_get(object, "Networks");
	const struct json *item = json_is_array(networks) ? json_first(networks) : NULL;
	struct buf all = {0};

	if (item == NULL)
		return json_string(networks, "");
	for (; item != NULL; item = json_next(item))
		buf_printf(&all, "%s%s", all.n > 0 ? "," : "", json_string(item, ""));
	const char *copy = arena_dup(arena, buf_str(&all));
	buf_free(&all);
	return copy;
}

static bool take_object(struct reader *r, const struct json *object, unsigned number)
{
	struct view cell[COL_COUNT] = {{0}};
	const struct json *names = json_get(object, "Names");

	if (json_is_array(names)) /* podman */
		names = json_first(names);
	cell[COL_ID] = view_of(json_get_string(object, "ID", json_get_string(object, "Id", "")));
	cell[COL_IMAGE] = view_of(json_get_string(object, "Image", ""));
	cell[COL_STATUS] = view_of(json_get_string(object, "Status", ""));
	cell[COL_NETWORKS] = view_of(networks_of(object, r->list->arena));
	cell[COL_NAMES] = view_of(json_string(names, ""));
	size_t before = r->list->n;
	if (!add_cells(r, cell, number)) {
		diag_add(
		    r->diags, number, "expected a container with ID or Names, and a known Status");
		return false;
	}
	if (r->list->n > before)
		r->list->v[before].project = project_of(object, r->list->arena);
	return true;
}

/* docker prints an object a container, podman an array of them. */
static bool take_value(const struct json *value, unsigned number, void *arg)
{
	if (!json_is_array(value))
		return take_object(arg, value, number);
	bool any = json_size(value) == 0;
	for (const struct json *item = json_first(value); item != NULL; item = json_next(item))
		any = take_object(arg, item, number) || any;
	return any;
}

bool parse_docker_ps(struct view text, struct container_list *list, struct diag_list *diags)
{
	struct reader r = {.list = list, .diags = diags};
	struct view start = view_trim(line_skip_warnings(text));

	if (start.n == 0)
		return true;
	if (view_starts(start, "{") || view_starts(start, "["))
		return line_each_json(text, diags, take_value, &r) > 0;
	return take_table(&r, text);
}
