#include "oddhost/inventory/hierarchy.h"

#include <stdlib.h>
#include <string.h>

#include "oddhost/base/mem.h"

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
			inventory_join(inv, ungrouped, host);
	}
}

void hierarchy_finish(struct inventory *inv)
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

struct inventory_host **hierarchy_hosts(
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

const struct inventory_var **hierarchy_vars(
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
