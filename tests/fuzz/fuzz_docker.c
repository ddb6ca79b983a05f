/* What docker prints (networks, containers, info), and daemon.json: any bytes; what is read is
 * printed as JSON again. */
#include <stdlib.h>

#include "oddhost/parse/docker.h"
#include "oddhost/report/shapes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print(struct json *shape)
{
	struct buf out = {0};
	struct err err;

	json_print(shape, false, &out);
	json_free(shape);
	struct json *again = json_parse(buf_view(&out), &err);
	if (again == NULL)
		abort();
	json_free(again);
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view text = {(const char *)data, size};
	struct arena *arena = arena_new();
	struct diag_list diags = {.arena = arena};
	struct network_list networks = {.arena = arena};
	struct container_list containers = {.arena = arena};
	struct docker_daemon daemon;
	struct docker_engine engine;

	parse_docker_networks(text, "docker network ls", NULL, &networks, &diags);
	parse_docker_networks(
	    text, "docker inspect a b --format='{{json .IPAM.Config}}'", NULL, &networks, &diags);
	parse_docker_ps(text, &containers, &diags);
	parse_docker_daemon(text, arena, &daemon, &diags);
	parse_docker_info(text, arena, &engine, &diags);
	print(shapes_engine(&engine));
	print(shapes_networks(networks.v, networks.n));
	print(shapes_containers(containers.v, containers.n));
	print(shapes_daemon(&daemon));
	arena_free(arena);
	return 0;
}
