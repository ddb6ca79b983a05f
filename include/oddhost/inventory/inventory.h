/*
 * An inventory as Ansible means it: groups that hold hosts and other groups, and variables of
 * both, each with the place that it came from. Two groups are always there: `all`, which every
 * other group descends from, and `ungrouped`, for hosts of no other group. All memory is the
 * inventory's. Nothing here prints, and no variable is evaluated. One thread at a time.
 *
 * The rules are those of ansible-core 2.14 (inventory/data.py, inventory/group.py,
 * inventory/helpers.py, vars/manager.py).
 */
#ifndef ODDHOST_INVENTORY_INVENTORY_H
#define ODDHOST_INVENTORY_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "oddhost/base/arena.h"
#include "oddhost/base/diag.h"
#include "oddhost/base/json.h"
#include "oddhost/base/table.h"
#include "oddhost/base/view.h"

enum inventory_kind {
	INVENTORY_STRING,
	INVENTORY_NUMBER,
	INVENTORY_BOOL,
	INVENTORY_NULL,
	INVENTORY_LIST,
	INVENTORY_DICT,
};

/* A value with its type. `text` is the string itself, or the JSON of any other kind. */
struct inventory_value {
	enum inventory_kind kind;
	const char *text;
};

/* A name of a variable: each is kept once, so names are the same where pointers are. */
struct inventory_name {
	const char *text;
	unsigned mark; /* hierarchy_vars: where the name stands in the result */
	unsigned turn; /* hierarchy_vars: the call that `mark` belongs to */
};

struct inventory_var {
	const void *owner; /* the group or host: with `name`, the key of inventory.var_index */
	struct inventory_name *name; /* must follow `owner` */
	struct inventory_value value;
	const char *source;         /* file, or what was given in its place */
	unsigned line;              /* 0 where the source has no lines (JSON) */
	bool reported;              /* a warning about it was given: one is enough for all hosts */
	struct inventory_var *next; /* of the same owner */
};

struct inventory_group {
	const char *name;
	const char *source; /* of its first mention */
	unsigned line;
	size_t index;                  /* in inventory.groups */
	struct inventory_host **hosts; /* its own, in order of mention */
	size_t n_hosts, cap_hosts;
	struct inventory_edge **children; /* in order of mention */
	size_t n_children, cap_children;
	struct inventory_group **parents;
	size_t n_parents, cap_parents;
	struct inventory_var *vars, *last_var;
	long priority;  /* ansible_group_priority, 1 by default */
	unsigned depth; /* the longest way from `all` */
	unsigned turn;  /* of the last walk that came here */
};

/* A child of a group, and where that was written. */
struct inventory_edge {
	struct inventory_group *parent, *child; /* the key of inventory.member_index */
	const char *source;
	unsigned line;
};

struct inventory_host {
	const char *name;
	const char *source; /* of its first mention */
	unsigned line;
	size_t index;                    /* in inventory.hosts */
	unsigned source_number;          /* the last source that mentioned it */
	struct inventory_group **groups; /* that name it, in order of mention */
	size_t n_groups, cap_groups;
	unsigned turn; /* of the last walk that came here */
	struct inventory_var *vars, *last_var;
};

struct inventory {
	struct arena *arena;
	struct inventory_group **groups; /* in order of mention; all and ungrouped first */
	size_t n_groups, cap_groups;
	struct inventory_host **hosts; /* in order of mention: inventory order */
	size_t n_hosts, cap_hosts;
	struct inventory_group *all, *ungrouped;
	struct diag_list errors;   /* something was not understood and is left out */
	struct diag_list warnings; /* something is taken, but not as one may expect */
	unsigned script_limit_ms;  /* for all calls of one script; default 60000 */

	/* The source that is being read. */
	const char *source;
	unsigned source_number;

	struct table group_index, host_index, name_index, var_index, member_index;
	unsigned turn;                      /* number of the last walk over groups */
	const struct inventory_var **found; /* hierarchy_vars' result */
	size_t cap_found;
	const struct inventory_host *layer_of; /* the host whose groups `layer` holds */
	struct inventory_group **layer;        /* with their ancestors, in order of precedence */
	size_t n_layer, cap_layer;
};

/* More hosts than this are an error: a range such as [1:99999999] is a slip. */
#define INVENTORY_MOST_HOSTS 300000

struct inventory *inventory_new(void);
void inventory_free(struct inventory *inventory); /* NULL does nothing */

/* Diagnostics of the current source; a warning's text begins with "warning: ". */
void inventory_error(struct inventory *inventory, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void inventory_warn(struct inventory *inventory, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same about a place in an earlier source. */
void inventory_error_at(struct inventory *inventory, const char *source, unsigned line,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void inventory_warn_at(struct inventory *inventory, const char *source, unsigned line,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* By name; NULL where there is none. */
struct inventory_group *inventory_group(const struct inventory *inventory, struct view name);
struct inventory_host *inventory_host(const struct inventory *inventory, struct view name);

/*
 * Building, for the readers of formats. Adding what is there already finds it. A host's port is
 * its variable ansible_port, and counts only where the host is new; 0 is none. inventory_add_host
 * returns NULL, with an error, for a name that cannot be one.
 */
struct inventory_group *inventory_add_group(
    struct inventory *inventory, struct view name, unsigned line);
struct inventory_host *inventory_add_host(struct inventory *inventory, struct view name,
    struct inventory_group *group, unsigned port, unsigned line);
/* A host's place in a group, once. */
void inventory_join(
    struct inventory *inventory, struct inventory_group *group, struct inventory_host *host);
void inventory_add_child(struct inventory *inventory, struct inventory_group *parent,
    struct inventory_group *child, unsigned line);

/*
 * Set a variable; the last one wins. Where a host bears a group's name, its variables go to the
 * group, as in Ansible. ansible_group_priority of a group is taken and not kept.
 */
void inventory_set_group_var(struct inventory *inventory, struct inventory_group *group,
    struct view name, struct inventory_value value, unsigned line);
void inventory_set_host_var(struct inventory *inventory, struct inventory_host *host,
    struct view name, struct inventory_value value, unsigned line);

/* A value from JSON; its text goes to the arena. */
struct inventory_value inventory_value_from_json(struct arena *arena, const struct json *node);
struct json *inventory_value_to_json(const struct inventory_value *value);

#endif
