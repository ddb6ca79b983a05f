/*
 * Limits and node sets against an inventory, and the folding of names. What was selected, folded
 * and read as a limit again, selects the same; what was folded and expanded has as many names.
 */
#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "oddhost/base/table.h"
#include "oddhost/base/text.h"
#include "oddhost/inventory/hierarchy.h"
#include "oddhost/inventory/ini.h"
#include "oddhost/inventory/limit.h"
#include "oddhost/inventory/nodeset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char sample[] = "n1\nn2\nn3\nn08\nn09\nn10\n10.0.0.[1:9]\nfe80::1\nx1.y2\n"
			     "[web]\nhost-[01:12]\ndc[1:3]n[1:4]\n[db]\nhost-03\nlone\n"
			     "[site:children]\nweb\ndb\n";

static void check_again(struct inventory *inv, struct inventory_host **hosts, size_t n)
{
	struct arena *arena = arena_new();
	const char **names = arena_alloc(arena, n * sizeof *names);
	struct inventory_host **again;
	size_t n_again;
	struct err err;

	for (size_t i = 0; i < n; i++)
		names[i] = hosts[i]->name;
	if (!limit_select(inv, arena, text_fold(arena, names, n, 0), &again, &n_again, &err) ||
	    n_again != n || memcmp(again, hosts, n * sizeof *hosts) != 0)
		abort();
	arena_free(arena);
}

static void select_hosts(struct view text)
{
	struct inventory *inv = inventory_new();
	const char *limit = arena_dup_view(inv->arena, text);
	struct inventory_host **hosts;
	struct err err;
	size_t n;

	inv->source = "input";
	ini_read(inv, view_of(sample));
	hierarchy_finish(inv);
	if (limit_select(inv, inv->arena, limit, &hosts, &n, &err))
		check_again(inv, hosts, n);
	inventory_free(inv);
}

static bool count(void *arg, struct view name)
{
	*(size_t *)arg += name.n > 0;
	return true;
}

static size_t count_expanded(struct view folded)
{
	size_t n = 0, i = 0;
	struct err err;

	for (size_t begin = 0; i <= folded.n; i++) {
		if (i < folded.n && folded.p[i] == '[')
			i += nodeset_brackets(view_skip(folded, i)) - 1;
		if (i < folded.n && folded.p[i] != ',')
			continue;
		if (!nodeset_expand(
			view_left(view_skip(folded, begin), i - begin), count, &n, &err))
			abort();
		begin = i + 1;
	}
	return n;
}

static bool is_name(struct view text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (!isalnum((unsigned char)text.p[i]) && text.p[i] != '-' && text.p[i] != '.')
			return false;
	}
	return text.n > 0;
}

static void fold(struct view text)
{
	struct arena *arena = arena_new();
	struct table unique = {0};
	const char **names = NULL;
	size_t n = 0, cap = 0;
	struct view line;

	while (view_next_line(&text, &line)) {
		if (!is_name(line))
			continue;
		names = arena_grow(arena, names, n, &cap, sizeof *names);
		names[n] = arena_dup_view(arena, line);
		table_add(&unique, view_of(names[n]), arena);
		n++;
	}
	if (n > 0 && count_expanded(view_of(text_fold(arena, names, n, 0))) != unique.n)
		abort();
	text_fold(arena, names, n, 2);
	table_free(&unique);
	arena_free(arena);
}

/* A first byte that is a line break makes it names. Files and regular expressions are left out. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view text = {(const char *)data, size};

	if (size > 4096)
		return 0;
	if (view_take(&text, "\n"))
		fold(text);
	else if (view_find_char(text, '~') < 0 && view_find(text, "@/") < 0 &&
		 view_find(text, "..") < 0)
		select_hosts(text);
	return 0;
}
