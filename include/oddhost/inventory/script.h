/*
 * An inventory that a program prints. It is called with --list; and with --host NAME for each
 * host where the answer has no _meta.hostvars. It gets no input; what it writes to standard error
 * becomes a warning. All of its calls together have inventory.script_limit_ms, then it is killed
 * with the processes of its group. So it is where SIGINT, SIGTERM, SIGHUP or SIGQUIT comes: that is
 * blocked meanwhile, and acts behind the call. Main thread only.
 */
#ifndef ODDHOST_INVENTORY_SCRIPT_H
#define ODDHOST_INVENTORY_SCRIPT_H

#include "oddhost/inventory/inventory.h"

void script_read(struct inventory *inventory, const char *path);

#endif
