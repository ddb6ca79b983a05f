/* What `-i` takes: which kind of inventory it is, and the call of its reader. */
#ifndef ODDHOST_INVENTORY_LOAD_H
#define ODDHOST_INVENTORY_LOAD_H

#include "oddhost/inventory/inventory.h"

/*
 * Read one source: a host list (it has a comma and there is no such file), an INI or JSON file,
 * "-" for standard input, a script (executable, and a "#!" line or a binary), or a directory of
 * those. Trouble becomes errors of the inventory, and group_vars and host_vars beside a file a
 * warning. Call hierarchy_finish() after the last one.
 */
void inventory_load(struct inventory *inventory, const char *source);

#endif
