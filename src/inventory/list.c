#include "oddhost/inventory/list.h"

#include <stdlib.h>
#include <string.h>

#include "oddhost/base/mem.h"
#include "oddhost/inventory/connection.h"
#include "oddhost/inventory/hierarchy.h"

/* Names that belong to Ansible itself: it never prints them as a host's (INTERNAL_VARS). */
static bool is_internal(const char *name)
{
	static const char *const names[] = {"ansible_diff_mode", "ansible_config_file",
	    "ansible_facts", "ansible_forks", "ansible_inventory_sources", "ansible_limit",
	    "ansible_playbook_python", "ansible_run_tags", "ansible_skip_tags", "ansible_verbosity",
	    "ansible_version", "inventory_dir", "inventory_file", "inventory_hostname",
	    "inventory_hostname_short", "groups", "group_names", "omit", "playbook_dir"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

struct json *list_make_vars(struct inventory *inv, const struct inventory_host *host, bool mask)
{
	struct json *object = json_object();
	size_t n;
	const struct inventory_var **vars = hierarchy_vars(inv, host, &n);

	for (size_t i = 0; i < n; i++) {
		if (is_internal(vars[i]->name->text))
			continue;
		if (mask && connection_holds_secret(vars[i]))
			json_set_string(object, vars[i]->name->text, "********");
		else
			json_set(
			    object, vars[i]->name->text, inventory_value_to_json(&vars[i]->value));
	}
	return object;
}

/*
 * A group with neither hosts nor children is left out, but still named as a child: Ansible does
 * the same.
 */
static struct json *make_group(
    const struct inventory *inv, const struct inventory_group *group, const bool *taken)
{
	struct json *object = json_object(), *hosts = json_array(), *children = json_array();

	for (size_t i = 0; group != inv->all && i < group->n_hosts; i++) {
		if (taken[group->hosts[i]->index])
			json_push(hosts, json_new_string(group->hosts[i]->name));
	}
	for (size_t i = 0; i < group->n_children; i++)
		json_push(children, json_new_string(group->children[i]->child->name));
	if (json_first(hosts) != NULL)
		json_set(object, "hosts", hosts);
	else
		json_free(hosts);
	if (json_first(children) != NULL)
		json_set(object, "children", children);
	else
		json_free(children);
	return object;
}

#define INDENT "\n\t\t\t" /* of what stands in _meta.hostvars, where json_print() is pretty */

static void print_member(struct buf *out, const char *name, const struct json *value)
{
	struct json *key = json_new_string(name);

	buf_puts(out, out->n > 1 ? "," INDENT : INDENT);
	json_print(key, false, out);
	out->p[out->n - 1] = ':'; /* in place of the line break */
	json_print(value, false, out);
	out->n--;
	json_free(key);
}

/* As text, a host a line: a tree of all hosts' variables would take twice the inventory's memory.
 */
static struct json *make_hostvars(
    struct inventory *inv, struct inventory_host *const *hosts, size_t n)
{
	struct buf out = {0};

	buf_putc(&out, '{');
	for (size_t i = 0; i < n; i++) {
		struct json *vars = list_make_vars(inv, hosts[i], false);
		if (json_first(vars) != NULL)
			print_member(&out, hosts[i]->name, vars);
		json_free(vars);
	}
	buf_puts(&out, out.n > 1 ? "\n\t\t}" : "}");
	struct json *raw = json_new_raw(buf_str(&out));
	buf_free(&out);
	return raw;
}

struct json *list_make(struct inventory *inv, struct inventory_host *const *hosts, size_t n)
{
	struct json *root = json_object(), *meta = json_object();
	bool *taken = mem_alloc(inv->n_hosts + 1);

	for (size_t i = 0; i < n; i++)
		taken[hosts[i]->index] = true;
	for (size_t i = 0; i < inv->n_groups; i++) {
		struct json *object = make_group(inv, inv->groups[i], taken);
		if (json_first(object) != NULL)
			json_set(root, inv->groups[i]->name, object);
		else
			json_free(object);
	}
	json_set(meta, "hostvars", make_hostvars(inv, hosts, n));
	json_set(root, "_meta", meta);
	free(taken);
	return root;
}
