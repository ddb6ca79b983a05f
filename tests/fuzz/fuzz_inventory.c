/* INI, JSON and what stands on the other side of them: limits, connections, targets, --list. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "oddhost/base/buf.h"
#include "oddhost/inventory/connection.h"
#include "oddhost/inventory/hierarchy.h"
#include "oddhost/inventory/ini.h"
#include "oddhost/inventory/inventory.h"
#include "oddhost/inventory/json.h"
#include "oddhost/inventory/limit.h"
#include "oddhost/inventory/list.h"
#include "oddhost/inventory/targets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(struct inventory *inv, const char *limit)
{
	struct arena *arena = arena_new();
	struct inventory_host **hosts;
	struct targets targets;
	struct host_spec spec;
	struct ssh_options origins;
	struct buf out = {0};
	struct err err;
	size_t n;

	if (limit_select(inv, arena, limit, &hosts, &n, &err)) {
		const struct connection_options options = {.ssh_config = "none"};
		struct connections *connections = connection_begin(inv, arena, &options);
		for (size_t i = 0; i < n && i < 64; i++)
			connection_find(connections, hosts[i], &spec, &origins);
		connection_end(connections);
		targets_find(inv, arena, hosts, n < 64 ? n : 64, &targets);
		struct json *root = list_make(inv, hosts, n < 64 ? n : 64);
		json_print(root, false, &out);
		/* What is printed must be JSON: values are printed as they were read. */
		struct json *again = json_parse(buf_view(&out), &err);
		if (again == NULL)
			abort();
		json_free(again);
		json_free(root);
	}
	buf_free(&out);
	arena_free(arena);
}

/* "{" makes it JSON; a first line that begins with "limit " is a limit. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view text = {(const char *)data, size}, line, rest;
	struct inventory *inv;
	bool hostvars;
	char *limit = NULL;

	if (size > 65536)
		return 0;
	inv = inventory_new();
	inv->source = "input";
	inv->source_number = 1;
	rest = text;
	if (view_next_line(&rest, &line) && view_take(&line, "limit ") &&
	    view_find_char(line, '@') < 0 && view_find_char(line, '~') < 0) {
		limit = arena_dup_view(inv->arena, line);
		text = rest;
	}
	if (view_starts(text, "{"))
		inventory_json_read(inv, text, size % 2 == 0, &hostvars);
	else
		ini_read(inv, text);
	hierarchy_finish(inv);
	if (inv->n_hosts < 5000)
		use(inv, limit);
	inventory_free(inv);
	return 0;
}
