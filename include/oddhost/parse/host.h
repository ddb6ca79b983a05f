/* The typed model of one host, from its raw outputs: the right parser for each probe. */
#ifndef ODDHOST_PARSE_HOST_H
#define ODDHOST_PARSE_HOST_H

#include "oddhost/model/host.h"

/*
 * What the record's probes say, by their names: routes, routes6, rules, rules6, addrs, neigh,
 * sysctl, resolv, resolv_systemd, docker_networks, docker_inspect, docker_ps, docker_info,
 * docker_daemon, host, dns:TARGET, egress:TARGET, ping:TARGET; others are left alone. Of several
 * probes of one name the last counts, except where each adds to the others (docker_networks,
 * docker_inspect, host, egress:…).
 *
 * A part is `known` only where its output is there and was understood: the probe was ok, or its
 * output was cut short by a byte limit. A TARGET is one of meta's by its text, else by its name
 * without the port; for an egress also by an address that the target resolves to here; else it
 * stands for itself. Where no dns probe was made, the address that ping printed is the resolution.
 *
 * The host lives in the record's arena, and its strings and sources point into the record: it is
 * valid as long as the record, and adding probes to the record makes it invalid.
 */
struct host *parse_host(struct host_record *record, const struct run_meta *meta);

#endif
