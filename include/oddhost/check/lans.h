/*
 * The real networks of a group, as the hosts' own outputs show them: the addresses of the hosts and
 * the networks that they are in, the networks that they reach by a gateway, and the nameservers
 * that stand outside of the hosts. Sorted, so that many subnets can be held against many hosts.
 */
#ifndef ODDHOST_CHECK_LANS_H
#define ODDHOST_CHECK_LANS_H

#include "oddhost/check/check.h"
#include "oddhost/net/prefix_set.h"

/* An address that a host of the group has on a real interface; or a nameserver that it asks there.
 */
struct member {
	struct ip ip;
	size_t host;
};

struct member_list {
	struct member *v; /* by address, then host */
	size_t n, cap;
};

/* A network that hosts reach by a gateway which is none of them. */
struct routed {
	struct prefix prefix;
	struct ip gateway; /* of the first */
	size_t host;       /* the first of them */
	size_t hosts;      /* how many */
};

struct lans {
	struct member_list members, nameservers;
	struct prefix_set networks; /* that hosts are directly in */
	struct routed *routed;      /* by prefix, each once */
	size_t n_routed, cap_routed;
	size_t hosts; /* whose routes are known */
};

#define LANS_NAMESERVERS 16 /* of one host: resolv.conf(5) has three, resolvectl(1) some more */

struct lans lans_of(struct check *check);

/* On-link through an interface that may lead to the real network. */
bool lans_is_lan(const struct host *host, const struct route *route);

/* By a gateway on such an interface or a VPN's; not a default route, nor one shorter than /8. */
bool lans_is_routed(const struct host *host, const struct route *route);

/* The first of the list that is not below the address; list->n: none. */
size_t lans_find(const struct member_list *list, const struct ip *ip);

/* The first routed network that is not sorted before the prefix; those within it follow. */
size_t lans_find_routed(const struct lans *lans, const struct prefix *prefix);

#endif
