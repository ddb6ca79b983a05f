/*
 * The typed model of one host: what its raw outputs mean. Parsers fill it, checks read it. Each
 * part has `known`: false says that the output was missing or not understood, and then its absence
 * proves nothing. All memory is in the host record's arena. A `source` points at the line of raw
 * output a thing was read from.
 */
#ifndef ODDHOST_MODEL_HOST_H
#define ODDHOST_MODEL_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "oddhost/model/run.h"
#include "oddhost/net/pools.h"
#include "oddhost/net/prefix.h"
#include "oddhost/net/route.h"

struct source {
	const struct probe_result *probe; /* NULL: none */
	unsigned line;                    /* from 1 in probe->out; 0: the output as a whole */
};

struct address { /* `ip -o addr` */
	const char *dev;
	struct ip ip;
	uint8_t len;
	unsigned line;
};

struct docker_network {
	const char *id; /* as printed: 12 or 64 hex digits */
	const char *name;
	const char *driver; /* "bridge", "host", "null", "overlay" … */
	const char *scope;  /* or NULL */
	const char
	    *bridge; /* its interface: from the option, docker0, or "br-" and 12 digits; or NULL */
	const char *project; /* compose project, or NULL */
	const char *compose; /* version of the compose that made it, or NULL */
	int64_t created_ns;  /* nanoseconds since 1970; 0: not known */
	bool internal;
	bool inspected; /* subnets and containers are known, also where there are none */
	struct prefix *subnets;
	unsigned *subnet_lines; /* where each stands in the inspect output */
	bool *asked; /* whoever made the network named it, not docker: as far as it shows */
	size_t n_subnets, cap_subnets;
	const char **containers; /* names of those attached */
	size_t n_containers, cap_containers;
	struct source listed; /* its line in `docker network ls`, if it was seen there */
	struct source detail; /* its object in `docker network inspect`, if it was seen there */
};

enum container_state {
	CONTAINER_UNKNOWN,
	CONTAINER_CREATED,
	CONTAINER_RUNNING,
	CONTAINER_PAUSED,
	CONTAINER_RESTARTING,
	CONTAINER_EXITED,
	CONTAINER_DEAD,
	CONTAINER_REMOVING,
	CONTAINER_STOPPING, /* podman's */
};

enum container_health { HEALTH_NONE, HEALTH_STARTING, HEALTH_HEALTHY, HEALTH_UNHEALTHY };

struct container { /* `docker ps -a` */
	const char *id, *image, *name;
	const char *status; /* "Up 4 months (healthy)" */
	enum container_state state;
	enum container_health health;
	const char *networks; /* comma separated, or NULL where not printed */
	const char *project;  /* compose project, or NULL */
	unsigned line;
};

struct docker_daemon { /* /etc/docker/daemon.json */
	bool known;    /* the file was read, or is known not to exist */
	bool present;  /* it exists */
	bool valid;    /* it is JSON, with pools and bip as dockerd takes them */
	struct docker_pool *pools;
	size_t n_pools, cap_pools;
	const char *bip; /* or NULL */
	struct source source;
};

struct docker_engine {       /* `docker info`, and dockerd's pid file */
	bool known;          /* the engine said its version */
	bool podman;         /* podman in docker's place: no daemon, other pools */
	const char *version; /* "20.10.24"; never NULL where known */
	bool pools_known;    /* it said which pools it was given (20.10 on); none: its own */
	struct docker_pool *pools;
	size_t n_pools, cap_pools;
	int live_restore;     /* 1, 0; -1: not known */
	int64_t started_ns;   /* when this dockerd started, as created_ns; 0: not known */
	struct source source; /* where it says its version, and perhaps its pools */
};

struct nameserver { /* resolv.conf */
	struct ip ip;
	unsigned line;
};

enum neighbour_state {     /* of the kernel's table, include/uapi/linux/neighbour.h */
	NEIGHBOUR_UNKNOWN, /* arp(8) does not say */
	NEIGHBOUR_INCOMPLETE,
	NEIGHBOUR_REACHABLE,
	NEIGHBOUR_STALE,
	NEIGHBOUR_DELAY,
	NEIGHBOUR_PROBE,
	NEIGHBOUR_FAILED,
	NEIGHBOUR_NOARP,
	NEIGHBOUR_PERMANENT,
	NEIGHBOUR_NONE,
};

struct neighbour { /* `ip neigh` */
	struct ip ip;
	const char *dev;
	const char *lladdr; /* NULL: not known to the host */
	enum neighbour_state state;
	unsigned line;
};

struct sysctls { /* -1: not said */
	bool known;
	int ip_forward;                       /* net.ipv4.ip_forward */
	int rp_filter_all, rp_filter_default; /* net.ipv4.conf.{all,default}.rp_filter */
	struct source source;
};

struct resolution {           /* getent, or the address that ping printed for a name */
	const char *target;   /* struct target's text */
	bool failed;          /* the name does not resolve there */
	struct ip *addresses; /* sorted, each once */
	size_t n, cap;
	struct source source;
};

enum ping_status {
	PING_UNKNOWN,      /* nothing that could be understood */
	PING_OK,           /* replies, none lost */
	PING_LOSS,         /* some replies, some lost */
	PING_SILENT,       /* sent, nothing came back: ICMP may be filtered, proves nothing alone */
	PING_UNREACHABLE,  /* errors came back instead of replies */
	PING_UNKNOWN_HOST, /* the name does not resolve */
	PING_NO_ROUTE,     /* connect: Network is unreachable */
	PING_NO_PERMISSION,
	PING_REFUSED, /* sendmsg: Operation not permitted: a firewall of the host itself */
};

struct ping_reply {
	struct ip from;
	long seq;  /* -1 where not printed */
	int ttl;   /* -1 */
	double ms; /* -1 */
	bool duplicate;
	unsigned line;
};

struct ping_error {
	struct ip from;   /* IP_NONE where the host itself complains */
	long seq;         /* -1 */
	const char *kind; /* "Destination Host Unreachable", as printed */
	unsigned line;
};

struct ping {
	const char *target;                         /* as ping printed it */
	struct ip address;                          /* IP_NONE: not resolved */
	long transmitted, received, duplicates;     /* -1: the statistics were cut off */
	double loss_percent;                        /* -1 */
	double rtt_min, rtt_avg, rtt_max, rtt_mdev; /* milliseconds, -1 */
	struct ping_reply *replies;
	size_t n_replies, cap_replies;
	struct ping_error *errors;
	size_t n_errors, cap_errors;
	enum ping_status status;
	struct source source; /* line: the "PING …" header */
};

enum tcp_status {
	TCP_UNKNOWN, /* no tool on the host could tell */
	TCP_OPEN,
	TCP_REFUSED,     /* something answered for the address, and has no such service */
	TCP_TIMEOUT,     /* nothing came back */
	TCP_UNREACHABLE, /* an error came back, or the kernel has no way */
};

struct tcp {                /* one attempt to connect to an address of a target's */
	const char *target; /* struct target's text */
	struct ip address;  /* IP_NONE: the tool resolved the name itself */
	uint16_t port;
	enum tcp_status status;
	struct source source;
};

struct egress {             /* one line of `ip route get`, the kernel's own word */
	const char *target; /* struct target's text */
	struct ip address;
	struct ip gateway; /* IP_NONE: on-link */
	const char *dev;   /* NULL where the kernel refuses; "lo" for an address of its own */
	struct ip src;
	enum route_type type; /* ROUTE_LOCAL: an address of the host's own */
	const char *refused;  /* "Network is unreachable" …; NULL where a route was found */
	struct source source;
};

enum service_state {
	SERVICE_UNKNOWN,
	SERVICE_UP,   /* connected, or an HTTP answer below 500 */
	SERVICE_DOWN, /* refused, no answer in time, or an HTTP answer from 500 on */
};

struct service {          /* what must answer on the host itself (oddhost_local) */
	const char *name; /* "8080", "http://127.0.0.1:8080/health" */
	enum service_state state;
	struct source source;
};

struct peer { /* another host of the group, pinged (oddhost_mesh) */
	const char *name;
	struct ping ping;
};

struct cloud_prefix {
	struct prefix prefix;
	bool vpc; /* of the whole network, else of the host's subnet in it */
	unsigned line;
};

/* What the metadata service of the host's cloud says. NULL: not said. */
struct cloud {
	bool known;           /* whether it is on one of the known clouds */
	const char *provider; /* "aws"; NULL: none of them */
	const char *instance, *type, *region, *zone, *vpc, *subnet;
	struct cloud_prefix *prefixes;
	size_t n_prefixes, cap_prefixes;
	const struct probe_result *source;
};

struct host {
	const struct host_record *record;
	struct arena *arena; /* the record's */

	bool routes_known; /* IPv4 routes; routes.partial says whether lines are missing */
	bool routes6_known;
	struct route_table
	    routes; /* both families; route.line is in routes_source or routes6_source */
	const struct probe_result *routes_source, *routes6_source;
	struct rule_list rules; /* IPv4 */
	struct rule_list rules6;
	const struct probe_result *rules_source, *rules6_source;

	bool addresses_known;
	struct address *addresses;
	size_t n_addresses, cap_addresses;
	const struct probe_result *addresses_source;

	bool networks_known; /* docker network ls or inspect was read */
	struct docker_network *networks;
	size_t n_networks, cap_networks;
	const struct docker_network **by_bridge; /* those with one, each once; sorted by it */
	size_t n_by_bridge;

	bool containers_known;
	struct container *containers;
	size_t n_containers, cap_containers;
	const struct probe_result *containers_source;

	struct docker_daemon daemon;
	struct docker_engine engine;

	/* Where only the stub of systemd-resolved is named and its own servers could not be read,
	 * the stub is listed and the servers are not known. */
	bool nameservers_known;
	struct nameserver *nameservers; /* in the order of preference */
	size_t n_nameservers, cap_nameservers;
	const char **search; /* domains */
	size_t n_search, cap_search;
	const struct probe_result *nameservers_source;

	bool neighbours_known;
	struct neighbour *neighbours;
	size_t n_neighbours, cap_neighbours;
	const struct probe_result *neighbours_source;

	struct sysctls sysctls;

	struct resolution *resolutions; /* at most one a target */
	size_t n_resolutions, cap_resolutions;
	struct ping *pings;        /* at most one a target */
	const char **ping_targets; /* beside pings[]: struct target's text */
	size_t n_pings, cap_pings, cap_ping_targets;
	struct tcp *tcps; /* a few a target with a port: one an address */
	size_t n_tcps, cap_tcps;
	struct service *services; /* each asked once */
	size_t n_services, cap_services;
	struct peer *peers;
	size_t n_peers, cap_peers;
	struct egress *egresses; /* one a target and address */
	size_t n_egresses, cap_egresses;

	const char *kernel;   /* "Linux 6.1.0-18-amd64 x86_64", or NULL */
	const char *os;       /* PRETTY_NAME of os-release, or NULL */
	const char *uptime;   /* as printed, or NULL */
	const char *upgraded; /* the day of the last package upgrade, "2026-10-01", or NULL */
	bool clock_known;     /* its clock could be held against ours */
	int64_t clock_off_s;  /* how far it is from ours, seconds; 0: within what can be told */

	struct cloud cloud;

	struct diag_list diags; /* lines that no parser understood; source is the probe's name */
};

/* Once the networks are all there: what host_network_of_dev() looks into. */
void host_index_networks(struct host *host);

/* Lookups by name; NULL where there is none. */
const struct docker_network *host_network_of_dev(const struct host *host, const char *dev);
const struct resolution *host_resolution(const struct host *host, const char *target);
const struct ping *host_ping(const struct host *host, const char *target);

/*
 * The attempt that decides whether the host reaches the target's port: the best of its addresses
 * (open, else refused, timeout, unreachable); NULL where none is known.
 */
const struct tcp *host_tcp(const struct host *host, const char *target);

/* Is `ip` one of the host's own addresses? False also where they are not known. */
bool host_owns(const struct host *host, const struct ip *ip);

/* The interface that holds this address of the host's own; NULL where that is not known. */
const char *host_dev_of_own(const struct host *host, const struct ip *ip);

/* The entry of the neighbour table that says the address was looked for in vain (FAILED,
 * INCOMPLETE); NULL: none, or not known. */
const struct neighbour *host_neighbour_failed(const struct host *host, const struct ip *ip);

/*
 * Does the interface's name say that it belongs to containers, virtual machines or a VPN, so that
 * its subnet was chosen by software on this host? Returns what made it ("docker", "podman",
 * "libvirt", "lxd", "cni", "vpn", …), or NULL for an interface that may lead to the real network.
 * The names are those programs' documented defaults.
 */
const char *host_virtual_owner(const struct host *host, const char *dev);

/* Did anything come back from the address itself? */
static inline bool ping_answered(const struct ping *ping)
{
	return ping->status == PING_OK || ping->status == PING_LOSS;
}

const char *ping_status_name(enum ping_status status);
const char *tcp_status_name(enum tcp_status status);
bool tcp_status_from_name(struct view name, enum tcp_status *ret);

/* "FAILED", as ip(8) prints it; NULL for NEIGHBOUR_UNKNOWN. */
const char *neighbour_state_name(enum neighbour_state state);

#endif
