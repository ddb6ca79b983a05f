/*
 * The model as JSON: what `oddhost parse` and `--json` print. What is not known is null. Each
 * function returns a new tree, which the caller frees or hands on. Bytes that are not UTF-8 come
 * out as U+FFFD, so that the output is always JSON.
 */
#ifndef ODDHOST_REPORT_SHAPES_H
#define ODDHOST_REPORT_SHAPES_H

#include "oddhost/base/json.h"
#include "oddhost/model/host.h"

/* {"family","dst","gateway","dev","metric","scope","type","table","src"}. */
struct json *shapes_route(const struct route *route);

struct json *shapes_routes(const struct route_table *table); /* {"routes":[…]} */
struct json *shapes_rules(const struct rule_list *rules);    /* {"rules":[…]} */
struct json *shapes_ping(const struct ping *ping);
struct json *shapes_networks(const struct docker_network *v, size_t n); /* {"networks":[…]} */
struct json *shapes_containers(const struct container *v, size_t n);    /* {"containers":[…]} */
struct json *shapes_daemon(const struct docker_daemon *daemon);
struct json *shapes_engine(const struct docker_engine *engine);
struct json *shapes_resolv(
    const struct nameserver *servers, size_t n, const char *const *search, size_t n_search);
struct json *shapes_neighbours(const struct neighbour *v, size_t n); /* {"neighbours":[…]} */
struct json *shapes_sysctls(const struct sysctls *sysctls);
struct json *shapes_system(const char *kernel, const char *os, const char *uptime);
struct json *shapes_addresses(const struct address *v, size_t n); /* {"addresses":[…]} */
struct json *shapes_resolution(const struct resolution *resolution);
struct json *shapes_egresses(const struct egress *v, size_t n); /* {"egress":[…]} */

/* {"hosts":[{"host","probes":[{"name","command","status","lines"}]}]}. */
struct json *shapes_transcript(const struct run *run);

#endif
