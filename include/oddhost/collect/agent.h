/*
 * A client of ssh-agent (draft-ietf-sshm-ssh-agent): list the keys, sign. One connection, kept.
 * libssh2's own client is not used: it talks through its session's callbacks. Calls block, a list
 * for two seconds and a signature for a minute at most; one that gets no answer in time makes all
 * later ones fail at once.
 */
#ifndef ODDHOST_COLLECT_AGENT_H
#define ODDHOST_COLLECT_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/err.h"
#include "oddhost/base/view.h"

#define AGENT_RSA_SHA2_256 2
#define AGENT_RSA_SHA2_512 4

struct agent;

struct agent *agent_connect(const char *path, struct err *err); /* NULL on failure */
void agent_free(struct agent *agent);                           /* NULL does nothing */

/* Call `each` for every key: its public blob and its comment, views of the agent's answer. */
bool agent_list(struct agent *agent,
    void (*each)(void *context, struct view blob, struct view comment), void *context,
    struct err *err);

/* Append the whole signature blob (string algorithm, string signature). */
bool agent_sign(struct agent *agent, struct view blob, struct view data, uint32_t flags,
    struct buf *signature, struct err *err);

#endif
