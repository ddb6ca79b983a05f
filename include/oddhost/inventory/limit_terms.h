/*
 * A limit cut into terms; nothing is looked up here but whether a text is the name of a host, of a
 * group or of a file.
 */
#ifndef ODDHOST_INVENTORY_LIMIT_TERMS_H
#define ODDHOST_INVENTORY_LIMIT_TERMS_H

#include "oddhost/base/err.h"
#include "oddhost/inventory/inventory.h"

struct limit_term {
	char how;         /* ',' adds, '&' intersects, '!' excludes, '^' is for what one side has */
	struct view text; /* without the operator */
};

struct limit_terms {
	struct limit_term *v;
	size_t n, cap;
	bool in_order; /* an operator stands between terms: they are evaluated left to right */
};

/* All memory is the arena's. Fails where an operator has no term and where a file is missing. */
bool limit_terms_read(struct inventory *inventory, struct arena *arena, struct view limit,
    struct limit_terms *ret, struct err *err);

#endif
