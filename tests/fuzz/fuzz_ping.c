/* What ping and fping print: any bytes, as stdout alone, and as stdout and stderr. */
#include "kind.h"

#include "oddhost/parse/ping.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view text = {(const char *)data, size}, half = view_left(text, size / 2);
	struct arena *arena = arena_new();
	struct diag_list diags = {.arena = arena};
	struct ping ping;

	parse_ping(half, view_skip(text, half.n), arena, &ping, &diags);
	arena_free(arena);
	fuzz_kind("ping", data, size);
	return 0;
}
