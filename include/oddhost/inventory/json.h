/*
 * Ansible's JSON inventory: what a script prints for --list (ansible-core:
 * plugins/inventory/script.py), and the mapping of a YAML inventory written as JSON
 * (plugins/inventory/yaml.py): `hosts` and `children` may be lists or objects.
 */
#ifndef ODDHOST_INVENTORY_JSON_H
#define ODDHOST_INVENTORY_JSON_H

#include <stdbool.h>

#include "oddhost/base/json.h"
#include "oddhost/base/view.h"
#include "oddhost/inventory/inventory.h"

/*
 * Add what `text` says. *ret_hostvars tells whether _meta.hostvars was there: where it is not, a
 * script is to be asked for each host. With `script`, an object without hosts, vars and children
 * is always a host that bears the group's name; in a file, an empty one is an empty group.
 */
void inventory_json_read(
    struct inventory *inventory, struct view text, bool script, bool *ret_hostvars);

/* The variables of one host, from an object; anything else is an error. */
void inventory_json_read_host(
    struct inventory *inventory, struct inventory_host *host, const struct json *vars);

#endif
