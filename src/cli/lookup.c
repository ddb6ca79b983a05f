#include <stdio.h>
#include <string.h>

#include "oddhost/base/file.h"
#include "oddhost/base/json.h"
#include "oddhost/check/path.h"
#include "oddhost/cli/cli.h"
#include "oddhost/cli/models.h"
#include "oddhost/parse/routes.h"
#include "oddhost/report/shapes.h"

#define ROUTES_MAX ((size_t)64 << 20)

/* Where the routes come from: a host of a run, or a file. */
struct tables {
	struct arena *arena;
	const struct host *host; /* NULL: a file */
	const struct route_table *routes;
	const struct rule_list *rules, *rules6; /* may be NULL */
};

/* The other next hops of a multipath route. */
static void print_hops(const struct tables *tables, const struct route *winner)
{
	size_t hops = route_hops(tables->routes, winner);

	for (size_t i = 1; i < hops; i++) {
		cli_say(stdout, "    or: %s%s\n", route_format(tables->arena, &winner[i]),
		    winner[i].dead ? "  (dead)" : "");
	}
}

static void print_text(const struct tables *tables, const struct ip *ip, const struct lookup *found)
{
	char text[IP_TEXT_SIZE];

	printf("%s: ", ip_format(ip, text));
	if (found->route == NULL) {
		printf("%s\n", lookup_reason_name(found->reason));
	} else {
		cli_say(stdout, "%s", route_format(tables->arena, found->route));
		const char *owner = tables->host == NULL
					? NULL
					: host_virtual_owner(tables->host, found->route->dev);
		if (owner != NULL)
			cli_say(stdout, "  (%s)",
			    path_owner_text(tables->arena, tables->host, found->route->dev));
		printf("\n    line %u; the longest prefix that holds the address%s%s\n",
		    found->route->line,
		    found->rule != NULL ? ", in the table of the first rule that matches" : "",
		    found->route->gateway.family == IP_NONE && found->reason == LOOKUP_FOUND
			? "; on-link: no gateway sees the packet"
			: "");
		print_hops(tables, found->route);
	}
	if (found->uncertain)
		puts(
		    "    another may win: a rule stands before it that asks for more than is known here (user, protocol, port, from …), or not every line was understood");
}

static struct json *as_json(
    const struct tables *tables, const struct ip *ip, const struct lookup *found)
{
	size_t hops = found->route == NULL ? 0 : route_hops(tables->routes, found->route);
	struct json *item = json_object();
	char text[IP_TEXT_SIZE];

	json_set_string(item, "address", ip_format(ip, text));
	json_set(
	    item, "route", found->route != NULL ? shapes_route(found->route) : json_new_null());
	json_set_string(item, "reason", lookup_reason_name(found->reason));
	if (hops > 1) {
		struct json *list = json_set(item, "hops", json_array());
		for (size_t i = 0; i < hops; i++)
			json_push(list, shapes_route(&found->route[i]));
	}
	return item;
}

static int look_up(const struct command *command, const struct options *options,
    const struct tables *tables, char **addresses, size_t n)
{
	struct json *list = options->json ? json_array() : NULL;
	struct buf text = {0};
	struct ip ip;
	int code = EXIT_CLEAN;

	for (size_t i = 0; i < n; i++) {
		if (!ip_parse(view_of(addresses[i]), &ip)) {
			code = cli_usage(command,
			    "'%s' is not an address; names are not resolved here", addresses[i]);
			continue;
		}
		struct lookup found = route_lookup(
		    tables->routes, ip.family == IP_V6 ? tables->rules6 : tables->rules, &ip);
		if (list != NULL)
			json_push(list, as_json(tables, &ip, &found));
		else
			print_text(tables, &ip, &found);
	}
	if (list != NULL) {
		json_print(list, true, &text);
		fputs(buf_str(&text), stdout);
		buf_free(&text);
		json_free(list);
	}
	return code;
}

static bool read_routes(const char *path, struct route_table *routes, struct err *err)
{
	struct diag_list diags = {.arena = routes->arena, .source = path};
	struct buf text = {0};

	if (!file_read(path, ROUTES_MAX, &text, err))
		return false;
	bool understood = parse_routes(buf_view(&text), IP_NONE, routes, &diags);
	cli_print_diags(&diags);
	if (routes->n == 0 && !understood)
		cli_warn("%s: no route was understood", path);
	buf_free(&text);
	return true;
}

static bool read_rules(const char *path, struct rule_list *rules, struct err *err)
{
	struct diag_list diags = {.arena = rules->arena, .source = path};
	struct buf text = {0};

	if (!file_read(path, ROUTES_MAX, &text, err))
		return false;
	bool understood = parse_rules(buf_view(&text), rules, &diags);
	cli_print_diags(&diags);
	if (rules->n == 0 && !understood)
		cli_warn("%s: no rule was understood", path);
	buf_free(&text);
	return true;
}

static int from_file(const struct command *command, const struct options *options)
{
	struct arena *arena = arena_new();
	struct route_table routes = {.arena = arena};
	struct rule_list rules = {.arena = arena};
	struct tables tables = {
	    .arena = arena, .routes = &routes, .rules = &rules, .rules6 = &rules};
	struct err err;
	int code;

	if (!read_routes(options->routes, &routes, &err) ||
	    (options->rules != NULL && !read_rules(options->rules, &rules, &err)))
		code = cli_fail(&err);
	else
		code = look_up(command, options, &tables, options->args, options->n_args);
	arena_free(arena);
	return code;
}

static int from_run(const struct command *command, const struct options *options)
{
	struct models models;
	struct err err;
	int code = EXIT_TROUBLE;

	if (options->n_args < 3)
		return cli_usage(command, "lookup: expected %s", command->args);
	if (!models_load(options->args[0], &models, &err))
		return cli_fail(&err);

	const struct host *host = models_host(&models, options->args[1], &err);
	if (host == NULL) {
		cli_fail(&err);
	} else if (!host->routes_known) {
		cli_warn("the routes of %s are not known: see the run's report", options->args[1]);
		code = EXIT_INCOMPLETE;
	} else {
		struct tables tables = {
		    models.run->arena, host, &host->routes, &host->rules, &host->rules6};
		code = look_up(command, options, &tables, options->args + 2, options->n_args - 2);
	}
	models_free(&models);
	return code;
}

int cli_lookup(const struct command *command, const struct options *options)
{
	return options->routes != NULL ? from_file(command, options) : from_run(command, options);
}
