#include <stdio.h>

#include "oddhost/cli/cli.h"
#include "oddhost/cli/scope.h"
#include "oddhost/collect/probes.h"

static void print_list(const struct probe_plan *plan, size_t from)
{
	for (size_t i = from; i < plan->n; i++)
		cli_say(stdout, "%s (at most %u s)\n    %s\n", plan->probes[i].name,
		    plan->probes[i].seconds, plan->probes[i].command);
}

static void print_scripts(const struct probe_plan *plan)
{
	for (unsigned lane = 0; lane < plan->lanes; lane++)
		printf("%s# sent to `%s`, channel %u of %u\n%.*s", lane ? "\n" : "", PLAN_COMMAND,
		    lane + 1, plan->lanes, VIEW_ARG(plan->scripts[lane]));
}

/* What one host is asked beside the others. */
static void print_questions(
    const struct probe_plan *common, const struct host_spec *host, struct arena *arena, bool script)
{
	const struct probe_plan *plan = probe_plan_for(common, host, arena);

	if (plan == common)
		return;
	unsigned lane = plan->probes[common->n].lane;
	cli_say(stdout, "\n# on %s%s\n", host->name,
	    !script                ? ", also"
	    : lane < common->lanes ? ", instead of the last channel"
				   : ", also");
	if (script)
		printf("%.*s", VIEW_ARG(plan->scripts[lane]));
	else
		print_list(plan, common->n);
}

/* Without an inventory the probes of a target are shown for a name that stands for any. */
int cli_probes(const struct command *command, const struct options *options)
{
	struct target any = {"TARGET", "TARGET", 0};
	struct arena *arena = arena_new();
	struct scope scope = {0};
	struct probe_plan plan;
	struct err err;
	int code = EXIT_TROUBLE;

	if (options->n_inventories > 0 && !scope_load(command, options, &scope))
		goto out;
	bool named = scope.n_targets > 0;
	if (!probe_plan_make(
		&plan, arena, named ? scope.targets : &any, named ? scope.n_targets : 1, &err)) {
		cli_fail(&err);
		goto out;
	}
	if (options->script)
		print_scripts(&plan);
	else
		print_list(&plan, 0);
	for (size_t i = 0; i < scope.n_hosts; i++)
		print_questions(&plan, &scope.hosts[i], arena, options->script);
	code = EXIT_CLEAN;
out:
	scope_free(&scope);
	arena_free(arena);
	return code;
}
