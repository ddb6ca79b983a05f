/*
 * The rules, one file each. A rule reads the prepared check and adds its findings; it never looks
 * at another rule's findings. What rules share is sight->shadow, sight->misnamed and
 * sight->misrouted, which rule_target_shadowed, rule_dns_differs and rule_target_unreachable set
 * and which therefore run before the rules that read them.
 */
#ifndef ODDHOST_CHECK_RULES_H
#define ODDHOST_CHECK_RULES_H

#include "oddhost/check/check.h"

/*
 * The winning route for a target's address is on-link through a container or other virtual bridge,
 * though peers route it by a gateway, or though nothing answers; or the address is the bridge's
 * own. Critical where the ping fails, else high; certain where the kernel's own answer, the route
 * table and the ping agree. Less is said of an interface that nothing tells the owner of (high at
 * most, never certain), and of a host that is answered, which may be meant to serve it (medium).
 */
void rule_target_shadowed(struct check *check);

/*
 * A container subnet overlaps a reserved prefix, or holds an address that peers use for a target;
 * also one that only containers have a route to (docker's macvlan, ipvlan, overlay).
 */
void rule_reserved_overlap(struct check *check);

/*
 * A container subnet overlaps a network that the host or its peers are directly in or reach by a
 * gateway, a nameserver, or the address that it was examined from. High where packets for such an
 * address go astray today, medium where only the peers have such a route, low where another route
 * wins or nobody is known to be there.
 */
void rule_lan_overlap(struct check *check);

/* Weaker, where nothing is reserved: the same RFC 1918 block as a target or the host's own LAN. */
void rule_shared_private_block(struct check *check);

/*
 * The target does not answer, and no shadow explains it. A route that drops the packets, or that is
 * missing, or leads another way than that of hosts that are answered, is named, with all the
 * targets that it costs. Where the packets leave as theirs do, what remains is named in the order
 * in which it is cheap to ask: the tunnel or the neighbour, the host's own firewall, the cloud.
 */
void rule_target_unreachable(struct check *check);

/*
 * The forecast: one of the next subnets that docker hands out cuts off something that the group
 * needs. Medium where the next few deploys reach it and nothing but docker's place in its pools had
 * to be assumed, low where more had; info where it is farther away. Not where a subnet of the host
 * is in the way already.
 */
void rule_next_subnet_collides(struct check *check);

/* Pools are declared, but docker was not restarted, or networks not re-created, since. Low. */
void rule_stale_networks(struct check *check);

/* Docker's pools differ within the group: low where only some of them are clear of what the group
 * needs, else info. */
void rule_pools_differ(struct check *check);

/*
 * Some of the packets are lost, beside hosts that lose none: medium from half of them on, else low.
 * Or they take far longer than the group's median (by median absolute deviations): low.
 */
void rule_ping_outlier(struct check *check);

/*
 * A route that leads to a real network is there, or missing, against two thirds of the group; info
 * where the same is so on more than a tenth of the hosts, which may be a role of theirs, and where
 * a host has no IPv6 at all. One finding for all such routes of the same hosts. Not where
 * rule_target_unreachable has named it as the cause.
 */
void rule_route_outlier(struct check *check);

/*
 * A target resolves differently on some hosts, or not at all; IPv4 and IPv6 addresses apart. Where
 * some of the addresses answer and others do not, those who use the others are named, even if they
 * are most. Not where a name has many addresses, of which each host gets others.
 */
void rule_dns_differs(struct check *check);

/* What must answer on the host itself (oddhost_local) does not. */
void rule_service_down(struct check *check);

/* A host gets no answer from a peer (oddhost_mesh) that answers more hosts than it leaves without.
 */
void rule_peer_unreachable(struct check *check);

/* Restarting, dead or unhealthy, as docker says. */
void rule_container_unhealthy(struct check *check);

/*
 * The docker client is there and gets no answer from its daemon: high where most others run
 * containers, medium where theirs run, low where none does.
 */
void rule_docker_down(struct check *check);

/*
 * A target's address has no entry in common with the baseline's: info, and medium where a host does
 * not reach the new one.
 */
void rule_dns_changed(struct check *check);

/*
 * A target's address is FAILED or INCOMPLETE on a bridge of the host's own, and no shadow explains
 * it (there the line is evidence).
 */
void rule_neighbour_failed(struct check *check);

/*
 * The kernel's own answer is not what the route table says, though both are known whole. Where the
 * target does not answer it is the finding, and no other rule explains the host: critical where one
 * of the two keeps the packets on the host, else high. Low where nothing fails.
 */
void rule_path_contradiction(struct check *check);

/* The host did not let us in: its typed status, and what may lie behind it. */
void rule_host_unreachable(struct check *check);

#endif
