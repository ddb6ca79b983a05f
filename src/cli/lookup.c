#include <stdio.h>
#include <string.h>

#include "oddhost/base/file.h"
#include "oddhost/base/json.h"
#include "oddhost/base/text.h"
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
	bool known, known6;                     /* the routes of IPv4, of IPv6 */
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
		    route_is_on_link(found->route) ? "; on-link: no gateway sees the packet" : "");
		print_hops(tables, found->route);
	}
	if (found->uncertain)
		puts(
		    "    another may win: a rule stands before it that asks for more than is known here (user, protocol, port, from …), or the listing does not show everything");
}

/* No route of a family that was not listed is no answer. */
static struct json *unknown_as_json(const struct ip *ip)
{
	struct json *item = json_object();
	char text[IP_TEXT_SIZE];

	json_set_string(item, "address", ip_format(ip, text));
	json_set(item, "route", json_new_null());
	json_set_string(item, "reason", "unknown");
	json_set_bool(item, "uncertain", true);
	return item;
}

static void print_unknown(const struct ip *ip)
{
	char text[IP_TEXT_SIZE];

	printf(
	    "%s: not known: there is no list of IPv%d routes\n", ip_format(ip, text), ip->family);
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
	json_set_bool(item, "uncertain", found->uncertain);
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
		if (ip.family == IP_V6 ? !tables->known6 : !tables->known) {
			code = code == EXIT_CLEAN ? EXIT_INCOMPLETE : code;
			if (list != NULL)
				json_push(list, unknown_as_json(&ip));
			else
				print_unknown(&ip);
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

/* The file's text, as far as the terminal that it may be copied from has not changed it. */
static bool read_text(const char *path, struct buf *text, struct err *err)
{
	struct buf raw = {0};
	bool ok = file_read(path, ROUTES_MAX, &raw, err);

	if (ok)
		text_without_terminal(buf_view(&raw), text);
	buf_free(&raw);
	return ok;
}

/* Was anything understood? An empty file is no answer of any command. */
static bool is_something(const char *path, struct view text, bool understood, const char *what)
{
	if (understood && view_trim(text).n > 0)
		return true;
	cli_warn("%s: no %s was understood", path, what);
	return false;
}

static int read_routes(const char *path, struct route_table *routes)
{
	struct diag_list diags = {.arena = routes->arena, .source = path};
	struct buf text = {0};
	struct err err;

	if (!read_text(path, &text, &err))
		return cli_fail(&err);
	bool understood = parse_routes(buf_view(&text), IP_NONE, routes, &diags);
	cli_print_diags(&diags);
	understood = understood && (routes->n > 0 || !(routes->partial || routes->partial6));
	bool known = is_something(path, buf_view(&text), understood, "route");
	buf_free(&text);
	return known ? EXIT_CLEAN : EXIT_INCOMPLETE;
}

static int read_rules(const char *path, struct rule_list *rules)
{
	struct diag_list diags = {.arena = rules->arena, .source = path};
	struct buf text = {0};
	struct err err;

	if (!read_text(path, &text, &err))
		return cli_fail(&err);
	bool understood = parse_rules(buf_view(&text), rules, &diags);
	cli_print_diags(&diags);
	bool known = is_something(path, buf_view(&text), understood, "rule");
	buf_free(&text);
	return known ? EXIT_CLEAN : EXIT_INCOMPLETE;
}

/* A listing is of the families that it has routes of; an empty one is of both. */
static bool lists(const struct route_table *routes, uint8_t family)
{
	for (size_t i = 0; i < routes->n; i++) {
		if (routes->v[i].dst.ip.family == family)
			return true;
	}
	return routes->n == 0;
}

static int from_file(const struct command *command, const struct options *options)
{
	struct arena *arena = arena_new();
	struct route_table routes = {.arena = arena};
	struct rule_list rules = {.arena = arena};
	struct tables tables = {
	    .arena = arena, .routes = &routes, .rules = &rules, .rules6 = &rules};
	int code = read_routes(options->routes, &routes);

	if (code == EXIT_CLEAN && options->rules != NULL)
		code = read_rules(options->rules, &rules);
	tables.known = lists(&routes, IP_V4);
	tables.known6 = lists(&routes, IP_V6);
	if (code == EXIT_CLEAN)
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
	} else if (!host->routes_known && !host->routes6_known) {
		cli_warn("the routes of %s are not known: see the run's report", options->args[1]);
		code = EXIT_INCOMPLETE;
	} else {
		struct tables tables = {
		    .arena = models.run->arena,
		    .host = host,
		    .routes = &host->routes,
		    .rules = &host->rules,
		    .rules6 = &host->rules6,
		    .known = host->routes_known,
		    .known6 = host->routes6_known,
		};
		code = look_up(command, options, &tables, options->args + 2, options->n_args - 2);
	}
	models_free(&models);
	return code;
}

int cli_lookup(const struct command *command, const struct options *options)
{
	return options->routes != NULL ? from_file(command, options) : from_run(command, options);
}
