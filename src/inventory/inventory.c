#include "oddhost/inventory/inventory.h"

#include <limits.h>
#include <math.h>
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

__attribute__((format(printf, 5, 0))) static void add_diag(struct diag_list *list,
    const char *prefix, const char *source, unsigned line, const char *fmt, va_list ap)
{
	char text[400];

	vsnprintf(text, sizeof text, fmt, ap);
	list->source = source;
	diag_add(list, line, "%s%s", prefix, text);
}

void inventory_error(struct inventory *inv, unsigned line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_diag(&inv->errors, "", inv->source, line, fmt, ap);
	va_end(ap);
}

void inventory_error_at(
    struct inventory *inv, const char *source, unsigned line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_diag(&inv->errors, "", source, line, fmt, ap);
	va_end(ap);
}

void inventory_warn(struct inventory *inv, unsigned line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_diag(&inv->warnings, "warning: ", inv->source, line, fmt, ap);
	va_end(ap);
}

void inventory_warn_at(
    struct inventory *inv, const char *source, unsigned line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_diag(&inv->warnings, "warning: ", source, line, fmt, ap);
	va_end(ap);
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
	uint32_t rune;

	if (name.n == 0 || name.n > 1024 || !text_is_utf8(name))
		return false;
	while (text_next_rune(&name, &rune)) {
		if (text_is_unseen(rune))
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

/* The pair of pointers is the key. */
void inventory_join(
    struct inventory *inv, struct inventory_group *group, struct inventory_host *host)
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
			    "'%.*s': expected a host name: up to 1024 bytes of UTF-8 without control "
			    "and invisible characters",
			    VIEW_ARG(view_left(name, 80)));
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
		inventory_join(inv, group, host);
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
	/* Python's int(): a number loses its fraction, a string must have none. */
	char *end;
	double priority = value.kind == INVENTORY_NUMBER ? strtod(value.text, &end)
							 : (double)strtol(value.text, &end, 10);
	if (end == value.text || *end != '\0' || !(fabs(priority) <= INT_MAX))
		inventory_error(inv, line, "ansible_group_priority: expected a whole number");
	else
		group->priority = (long)priority;
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
