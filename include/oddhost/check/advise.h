/*
 * What to do on each host so that its containers stay clear of what the group needs: the
 * daemon.json with the group's pools merged into it, the networks to re-create and what stops
 * meanwhile, the commands in order, and commands that verify. Commands are lines for a POSIX shell
 * of root; names from hosts stand in them as quoted words. Nothing is run here.
 */
#ifndef ODDHOST_CHECK_ADVISE_H
#define ODDHOST_CHECK_ADVISE_H

#include "oddhost/check/group_pools.h"
#include "oddhost/check/needs.h"
#include "oddhost/check/subnets.h"

struct line_list {
	const char **v; /* one command each, perhaps of several lines; "# …" is a remark */
	size_t n, cap;
};

void line_add(struct arena *arena, struct line_list *list, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* A network that must get another subnet. */
struct advice_network {
	const char *name; /* its bridge where the name is not known */
	struct prefix subnet;
	const struct need *need;              /* that it is in the way of; NULL: of none */
	bool asked;                           /* its maker named the subnet */
	const struct docker_network *network; /* or NULL */
	struct line_list containers;          /* on it, running or not */
	struct prefix outlaw6, instead6;      /* an IPv6 subnet in the way, and a free one */
};

struct advice {
	bool no_docker;      /* so there is nothing to do */
	const char *unknown; /* why nothing can be said of this host; NULL: something can */
	const char
	    *daemon_json; /* merged, other members untouched, in their order; NULL: unknown */
	bool changes;     /* daemon.json is not so yet */
	bool restart;     /* docker does not use it yet */
	struct advice_network *recreate;
	size_t n_recreate, cap_recreate;
	struct line_list remarks; /* what no command does */
	/* One script: a subshell, which ends at the first command that fails. */
	struct line_list commands;
	struct line_list verify;
};

/*
 * Networks are re-created where they are in the way of a need, or where their subnet came from
 * pools that are not the group's. docker0 gets a bip where it is in the way itself.
 */
void advise_host(struct check *check, size_t host, struct advice *ret);

#endif
