/*
 * ssh's configuration files (ssh_config(5), as OpenSSH 9.2 reads them): read once, then asked for
 * each host. Include is followed when reading. Host names are not canonicalised and no command is
 * run. Diagnostics go to the inventory; one thread at a time.
 */
#ifndef ODDHOST_INVENTORY_SSH_CONFIG_H
#define ODDHOST_INVENTORY_SSH_CONFIG_H

#include <stdbool.h>

#include "oddhost/base/view.h"
#include "oddhost/inventory/inventory.h"
#include "oddhost/inventory/ssh_expand.h"
#include "oddhost/inventory/ssh_option.h"

struct ssh_config;

/* An empty one, whose values go to the arena. All of them must outlive it. */
struct ssh_config *ssh_config_new(
    struct inventory *inventory, struct arena *arena, const struct ssh_local *local);
void ssh_config_free(struct ssh_config *config); /* NULL does nothing */

/*
 * Add a file, or the usual two: ~/.ssh/config and /etc/ssh/ssh_config, which may be missing. A
 * line that ssh would refuse is an error, and so is a file of the user's that others may write
 * to; a keyword that ssh does not know is a warning.
 */
void ssh_config_load(struct ssh_config *config, const char *path);
void ssh_config_load_usual(struct ssh_config *config);

/* Add a text, as that of the user's file `source`; with `includes` its Include lines are heeded. */
void ssh_config_read(
    struct ssh_config *config, struct view text, const char *source, bool includes);

/*
 * Add to `options` what the files say about a host, where nothing is set yet: what is set already
 * is as if it stood on ssh's command line. Returns the name or address to connect to, with
 * HostName taken into account, in lower case.
 */
const char *ssh_config_apply(
    struct ssh_config *config, const char *host, struct ssh_options *options);

#endif
