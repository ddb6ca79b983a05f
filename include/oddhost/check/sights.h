/*
 * How each host sees each target: its attempts at the addresses that it knows, and the paths to
 * them; and of each address how the hosts get on with it. Made once for a check, in its arena.
 */
#ifndef ODDHOST_CHECK_SIGHTS_H
#define ODDHOST_CHECK_SIGHTS_H

#include <stdbool.h>
#include <stddef.h>

#include "oddhost/check/path.h"

struct check;

enum reach {
	REACH_UNKNOWN, /* not tried, or not understood */
	REACH_OK,      /* something answered, and it was not the host itself */
	REACH_SILENT,  /* nothing came back: may be a filter */
	REACH_FAILED,  /* errors came back, the name does not resolve, the host drops it, or the
			  target's port cannot be connected to */
};

static inline bool reach_fails(enum reach reach)
{
	return reach == REACH_SILENT || reach == REACH_FAILED;
}

/* What is known of one address of a target: the attempts at it, and how they went. */
struct trial {
	const struct tcp *tcp;
	const struct ping *ping; /* NULL: none, or not known to be at this address */
	enum reach reach;
};

/* One host's view of one target: of a name with several addresses, of the one that fails here and
 * answers others, if there is one. */
struct sight {
	const struct resolution *resolution; /* NULL: not known */
	const struct ping *ping;             /* NULL: not tried */
	const struct tcp *tcp; /* the port's word, above the ping's; NULL: not known */
	struct path *paths;    /* one an address */
	struct trial *trials;  /* beside paths[] */
	size_t n_paths;
	enum reach reach;
	const struct path *tried;  /* the path that tcp or else ping took; NULL: not known */
	const struct path *shadow; /* the path that leads into a virtual bridge instead, or NULL */
	bool misrouted; /* rule_target_unreachable holds a route of the host against it, or one that
			   it lacks */
	bool misnamed;  /* it knows the target by an address at which, unlike at another, nobody is
			   answered */
};

/* An address by which some host knows a target, and how the hosts get on with it. */
struct sought {
	size_t target;
	struct ip address;
	size_t first_peer;       /* whose packets leave by a real interface; check->n: none */
	bool answers_by_gateway; /* a host that sends to a gateway is answered */
	bool answers_on_link;    /* a host with a real network of its own to it is answered */
	bool answers_inside;     /* a host that looks for it on a bridge of its own is answered */

	/* Of the hosts whose packets leave by a real interface and that no shadow was found on,
	 * once check_peers() was asked for them. */
	const char *peers; /* their names, folded; NULL: not asked for yet */
	size_t n_peers;
	bool peers_answered; /* all of them are */
	struct ip gateway;   /* of all of them; IP_NONE where they differ or are on-link */
};

/* The sights of all hosts, and what is sought; nothing is marked yet. */
void sights_make(struct check *check);

const struct sight *check_sight(const struct check *check, size_t host, size_t target);

/* What is known of that one of the sight's paths. */
const struct trial *sight_trial(const struct sight *sight, const struct path *path);

/* Does the target answer at another address than this path's? */
bool sight_answers_beside(const struct sight *sight, const struct path *path);

/* A path's entry among the sought. */
const struct sought *check_sought(const struct check *check, size_t target, const struct ip *ip);

/* The host's path to that address of the target, or NULL. */
const struct path *check_path(
    const struct check *check, size_t host, size_t target, const struct ip *ip);

/* As check_sought(), with the peers filled in. */
const struct sought *check_peers(struct check *check, size_t target, const struct ip *ip);

/* " host-[01-03] send it to gateway 10.1.0.1 and get answers.", once check_peers() was asked; ""
 * where there are none. */
const char *check_peers_text(struct check *check, const struct sought *sought);

/* Is this subnet the one that shadows a target on that host, or may it be, where a target fails
 * whose path is contradicted? Then it is reported as the cause. */
bool check_shadowed(const struct check *check, size_t host, const struct prefix *prefix);

#endif
