/*
 * Values of an INI inventory: Ansible reads each as a Python literal where it is one
 * (ast.literal_eval), else as the string that stands there.
 */
#ifndef ODDHOST_INVENTORY_LITERAL_H
#define ODDHOST_INVENTORY_LITERAL_H

#include "oddhost/base/arena.h"
#include "oddhost/base/view.h"
#include "oddhost/inventory/inventory.h"

/*
 * Numbers, True, False, None, strings (also with prefixes r, u, b, adjacent and triple-quoted),
 * lists, tuples and dicts of them; a `#` comment may follow. Text goes to the arena. Anything
 * else, and what JSON cannot carry (complex numbers, sets, infinity), is the text itself. `text`
 * must be UTF-8 without NUL.
 */
struct inventory_value literal_parse(struct arena *arena, struct view text);

#endif
