/*
 * What docker (or podman) prints about networks and containers, and dockerd's daemon.json. The same
 * network seen in several outputs is one docker_network.
 */
#ifndef ODDHOST_PARSE_DOCKER_H
#define ODDHOST_PARSE_DOCKER_H

#include <stdbool.h>

#include "oddhost/base/diag.h"
#include "oddhost/base/view.h"
#include "oddhost/model/host.h"

/* More networks or containers than this on one host are a diagnostic, and not taken. */
#define DOCKER_MOST 4096

struct network_list {
	struct arena *arena;
	struct docker_network *v;
	size_t n, cap;
};

struct container_list {
	struct arena *arena;
	struct container *v;
	size_t n, cap;
};

/*
 * Add what `docker network ls` (a table, with or without its header, or an object a line) or
 * `docker network inspect` (an array, or an object a line) says; `command` is how it was asked,
 * `probe` goes into the sources and may be NULL. `--format '{{json .IPAM.Config}}'` prints no
 * names: the command's arguments name the networks. Returns as line.h says.
 *
 * The bridge (libnetwork, drivers/bridge): the option com.docker.network.bridge.name; or "docker0"
 * for the network "bridge"; or "br-" and the first 12 digits of the id. podman prints it. Another
 * driver than bridge has none.
 */
bool parse_docker_networks(struct view text, const char *command, const struct probe_result *probe,
    struct network_list *list, struct diag_list *diags);

/*
 * `docker ps -a`: the table with or without its header; or an object a line, docker's own (Labels)
 * or ours (Project). Returns as line.h says.
 */
bool parse_docker_ps(struct view text, struct container_list *list, struct diag_list *diags);

/*
 * daemon.json's content: sets known, present, valid, the pools and bip; an empty file is valid, as
 * for dockerd. Where it is not JSON, or its pools or bip are none that dockerd starts with, valid
 * stays false and a diagnostic says why. Pools go to `arena`.
 */
void parse_docker_daemon(
    struct view text, struct arena *arena, struct docker_daemon *ret, struct diag_list *diags);

/*
 * `docker info`: its JSON or parts of it, an object after the other, or its plain text; podman's
 * likewise ("PodmanVersion" in our own format). {"Started": SECONDS} is our word for the time of
 * dockerd's pid file. An engine that its client could not reach says no version and stays unknown.
 * *ret is set in any case; its source is the caller's. Returns as line.h says.
 */
bool parse_docker_info(
    struct view text, struct arena *arena, struct docker_engine *ret, struct diag_list *diags);

#endif
