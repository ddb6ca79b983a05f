#include <stdio.h>
#include <string.h>

#include "oddhost/base/arena.h"
#include "oddhost/base/file.h"
#include "oddhost/base/json.h"
#include "oddhost/cli/cli.h"
#include "oddhost/parse/addresses.h"
#include "oddhost/parse/docker.h"
#include "oddhost/parse/names.h"
#include "oddhost/parse/ping.h"
#include "oddhost/parse/routes.h"
#include "oddhost/parse/transcript.h"
#include "oddhost/report/shapes.h"

#define INPUT_MAX ((size_t)64 << 20)

/* What each kind is given; the diagnostics' arena holds all memory. */
struct input {
	struct view text;
	const char *source;
	struct arena *arena;
	struct diag_list *diags;
	struct err *err;
};

static struct json *kind_routes(const struct input *in)
{
	struct route_table table = {.arena = in->arena};

	parse_routes(in->text, IP_NONE, &table, in->diags);
	return shapes_routes(&table);
}

static struct json *kind_rules(const struct input *in)
{
	struct rule_list rules = {.arena = in->arena};

	parse_rules(in->text, &rules, in->diags);
	return shapes_rules(&rules);
}

static struct json *kind_addresses(const struct input *in)
{
	struct address_list list = {.arena = in->arena};

	parse_addresses(in->text, &list, in->diags);
	return shapes_addresses(list.v, list.n);
}

static struct json *kind_ping(const struct input *in)
{
	struct ping ping;

	parse_ping(in->text, view_of(""), in->arena, &ping, in->diags);
	return shapes_ping(&ping);
}

static struct json *kind_networks(const struct input *in)
{
	struct network_list list = {.arena = in->arena};

	parse_docker_networks(in->text, "", NULL, &list, in->diags);
	return shapes_networks(list.v, list.n);
}

static struct json *kind_ps(const struct input *in)
{
	struct container_list list = {.arena = in->arena};

	parse_docker_ps(in->text, &list, in->diags);
	return shapes_containers(list.v, list.n);
}

static struct json *kind_daemon(const struct input *in)
{
	struct docker_daemon daemon;

	parse_docker_daemon(in->text, in->arena, &daemon, in->diags);
	return shapes_daemon(&daemon);
}

static struct json *kind_dns(const struct input *in)
{
	struct resolution resolution;

	parse_getent(in->text, in->arena, &resolution, in->diags);
	return shapes_resolution(&resolution);
}

static struct json *kind_egress(const struct input *in)
{
	struct egress_list list = {.arena = in->arena};

	parse_egress(in->text, &list, in->diags);
	return shapes_egresses(list.v, list.n);
}

static struct json *kind_transcript(const struct input *in)
{
	struct run *run = run_new();
	struct json *root = NULL;

	if (transcript_read(in->text, in->source, run, in->diags, in->err))
		root = shapes_transcript(run);
	run_free(run);
	return root;
}

static const struct kind {
	const char *name;
	struct json *(*read)(
	    const struct input *in); /* NULL with *err set: no such thing in there */
	const char *what;
} kinds[] = {
    {"routes", kind_routes, "ip route, ip -j route, route -n, netstat -rn"},
    {"rules", kind_rules, "ip rule"},
    {"addrs", kind_addresses, "ip addr, ip -o addr, ip -br addr, ip -j addr"},
    {"ping", kind_ping, "ping, whole or cut off"},
    {"docker-networks", kind_networks, "docker network ls, docker network inspect"},
    {"docker-ps", kind_ps, "docker ps -a"},
    {"docker-daemon", kind_daemon, "/etc/docker/daemon.json"},
    {"dns", kind_dns, "getent hosts, getent ahosts"},
    {"egress", kind_egress, "ip route get"},
    {"transcript", kind_transcript, "a pasted terminal session"},
};

static const struct kind *kind_named(const char *name)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	}
	return NULL;
}

static int run_kind(const struct kind *kind, const char *path)
{
	struct arena *arena = arena_new();
	struct diag_list diags = {
	    .arena = arena, .source = strcmp(path, "-") == 0 ? "stdin" : path};
	struct buf text = {.max = INPUT_MAX}, out = {0};
	struct err err;
	struct json *root = NULL;
	int code = EXIT_CLEAN;

	struct input in = {.source = diags.source, .arena = arena, .diags = &diags, .err = &err};
	if (file_read(path, INPUT_MAX, &text, &err)) {
		in.text = buf_view(&text);
		root = kind->read(&in);
	}
	cli_print_diags(&diags);
	if (root == NULL) {
		code = cli_fail(&err);
	} else {
		json_print(root, true, &out);
		fwrite(out.p, 1, out.n, stdout);
	}
	json_free(root);
	buf_free(&out);
	buf_free(&text);
	arena_free(arena);
	return code;
}

int cli_parse(const struct command *command, const struct options *options)
{
	const struct kind *kind = kind_named(options->args[0]);

	(void)command;
	if (kind != NULL)
		return run_kind(kind, options->n_args > 1 ? options->args[1] : "-");
	cli_warn("'%s' is not a KIND; there are:", options->args[0]);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		fprintf(stderr, "  %-16s %s\n", kinds[i].name, kinds[i].what);
	return EXIT_TROUBLE;
}
