/* The probes that speak in lines of our own. */
#include "oddhost/parse/tcp.h"

#include "oddhost/base/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view text = {(const char *)data, size};
	struct arena *arena = arena_new();
	struct diag_list diags = {.arena = arena};
	struct tcp_list tcps = {.arena = arena};

	parse_tcp(text, &tcps, &diags);
	arena_free(arena);
	return 0;
}
