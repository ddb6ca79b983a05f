#include "oddhost/base/json.h"
#include "oddhost/check/advise.h"
#include "oddhost/cli/cli.h"
#include "oddhost/cli/models.h"
#include "oddhost/cli/names.h"
#include "oddhost/report/escape.h"

#define TAKEN_SHOWN 40

#define say(out, ...) escape_printf(out, escape_plain, __VA_ARGS__)

static struct json *strings(const struct line_list *list)
{
	struct json *array = json_array();

	for (size_t i = 0; i < list->n; i++)
		json_push(array, json_new_string(list->v[i]));
	return array;
}

static struct json *host_as_json(const char *name, const struct advice *advice)
{
	struct json *item = json_object(), *recreate, *daemon = NULL;
	char text[PREFIX_TEXT_SIZE];
	struct err err;

	json_set_string(item, "host", name);
	if (advice->daemon_json != NULL)
		daemon = json_parse_exact(view_of(advice->daemon_json), &err);
	json_set(item, "daemon_json", daemon != NULL ? daemon : json_new_null());
	recreate = json_set(item, "recreate", json_array());
	for (size_t i = 0; i < advice->n_recreate; i++) {
		const struct advice_network *network = &advice->recreate[i];
		struct json *entry = json_push(recreate, json_object());
		json_set_string(entry, "network", network->name);
		json_set_string(entry, "subnet", prefix_format(&network->subnet, text));
		json_set(entry, "containers", strings(&network->containers));
	}
	json_set(item, "remarks", strings(&advice->remarks));
	json_set(item, "commands", strings(&advice->commands));
	json_set(item, "verify", strings(&advice->verify));
	return item;
}

static void print_json(struct check *check, const struct advice *advices, struct buf *out)
{
	const struct group_pools *pools = group_pools_of(check);
	struct json *root = json_object();
	struct json *list = json_set(root, "pools", json_array());
	char text[PREFIX_TEXT_SIZE];

	for (size_t i = 0; i < pools->n; i++) {
		struct json *pool = json_push(list, json_object());
		json_set_string(pool, "base", prefix_format(&pools->v[i].base, text));
		json_set_number(pool, "size", pools->v[i].size);
	}
	list = json_set(root, "hosts", json_array());
	for (size_t h = 0; h < check->n; h++)
		json_push(list, host_as_json(check_name(check, h), &advices[h]));
	json_print(root, true, out);
	json_free(root);
}

static void say_taken(struct check *check, struct buf *out)
{
	const struct group_pools *pools = group_pools_of(check);
	const struct needs *needs = needs_of(check);
	size_t shown = 0, n = 0;

	say(out,
	    "No private space is left for docker: %zu subnets of /%u are wanted (twice the networks of "
	    "the fullest host).\nTaken, beside the subnets that containers hold:\n",
	    (size_t)pools->wanted, pools->size);
	for (size_t i = 0; i < needs->n; i++) {
		const struct ip *ip = &needs->v[i].prefix.ip;
		if (ip->family != IP_V4 || prefix_private_block(ip) == NULL)
			continue;
		if (n++ < TAKEN_SHOWN) {
			say(out, "    %s\n", need_text(check->arena, &needs->v[i]));
			shown++;
		}
	}
	if (n > shown)
		say(out, "    and %zu more\n", n - shown);
}

static void say_pools(struct check *check, struct buf *out)
{
	const struct group_pools *pools = group_pools_of(check);
	char text[PREFIX_TEXT_SIZE];

	if (pools->own) {
		say(out, "Docker's own address pools are clear of all that this group needs: no "
			 "daemon.json has to name any.\n");
		return;
	}
	say(out, "Address pools for docker, on all hosts that have it:");
	for (size_t i = 0; i < pools->n; i++)
		say(out, " %s in subnets of /%u", prefix_format(&pools->v[i].base, text),
		    pools->v[i].size);
	say(out,
	    "\nThey are clear of targets, reserved prefixes, hosts, networks, gateways' routes, nameservers "
	    "and the bastion,\nand hold %zu networks (at least %zu are wanted).\n",
	    (size_t)pools->room, (size_t)pools->wanted);
}

static void say_networks(struct check *check, const struct advice *advice, struct buf *out)
{
	char text[PREFIX_TEXT_SIZE];

	for (size_t i = 0; i < advice->n_recreate; i++) {
		const struct advice_network *n = &advice->recreate[i];
		say(out, "    re-create %s (%s", n->name, prefix_format(&n->subnet, text));
		if (n->need != NULL)
			say(out, ", in the way of %s", need_text(check->arena, n->need));
		else
			say(out, ", from other pools");
		buf_putc(out, ')');
		if (n->network != NULL && n->network->project != NULL)
			say(out, "; compose project %s goes down and up", n->network->project);
		if (n->containers.n > 0)
			buf_puts(out, "; cut off meanwhile:");
		for (size_t k = 0; k < n->containers.n; k++)
			say(out, " %s", n->containers.v[k]);
		buf_putc(out, '\n');
	}
}

static void say_lines(const char *title, const struct line_list *list, struct buf *out)
{
	if (list->n > 0)
		say(out, "  %s:\n", title);
	for (size_t i = 0; i < list->n; i++) {
		escape_lines(out, view_of(list->v[i]));
		buf_putc(out, '\n');
	}
}

static void say_host(
    struct check *check, const char *name, const struct advice *advice, struct buf *out)
{
	say(out, "\n%s: ", name);
	if (advice->unknown != NULL) {
		say(out, "no advice: %s\n", advice->unknown);
		return;
	}
	say(out, "%s\n",
	    advice->changes          ? "change daemon.json, restart docker"
	    : advice->restart        ? "restart docker: it does not use what its daemon.json says"
	    : advice->n_recreate > 0 ? "daemon.json is right"
	    : advice->remarks.n > 0  ? "something to do by hand"
				     : "nothing to do");
	say_networks(check, advice, out);
	for (size_t i = 0; i < advice->remarks.n; i++)
		say(out, "    %s\n", advice->remarks.v[i]);
	say_lines("commands, for a POSIX shell of root", &advice->commands, out);
	say_lines("verify", &advice->verify, out);
}

static void print_text(struct check *check, const struct advice *advices, struct buf *out)
{
	struct names no_docker = {.arena = check->arena};
	bool advised = false, any = false;

	for (size_t h = 0; h < check->n; h++) {
		advised = advised || advices[h].unknown == NULL;
		any = any || advices[h].commands.n > 0;
	}
	if (advised && group_pools_of(check)->n == 0)
		say_taken(check, out);
	else if (advised)
		say_pools(check, out);
	for (size_t h = 0; h < check->n; h++) {
		if (advices[h].no_docker)
			names_add(&no_docker, check_name(check, h));
		else if (group_pools_of(check)->n > 0 || advices[h].unknown != NULL)
			say_host(check, check_name(check, h), &advices[h], out);
	}
	if (no_docker.n > 0 && out->n > 0)
		buf_putc(out, '\n');
	if (no_docker.n > 0)
		say(out, "no docker on %s\n", names_fold(&no_docker));
	if (any)
		say(out,
		    "\nThen run oddhost again with --baseline and this run, to see what is resolved.\n");
}

int cli_advise(const struct command *command, const struct options *options)
{
	struct models models;
	struct err err;
	struct buf out = {0};
	int code = EXIT_CLEAN;
	bool advised = false;

	(void)command;
	if (!models_load(options->args[0], &models, &err))
		return cli_fail(&err);
	struct check check = models_check(&models);
	struct advice *advices = arena_alloc(check.arena, check.n * sizeof *advices);
	for (size_t h = 0; h < check.n; h++) {
		advise_host(&check, h, &advices[h]);
		advised = advised || advices[h].unknown == NULL;
		if (advices[h].unknown != NULL && !advices[h].no_docker)
			code = EXIT_INCOMPLETE;
	}
	if (options->json)
		print_json(&check, advices, &out);
	else
		print_text(&check, advices, &out);
	if (advised && group_pools_of(&check)->n == 0)
		code = EXIT_FINDINGS;
	return models_print(&models, &out, code);
}
