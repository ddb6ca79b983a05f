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

/*
 * What is printed where the text says something, and nothing of it was understood; or where it is
 * empty, and that is no answer: not known.
 */
static struct json *nothing(struct kind_input *in, const char *key, const char *other_key)
{
	struct json *object = json_object();

	in->nothing = true;
	json_set(object, key, json_new_null());
	if (other_key != NULL)
		json_set(object, other_key, json_new_null());
	return object;
}

static bool is_empty(const struct kind_input *in)
{
	return view_trim(in->text).n == 0;
}

static struct json *kind_routes(struct kind_input *in)
{
	struct route_table table = {.arena = in->arena};

	if (!parse_routes(in->text, IP_NONE, &table, in->diags))
		return nothing(in, "routes", NULL);
	return shapes_routes(&table);
}

static struct json *kind_rules(struct kind_input *in)
{
	struct rule_list rules = {.arena = in->arena};

	if (!parse_rules(in->text, &rules, in->diags))
		return nothing(in, "rules", NULL);
	return shapes_rules(&rules);
}

static struct json *kind_addresses(struct kind_input *in)
{
	struct address_list list = {.arena = in->arena};

	if (!parse_addresses(in->text, &list, in->diags))
		return nothing(in, "addresses", NULL);
	return shapes_addresses(list.v, list.n);
}

static struct json *kind_ping(struct kind_input *in)
{
	struct ping ping;

	in->nothing = !parse_ping(in->text, view_of(""), in->arena, &ping, in->diags);
	return shapes_ping(&ping);
}

static struct json *kind_networks(struct kind_input *in)
{
	struct network_list list = {.arena = in->arena};

	/* docker prints a title, or has three networks of its own. */
	if (is_empty(in) || !parse_docker_networks(in->text, "", NULL, &list, in->diags))
		return nothing(in, "networks", NULL);
	return shapes_networks(list.v, list.n);
}

static struct json *kind_ps(struct kind_input *in)
{
	struct container_list list = {.arena = in->arena};

	if (!parse_docker_ps(in->text, &list, in->diags))
		return nothing(in, "containers", NULL);
	return shapes_containers(list.v, list.n);
}

static struct json *kind_daemon(struct kind_input *in)
{
	struct docker_daemon daemon;

	parse_docker_daemon(in->text, in->arena, &daemon, in->diags);
	in->nothing = !daemon.valid;
	return shapes_daemon(&daemon);
}

static struct json *kind_info(struct kind_input *in)
{
	struct docker_engine engine;

	in->nothing = !parse_docker_info(in->text, in->arena, &engine, in->diags) || is_empty(in);
	return shapes_engine(&engine);
}

static struct json *kind_resolv(struct kind_input *in)
{
	struct resolv resolv = {.arena = in->arena};

	if (!parse_resolv(in->text, &resolv, in->diags))
		return nothing(in, "nameservers", "search");
	return shapes_resolv(resolv.servers, resolv.n_servers, resolv.search, resolv.n_search);
}

static struct json *kind_neighbours(struct kind_input *in)
{
	struct neighbour_list list = {.arena = in->arena};

	if (!parse_neighbours(in->text, &list, in->diags))
		return nothing(in, "neighbours", NULL);
	return shapes_neighbours(list.v, list.n);
}

static struct json *kind_sysctls(struct kind_input *in)
{
	struct sysctls sysctls;

	in->nothing = !parse_sysctls(in->text, &sysctls, in->diags);
	return shapes_sysctls(&sysctls);
}

static struct json *kind_system(struct kind_input *in)
{
	struct system system = {0};

	in->nothing = !parse_system(in->text, in->arena, &system, in->diags);
	return shapes_system(system.kernel, system.os, system.uptime);
}

static struct json *kind_dns(struct kind_input *in)
{
	struct resolution resolution;

	/* A name that is not found, and a getent that did not run: only the exit status tells. */
	if (is_empty(in) || !parse_getent(in->text, in->arena, &resolution, in->diags))
		return nothing(in, "addresses", "failed");
	return shapes_resolution(&resolution);
}

static struct json *kind_egress(struct kind_input *in)
{
	struct egress_list list = {.arena = in->arena};

	if (!parse_egress(in->text, &list, in->diags))
		return nothing(in, "egress", NULL);
	return shapes_egresses(list.v, list.n);
}

static struct json *kind_transcript(struct kind_input *in)
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
    {"egress", kind_egress, "ip route get, ip -j route get"},
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

void kind_list(FILE *out)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		fprintf(out, "  %-16s %s\n", kinds[i].name, kinds[i].what);
}
