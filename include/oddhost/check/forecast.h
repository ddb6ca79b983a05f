/*
 * The subnets that docker will hand out next on a host, and when one of them cuts off something
 * that the group needs. The rules are net/pools.h's; what they start from is only seen from
 * outside: networks, routes and nameservers, and of the cursor that 18.06 to 26.1 keep in memory
 * no more than the networks that are left. So a forecast always says what it assumes.
 */
#ifndef ODDHOST_CHECK_FORECAST_H
#define ODDHOST_CHECK_FORECAST_H

#include "oddhost/check/needs.h"

#define FORECAST_SHOWN 20
#define FORECAST_FAR 1000 /* creations that are looked at for a collision */

struct forecast {
	bool possible;      /* false: `assumption` says why nothing can be said */
	const char *engine; /* its version, or NULL */
	enum pools_model model;
	const char *assumption;
	bool known; /* engine, pools, routes and nameservers are, and networks show the place */
	bool firm;  /* and that place is no matter: it is known what comes next, not assumed */

	/* Networks created in a row, none removed; fewer than FORECAST_SHOWN where the pools end.
	 */
	struct prefix next[FORECAST_SHOWN];
	size_t n;

	/* The first that overlaps a need of the group: it is creation number `creations`; 0: none.
	 */
	size_t creations;
	struct prefix subnet;
	const struct need *with;

	size_t networks; /* that have a subnet of docker's choice */
	const struct prefix
	    *newest;          /* the subnet that docker goes on behind; NULL: from the start */
	struct source source; /* where that stands, or else the engine's word */
};

/* Where the cursor rotates, what collides somewhere may in the worst case be the very next one. */
void forecast_host(struct check *check, size_t host, struct forecast *ret);

#endif
