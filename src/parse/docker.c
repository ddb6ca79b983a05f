#include "oddhost/parse/docker.h"

#include <string.h>

#include "oddhost/base/clock.h"
#include "oddhost/base/json.h"
#include "oddhost/base/table.h"
#include "oddhost/parse/command.h"
#include "oddhost/parse/docker_json.h"
#include "oddhost/parse/line.h"

struct reader {
	struct network_list *list;
	struct diag_list *diags;
	const struct probe_result *probe;
	struct view asked; /* the command's arguments, of which one is used up per value */
	struct line_finder subnets, ids; /* of "Subnet" and "Id" */
	bool scopes;                     /* the table has a column SCOPE: docker's, not podman's */
	struct table by_id, by_name;     /* of the list: the first digits of an id, a name */
	/* What is found is the address of a place here, as the list itself moves when it grows. */
	char places[DOCKER_MOST];
};

static bool is_id(struct view v)
{
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] == '\0' || strchr("0123456789abcdef", v.p[i]) == NULL)
			return false;
	}
	return v.n >= 12 && v.n <= 64;
}

static bool same_id(const char *a, struct view b)
{
	size_t n = a == NULL ? 0 : strlen(a);

	return n >= 12 && b.n >= 12 && view_same(view_left(view_of(a), b.n), view_left(b, n));
}

#define SHORT_ID 12 /* digits, of which an id has at least so many */

static struct docker_network *at_place(struct reader *r, const char *place)
{
	return place == NULL ? NULL : &r->list->v[place - r->places];
}

static void index_network(struct reader *r, const struct docker_network *net)
{
	char *place = &r->places[net - r->list->v];

	if (net->id != NULL)
		table_add(&r->by_id, view_left(view_of(net->id), SHORT_ID), place);
	table_add(&r->by_name, view_of(net->name), place);
}

/* The network of that id, or of that name where one of the two has no id; NULL: a new one. */
static struct docker_network *find_network(struct reader *r, struct view id, struct view name)
{
	struct docker_network *net = at_place(r, table_get(&r->by_id, view_left(id, SHORT_ID)));

	if (net != NULL && same_id(net->id, id))
		return net;
	if (name.n == 0)
		return NULL;
	net = at_place(r, table_get(&r->by_name, name));
	return net != NULL && (net->id == NULL || id.n == 0) && view_eq(name, net->name) ? net
											 : NULL;
}

static struct docker_network *find_or_add(struct reader *r, struct view id, struct view name)
{
	struct network_list *list = r->list;
	struct docker_network *net = find_network(r, id, name);

	if (net != NULL)
		return net;
	if (list->n == DOCKER_MOST) {
		diag_add(r->diags, 0, "more than %d networks, expected fewer", DOCKER_MOST);
		return NULL;
	}
	list->v = arena_grow(list->arena, list->v, list->n, &list->cap, sizeof *list->v);
	net = &list->v[list->n++];
	*net = (struct docker_network){0};
	net->name = arena_dup_view(list->arena, name);
	return net;
}

static const char *bridge_of(const struct docker_network *net, struct arena *arena)
{
	if (net->driver == NULL || strcmp(net->driver, "bridge") != 0)
		return NULL;
	if (strcmp(net->name, "bridge") == 0)
		return "docker0";
	if (strcmp(net->name, "docker_gwbridge") == 0)
		return "docker_gwbridge";
	if (net->id == NULL || !is_id(view_of(net->id)))
		return NULL;
	return arena_printf(arena, "br-%.12s", net->id);
}

/* Id, name, driver and scope, which all outputs have; empty ones stay as they were. */
static struct docker_network *take_identity(
    struct reader *r, struct view id, struct view name, struct view driver, struct view scope)
{
	struct docker_network *net = find_or_add(r, id, name);
	struct arena *arena = r->list->arena;

	if (net == NULL)
		return NULL;
	if (id.n > (net->id == NULL ? 0 : strlen(net->id)))
		net->id = arena_dup_view(arena, id);
	if (name.n > 0)
		net->name = arena_dup_view(arena, name);
	if (driver.n > 0)
		net->driver = arena_dup_view(arena, driver);
	if (scope.n > 0)
		net->scope = arena_dup_view(arena, scope);
	index_network(r, net);
	return net;
}

/*
 * A row of the table. Columns are two blanks or more apart, and a name may hold single ones; where
 * a paste has run them together, exactly one word a column is taken.
 */
static bool take_row(struct reader *r, struct view line, unsigned number)
{
	struct view cell[5] = {{0}}, rest = line;
	size_t n = 0, want = r->scopes ? 4 : 3;

	while (n < 5 && line_next_field(&rest, &cell[n]))
		n++;
	if (n != want) {
		rest = line;
		for (n = 0; n < 5 && view_next_word(&rest, &cell[n]); n++)
			;
	}
	if (n != want || !is_id(cell[0]))
		return false;
	struct docker_network *net =
	    take_identity(r, cell[0], cell[1], cell[2], r->scopes ? cell[3] : view_of(""));
	if (net == NULL)
		return true;
	if (r->scopes && net->bridge == NULL)
		net->bridge = bridge_of(net, r->list->arena);
	net->listed = (struct source){r->probe, number};
	return true;
}

static bool take_table(struct reader *r, struct view text)
{
	struct line_reader lines = {.rest = text};
	struct view line;
	bool any = false;

	r->scopes = true;
	while (line_next(&lines, &line)) {
		if (line_is_warning(line))
			continue;
		if (view_starts(view_trim(line), "NETWORK ID")) {
			r->scopes = view_find(line, "SCOPE") > 0;
			any = true;
		} else if (take_row(r, line, lines.number)) {
			any = true;
		} else {
			line_reject(r->diags, lines.number, line, "a row of docker network ls");
		}
	}
	return any;
}

/* docker writes its keys with a capital, podman without. */
static const struct json *either(const struct json *object, const char *one, const char *other)
{
	const struct json *found = json_get(object, one);

	return found != NULL ? found : json_get(object, other);
}

static struct view either_string(const struct json *object, const char *one, const char *other)
{
	return view_of(json_string(either(object, one, other), ""));
}

static void add_subnet(
    struct reader *r, struct docker_network *net, const struct json *item, const char *key)
{
	struct arena *arena = r->list->arena;
	const char *text = json_get_string(item, key, NULL);
	struct prefix prefix;
	size_t n = net->n_subnets, cap = net->cap_subnets, same_cap = cap;

	if (text == NULL)
		return;
	unsigned at = line_of_value(&r->subnets, key, text);
	if (!prefix_parse(view_of(text), &prefix)) {
		line_reject(r->diags, at, view_of(text), "a subnet ADDRESS/LENGTH");
		return;
	}
	net->subnets = arena_grow(arena, net->subnets, n, &cap, sizeof *net->subnets);
	net->asked = arena_grow(arena, net->asked, n, &same_cap, sizeof *net->asked);
	net->subnet_lines =
	    arena_grow(arena, net->subnet_lines, n, &net->cap_subnets, sizeof *net->subnet_lines);
	net->subnets[n] = prefix;
	/* moby's buildIpamResources: what was asked for is printed as it was asked for. */
	net->asked[n] = strcmp(key, "Subnet") == 0 && json_get(item, "Gateway") == NULL;
	net->subnet_lines[n] = at;
	net->n_subnets++;
}

/* A later inspect replaces what an earlier one said. */
static void take_subnets(struct reader *r, struct docker_network *net, const struct json *config,
    const char *key, unsigned number)
{
	net->inspected = true;
	net->detail = (struct source){r->probe, number};
	net->subnets = NULL;
	net->subnet_lines = NULL;
	net->asked = NULL;
	net->n_subnets = net->cap_subnets = 0;
	for (const struct json *item = json_first(config); item != NULL; item = json_next(item))
		add_subnet(r, net, item, key);
}

static void take_containers(struct reader *r, struct docker_network *net, const struct json *map)
{
	struct arena *arena = r->list->arena;

	net->n_containers = 0;
	for (const struct json *item = json_first(map); item != NULL; item = json_next(item)) {
		struct view name = either_string(item, "Name", "name");
		if (name.n == 0)
			continue;
		net->containers = arena_grow(arena, net->containers, net->n_containers,
		    &net->cap_containers, sizeof *net->containers);
		net->containers[net->n_containers++] = arena_dup_view(arena, name);
	}
}

/* An object of `network inspect`. */
static void take_details(
    struct reader *r, struct docker_network *net, const struct json *object, unsigned number)
{
	struct arena *arena = r->list->arena;
	const struct json *options = json_get(object, "Options"),
			  *labels = json_get(object, "Labels");
	const struct json *ipam = json_get(object, "IPAM");
	const char *bridge = json_get_string(options, "com.docker.network.bridge.name",
	    json_get_string(object, "network_interface", NULL));
	const char *project = docker_label(labels, DOCKER_LABEL_PROJECT, arena);
	const char *compose = docker_label(labels, "com.docker.compose.version", arena);

	clock_parse(either_string(object, "Created", "created"), &net->created_ns);
	if (ipam != NULL)
		take_subnets(r, net, json_get(ipam, "Config"), "Subnet", number);
	else
		take_subnets(r, net, json_get(object, "subnets"), "subnet", number);
	take_containers(r, net, either(object, "Containers", "containers"));
	net->internal = json_bool(either(object, "Internal", "internal"), false);
	if (bridge != NULL && *bridge != '\0')
		net->bridge = arena_dup(arena, bridge);
	else if (ipam != NULL)
		net->bridge = bridge_of(net, arena);
	if (project != NULL)
		net->project = project;
	if (compose != NULL)
		net->compose = compose;
}

/* The network that the command names next: `docker inspect ID… --format '…'`. */
static struct view next_asked(struct reader *r)
{
	struct view word;

	while (command_next_word(&r->asked, r->list->arena, &word)) {
		if (view_eq(word, "-f") || view_eq(word, "--format"))
			command_next_word(&r->asked, r->list->arena, &word);
		else if (!view_starts(word, "-"))
			return word;
	}
	return view_of("");
}

/* One value of `--format '{{json .IPAM.Config}}'`: null, or an array of subnets. */
static bool take_config(struct reader *r, const struct json *config, unsigned number)
{
	struct view asked = next_asked(r);

	if (asked.n == 0) {
		diag_add(
		    r->diags, number, "expected the network's name in the command, or Name here");
		return false;
	}
	struct docker_network *net = take_identity(r, is_id(asked) ? asked : view_of(""),
	    is_id(asked) ? view_of("") : asked, view_of(""), view_of(""));
	if (net == NULL)
		return false;
	if (*net->name == '\0')
		net->name = net->id;
	take_subnets(r, net, config, "Subnet", number);
	return true;
}

static bool take_object(struct reader *r, const struct json *object, unsigned number)
{
	struct view id = either_string(object, "Id", "id"),
		    name = either_string(object, "Name", "name");
	bool details = json_get(object, "IPAM") != NULL || json_get(object, "subnets") != NULL;

	if (id.n == 0)
		id = view_of(json_get_string(object, "ID", ""));
	if (name.n == 0 || (!details && json_get(object, "Driver") == NULL)) {
		diag_add(r->diags, number, "expected a network with Name and Driver or IPAM");
		return false;
	}
	struct docker_network *net = take_identity(r, is_id(id) ? id : view_of(""), name,
	    either_string(object, "Driver", "driver"),
	    view_of(json_get_string(object, "Scope", "")));
	if (net == NULL)
		return false;
	if (details) {
		take_details(r, net, object, number);
		return true;
	}
	const char *project =
	    docker_label(json_get(object, "Labels"), DOCKER_LABEL_PROJECT, r->list->arena);
	if (project != NULL)
		net->project = project;
	if (net->bridge == NULL)
		net->bridge = bridge_of(net, r->list->arena);
	clock_parse(view_of(json_get_string(object, "CreatedAt", "")), &net->created_ns);
	net->internal = json_bool(json_get(object, "Internal"),
	    view_eq(view_of(json_get_string(object, "Internal", "")), "true"));
	net->listed = (struct source){r->probe, number};
	return true;
}

/* Is it the array of {"Subnet", "Gateway"} of one network, rather than an array of networks? */
static bool is_config(const struct json *value)
{
	const struct json *first = json_first(value);

	if (json_is_null(value) || (json_is_array(value) && first == NULL))
		return true;
	return json_is_array(value) && json_get(first, "Name") == NULL &&
	       json_get(first, "name") == NULL && json_get(first, "Subnet") != NULL;
}

static bool take_value(const struct json *value, unsigned number, void *arg)
{
	struct reader *r = arg;
	bool any = false;

	if (is_config(value))
		return r->asked.n > 0 ? take_config(r, value, number) : true;
	if (!json_is_array(value))
		return take_object(r, value, number);
	for (const struct json *item = json_first(value); item != NULL; item = json_next(item)) {
		const char *id = json_get_string(item, "Id", NULL);
		unsigned at = id == NULL ? 0 : line_of_value(&r->ids, "Id", id);
		any = take_object(r, item, at != 0 ? at : number) || any;
	}
	return any;
}

bool parse_docker_networks(struct view text, const char *command, const struct probe_result *probe,
    struct network_list *list, struct diag_list *diags)
{
	struct reader r = {.list = list,
	    .diags = diags,
	    .probe = probe,
	    .asked = view_of(command),
	    .subnets = {.rest = text, .line = 1},
	    .ids = {.rest = text, .line = 1}};
	struct view start = view_trim(line_skip_warnings(text));
	long inspect = view_find(r.asked, "inspect ");

	if (inspect >= 0 && view_find(r.asked, ".IPAM.Config") > 0 &&
	    view_find_char(r.asked, '$') < 0)
		r.asked = view_skip(r.asked, (size_t)inspect + 8);
	else
		r.asked = view_of("");
	if (start.n == 0)
		return true;
	for (size_t i = 0; i < list->n; i++)
		index_network(&r, &list->v[i]);
	bool json =
	    view_starts(start, "[") || view_starts(start, "{") || view_starts(start, "null");
	bool any = json ? line_each_json(text, diags, take_value, &r) > 0 : take_table(&r, text);
	table_free(&r.by_id);
	table_free(&r.by_name);
	return any;
}
