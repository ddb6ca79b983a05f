/* What docker's outputs have in common: address pools and labels. */
#ifndef ODDHOST_PARSE_DOCKER_JSON_H
#define ODDHOST_PARSE_DOCKER_JSON_H

#include <stdbool.h>

#include "oddhost/base/diag.h"
#include "oddhost/base/json.h"
#include "oddhost/base/view.h"
#include "oddhost/model/host.h"

struct docker_pools {
	struct arena *arena;
	struct diag_list *diags;
	struct docker_pool *v;
	size_t n, cap;
};

/*
 * Add one pool. False, with a diagnostic, where `base` is no ADDRESS/LENGTH or `size` is not from
 * that length up to the family's, with which dockerd does not start (SplitNetworks() in moby's
 * libnetwork/ipamutils).
 */
bool docker_pools_add(struct docker_pools *pools, struct view base, long size, unsigned line);

/*
 * Add an array of {"base", "size"}, in whose keys Go minds no capitals; NULL and null add nothing.
 * `text` is what the array was parsed from, for the lines. False, with a diagnostic, where it is no
 * array or one pool cannot be added.
 */
bool docker_pools_read(
    struct docker_pools *pools, const struct json *array, struct view text, const char *key);

#define DOCKER_LABEL_PROJECT "com.docker.compose.project"

/* The value of a label among an object of them or "a=b,c=d", in the arena; NULL: not there. */
const char *docker_label(const struct json *labels, const char *key, struct arena *arena);

#endif
