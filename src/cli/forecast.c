#include "oddhost/base/json.h"
#include "oddhost/check/forecast.h"
#include "oddhost/check/subnets.h"
#include "oddhost/cli/cli.h"
#include "oddhost/cli/models.h"
#include "oddhost/cli/names.h"
#include "oddhost/report/escape.h"

#define PER_LINE 6
#define say(out, ...) escape_printf(out, escape_plain, __VA_ARGS__)

static const char *model_name(const struct forecast *forecast)
{
	return !forecast->possible                 ? NULL
	       : forecast->model == POOLS_ROTATING ? "rotating"
						   : "first-fit";
}

static struct json *as_json(struct check *check, const char *host, const struct forecast *forecast)
{
	struct json *item = json_object(), *next;
	char text[PREFIX_TEXT_SIZE];

	json_set_string(item, "host", host);
	json_set_string(item, "engine", forecast->engine);
	json_set_string(item, "model", model_name(forecast));
	json_set_string(item, "assumption", forecast->assumption);
	next = json_set(item, "next", json_array());
	for (size_t i = 0; i < forecast->n; i++)
		json_push(next, json_new_string(prefix_format(&forecast->next[i], text)));
	if (forecast->creations == 0) {
		json_set(item, "collides_in", json_new_null());
		return item;
	}
	struct json *collides = json_set(item, "collides_in", json_object());
	json_set_number(collides, "creations", (double)forecast->creations);
	json_set_string(collides, "subnet", prefix_format(&forecast->subnet, text));
	json_set_string(collides, "with", need_text(check->arena, forecast->with));
	return item;
}

/* How far away the first collision is: the line that matters. */
static void say_distance(
    struct check *check, const char *host, const struct forecast *forecast, struct buf *out)
{
	char text[PREFIX_TEXT_SIZE];

	if (forecast->creations == 0)
		say(out, "%s: no subnet that docker will hand out is needed elsewhere\n", host);
	else if (forecast->creations == 1)
		say(out, "%s: the very next network takes %s, which cuts off %s\n", host,
		    prefix_format(&forecast->subnet, text),
		    need_text(check->arena, forecast->with));
	else
		say(out, "%s: %zu network creations from here, one takes %s, which cuts off %s\n",
		    host, forecast->creations, prefix_format(&forecast->subnet, text),
		    need_text(check->arena, forecast->with));
	if (forecast->creations > 1 && forecast->model == POOLS_ROTATING) {
		if (forecast->networks > 1)
			say(out,
			    "    A project that re-creates m networks (compose down and up, a deploy) takes m of "
			    "them each time:\n    with all %zu of this host, round %zu is the one.\n",
			    forecast->networks,
			    (forecast->creations + forecast->networks - 1) / forecast->networks);
		say(out,
		    "    At worst it is the very next one: docker keeps its place in memory, where it "
		    "cannot be seen.\n");
	}
}

static void as_text(
    struct check *check, const char *host, const struct forecast *forecast, struct buf *out)
{
	char text[PREFIX_TEXT_SIZE];

	if (!forecast->possible) {
		say(out, "%s: no forecast: %s\n", host, forecast->assumption);
		return;
	}
	say_distance(check, host, forecast, out);
	say(out, "    next:");
	for (size_t i = 0; i < forecast->n; i++) {
		if (i > 0)
			buf_puts(out, i % PER_LINE == 0 ? ",\n         " : ",");
		say(out, " %s", prefix_format(&forecast->next[i], text));
	}
	say(out, "%s\n", forecast->n < FORECAST_SHOWN ? "; then the pools are used up" : ", …");
	say(out, "    engine: %s; %s\n",
	    forecast->engine != NULL ? forecast->engine : "version not known",
	    forecast->assumption);
}

int cli_forecast(const struct command *command, const struct options *options)
{
	struct models models;
	struct err err;
	struct buf out = {0};
	int code = EXIT_CLEAN;

	(void)command;
	if (!models_load(options->args[0], &models, &err))
		return cli_fail(&err);
	const char *only = options->n_args > 1 ? options->args[1] : NULL;
	const struct host *host = only == NULL ? NULL : models_host(&models, only, &err);
	if (only != NULL && host == NULL) {
		models_free(&models);
		return cli_fail(&err);
	}

	struct check check = models_check(&models);
	struct names no_docker = {.arena = check.arena};
	struct json *list = options->json ? json_array() : NULL;
	for (size_t h = 0; h < check.n; h++) {
		struct forecast forecast;
		if (host != NULL && check.hosts[h] != host)
			continue;
		forecast_host(&check, h, &forecast);
		if (list != NULL)
			json_push(list, as_json(&check, check_name(&check, h), &forecast));
		else if (subnets_no_docker(check.hosts[h]))
			names_add(&no_docker, check_name(&check, h));
		else
			as_text(&check, check_name(&check, h), &forecast, &out);
		if (!forecast.possible && !subnets_no_docker(check.hosts[h]))
			code = EXIT_INCOMPLETE;
	}
	if (no_docker.n > 0)
		say(&out, "no docker on %s\n", names_fold(&no_docker));
	if (list != NULL)
		json_print(list, true, &out);
	json_free(list);
	return models_print(&models, &out, code);
}
