/*
 * From ssh's options to how a host is reached: the files of ssh_config are asked, tokens and home
 * directories expanded, and the jump hosts found, each through the same files. Nothing connects.
 */
#ifndef ODDHOST_INVENTORY_REACH_H
#define ODDHOST_INVENTORY_REACH_H

#include "oddhost/inventory/inventory.h"
#include "oddhost/inventory/ssh_config.h"
#include "oddhost/inventory/ssh_expand.h"
#include "oddhost/inventory/ssh_option.h"
#include "oddhost/model/run.h"

struct reach;

/*
 * `known_hosts` replaces all files of known_hosts (NULL: it does not), and the options of
 * `everywhere` win over all others; both hold for jump hosts, too. All pointers must outlive it;
 * results go to the arena.
 */
struct reach *reach_new(struct inventory *inventory, struct arena *arena,
    const struct ssh_local *local, const char *known_hosts, const struct ssh_options *everywhere);
void reach_free(struct reach *reach); /* NULL does nothing */

/*
 * Fill address, port, user, what ssh's options say of the connection and of the login, and the
 * jumps of `ret` for what stands on ssh's command line, `destination`; `options` holds what else
 * stands there, and gets what the files say. A first hop may have jump hosts of its own: they come
 * before it. Jump hosts that lead back to themselves are an error, and what is not supported a
 * warning, each once for the place where it is written.
 */
void reach_find(struct reach *reach, struct ssh_config *config, const char *destination,
    struct ssh_options *options, struct host_spec *ret);

#endif
