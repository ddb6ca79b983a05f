#include "oddhost/cli/names.h"

#include "oddhost/base/text.h"
#include "oddhost/cli/cli.h"

#define SHOWN 20 /* ranges and single names */

void names_add(struct names *names, const char *name)
{
	names->v = arena_grow(names->arena, names->v, names->n, &names->cap, sizeof *names->v);
	names->v[names->n++] = name;
}

const char *names_fold(const struct names *names)
{
	return text_fold(names->arena, names->v, names->n, SHOWN);
}

void names_warn(const struct names *names, const char *what)
{
	if (names->n > 0)
		cli_warn("%s: %s", names_fold(names), what);
}
