/*
 * A host without ssh: ansible_connection=local, for the machine that oddhost runs on. The same
 * scripts go to `sh -s` through pipes, with the same limits and the same record.
 */
#ifndef ODDHOST_COLLECT_LOCAL_H
#define ODDHOST_COLLECT_LOCAL_H

#include "oddhost/collect/session.h"

struct local;

/* As session_start and session_abort. */
struct local *local_start(struct session_shared *shared, const struct host_spec *spec,
    void (*done)(void *context, struct local *local, struct host_record *record), void *context);
void local_abort(struct local *local, enum host_status status, const char *why);

#endif
