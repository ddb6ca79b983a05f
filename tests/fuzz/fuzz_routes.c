/* Route tables, rules, addresses, getent and ip route get: any bytes; then a lookup in the result.
 */
#include "oddhost/parse/addresses.h"
#include "oddhost/parse/names.h"
#include "oddhost/parse/routes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ip dst = {IP_V4, {192, 168, 0, 166}};
	struct view text = {(const char *)data, size};
	struct arena *arena = arena_new();
	struct diag_list diags = {.arena = arena};
	struct route_table table = {.arena = arena};
	struct rule_list rules = {.arena = arena};
	struct address_list addresses = {.arena = arena};
	struct egress_list egresses = {.arena = arena};
	struct resolution resolution;

	parse_routes(text, IP_NONE, &table, &diags);
	parse_rules(text, &rules, &diags);
	parse_addresses(text, &addresses, &diags);
	parse_egress(text, &egresses, &diags);
	parse_getent(text, arena, &resolution, &diags);
	struct lookup found = route_lookup(&table, &rules, &dst);
	if (found.route != NULL)
		route_format(arena, found.route);
	for (size_t i = 0; i < table.n && i < 100; i++)
		route_format(arena, &table.v[i]);
	arena_free(arena);
	return 0;
}
