/* ping's output: any bytes, as stdout and as stderr. */
#include "oddhost/parse/ping.h"
#include "oddhost/report/shapes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view text = {(const char *)data, size}, half = view_left(text, size / 2);
	struct arena *arena = arena_new();
	struct diag_list diags = {.arena = arena};
	struct buf out = {0};
	struct ping ping;

	parse_ping(text, view_of(""), arena, &ping, &diags);
	struct json *shape = shapes_ping(&ping);
	json_print(shape, false, &out);
	json_free(shape);
	buf_free(&out);
	parse_ping(half, view_skip(text, half.n), arena, &ping, &diags);
	arena_free(arena);
	return 0;
}
