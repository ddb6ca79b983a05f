#include "oddhost/inventory/ini.h"

#include <ctype.h>
#include <stdlib.h>

#include "oddhost/base/mem.h"
#include "oddhost/base/text.h"
#include "oddhost/inventory/hostname.h"
#include "oddhost/inventory/literal.h"
#include "oddhost/inventory/words.h"

enum state { HOSTS, CHILDREN, VARS, NOTHING };

/*
 * A group that was named before its own section: as a child (its parents wait here), or by a
 * :vars section, which alone does not make a group.
 */
struct pending {
	const char *name;
	unsigned line;
	enum state state;
	bool resolved;
	struct inventory_group **parents;
	unsigned *lines;
	size_t n, cap, cap_lines;
	struct pending *next;
};

struct ini {
	struct inventory *inv;
	struct inventory_group *group;
	enum state state;
	unsigned line;
	unsigned port;                 /* of the host line that is being read */
	struct inventory_host **hosts; /* that the host line names */
	size_t n_hosts, cap_hosts;
	struct table pending_index;
	struct pending *pending, **last_pending;
};

/* For messages: the start of what stands there. */
static struct view start_of(struct view text)
{
	return view_left(text, 80);
}

static bool is_word(struct view v)
{
	for (size_t i = 0; i < v.n; i++) {
		unsigned char c = (unsigned char)v.p[i];
		if (!isalnum(c) && c != '_' && c < 0x80)
			return false;
	}
	return v.n > 0;
}

/* Nothing but blanks and perhaps a comment. */
static bool is_rest(struct view v)
{
	v = words_trim(v);
	return v.n == 0 || v.p[0] == '#';
}

/* Step over a group's name: everything up to a colon, a closing bracket or a blank. */
static struct view take_group_name(struct view *cursor)
{
	struct view rest = *cursor, name = rest;
	uint32_t rune;

	while (text_next_rune(&rest, &rune) && rune != ':' && rune != ']' && !words_is_blank(rune))
		*cursor = rest;
	return view_left(name, name.n - cursor->n);
}

static struct pending *pend(struct ini *ini, struct view name, enum state state)
{
	struct pending *pending = table_get(&ini->pending_index, name);

	if (pending != NULL)
		return pending;
	pending = arena_alloc(ini->inv->arena, sizeof *pending);
	pending->name = arena_dup_view(ini->inv->arena, name);
	pending->line = ini->line;
	pending->state = state;
	table_add(&ini->pending_index, view_of(pending->name), pending);
	*ini->last_pending = pending;
	ini->last_pending = &pending->next;
	return pending;
}

/* The group now has a section of its own: parents that wait for it get their child. */
static void resolve(struct ini *ini, struct view name)
{
	struct pending *pending = table_get(&ini->pending_index, name);

	if (pending == NULL || pending->resolved)
		return;
	pending->resolved = true;
	for (size_t i = 0; i < pending->n; i++)
		inventory_add_child(ini->inv, pending->parents[i], ini->group, pending->lines[i]);
}

/* `[group]`, `[group:children]` or `[group:vars]`; false where the line is not of that form. */
static bool read_section(struct ini *ini, struct view line)
{
	struct view name, kind = {0};

	if (!view_take(&line, "["))
		return false;
	name = take_group_name(&line);
	if (view_take(&line, ":")) {
		kind = take_group_name(&line);
		if (!is_word(kind))
			return false;
	}
	if (name.n == 0 || !view_take(&line, "]") || !is_rest(line))
		return false;

	if (kind.n == 0 || view_eq(kind, "hosts")) {
		ini->state = HOSTS;
	} else if (view_eq(kind, "children")) {
		ini->state = CHILDREN;
	} else if (view_eq(kind, "vars")) {
		ini->state = VARS;
	} else {
		ini->state = NOTHING;
		inventory_error(ini->inv, ini->line,
		    "section [%.*s:%.*s]: expected [GROUP], [GROUP:children] or [GROUP:vars]",
		    VIEW_ARG(start_of(name)), VIEW_ARG(start_of(kind)));
		return true;
	}
	if (ini->state == VARS && inventory_group(ini->inv, name) == NULL)
		pend(ini, name, VARS);
	ini->group = inventory_add_group(ini->inv, name, ini->line);
	if (ini->state != VARS)
		resolve(ini, name);
	return true;
}

static bool add_host(void *arg, struct view name)
{
	struct ini *ini = arg;

	if (view_eq(words_trim(name), "---")) {
		inventory_error(ini->inv, ini->line,
		    "'---' begins a YAML file: write it as JSON with 'ansible-inventory -i %s --list "
		    "--export > FILE.json', and give that",
		    ini->inv->source);
		return false;
	}
	struct inventory_host *host =
	    inventory_add_host(ini->inv, name, ini->group, ini->port, ini->line);
	if (host == NULL)
		return false;
	ini->hosts = mem_grow(ini->hosts, ini->n_hosts, &ini->cap_hosts, sizeof *ini->hosts);
	ini->hosts[ini->n_hosts++] = host;
	return true;
}

/* The first word of a host line: names, perhaps with ranges and a port. */
static void read_host_names(struct ini *ini, struct view word)
{
	struct view name = word;
	struct err err;

	ini->n_hosts = 0;
	ini->port = 0;
	if (!hostname_split(word, &name, &ini->port)) {
		if (view_ends(word, ":")) {
			inventory_error(ini->inv, ini->line,
			    "'%.*s': expected a port behind the colon, or no colon",
			    VIEW_ARG(start_of(word)));
			return;
		}
		if (view_find_char(word, '=') > 0)
			inventory_warn(ini->inv, ini->line,
			    "'%.*s' is taken as a host's name; variables of a group belong under "
			    "[GROUP:vars]",
			    VIEW_ARG(start_of(view_left(word, (size_t)view_find_char(word, '=')))));
	}
	if (!hostname_has_range(name))
		add_host(ini, name);
	else if (!hostname_expand(name, add_host, ini, &err))
		inventory_error(ini->inv, ini->line, "%s", err.text);
}

static void read_host(struct ini *ini, struct view line)
{
	struct buf word = {0};
	struct err err;
	bool found;
	size_t n = 0;

	for (;; n++) {
		if (!words_next(&line, true, &word, &found, &err)) {
			inventory_error(ini->inv, ini->line, "%s", err.text);
			break;
		}
		if (!found)
			break;
		if (n == 0) {
			read_host_names(ini, buf_view(&word));
			continue;
		}
		struct view value = buf_view(&word), name;
		long equals = view_find_char(value, '=');
		if (equals <= 0) {
			inventory_error(ini->inv, ini->line,
			    "expected NAME=VALUE behind the host, got word %zu without it", n + 1);
			continue;
		}
		name = view_left(value, (size_t)equals);
		struct inventory_value parsed =
		    literal_parse(ini->inv->arena, view_skip(value, (size_t)equals + 1));
		for (size_t i = 0; i < ini->n_hosts; i++)
			inventory_set_host_var(ini->inv, ini->hosts[i], name, parsed, ini->line);
	}
	buf_free(&word);
}

static void read_var(struct ini *ini, struct view line)
{
	long equals = view_find_char(line, '=');

	if (equals <= 0) {
		/* The line may hold a secret: it is not quoted. */
		inventory_error(ini->inv, ini->line, "expected NAME=VALUE in [%.*s:vars]",
		    VIEW_ARG(start_of(view_of(ini->group->name))));
		return;
	}
	struct view name = words_trim(view_left(line, (size_t)equals));
	struct view value = words_trim(view_skip(line, (size_t)equals + 1));
	inventory_set_group_var(
	    ini->inv, ini->group, name, literal_parse(ini->inv->arena, value), ini->line);
}

static void read_child(struct ini *ini, struct view line)
{
	struct view rest = line, name = take_group_name(&rest);

	if (name.n == 0 || !is_rest(rest)) {
		inventory_error(ini->inv, ini->line,
		    "expected the name of one group in [%.*s:children], got '%.*s'",
		    VIEW_ARG(start_of(view_of(ini->group->name))), VIEW_ARG(start_of(line)));
		return;
	}
	struct inventory_group *child = inventory_group(ini->inv, name);
	if (child != NULL) {
		inventory_add_child(ini->inv, ini->group, child, ini->line);
		return;
	}
	struct pending *pending = pend(ini, name, CHILDREN);
	struct arena *arena = ini->inv->arena;
	pending->parents = arena_grow(
	    arena, pending->parents, pending->n, &pending->cap, sizeof *pending->parents);
	pending->lines = arena_grow(
	    arena, pending->lines, pending->n, &pending->cap_lines, sizeof *pending->lines);
	pending->parents[pending->n] = ini->group;
	pending->lines[pending->n++] = ini->line;
}

static void read_line(struct ini *ini, struct view line)
{
	bool utf8 = text_is_utf8(line);

	line = words_trim(line);
	if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';')
		return;
	if (!utf8) {
		inventory_error(ini->inv, ini->line, "expected UTF-8 text");
		return;
	}
	if (read_section(ini, line))
		return;
	if (line.p[0] == '[' && line.p[line.n - 1] == ']') {
		ini->state = NOTHING;
		inventory_error(ini->inv, ini->line,
		    "'%.*s': expected [GROUP], [GROUP:children] or [GROUP:vars], without blanks",
		    VIEW_ARG(start_of(line)));
	} else if (ini->state == HOSTS) {
		read_host(ini, line);
	} else if (ini->state == VARS) {
		read_var(ini, line);
	} else if (ini->state == CHILDREN) {
		read_child(ini, line);
	}
}

void ini_read(struct inventory *inv, struct view text)
{
	struct ini ini = {.inv = inv, .group = inv->ungrouped};
	struct view line;

	ini.last_pending = &ini.pending;
	view_take(&text, "\xef\xbb\xbf");
	bool utf8 = text_is_utf8(text);
	while (words_next_line(&text, utf8, &line)) {
		ini.line++;
		read_line(&ini, line);
	}
	for (const struct pending *p = ini.pending; p != NULL; p = p->next) {
		if (p->resolved)
			continue;
		if (p->state == VARS)
			inventory_error(inv, p->line, "[%.80s:vars]: there is no group '%.80s'",
			    p->name, p->name);
		else
			inventory_error(inv, p->line,
			    "there is no group '%.80s' to be a child of '%.80s'", p->name,
			    p->parents[0]->name);
	}
	table_free(&ini.pending_index);
	free(ini.hosts);
}
