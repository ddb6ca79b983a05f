/* ssh's configuration and arguments: reading, and the way to a few hosts with their jump hosts. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "oddhost/base/text.h"
#include "oddhost/inventory/reach.h"
#include "oddhost/inventory/ssh_args.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(void *arg, char letter, struct view value)
{
	*(size_t *)arg += (unsigned char)letter + value.n;
}

static void ask(struct inventory *inv, const struct ssh_local *local, struct ssh_config *config)
{
	static const char *const names[] = {"web-1", "h", "10.0.0.5", "2001:DB8::1", "a"};
	const struct ssh_options none = {0};
	struct reach *reach = reach_new(inv, inv->arena, local, NULL, &none);

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct ssh_options options = {0};
		struct host_spec spec = {.name = names[i]};
		reach_find(reach, config, names[i], &options, &spec);
		/* What is printed as JSON must be UTF-8. */
		if (!text_is_utf8(view_of(spec.address)) || spec.address[0] == '\0')
			abort();
		for (size_t k = 0; k < spec.n_jumps; k++) {
			if (spec.jumps[k].address[0] == '\0' || spec.jumps[k].n_jumps != 0)
				abort();
		}
	}
	reach_free(reach);
}

/* Include is not followed: it would read the files of whoever fuzzes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ssh_local local = {.user = "me", .home = "/home/me", .host = "here"};
	struct view text = {(const char *)data, size};
	size_t sum = 0;
	struct err err;

	if (size > 8192)
		return 0;
	struct inventory *inv = inventory_new();
	struct ssh_config *config = ssh_config_new(inv, inv->arena, &local);
	ssh_config_read(config, text, "input", false);
	ask(inv, &local, config);
	ssh_args_read(text, take, &sum, &err);
	ssh_config_free(config);
	inventory_free(inv);
	return 0;
}
