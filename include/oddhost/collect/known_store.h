/*
 * The known_hosts files of all hosts, each list of files loaded once, and hosts that are met for
 * the first time added to them (accept-new). Safe to use from several threads; a file is appended
 * to under a lock, so that several processes may do it; one that cannot be had soon is done
 * without.
 */
#ifndef ODDHOST_COLLECT_KNOWN_STORE_H
#define ODDHOST_COLLECT_KNOWN_STORE_H

#include "oddhost/base/diag.h"
#include "oddhost/base/err.h"
#include "oddhost/collect/known_hosts.h"
#include "oddhost/model/run.h"

struct known_store;

/* `home` is for ~/.ssh/known_hosts, may be NULL; diags must outlive the store. */
struct known_store *known_store_new(const char *home, struct diag_list *diags);
void known_store_free(struct known_store *store); /* NULL does nothing */

/*
 * Load the host's files now. Later they are loaded as they are met, but what is wrong with them
 * must be said before there are threads: diagnostics have no lock.
 */
void known_store_load(struct known_store *store, const struct host_spec *spec);

/* known_hosts_find with the host's own files: once for a session, since hashed names cost. */
struct known_keys known_store_find(
    struct known_store *store, const struct host_spec *spec, struct arena *arena);

/*
 * Write the key to the first of the host's files, and know it from now on. Nothing is written where
 * it is known by now; fails where another key is.
 */
bool known_store_add(
    struct known_store *store, const struct host_spec *spec, struct view key, struct err *err);

#endif
