/* What docker and podman print (networks, containers, info), and daemon.json: any bytes. */
#include "kind.h"

#include "oddhost/parse/docker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view text = {(const char *)data, size};
	struct arena *arena = arena_new();
	struct diag_list diags = {.arena = arena};
	struct network_list networks = {.arena = arena};

	/* A second output about the same networks, whose names are in the command. */
	parse_docker_networks(text, "docker network ls", NULL, &networks, &diags);
	parse_docker_networks(
	    text, "docker inspect a b --format='{{json .IPAM.Config}}'", NULL, &networks, &diags);
	arena_free(arena);
	fuzz_kind("docker-networks", data, size);
	fuzz_kind("docker-ps", data, size);
	fuzz_kind("docker-info", data, size);
	fuzz_kind("docker-daemon", data, size);
	return 0;
}
