/* The probes that speak in lines of our own. */
#include "oddhost/model/cloud.h"
#include "oddhost/parse/cloud.h"
#include "oddhost/parse/service.h"
#include "oddhost/parse/tcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view text = {(const char *)data, size};
	struct arena *arena = arena_new();
	struct diag_list diags = {.arena = arena};
	struct tcp_list tcps = {.arena = arena};

	struct peer_list peers = {.arena = arena};
	struct service service;
	struct cloud cloud;

	parse_tcp(text, &tcps, &diags);
	parse_cloud(text, arena, &cloud, &diags);
	cloud_text(arena, &cloud);
	parse_service(text, arena, &service, &diags);
	parse_mesh(text, &peers, &diags);
	arena_free(arena);
	return 0;
}
