#include "oddhost/model/host.h"

#include <stdlib.h>
#include <string.h>

/* Of equal ones that first which docker lists first. */
static int by_bridge(const void *a, const void *b)
{
	const struct docker_network *x = *(const struct docker_network *const *)a;
	const struct docker_network *y = *(const struct docker_network *const *)b;
	int order = strcmp(x->bridge, y->bridge);

	return order != 0 ? order : (x > y) - (x < y);
}

void host_index_networks(struct host *host)
{
	const struct docker_network **v = arena_alloc(host->arena, host->n_networks * sizeof *v);
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < host->n_networks; i++) {
		if (host->networks[i].bridge != NULL)
			v[n++] = &host->networks[i];
	}
	if (n > 1)
		qsort(v, n, sizeof *v, by_bridge);
	for (size_t i = 0; i < n; i++) {
		if (kept == 0 || strcmp(v[kept - 1]->bridge, v[i]->bridge) != 0)
			v[kept++] = v[i];
	}
	host->by_bridge = v;
	host->n_by_bridge = kept;
}

static int bridge_order(const void *dev, const void *network)
{
	return strcmp(dev, (*(const struct docker_network *const *)network)->bridge);
}

const struct docker_network *host_network_of_dev(const struct host *host, const char *dev)
{
	const struct docker_network **found = NULL;

	if (dev != NULL && host->n_by_bridge > 0)
		found =
		    bsearch(dev, host->by_bridge, host->n_by_bridge, sizeof *found, bridge_order);
	return found == NULL ? NULL : *found;
}

const struct resolution *host_resolution(const struct host *host, const char *target)
{
	for (size_t i = 0; i < host->n_resolutions; i++) {
		if (strcmp(host->resolutions[i].target, target) == 0)
			return &host->resolutions[i];
	}
	return NULL;
}

const struct ping *host_ping(const struct host *host, const char *target)
{
	for (size_t i = 0; i < host->n_pings; i++) {
		if (strcmp(host->ping_targets[i], target) == 0)
			return &host->pings[i];
	}
	return NULL;
}

const struct tcp *host_tcp(const struct host *host, const char *target)
{
	const struct tcp *best = NULL;

	for (size_t i = 0; i < host->n_tcps; i++) {
		const struct tcp *tcp = &host->tcps[i];
		if (tcp->status != TCP_UNKNOWN && strcmp(tcp->target, target) == 0 &&
		    (best == NULL || tcp->status < best->status))
			best = tcp;
	}
	return best;
}

bool host_owns(const struct host *host, const struct ip *ip)
{
	for (size_t i = 0; i < host->n_addresses; i++) {
		if (ip_equal(&host->addresses[i].ip, ip))
			return true;
	}
	return false;
}

const char *host_dev_of_own(const struct host *host, const struct ip *ip)
{
	for (size_t i = 0; i < host->n_addresses; i++) {
		if (ip_equal(&host->addresses[i].ip, ip))
			return host->addresses[i].dev;
	}
	for (size_t i = 0; i < host->routes.n; i++) {
		const struct route *route = &host->routes.v[i];
		if (route->dev != NULL &&
		    (route->type == ROUTE_LOCAL ? prefix_contains_ip(&route->dst, ip)
						: ip_equal(&route->src, ip)))
			return route->dev;
	}
	return NULL;
}

const struct neighbour *host_neighbour_failed(const struct host *host, const struct ip *ip)
{
	for (size_t i = 0; i < host->n_neighbours; i++) {
		const struct neighbour *n = &host->neighbours[i];
		if (ip_equal(&n->ip, ip) &&
		    (n->state == NEIGHBOUR_FAILED || n->state == NEIGHBOUR_INCOMPLETE))
			return n;
	}
	return NULL;
}

static bool is_docker_bridge(const char *dev)
{
	return strncmp(dev, "br-", 3) == 0 && strlen(dev) == 15 &&
	       strspn(dev + 3, "0123456789abcdef") == 12;
}

const char *host_virtual_owner(const struct host *host, const char *dev)
{
	static const struct {
		const char *prefix, *owner;
	} names[] = {
	    {"docker", "docker"}, /* docker0, docker_gwbridge */
	    {"podman", "podman"},
	    {"cni-podman", "podman"},
	    {"cni", "cni"},
	    {"cbr0", "cni"},
	    {"flannel", "cni"},
	    {"cali", "cni"},
	    {"cilium", "cni"},
	    {"kube-bridge", "cni"},
	    {"weave", "cni"},
	    {"nerdctl", "cni"},
	    {"antrea-gw", "cni"},
	    {"ovn-k8s", "cni"},
	    {"vxlan.calico", "cni"},
	    {"virbr", "libvirt"},
	    {"lxdbr", "lxd"},
	    {"incusbr", "incus"},
	    {"lxcbr", "lxc"},
	    {"mpqemubr", "multipass"},
	    {"vboxnet", "virtualbox"},
	    {"vmnet", "vmware"},
	    {"tun", "vpn"},
	    {"tap", "vpn"},
	    {"wg", "vpn"},
	    {"tailscale", "vpn"},
	    {"nordlynx", "vpn"},
	    {"ipsec", "vpn"},
	    {"vti", "vpn"},
	    {"zt", "vpn"},
	};

	if (dev == NULL)
		return NULL;
	if (is_docker_bridge(dev) || host_network_of_dev(host, dev) != NULL)
		return "docker";
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (*dev == *names[i].prefix &&
		    strncmp(dev, names[i].prefix, strlen(names[i].prefix)) == 0)
			return names[i].owner;
	}
	return NULL;
}

const char *ping_status_name(enum ping_status status)
{
	static const char *const names[] = {"unknown", "ok", "loss", "silent", "unreachable",
	    "unknown-host", "no-route", "no-permission", "refused"};

	return names[status];
}

static const char *const tcp_names[] = {"unknown", "open", "refused", "timeout", "unreachable"};

const char *tcp_status_name(enum tcp_status status)
{
	return tcp_names[status];
}

bool tcp_status_from_name(struct view name, enum tcp_status *ret)
{
	for (size_t i = 0; i < sizeof tcp_names / sizeof *tcp_names; i++) {
		if (view_eq(name, tcp_names[i])) {
			*ret = (enum tcp_status)i;
			return true;
		}
	}
	return false;
}

const char *neighbour_state_name(enum neighbour_state state)
{
	static const char *const names[] = {NULL, "INCOMPLETE", "REACHABLE", "STALE", "DELAY",
	    "PROBE", "FAILED", "NOARP", "PERMANENT", "NONE"};

	return names[state];
}
