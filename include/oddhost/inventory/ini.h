/*
 * Ansible's INI inventory (ansible-core: plugins/inventory/ini.py). A line that is not understood
 * becomes an error of the inventory and the next one is read; below a bad section header the lines
 * up to the next header are passed over, since it is not known what they are.
 */
#ifndef ODDHOST_INVENTORY_INI_H
#define ODDHOST_INVENTORY_INI_H

#include "oddhost/base/view.h"
#include "oddhost/inventory/inventory.h"

/* Add what `text` says; the inventory's current source names it. */
void ini_read(struct inventory *inventory, struct view text);

#endif
