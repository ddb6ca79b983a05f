/* Any bytes as a known_hosts file, and as the host and key that are looked up in it. */
#include <stdint.h>
#include <string.h>

#include "oddhost/collect/known_hosts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view text = {(const char *)data, size};
	struct arena *arena = arena_new();
	struct diag_list diags = {.arena = arena};
	struct known_hosts *known_hosts = known_hosts_new();
	struct view line = text, name = view_of("host-01");

	known_hosts_add(known_hosts, text, &diags);
	view_next_word(&line, &name);
	const char *host = arena_dup_view(arena, view_left(name, 600));
	struct known_keys keys = known_hosts_find(known_hosts, host, 22, arena);
	known_keys_check(&keys, view_of("key"));
	keys = known_hosts_find(known_hosts, "host-01", 2222, arena);
	known_keys_check(&keys, text);
	known_keys_have_type(&keys, text);
	known_hosts_free(known_hosts);
	arena_free(arena);
	return 0;
}
