/*
 * What an inventory may write for a host: a name or an address, perhaps with ranges, perhaps with
 * a port (ansible-core: parsing/utils/addresses.py, expand_hostname_range in
 * plugins/inventory/__init__.py).
 */
#ifndef ODDHOST_INVENTORY_HOSTNAME_H
#define ODDHOST_INVENTORY_HOSTNAME_H

#include <stdbool.h>

#include "oddhost/base/err.h"
#include "oddhost/base/view.h"

/*
 * Take `host:22` or `[v6]:22` apart: *ret_host is a part of `text` and *ret_port 0 where there is
 * no port. False where it is neither a host name nor an address, with or without ranges: Ansible
 * then takes the text as it stands.
 */
bool hostname_split(struct view text, struct view *ret_host, unsigned *ret_port);

bool hostname_has_range(struct view text);

/*
 * Call `each` with every name that the pattern means, the leftmost range slowest: `[01:50]`,
 * `[a:f]`, `[1:9:2]`, all inclusive. Stops and returns true where `each` returns false. Fails on
 * a range that cannot be understood; then `each` may have been called for a part.
 */
bool hostname_expand(
    struct view pattern, bool (*each)(void *arg, struct view name), void *arg, struct err *err);

#endif
