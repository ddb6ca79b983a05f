/*
 * The conditions of a Match line (ssh_config(5)): all, host, originalhost, user, localuser, final
 * and canonical. exec is never run: a line with it, or with a condition of a later ssh than 9.2
 * (tagged, localnetwork, sessiontype, command, version), does not hold, also where it is negated.
 */
#ifndef ODDHOST_INVENTORY_SSH_MATCH_H
#define ODDHOST_INVENTORY_SSH_MATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "oddhost/base/arena.h"
#include "oddhost/base/err.h"
#include "oddhost/base/view.h"

struct ssh_condition;

struct ssh_match {
	struct ssh_condition *conditions;
	size_t n;
	bool final;             /* it asks for the final pass */
	const char *unanswered; /* a condition that is not evaluated, as written; or NULL */
};

struct ssh_match_facts {
	struct view host, original, user, local_user;
	bool final; /* this is the final pass */
};

/* Strings go to the arena. Fails where ssh would refuse the line, with what was expected. */
bool ssh_match_read(struct arena *arena, struct view text, struct ssh_match *ret, struct err *err);

bool ssh_match_holds(const struct ssh_match *match, const struct ssh_match_facts *facts);

#endif
