#include "oddhost/inventory/targets.h"

#include <string.h>

#include "oddhost/base/table.h"
#include "oddhost/inventory/hierarchy.h"

struct search {
	struct inventory *inv;
	struct arena *arena;
	struct targets *found;
	struct table seen_vars, seen_targets, seen_reserved;
	const struct inventory_var *var;
	bool reserved; /* which of both `var` is */
};

static void add_target(struct search *s, const struct target *target)
{
	struct targets *t = s->found;

	if (table_get(&s->seen_targets, view_of(target->text)) != NULL)
		return;
	table_add(&s->seen_targets, view_of(target->text), s);
	t->targets =
	    arena_grow(s->arena, t->targets, t->n_targets, &t->cap_targets, sizeof *t->targets);
	t->targets[t->n_targets++] = *target;
}

/* The same prefix under two names is kept once, under the first. */
static void add_reserved(struct search *s, const struct reserved *reserved)
{
	struct targets *t = s->found;
	char *text = arena_alloc(s->arena, PREFIX_TEXT_SIZE);
	struct view key = view_of(prefix_format(&reserved->prefix, text));

	if (table_get(&s->seen_reserved, key) != NULL)
		return;
	table_add(&s->seen_reserved, key, s);
	t->reserved =
	    arena_grow(s->arena, t->reserved, t->n_reserved, &t->cap_reserved, sizeof *t->reserved);
	t->reserved[t->n_reserved++] = *reserved;
}

static void read_entry(struct search *s, struct view text)
{
	struct target target;
	struct reserved reserved;
	struct err err;

	text = view_trim(text);
	if (text.n == 0)
		return;
	if (s->reserved ? reserved_parse(s->arena, text, &reserved, &err)
			: target_parse(s->arena, text, &target, &err)) {
		if (s->reserved)
			add_reserved(s, &reserved);
		else
			add_target(s, &target);
		return;
	}
	inventory_error_at(
	    s->inv, s->var->source, s->var->line, "%s: %s", s->var->name->text, err.text);
}

static void read_entries(struct search *s, struct view text)
{
	struct view entry;

	while (view_next_part(&text, ',', &entry))
		read_entry(s, entry);
}

/* A list comes from JSON, or from an INI line such as `oddhost_targets=['db', 'cache:6379']`. */
static void read_list(struct search *s)
{
	struct err err;
	struct json *list = json_parse(view_of(s->var->value.text), &err);

	for (const struct json *item = json_first(list); item != NULL; item = json_next(item)) {
		if (json_is_string(item))
			read_entries(s, view_of(json_string(item, "")));
		else
			inventory_error_at(s->inv, s->var->source, s->var->line,
			    "%s: expected a list of strings", s->var->name->text);
	}
	json_free(list);
}

static void read_var(struct search *s)
{
	const struct inventory_value *value = &s->var->value;

	if (strstr(value->text, "{{") != NULL)
		inventory_warn_at(s->inv, s->var->source, s->var->line,
		    "%s: holds a template, {{ … }}, which is not evaluated: left out",
		    s->var->name->text);
	else if (value->kind == INVENTORY_LIST)
		read_list(s);
	else if (value->kind == INVENTORY_STRING)
		read_entries(s, view_of(value->text));
	else if (value->kind != INVENTORY_NULL)
		inventory_error_at(s->inv, s->var->source, s->var->line,
		    "%s: expected %s, comma separated", s->var->name->text,
		    s->reserved ? "ADDRESS/LENGTH[=NAME]" : "NAME[:PORT] or ADDRESS[:PORT]");
}

void targets_find(struct inventory *inv, struct arena *arena, struct inventory_host *const *hosts,
    size_t n, struct targets *ret)
{
	struct search s = {.inv = inv, .arena = arena, .found = ret};

	*ret = (struct targets){0};
	for (size_t i = 0; i < n; i++) {
		size_t n_vars;
		const struct inventory_var **vars = hierarchy_vars(inv, hosts[i], &n_vars);
		for (size_t k = 0; k < n_vars; k++) {
			s.var = vars[k];
			s.reserved = strcmp(s.var->name->text, "oddhost_reserved") == 0;
			if (!s.reserved && strcmp(s.var->name->text, "oddhost_targets") != 0)
				continue;
			struct view key = {(const char *)s.var, 2 * sizeof(void *)};
			if (table_get(&s.seen_vars, key) != NULL)
				continue;
			table_add(&s.seen_vars, key, &s);
			read_var(&s);
		}
	}
	table_free(&s.seen_vars);
	table_free(&s.seen_targets);
	table_free(&s.seen_reserved);
}
