/* A text of arguments for ssh(1), such as ansible_ssh_common_args. */
#ifndef ODDHOST_INVENTORY_SSH_ARGS_H
#define ODDHOST_INVENTORY_SSH_ARGS_H

#include <stdbool.h>

#include "oddhost/base/err.h"
#include "oddhost/base/view.h"

/*
 * Calls `take` with each option's letter and its value, empty where it has none, and with letter 0
 * for a word that is no option. Fails on a quote that is not closed.
 */
bool ssh_args_read(struct view text, void (*take)(void *arg, char letter, struct view value),
    void *arg, struct err *err);

#endif
