/*
 * From an inventory's variables to how a host is reached (ansible-core: plugins/connection/ssh.py).
 * The order of precedence is that of the ssh command line which Ansible would build, where the
 * first value of an option counts: ansible_ssh_args, then the variables of their own
 * (ansible_host, ansible_port, ansible_user and the ansible_ssh_* names, which win over those),
 * then ansible_ssh_common_args, then ansible_ssh_extra_args. Identities add up.
 *
 * Not read yet: ssh_config files and jump hosts.
 */
#ifndef ODDHOST_INVENTORY_CONNECTION_H
#define ODDHOST_INVENTORY_CONNECTION_H

#include <stdbool.h>

#include "oddhost/inventory/inventory.h"
#include "oddhost/model/run.h"

/*
 * Fill `ret` for a host; strings are the inventory's or the arena's. A value that cannot be used
 * is an error of the inventory; a password, a {{ template }} and an option that is not known
 * are warnings, each once for the place where it is written. ret->vars holds the variables
 * ansible_* and oddhost_* that hold no secret.
 */
void connection_find(struct inventory *inventory, struct arena *arena,
    const struct inventory_host *host, struct host_spec *ret);

/* Does the name say that the value is a secret? */
bool connection_is_secret(const char *name);

/* "~/x" and "~user/x" with the home directory; anything else as it stands. */
const char *connection_expand_home(struct arena *arena, const char *path);

#endif
