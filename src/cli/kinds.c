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

/* What is printed where the text says something, and nothing of it was understood: not known. */
static struct json *nothing(const char *key, const char *other_key)
{
	struct json *object = json_object();

	json_set(object, key, json_new_null());
	if (other_key != NULL)
		json_set(object, other_key, json_new_null());
	return object;
}

static struct json *kind_routes(const struct kind_input *in)
{
	struct route_table table = {.arena = in->arena};

	if (!parse_routes(in->text, IP_NONE, &table, in->diags))
		return nothing("routes", NULL);
	return shapes_routes(&table);
}

static struct json *kind_rules(const struct kind_input *in)
{
	struct rule_list rules = {.arena = in->arena};

	if (!parse_rules(in->text, &rules, in->diags))
		return nothing("rules", NULL);
	return shapes_rules(&rules);
}

static struct json *kind_addresses(const struct kind_input *in)
{
	struct address_list list = {.arena = in->arena};

	if (!parse_addresses(in->text, &list, in->diags))
		return nothing("addresses", NULL);
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

	if (!parse_docker_networks(in->text, "", NULL, &list, in->diags))
		return nothing("networks", NULL);
	return shapes_networks(list.v, list.n);
}

static struct json *kind_ps(const struct kind_input *in)
{
	struct container_list list = {.arena = in->arena};

	if (!parse_docker_ps(in->text, &list, in->diags))
		return nothing("containers", NULL);
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

	if (!parse_resolv(in->text, &resolv, in->diags))
		return nothing("nameservers", "search");
	return shapes_resolv(resolv.servers, resolv.n_servers, resolv.search, resolv.n_search);
}

static struct json *kind_neighbours(const struct kind_input *in)
{
	struct neighbour_list list = {.arena = in->arena};

	if (!parse_neighbours(in->text, &list, in->diags))
		return nothing("neighbours", NULL);
	return shapes_neighbours(list.v, list.n);
}

static struct json *kind_sysctls(const struct kind_input *in)
{
	struct sysctls sysctls;

	parse_sysctls(in->text, &sysctls, in->diags);
	return shapes_sysctls(&sysctls);
}

static struct json *kind_system(const struct kind_input *in)
{
	struct system system = {0};

	parse_system(in->text, in->arena, &system);
	return shapes_system(system.kernel, system.os, system.uptime);
}

static struct json *kind_dns(const struct kind_input *in)
{
	struct resolution resolution;

	if (!parse_getent(in->text, in->arena, &resolution, in->diags))
		return nothing("addresses", "failed");
	return shapes_resolution(&resolution);
}

static struct json *kind_egress(const struct kind_input *in)
{
	struct egress_list list = {.arena = in->arena};

	if (!parse_egress(in->text, &list, in->diags))
		return nothing("egress", NULL);
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
    {"rules", kind_rules, "ip rule, ip -j rule"},
    {"addrs", kind_addresses, "ip addr, ip -o addr, ip -br addr, ip -j addr, ifconfig"},
    {"ping", kind_ping, "ping or fping, whole or cut off"},
    {"docker-networks", kind_networks, "docker network ls, docker network inspect"},
    {"docker-ps", kind_ps, "docker ps -a"},
    {"docker-daemon", kind_daemon, "/etc/docker/daemon.json"},
    {"docker-info", kind_info, "docker info, podman info"},
    {"resolv", kind_resolv, "/etc/resolv.conf"},
    {"neigh", kind_neighbours, "ip neigh, arp -n"},
    {"sysctl", kind_sysctls, "sysctl NAME..."},
    {"host", kind_system, "uname, os-release, uptime"},
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
