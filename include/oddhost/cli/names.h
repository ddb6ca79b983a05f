/* Hosts that one thing is true of, for one message: their names are folded. */
#ifndef ODDHOST_CLI_NAMES_H
#define ODDHOST_CLI_NAMES_H

#include <stddef.h>

#include "oddhost/base/arena.h"

/* Zeroed but for the arena, which holds the array; the names must outlive it. */
struct names {
	struct arena *arena;
	const char **v;
	size_t n, cap;
};

void names_add(struct names *names, const char *name);

/* "host-[01-03]" */
const char *names_fold(const struct names *names);

/* "oddhost: host-[01-03]: WHAT" on stderr; nothing where there are none. */
void names_warn(const struct names *names, const char *what);

#endif
