/* Route tables and rules of any family: any bytes; then lookups in the result, and its JSON. */
#include "kind.h"

#include "oddhost/parse/routes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_up(const struct route_table *table, const struct rule_list *rules, struct ip dst)
{
	struct lookup found = route_lookup(table, rules, &dst);

	if (found.route == NULL)
		return;
	size_t hops = route_hops(table, found.route);
	for (size_t i = 0; i < hops; i++)
		route_format(table->arena, &found.route[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view text = {(const char *)data, size};
	struct arena *arena = arena_new();
	struct diag_list diags = {.arena = arena};
	struct route_table table = {.arena = arena};
	struct rule_list rules = {.arena = arena};

	parse_routes(text, size % 2 == 0 ? IP_NONE : IP_V6, &table, &diags);
	parse_rules(text, &rules, &diags);
	look_up(&table, NULL, (struct ip){IP_V4, {192, 168, 0, 166}});
	look_up(&table, &rules, (struct ip){IP_V4, {10, 0, 0, 1}});
	look_up(&table, &rules, (struct ip){IP_V6, {0x20, 0x01, 0x0d, 0xb8}});
	for (size_t i = 0; i < table.n && i < 100; i++)
		route_format(arena, &table.v[i]);
	arena_free(arena);
	fuzz_kind("routes", data, size);
	fuzz_kind("rules", data, size);
	return 0;
}
