#include "oddhost/cli/resume.h"

#include <string.h>

#include "oddhost/base/table.h"

/* Options with a text, by their long names. */
static const struct kept {
	const char *name;
	size_t offset;
} kept[] = {
    {"user", offsetof(struct options, user)},
    {"private-key", offsetof(struct options, private_key)},
    {"known-hosts", offsetof(struct options, known_hosts)},
    {"host-key", offsetof(struct options, host_key)},
    {"ssh-config", offsetof(struct options, ssh_config)},
    {"ssh-common-args", offsetof(struct options, ssh_args)},
    {"become-user", offsetof(struct options, become_user)},
};

#define KEPT (sizeof kept / sizeof *kept)

static const char **member(struct options *options, const struct kept *row)
{
	return (const char **)(void *)((char *)options + row->offset);
}

struct settings {
	struct arena *arena;
	struct var *v;
	size_t n, cap;
};

static void set(struct settings *s, const char *name, const char *value)
{
	if (value == NULL)
		return;
	s->v = arena_grow(s->arena, s->v, s->n, &s->cap, sizeof *s->v);
	s->v[s->n++] = (struct var){name, arena_dup(s->arena, value)};
}

static void set_number(struct settings *s, const char *name, unsigned value)
{
	set(s, name, arena_printf(s->arena, "%u", value));
}

#define POLICY "host-key-policy"

/* From the strongest to the weakest, as in enum host_key_policy. */
static const char *const policies[] = {"strict", "accept-new", "off"};

/* The weakest one of all hosts, of their jump hosts and of another one, for the reports. */
static const char *host_key_policy(const struct scope *scope, enum host_key_policy policy)
{
	for (size_t i = 0; i < scope->n_hosts; i++) {
		const struct host_spec *host = &scope->hosts[i];
		if (host->local)
			continue;
		if (host->host_key > policy)
			policy = host->host_key;
		for (size_t k = 0; k < host->n_jumps; k++) {
			if (host->jumps[k].host_key > policy)
				policy = host->jumps[k].host_key;
		}
	}
	return policies[policy];
}

void resume_keep(struct run_meta *meta, const struct options *options, const struct scope *scope)
{
	struct settings s = {.arena = scope->arena};
	struct options copy = *options;

	for (size_t i = 0; i < options->n_inventories; i++)
		set(&s, i == 0 ? "inventory" : arena_printf(s.arena, "inventory-%zu", i + 1),
		    options->inventories[i]);
	for (size_t i = 0; i < KEPT; i++)
		set(&s, kept[i].name, *member(&copy, &kept[i]));
	set(&s, "become", options->become ? "yes" : NULL);
	set_number(&s, "forks", options->forks);
	if (options->connect_timeout > 0)
		set_number(&s, "timeout", options->connect_timeout);
	set_number(&s, "host-timeout", options->host_timeout);
	set_number(&s, "deadline", options->deadline);
	set(&s, POLICY, host_key_policy(scope, HOST_KEY_STRICT));
	meta->options = s.v;
	meta->n_options = s.n;
}

static const char *value_of(const struct run_meta *meta, const char *name)
{
	for (size_t i = 0; i < meta->n_options; i++) {
		if (strcmp(meta->options[i].name, name) == 0)
			return meta->options[i].value;
	}
	return NULL;
}

static void take_inventories(const struct run *run, struct options *options)
{
	const struct run_meta *meta = &run->meta;
	const char **names = arena_alloc(run->arena, (meta->n_options + 1) * sizeof *names);
	size_t n = 0;

	for (size_t i = 0; i < meta->n_options; i++) {
		if (strncmp(meta->options[i].name, "inventory", 9) == 0)
			names[n++] = meta->options[i].value;
	}
	options->inventories = names;
	options->n_inventories = n;
}

void resume_options(const struct run *run, struct options *options)
{
	const struct run_meta *meta = &run->meta;

	if (options->limit == NULL)
		options->limit = meta->limit;
	if (options->n_inventories == 0)
		take_inventories(run, options);
	for (size_t i = 0; i < KEPT; i++) {
		const char **value = member(options, &kept[i]);
		if (*value == NULL)
			*value = value_of(meta, kept[i].name);
	}
	options->become = options->become || value_of(meta, "become") != NULL;
}

void resume_weaken(struct run_meta *meta, const struct scope *scope)
{
	struct settings s = {.arena = scope->arena};
	enum host_key_policy before = HOST_KEY_STRICT;

	for (size_t i = 0; i < meta->n_options; i++) {
		const struct var *option = &meta->options[i];
		if (strcmp(option->name, POLICY) != 0)
			set(&s, option->name, option->value);
		else if (strcmp(option->value, policies[HOST_KEY_OFF]) == 0)
			before = HOST_KEY_OFF;
		else if (strcmp(option->value, policies[HOST_KEY_ACCEPT_NEW]) == 0)
			before = HOST_KEY_ACCEPT_NEW;
	}
	set(&s, POLICY, host_key_policy(scope, before));
	meta->options = s.v;
	meta->n_options = s.n;
}

void resume_drop_done(const struct run *run, struct scope *scope, struct gathered *ret)
{
	struct table done = {0};
	size_t n = 0;

	for (size_t i = 0; i < run->n_hosts; i++) {
		struct host_record *record = run->hosts[i];
		if (host_record_examined(record) && record->status != HOST_INTERRUPTED &&
		    record->status != HOST_DEADLINE)
			table_add(&done, view_of(record->name), record);
	}
	for (size_t i = 0; i < scope->n_hosts; i++) {
		const struct host_record *record = table_get(&done, view_of(scope->hosts[i].name));
		if (record == NULL) {
			scope->hosts[n++] = scope->hosts[i];
			continue;
		}
		ret->reached++;
		ret->incomplete += !host_is_complete(record);
	}
	scope->n_hosts = n;
	table_free(&done);
}
