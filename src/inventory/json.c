#include "oddhost/inventory/json.h"

#include <limits.h>

#include "oddhost/base/text.h"
#include "oddhost/inventory/hostname.h"

struct place {
	struct inventory *inv;
	struct inventory_group *group;
	const struct json *vars; /* of the host pattern that is being expanded, or NULL */
	unsigned port;
};

/* The message of json_parse_exact(), "line N: …": of a file its line, of what a script says only
 * told. */
static void report(struct inventory *inv, const char *message, bool script)
{
	struct view rest = view_of(message), number;
	uint64_t line = 0;

	if (!script && view_take(&rest, "line ") && view_next_part(&rest, ':', &number) &&
	    view_uint(number, 1, UINT_MAX, &line))
		message = view_trim(rest).p;
	inventory_error(inv, (unsigned)line, "%s%s", script ? "its output: " : "", message);
}

static const char *short_key(const struct json *node)
{
	const char *key = json_key(node);

	return key == NULL ? "" : key;
}

void inventory_json_read_host(
    struct inventory *inv, struct inventory_host *host, const struct json *vars)
{
	if (!json_is_object(vars) && !json_is_null(vars)) {
		inventory_error(
		    inv, 0, "host '%.80s': expected an object of variables", host->name);
		return;
	}
	for (const struct json *v = json_first(vars); v != NULL; v = json_next(v))
		inventory_set_host_var(
		    inv, host, view_of(json_key(v)), inventory_value_from_json(inv->arena, v), 0);
}

static bool add_host(void *arg, struct view name)
{
	struct place *place = arg;
	struct inventory_host *host =
	    inventory_add_host(place->inv, name, place->group, place->port, 0);

	if (host != NULL && place->vars != NULL)
		inventory_json_read_host(place->inv, host, place->vars);
	return host != NULL;
}

/* A key of an object of hosts may be a pattern with ranges and a port; its value the variables. */
static void read_host_pattern(struct place *place, const struct json *node)
{
	struct view text = view_of(short_key(node)), name = text;
	struct err err;

	place->vars = node;
	place->port = 0;
	hostname_split(text, &name, &place->port);
	if (!hostname_has_range(name))
		add_host(place, name);
	else if (!hostname_expand(name, add_host, place, &err))
		inventory_error(place->inv, 0, "group '%.80s': %s", place->group->name, err.text);
}

static void read_hosts(struct place *place, const struct json *hosts)
{
	bool object = json_is_object(hosts);

	if (json_is_null(hosts))
		return;
	if (!object && !json_is_array(hosts)) {
		inventory_error(
		    place->inv, 0, "group '%.80s': expected a list of hosts", place->group->name);
		return;
	}
	for (const struct json *node = json_first(hosts); node != NULL; node = json_next(node)) {
		if (object) {
			read_host_pattern(place, node);
			continue;
		}
		if (!json_is_string(node)) {
			inventory_error(place->inv, 0, "group '%.80s': expected the name of a host",
			    place->group->name);
			continue;
		}
		place->vars = NULL;
		place->port = 0;
		add_host(place, view_of(json_string(node, "")));
	}
}

static void read_vars(struct place *place, const struct json *vars)
{
	if (!json_is_object(vars) && !json_is_null(vars)) {
		inventory_error(place->inv, 0, "group '%.80s': expected an object of variables",
		    place->group->name);
		return;
	}
	for (const struct json *v = json_first(vars); v != NULL; v = json_next(v))
		inventory_set_group_var(place->inv, place->group, view_of(json_key(v)),
		    inventory_value_from_json(place->inv->arena, v), 0);
}

static struct inventory_group *read_group(
    struct inventory *inv, const char *name, const struct json *data, bool script, bool top);

static void read_children(struct place *place, const struct json *children, bool script)
{
	struct inventory *inv = place->inv;
	bool object = json_is_object(children);

	if (json_is_null(children))
		return;
	if (!object && !json_is_array(children)) {
		inventory_error(
		    inv, 0, "group '%.80s': expected a list of children", place->group->name);
		return;
	}
	for (const struct json *c = json_first(children); c != NULL; c = json_next(c)) {
		const char *name = object ? json_key(c) : json_string(c, "");
		if (*name == '\0') {
			inventory_error(inv, 0, "group '%.80s': expected the name of a child group",
			    place->group->name);
			continue;
		}
		struct inventory_group *child = object ? read_group(inv, name, c, script, false)
						       : inventory_add_group(inv, view_of(name), 0);
		inventory_add_child(inv, place->group, child, 0);
	}
}

/* cJSON refuses what nests deeper than 1000, so this recursion is bounded. */
static struct inventory_group *read_group(
    struct inventory *inv, const char *name, const struct json *data, bool script, bool top)
{
	struct inventory_group *group = inventory_add_group(inv, view_of(name), 0);
	struct place place = {.inv = inv, .group = group};
	const struct json *hosts = json_get(data, "hosts"), *vars = json_get(data, "vars");
	const struct json *children = json_get(data, "children");

	if (json_is_null(data) && !script)
		return group;
	if (!json_is_object(data)) {
		read_hosts(&place, data);
		return group;
	}
	if (hosts == NULL && vars == NULL && children == NULL) {
		if (top && (script || json_first(data) != NULL)) {
			add_host(&place, view_of(name));
			read_vars(&place, data);
		}
		return group;
	}
	if (hosts != NULL)
		read_hosts(&place, hosts);
	if (vars != NULL)
		read_vars(&place, vars);
	if (children != NULL)
		read_children(&place, children, script);
	return group;
}

/* Only hosts that this source names: Ansible looks up each of them here, and nothing else. */
static void read_hostvars(struct inventory *inv, const struct json *hostvars)
{
	if (!json_is_object(hostvars)) {
		inventory_error(inv, 0, "_meta.hostvars: expected an object");
		return;
	}
	for (const struct json *node = json_first(hostvars); node != NULL; node = json_next(node)) {
		struct inventory_host *host = inventory_host(inv, view_of(json_key(node)));
		if (host != NULL && host->source_number == inv->source_number)
			inventory_json_read_host(inv, host, node);
	}
}

void inventory_json_read(struct inventory *inv, struct view text, bool script, bool *ret_hostvars)
{
	struct err err;
	struct json *root;
	const struct json *hostvars = NULL;

	*ret_hostvars = true;
	view_take(&text, "\xef\xbb\xbf");
	if (!text_is_utf8(text)) {
		inventory_error(inv, 0, "expected UTF-8 text");
		return;
	}
	root = json_parse_exact(text, &err);
	if (root == NULL || !json_is_object(root)) {
		report(inv, root == NULL ? err.text : "expected a JSON object of groups", script);
		json_free(root);
		return;
	}
	for (const struct json *node = json_first(root); node != NULL; node = json_next(node)) {
		if (view_eq(view_of(json_key(node)), "_meta"))
			hostvars = json_get(node, "hostvars");
		else if (*short_key(node) == '\0')
			inventory_error(inv, 0, "expected the name of a group, got an empty one");
		else
			read_group(inv, json_key(node), node, script, true);
	}
	*ret_hostvars = hostvars != NULL;
	if (hostvars != NULL)
		read_hostvars(inv, hostvars);
	json_free(root);
}
