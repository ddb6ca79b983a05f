/*
 * Why a host misses a target, as far as its own view and that of the hosts that are answered say.
 * Reads the prepared check and what the earlier rules marked, adds no findings.
 */
#ifndef ODDHOST_CHECK_CAUSES_H
#define ODDHOST_CHECK_CAUSES_H

#include "oddhost/check/ways.h"

/* What tells more comes first. */
enum symptom {
	SYMPTOM_NONE,    /* nothing fails, or another rule explains it */
	SYMPTOM_NO_WAY,  /* the route table has none */
	SYMPTOM_DROPPED, /* a route drops the packets: blackhole, unreachable, prohibit */
	SYMPTOM_REFUSED, /* a firewall of the host itself */
	SYMPTOM_SERVICE, /* the port is refused, by whomever */

	/* Nothing on the host explains these: the way is looked at, too. */
	SYMPTOM_UNHEARD,  /* nobody in the host's own network answers for the address */
	SYMPTOM_FILTERED, /* connecting to the port is not answered, whatever ping says */
	SYMPTOM_ERRORS,
	SYMPTOM_SILENCE,
	SYMPTOMS
};

struct cause {
	enum symptom symptom;
	enum way way;            /* where it matters; else WAY_ALIKE */
	const struct path *path; /* whose route, or lack of one, it is; NULL: not a route */
};

/* The causes for all hosts, in their order, in the check's arena. Where nobody is answered the
 * symptoms from SYMPTOM_UNHEARD on are one: the strongest. */
struct cause *causes_of(const struct check *check, const struct answered *answered);

#endif
