#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "oddhost/base/clock.h"
#include "oddhost/base/file.h"
#include "oddhost/base/version.h"
#include "oddhost/cli/cli.h"
#include "oddhost/cli/gather.h"
#include "oddhost/cli/names.h"
#include "oddhost/cli/scope.h"
#include "oddhost/parse/transcript.h"

#define FILE_MAX ((size_t)64 << 20)

static bool read_files(const struct options *options, struct run *run, struct err *err)
{
	bool ok = true;

	for (size_t i = 0; i < options->n_args && ok; i++) {
		const char *path = options->args[i];
		struct buf text = {.max = FILE_MAX};
		ok = file_read(path, FILE_MAX, &text, err) &&
		     transcript_read(buf_view(&text), strcmp(path, "-") == 0 ? "stdin" : path, run,
			 &run->diags, err);
		buf_free(&text);
	}
	cli_print_diags(&run->diags);
	return ok;
}

/* The host that the transcript calls `name`: by its name, its address, or its name's first label.
 */
static const struct host_spec *spec_named(const struct scope *scope, const char *name)
{
	const struct host_spec *found = NULL;
	size_t n = strlen(name), candidates = 0;

	for (size_t i = 0; i < scope->n_hosts; i++) {
		if (strcmp(scope->hosts[i].name, name) == 0)
			return &scope->hosts[i];
	}
	for (size_t i = 0; i < scope->n_hosts; i++) {
		const struct host_spec *spec = &scope->hosts[i];
		if (strcmp(spec->address, name) == 0 ||
		    (strncmp(spec->name, name, n) == 0 && spec->name[n] == '.')) {
			found = spec;
			candidates++;
		}
	}
	return candidates == 1 ? found : NULL;
}

static struct host_record *record_named(const struct run *run, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(run->hosts[i]->name, name) == 0)
			return run->hosts[i];
	}
	return NULL;
}

/* One host under two names: what came later counts. */
static void absorb(struct host_record *into, const struct host_record *from)
{
	for (size_t i = 0; i < from->n_probes; i++) {
		struct probe_result *probe = host_record_add_probe(into, from->probes[i].name);
		probe->command = arena_dup(into->arena, from->probes[i].command);
		probe->status = from->probes[i].status;
		probe->out = arena_view(into->arena, from->probes[i].out);
	}
}

static void take_spec(struct host_record *record, const struct host_spec *spec)
{
	record->name = arena_dup(record->arena, spec->name);
	record->address = arena_dup(record->arena, spec->address);
	record->user = arena_dup(record->arena, spec->user);
	record->port = spec->port;
	record->vars = arena_alloc(record->arena, spec->n_vars * sizeof *record->vars);
	for (size_t i = 0; i < spec->n_vars; i++)
		record->vars[i] = (struct var){arena_dup(record->arena, spec->vars[i].name),
		    arena_dup(record->arena, spec->vars[i].value)};
	record->n_vars = spec->n_vars;
}

/* Give the hosts their inventory names; leave out those that were not selected; name the missing.
 */
static void fit_to_scope(struct run *run, const struct scope *scope)
{
	struct names others = {.arena = run->arena}, missing = {.arena = run->arena};
	size_t kept = 0;

	for (size_t i = 0; i < run->n_hosts; i++) {
		struct host_record *record = run->hosts[i];
		const struct host_spec *spec = spec_named(scope, record->name);
		struct host_record *same =
		    spec == NULL ? NULL : record_named(run, kept, spec->name);
		if (spec != NULL && same == NULL) {
			take_spec(record, spec);
			run->hosts[kept++] = record;
			continue;
		}
		if (same != NULL)
			absorb(same, record);
		else
			names_add(&others, arena_dup(run->arena, record->name));
		host_record_free(record);
	}
	run->n_hosts = kept;
	for (size_t i = 0; i < scope->n_hosts; i++) {
		if (record_named(run, run->n_hosts, scope->hosts[i].name) == NULL)
			names_add(&missing, scope->hosts[i].name);
	}
	names_warn(&others, "not among the hosts that -i and -l select; left out");
	names_warn(&missing, "selected, but not in the transcript");
}

static bool write_run(const char *dir, struct run *run, struct err *err)
{
	int fd;

	if (!run_create(dir, &run->meta, &fd, err))
		return false;
	bool ok = true;
	for (size_t i = 0; i < run->n_hosts && ok; i++)
		ok = run_append(fd, run->hosts[i], err);
	ok = close(fd) == 0 && ok;
	return ok && run_finish(dir, &run->meta, err);
}

static void print_found(const struct run *run, const char *dir)
{
	for (size_t h = 0; h < run->n_hosts; h++) {
		const struct host_record *record = run->hosts[h];
		cli_say(stdout, "%s:", record->name);
		for (size_t i = 0; i < record->n_probes; i++)
			cli_say(stdout, " %s", record->probes[i].name);
		putchar('\n');
	}
	printf("targets:");
	for (size_t i = 0; i < run->meta.n_targets; i++)
		cli_say(stdout, " %s", run->meta.targets[i].text);
	printf("%s\nwrote %s\nnext: oddhost report %s\n",
	    run->meta.n_targets == 0 ? " none (nothing was pinged; name them in an inventory)" : "",
	    dir, dir);
}

static int import(const struct options *options, const struct scope *scope, struct run *run)
{
	char now[CLOCK_UTC_SIZE], default_dir[PATH_MAX];
	struct run_meta *meta = &run->meta;
	const char *dir = options->out;
	struct err err;

	if (!read_files(options, run, &err))
		return cli_fail(&err);
	if (scope != NULL)
		fit_to_scope(run, scope);
	if (run->n_hosts == 0) {
		err_set(&err,
		    "no host to import: nothing in the transcript belongs to the selected hosts");
		return cli_fail(&err);
	}
	clock_format_utc(time(NULL), now);
	*meta = (struct run_meta){.version = ODDHOST_VERSION,
	    .group = scope != NULL ? scope->group : "imported",
	    .limit = options->limit,
	    .started = arena_dup(run->arena, now),
	    .finished = arena_dup(run->arena, now),
	    .n_hosts = run->n_hosts};
	if (scope != NULL) {
		meta->targets = scope->targets;
		meta->n_targets = scope->n_targets;
		meta->reserved = scope->reserved;
		meta->n_reserved = scope->n_reserved;
	}
	if (meta->n_targets == 0)
		meta->n_targets = transcript_targets(run, &meta->targets);
	if (dir == NULL) {
		gather_default_dir(meta->group, default_dir);
		dir = default_dir;
	}
	run_sort(run);
	if (!write_run(dir, run, &err))
		return cli_fail(&err);
	if (!options->quiet)
		print_found(run, dir);
	return EXIT_CLEAN;
}

int cli_import(const struct command *command, const struct options *options)
{
	bool scoped = options->n_inventories > 0;
	struct options unconnected = *options; /* ssh's files say nothing about a transcript */
	struct scope scope = {0};
	int code = EXIT_TROUBLE;

	if (!scoped && options->limit != NULL)
		return cli_usage(command, "-l needs an inventory: -i FILE");
	unconnected.ssh_config = "none";
	if (!scoped || scope_load(command, &unconnected, &scope)) {
		struct run *run = run_new();
		code = import(options, scoped ? &scope : NULL, run);
		run_free(run);
	}
	if (scoped)
		scope_free(&scope);
	return code;
}
