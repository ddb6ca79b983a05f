/* What the harnesses of `oddhost parse` share: a kind on any bytes; its JSON must be JSON. */
#ifndef ODDHOST_TESTS_FUZZ_KIND_H
#define ODDHOST_TESTS_FUZZ_KIND_H

#include <stdlib.h>

#include "oddhost/cli/kinds.h"

static inline void fuzz_kind(const char *name, const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct diag_list diags = {.arena = arena};
	struct err err;
	struct kind_input in = {.text = {(const char *)data, size},
	    .source = "fuzz",
	    .arena = arena,
	    .diags = &diags,
	    .err = &err};
	struct json *shape = kind_named(name)->read(&in);
	struct buf out = {0};

	json_print(shape, false, &out);
	json_free(shape);
	struct json *again = json_parse(buf_view(&out), &err);
	if (again == NULL)
		abort();
	json_free(again);
	buf_free(&out);
	arena_free(arena);
}

#endif
