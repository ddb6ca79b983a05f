#include "oddhost/cli/kinds.h"

#include <string.h>

#include "oddhost/parse/addresses.h"
#include "oddhost/parse/docker.h"
#include "oddhost/parse/names.h"
#include "oddhost/parse/neighbours.h"
#include "oddhost/parse/ping.h"
#include "oddhost/parse/resolv.h"
#include "oddhost/parse/routes.h"
#include "oddhost/parse/system.h"
#include "oddhost/parse/transcript.h"
#include "oddhost/report/shapes.h"

static struct json *kind_routes(const struct kind_input *in)
{
	struct route_table table = {.arena = in->arena};

	parse_routes(in->text, IP_NONE, &table, in->diags);
	return shapes_routes(&table);
}

static struct json *kind_rules(const struct kind_input *in)
{
	struct rule_list rules = {.arena = in->arena};

	parse_rules(in->text, &rules, in->diags);
	return shapes_rules(&rules);
}

static struct json *kind_addresses(const struct kind_input *in)
{
	struct address_list list = {.arena = in->arena};

	parse_addresses(in->text, &list, in->diags);
	return shapes_addresses(list.v, list.n);
}

static struct json *kind_ping(const struct kind_input *in)
{
	struct ping ping;

	parse_ping(in->text, view_of(""), in->arena, &ping, in->diags);
	return shapes_ping(&ping);
}

static struct json *kind_networks(const struct kind_input *in)
{
	struct network_list list = {.arena = in->arena};

	parse_docker_networks(in->text, "", NULL, &list, in->diags);
	return shapes_networks(list.v, list.n);
}

static struct json *kind_ps(const struct kind_input *in)
{
	struct container_list list = {.arena = in->arena};

	parse_docker_ps(in->text, &list, in->diags);
	return shapes_containers(list.v, list.n);
}

static struct json *kind_daemon(const struct kind_input *in)
{
	struct docker_daemon daemon;

	parse_docker_daemon(in->text, in->arena, &daemon, in->diags);
	return shapes_daemon(&daemon);
}

static struct json *kind_info(const struct kind_input *in)
{
	struct docker_engine engine;

	parse_docker_info(in->text, in->arena, &engine, in->diags);
	return shapes_engine(&engine);
}

static struct json *kind_resolv(const struct kind_input *in)
{
	struct resolv resolv = {.arena = in->arena};

	parse_resolv(in->text, &resolv, in->diags);
	return shapes_resolv(resolv.servers, resolv.n_servers, resolv.search, resolv.n_search);
}

static struct json *kind_neighbours(const struct kind_input *in)
{
	struct neighbour_list list = {.arena = in->arena};

	parse_neighbours(in->text, &list, in->diags);
	return shapes_neighbours(list.v, list.n);
}

static struct json *kind_sysctls(const struct kind_input *in)
{
	struct sysctls sysctls;

	parse_sysctls(in->text, &sysctls, in->diags);
	return shapes_sysctls(&sysctls);
}

static struct json *kind_dns(const struct kind_input *in)
{
	struct resolution resolution;

	parse_getent(in->text, in->arena, &resolution, in->diags);
	return shapes_resolution(&resolution);
}

static struct json *kind_egress(const struct kind_input *in)
{
	struct egress_list list = {.arena = in->arena};

	parse_egress(in->text, &list, in->diags);
	return shapes_egresses(list.v, list.n);
}

static struct json *kind_transcript(const struct kind_input *in)
{
	struct run *run = run_new();
	struct json *root = NULL;

	if (transcript_read(in->text, in->source, run, in->diags, in->err))
		root = shapes_transcript(run);
	run_free(run);
	return root;
}

static const struct kind kinds[] = {
    {"routes", kind_routes, "ip route, ip -j route, route -n, netstat -rn"},
    {"rules", kind_rules, "ip rule"},
    {"addrs", kind_addresses, "ip addr, ip -o addr, ip -br addr, ip -j addr"},
    {"ping", kind_ping, "ping, whole or cut off"},
    {"docker-networks", kind_networks, "docker network ls, docker network inspect"},
    {"docker-ps", kind_ps, "docker ps -a"},
    {"docker-daemon", kind_daemon, "/etc/docker/daemon.json"},
    {"docker-info", kind_info, "docker info, podman info"},
    {"resolv", kind_resolv, "/etc/resolv.conf"},
    {"neigh", kind_neighbours, "ip neigh, arp -n"},
    {"sysctl", kind_sysctls, "sysctl NAME..."},
    {"dns", kind_dns, "getent hosts, getent ahosts"},
    {"egress", kind_egress, "ip route get"},
    {"transcript", kind_transcript, "a pasted terminal session"},
};

const struct kind *kind_named(const char *name)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	}
	return NULL;
}

const struct kind *kind_all(size_t *ret_n)
{
	*ret_n = sizeof kinds / sizeof *kinds;
	return kinds;
}
