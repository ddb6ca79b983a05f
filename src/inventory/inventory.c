#include "oddhost/inventory/inventory.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oddhost/base/mem.h"
#include "oddhost/base/text.h"

struct inventory *inventory_new(void)
{
	struct inventory *inv = mem_alloc(sizeof *inv);

	inv->arena = arena_new();
	inv->errors.arena = inv->warnings.arena = inv->arena;
	inv->script_limit_ms = 60000;
	inv->all = inventory_add_group(inv, view_of("all"), 0);
	inv->ungrouped = inventory_add_group(inv, view_of("ungrouped"), 0);
	inventory_add_child(inv, inv->all, inv->ungrouped, 0);
	return inv;
}

void inventory_free(struct inventory *inv)
{
	if (inv == NULL)
		return;
	table_free(&inv->group_index);
	table_free(&inv->host_index);
	table_free(&inv->name_index);
	table_free(&inv->var_index);
	table_free(&inv->member_index);
	free(inv->found);
	free(inv->layer);
	free(inv->groups);
	free(inv->hosts);
	arena_free(inv->arena);
	free(inv);
}

static void add_diag(
    struct diag_list *list, const char *prefix, const char *source, unsigned line, const char *text)
{
	list->source = source;
	diag_add(list, line, "%s%s", prefix, text);
}

void inventory_error(struct inventory *inv, unsigned line, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	add_diag(&inv->errors, "", inv->source, line, text);
}

void inventory_error_at(
    struct inventory *inv, const char *source, unsigned line, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	add_diag(&inv->errors, "", source, line, text);
}

void inventory_warn(struct inventory *inv, unsigned line, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	add_diag(&inv->warnings, "warning: ", inv->source, line, text);
}

void inventory_warn_at(
    struct inventory *inv, const char *source, unsigned line, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	add_diag(&inv->warnings, "warning: ", source, line, text);
}

struct inventory_group *inventory_group(const struct inventory *inv, struct view name)
{
	return table_get(&inv->group_index, name);
}

struct inventory_host *inventory_host(const struct inventory *inv, struct view name)
{
	return table_get(&inv->host_index, name);
}

struct inventory_group *inventory_add_group(struct inventory *inv, struct view name, unsigned line)
{
	struct inventory_group *group = inventory_group(inv, name);

	if (group != NULL)
		return group;
	group = arena_alloc(inv->arena, sizeof *group);
	group->name = arena_dup_view(inv->arena, name);
	group->source = inv->source;
	group->line = line;
	group->index = inv->n_groups;
	group->priority = 1;
	inv->groups = mem_grow(inv->groups, inv->n_groups, &inv->cap_groups, sizeof *inv->groups);
	inv->groups[inv->n_groups++] = group;
	table_add(&inv->group_index, view_of(group->name), group);
	return group;
}

/* A name that cannot break a terminal, a report or a file: what else it may hold is the user's. */
static bool is_host_name(struct view name)
{
	if (name.n == 0 || name.n > 1024 || !text_is_utf8(name))
		return false;
	for (size_t i = 0; i < name.n; i++) {
		if ((unsigned char)name.p[i] < ' ' || name.p[i] == 0x7f)
			return false;
	}
	return true;
}

static struct inventory_host *new_host(struct inventory *inv, struct view name, unsigned line)
{
	struct inventory_host *host = arena_alloc(inv->arena, sizeof *host);

	host->name = arena_dup_view(inv->arena, name);
	host->source = inv->source;
	host->line = line;
	host->index = inv->n_hosts;
	inv->hosts = mem_grow(inv->hosts, inv->n_hosts, &inv->cap_hosts, sizeof *inv->hosts);
	inv->hosts[inv->n_hosts++] = host;
	table_add(&inv->host_index, view_of(host->name), host);
	return host;
}

/* A host's place in a group, once. The pair of pointers is the key. */
static void join(struct inventory *inv, struct inventory_group *group, struct inventory_host *host)
{
	const void *probe[2] = {group, host};

	if (table_get(&inv->member_index, (struct view){(const char *)probe, sizeof probe}) != NULL)
		return;
	const void **pair = arena_alloc(inv->arena, sizeof probe);
	memcpy(pair, probe, sizeof probe);
	table_add(&inv->member_index, (struct view){(const char *)pair, sizeof probe}, pair);
	group->hosts = arena_grow(
	    inv->arena, group->hosts, group->n_hosts, &group->cap_hosts, sizeof *group->hosts);
	group->hosts[group->n_hosts++] = host;
	host->groups = arena_grow(
	    inv->arena, host->groups, host->n_groups, &host->cap_groups, sizeof *host->groups);
	host->groups[host->n_groups++] = group;
}

/* Set or replace; the pair of owner and name is the key. */
static void set_var(struct inventory *inv, const void *owner, struct inventory_var **first,
    struct inventory_var **last, struct view name, struct inventory_value value, unsigned line)
{
	struct inventory_name *interned = table_get(&inv->name_index, name);

	if (interned == NULL) {
		interned = arena_alloc(inv->arena, sizeof *interned);
		interned->text = arena_dup_view(inv->arena, name);
		table_add(&inv->name_index, (struct view){interned->text, name.n}, interned);
	}
	const void *probe[2] = {owner, interned};
	struct inventory_var *var =
	    table_get(&inv->var_index, (struct view){(const char *)probe, sizeof probe});
	if (var == NULL) {
		var = arena_alloc(inv->arena, sizeof *var);
		var->owner = owner;
		var->name = interned;
		table_add(&inv->var_index, (struct view){(const char *)var, sizeof probe}, var);
		*(*first == NULL ? first : &(*last)->next) = var;
		*last = var;
	}
	var->value = value;
	var->source = inv->source;
	var->line = line;
}

struct inventory_host *inventory_add_host(struct inventory *inv, struct view name,
    struct inventory_group *group, unsigned port, unsigned line)
{
	struct inventory_host *host = inventory_host(inv, name);

	if (host == NULL) {
		if (!is_host_name(name)) {
			inventory_error(inv, line,
			    name.n == 0 ? "expected a host name, got an empty one"
					: "expected a host name, got one that is too long or has "
					  "control characters");
			return NULL;
		}
		if (inv->n_hosts >= INVENTORY_MOST_HOSTS) {
			if (inv->n_hosts == INVENTORY_MOST_HOSTS && inv->errors.n < DIAG_KEPT)
				inventory_error(inv, line,
				    "more than %d hosts: the rest is left out",
				    INVENTORY_MOST_HOSTS);
			return NULL;
		}
		host = new_host(inv, name, line);
		if (port != 0) {
			struct inventory_value value = {
			    INVENTORY_NUMBER, arena_printf(inv->arena, "%u", port)};
			set_var(inv, host, &host->vars, &host->last_var, view_of("ansible_port"),
			    value, line);
		}
	}
	host->source_number = inv->source_number;
	if (group != NULL)
		join(inv, group, host);
	return host;
}

void inventory_add_child(struct inventory *inv, struct inventory_group *parent,
    struct inventory_group *child, unsigned line)
{
	const void *probe[2] = {parent, child};

	if (parent == child || child == inv->all) {
		inventory_error(inv, line,
		    "group '%s' cannot be a child of '%s': every group would hold itself",
		    child->name, parent->name);
		return;
	}
	if (table_get(&inv->member_index, (struct view){(const char *)probe, sizeof probe}) != NULL)
		return;
	struct inventory_edge *edge = arena_alloc(inv->arena, sizeof *edge);
	*edge = (struct inventory_edge){parent, child, inv->source, line};
	table_add(&inv->member_index, (struct view){(const char *)edge, sizeof probe}, edge);
	parent->children = arena_grow(inv->arena, parent->children, parent->n_children,
	    &parent->cap_children, sizeof *parent->children);
	parent->children[parent->n_children++] = edge;
}

void inventory_set_group_var(struct inventory *inv, struct inventory_group *group, struct view name,
    struct inventory_value value, unsigned line)
{
	if (!view_eq(name, "ansible_group_priority")) {
		set_var(inv, group, &group->vars, &group->last_var, name, value, line);
		return;
	}
	char *end;
	long priority = strtol(value.text, &end, 10);
	if (end == value.text || *end != '\0' || priority < INT_MIN || priority > INT_MAX)
		inventory_error(inv, line, "ansible_group_priority: expected a whole number");
	else
		group->priority = priority;
}

void inventory_set_host_var(struct inventory *inv, struct inventory_host *host, struct view name,
    struct inventory_value value, unsigned line)
{
	struct inventory_group *namesake = inventory_group(inv, view_of(host->name));

	if (namesake != NULL)
		inventory_set_group_var(inv, namesake, name, value, line);
	else
		set_var(inv, host, &host->vars, &host->last_var, name, value, line);
}

struct inventory_value inventory_value_from_json(struct arena *arena, const struct json *node)
{
	struct inventory_value value = {INVENTORY_NULL, "null"};
	struct buf text = {0};

	if (json_is_string(node)) {
		value = (struct inventory_value){
		    INVENTORY_STRING, arena_dup(arena, json_string(node, ""))};
	} else if (json_is_bool(node)) {
		value = (struct inventory_value){
		    INVENTORY_BOOL, json_bool(node, false) ? "true" : "false"};
	} else if (json_is_number(node) || json_is_array(node) || json_is_object(node)) {
		json_print(node, false, &text);
		value.kind = json_is_number(node)  ? INVENTORY_NUMBER
			     : json_is_array(node) ? INVENTORY_LIST
						   : INVENTORY_DICT;
		value.text = arena_dup_view(arena, view_trim(buf_view(&text)));
	}
	buf_free(&text);
	return value;
}

struct json *inventory_value_to_json(const struct inventory_value *value)
{
	if (value->kind == INVENTORY_STRING)
		return json_new_string(value->text);
	return json_new_raw(value->text);
}

/*
 * Depth-first with a stack of our own: groups may nest as deep as a file has lines. An edge to a
 * group that is still open closes a loop; it is reported and taken out of its parent's list.
 */
struct frame {
	struct inventory_group *group;
	size_t next, kept;
};

enum { UNSEEN, OPEN, DONE };

static bool walk_edge(struct inventory *inv, struct frame *frame, const char *state)
{
	struct inventory_edge *edge = frame->group->children[frame->next++];

	if (state[edge->child->index] == OPEN) {
		inventory_error_at(inv, edge->source, edge->line,
		    "group '%s' cannot be a child of '%s': it already holds it, in a loop",
		    edge->child->name, edge->parent->name);
		return false;
	}
	frame->group->children[frame->kept++] = edge;
	return state[edge->child->index] == UNSEEN;
}

static void drop_loops(struct inventory *inv)
{
	char *state = mem_alloc(inv->n_groups);
	struct frame *stack = mem_alloc((inv->n_groups + 1) * sizeof *stack);

	for (size_t i = 0; i < inv->n_groups; i++) {
		size_t n = 0;
		if (state[i] != UNSEEN)
			continue;
		state[i] = OPEN;
		stack[n++] = (struct frame){.group = inv->groups[i]};
		while (n > 0) {
			struct frame *top = &stack[n - 1];
			if (top->next == top->group->n_children) {
				top->group->n_children = top->kept;
				state[top->group->index] = DONE;
				n--;
			} else if (walk_edge(inv, top, state)) {
				struct inventory_group *child =
				    top->group->children[top->kept - 1]->child;
				state[child->index] = OPEN;
				stack[n++] = (struct frame){.group = child};
			}
		}
	}
	free(stack);
	free(state);
}

static void add_parents(struct inventory *inv)
{
	for (size_t i = 0; i < inv->n_groups; i++) {
		struct inventory_group *parent = inv->groups[i];
		for (size_t k = 0; k < parent->n_children; k++) {
			struct inventory_group *child = parent->children[k]->child;
			child->parents = arena_grow(inv->arena, child->parents, child->n_parents,
			    &child->cap_parents, sizeof *child->parents);
			child->parents[child->n_parents++] = parent;
		}
	}
}

static void adopt_orphans(struct inventory *inv)
{
	for (size_t i = 0; i < inv->n_groups; i++) {
		struct inventory_group *group = inv->groups[i];
		if (group == inv->all || group->n_parents > 0)
			continue;
		inventory_add_child(inv, inv->all, group, 0);
		group->parents = arena_grow(inv->arena, group->parents, group->n_parents,
		    &group->cap_parents, sizeof *group->parents);
		group->parents[group->n_parents++] = inv->all;
	}
}

/* The longest way from `all`: a group's depth is final when all of its parents have been seen. */
static void find_depths(struct inventory *inv)
{
	struct inventory_group **queue = mem_alloc(inv->n_groups * sizeof *queue);
	size_t *waiting = mem_alloc(inv->n_groups * sizeof *waiting);
	size_t n = 0;

	for (size_t i = 0; i < inv->n_groups; i++)
		waiting[i] = inv->groups[i]->n_parents;
	queue[n++] = inv->all;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < queue[i]->n_children; k++) {
			struct inventory_group *child = queue[i]->children[k]->child;
			if (child->depth < queue[i]->depth + 1)
				child->depth = queue[i]->depth + 1;
			if (--waiting[child->index] == 0)
				queue[n++] = child;
		}
	}
	free(waiting);
	free(queue);
}

/* Is `ungrouped` the only group, but for `all`, that the host belongs to? */
static bool only_ungrouped(const struct inventory *inv, const struct inventory_host *host)
{
	for (size_t i = 0; i < host->n_groups; i++) {
		if (host->groups[i] != inv->ungrouped && host->groups[i] != inv->all)
			return false;
	}
	/* Somebody may have made `ungrouped` the child of a group. */
	return inv->ungrouped->n_parents == 1 && inv->ungrouped->parents[0] == inv->all;
}

static void sort_ungrouped(struct inventory *inv)
{
	struct inventory_group *ungrouped = inv->ungrouped;
	size_t kept = 0;

	for (size_t i = 0; i < ungrouped->n_hosts; i++) {
		struct inventory_host *host = ungrouped->hosts[i];
		size_t n = 0;
		if (only_ungrouped(inv, host)) {
			ungrouped->hosts[kept++] = host;
			continue;
		}
		for (size_t k = 0; k < host->n_groups; k++) {
			if (host->groups[k] != ungrouped)
				host->groups[n++] = host->groups[k];
		}
		host->n_groups = n;
	}
	ungrouped->n_hosts = kept;
	for (size_t i = 0; i < inv->n_hosts; i++) {
		struct inventory_host *host = inv->hosts[i];
		if (host->n_groups == 0 || (host->n_groups == 1 && host->groups[0] == inv->all))
			join(inv, ungrouped, host);
	}
}

void inventory_finish(struct inventory *inv)
{
	drop_loops(inv);
	add_parents(inv);
	adopt_orphans(inv);
	find_depths(inv);
	sort_ungrouped(inv);
	for (size_t i = 0; i < inv->n_groups; i++) {
		const struct inventory_host *host =
		    inventory_host(inv, view_of(inv->groups[i]->name));
		if (host != NULL)
			inventory_warn_at(inv, host->source, host->line,
			    "'%s' is both a group and a host: its variables are the group's",
			    host->name);
	}
}

struct inventory_host **inventory_group_hosts(
    struct inventory *inv, struct arena *arena, const struct inventory_group *group, size_t *ret_n)
{
	const struct inventory_group **queue = mem_alloc(inv->n_groups * sizeof *queue);
	struct inventory_host **hosts = NULL;
	size_t n_queue = 0, n = 0, cap = 0;
	unsigned turn = ++inv->turn;

	queue[n_queue++] = group;
	inv->groups[group->index]->turn = turn;
	for (size_t i = 0; i < n_queue; i++) {
		for (size_t k = 0; k < queue[i]->n_hosts; k++) {
			if (queue[i]->hosts[k]->turn == turn)
				continue;
			queue[i]->hosts[k]->turn = turn;
			hosts = arena_grow(arena, hosts, n, &cap, sizeof *hosts);
			hosts[n++] = queue[i]->hosts[k];
		}
		for (size_t k = 0; k < queue[i]->n_children; k++) {
			struct inventory_group *child = queue[i]->children[k]->child;
			if (child->turn == turn)
				continue;
			child->turn = turn;
			queue[n_queue++] = child;
		}
	}
	free(queue);
	*ret_n = n;
	return hosts;
}

static int by_precedence(const void *va, const void *vb)
{
	const struct inventory_group *a = *(struct inventory_group *const *)va;
	const struct inventory_group *b = *(struct inventory_group *const *)vb;

	if (a->depth != b->depth)
		return a->depth < b->depth ? -1 : 1;
	if (a->priority != b->priority)
		return a->priority < b->priority ? -1 : 1;
	return strcmp(a->name, b->name);
}

/*
 * `all`, then the groups that hold the host and their ancestors. Neighbours in a file mostly have
 * the same groups: the last result is kept for them.
 */
static void find_layer(struct inventory *inv, const struct inventory_host *host)
{
	const struct inventory_host *last = inv->layer_of;
	unsigned turn = ++inv->turn;

	if (last != NULL && last->n_groups == host->n_groups &&
	    (host->n_groups == 0 ||
		memcmp(last->groups, host->groups, host->n_groups * sizeof *host->groups) == 0))
		return;
	inv->layer = mem_grow(inv->layer, inv->n_groups, &inv->cap_layer, sizeof *inv->layer);
	inv->n_layer = 0;
	inv->layer[inv->n_layer++] = inv->all;
	inv->all->turn = turn;
	for (size_t i = 0; i < host->n_groups; i++) {
		if (host->groups[i]->turn != turn)
			inv->layer[inv->n_layer++] = host->groups[i];
		host->groups[i]->turn = turn;
	}
	for (size_t i = 0; i < inv->n_layer; i++) {
		for (size_t k = 0; k < inv->layer[i]->n_parents; k++) {
			struct inventory_group *parent = inv->layer[i]->parents[k];
			if (parent->turn != turn)
				inv->layer[inv->n_layer++] = parent;
			parent->turn = turn;
		}
	}
	qsort(inv->layer + 1, inv->n_layer - 1, sizeof *inv->layer, by_precedence);
	inv->layer_of = host;
}

static size_t overlay(
    struct inventory *inv, const struct inventory_var *var, unsigned turn, size_t n)
{
	for (; var != NULL; var = var->next) {
		if (var->name->turn != turn) {
			var->name->turn = turn;
			var->name->mark = (unsigned)n;
			inv->found = mem_grow(inv->found, n, &inv->cap_found, sizeof *inv->found);
			n++;
		}
		inv->found[var->name->mark] = var;
	}
	return n;
}

const struct inventory_var **inventory_host_vars(
    struct inventory *inv, const struct inventory_host *host, size_t *ret_n)
{
	size_t n = 0;

	find_layer(inv, host);
	unsigned turn = ++inv->turn;
	for (size_t i = 0; i < inv->n_layer; i++)
		n = overlay(inv, inv->layer[i]->vars, turn, n);
	*ret_n = overlay(inv, host->vars, turn, n);
	return inv->found;
}
