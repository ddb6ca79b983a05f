/*
 * Whole hosts up to their reports: what any outputs make of facts, comparison, rules, documents and
 * advice.
 *
 * A line "@NAME" begins a host, "#PROBE" (or "#PROBE STATUS") a probe of it; what follows is its
 * output. The same input twice must give the same bytes, and findings.json must be JSON.
 */
#include <stdlib.h>
#include <string.h>

#include "oddhost/base/json.h"
#include "oddhost/base/mem.h"
#include "oddhost/check/advise.h"
#include "oddhost/check/compare.h"
#include "oddhost/check/diagnose.h"
#include "oddhost/check/facts.h"
#include "oddhost/check/forecast.h"
#include "oddhost/parse/host.h"
#include "oddhost/report/report.h"
#include "oddhost/report/terminal.h"

#define HOSTS_MOST 24
#define PROBES_MOST 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct run *new_run(void)
{
	static const char *const targets[] = {"db.example:3306", "10.9.9.9", "cache.example"};
	static const char *const reserved[] = {"192.168.0.0/16=vpc", "10.9.0.0/16", "fd00:db::/48"};
	struct run *run = run_new();
	struct run_meta *meta = &run->meta;
	struct err err;

	meta->version = meta->group = "fuzz";
	meta->started = meta->finished = "2020-12-04T03:00:00Z";
	meta->bastion = "172.18.0.5";
	meta->targets = arena_alloc(run->arena, 3 * sizeof *meta->targets);
	meta->reserved = arena_alloc(run->arena, 3 * sizeof *meta->reserved);
	for (; meta->n_targets < 3; meta->n_targets++)
		target_parse(run->arena, view_of(targets[meta->n_targets]),
		    &meta->targets[meta->n_targets], &err);
	for (; meta->n_reserved < 3; meta->n_reserved++)
		reserved_parse(run->arena, view_of(reserved[meta->n_reserved]),
		    &meta->reserved[meta->n_reserved], &err);
	return run;
}

static char *word_of(struct host_record *record, struct view *line)
{
	struct view word = {0};

	view_next_word(line, &word);
	return arena_dup_view(record->arena, word);
}

static void begin_probe(struct host_record *record, struct view line)
{
	const char *name = word_of(record, &line), *status = word_of(record, &line);
	struct probe_result *probe = host_record_add_probe(record, name);

	probe->exit = 0;
	probe->status = PROBE_OK;
	probe_status_from_name(status, &probe->status);
}

/* The lines of one probe's output stand in one piece: `out` grows to the end of the last one. */
static struct run *read_input(struct view rest)
{
	struct run *run = new_run();
	struct host_record *record = NULL;
	struct view line;

	while (view_next_line(&rest, &line)) {
		if (view_starts(line, "@") && run->n_hosts < HOSTS_MOST) {
			char *name = mem_strndup(line.p + 1, line.n - 1);
			record = host_record_new(name);
			free(name);
			run_add(run, record);
		} else if (record != NULL && view_starts(line, "#") &&
			   record->n_probes < PROBES_MOST) {
			begin_probe(record, view_skip(line, 1));
		} else if (record != NULL && record->n_probes > 0) {
			struct view *out = &record->probes[record->n_probes - 1].out;
			out->p = out->n == 0 ? line.p : out->p;
			out->n = (size_t)(rest.p - out->p);
		}
	}
	/* A parser may look for the NUL behind an output that was read from a run directory. */
	for (size_t h = 0; h < run->n_hosts; h++) {
		for (size_t i = 0; i < run->hosts[h]->n_probes; i++) {
			struct view *out = &run->hosts[h]->probes[i].out;
			*out = arena_view(run->hosts[h]->arena, *out);
		}
	}
	run_sort(run);
	run->meta.n_hosts = run->n_hosts;
	return run;
}

static void ignore(void *context, const struct pair_difference *difference)
{
	(void)difference;
	++*(size_t *)context;
}

static void add_lines(const struct line_list *lines, struct buf *out)
{
	for (size_t i = 0; i < lines->n; i++)
		buf_printf(out, "%s\n", lines->v[i]);
}

/* The daemon.json of the advice must be JSON: dockerd does not start with anything else. */
static void advise(const struct run *run, struct host *const *hosts, struct buf *out)
{
	struct check check = {.arena = run->arena, .run = run, .hosts = hosts, .n = run->n_hosts};
	struct forecast forecast;
	struct advice advice;
	struct err err;

	check_prepare(&check);
	for (size_t h = 0; h < check.n; h++) {
		forecast_host(&check, h, &forecast);
		buf_puts(out, forecast.assumption);
		advise_host(&check, h, &advice);
		add_lines(&advice.remarks, out);
		add_lines(&advice.commands, out);
		add_lines(&advice.verify, out);
		struct json *daemon = advice.daemon_json == NULL
					  ? json_object()
					  : json_parse_exact(view_of(advice.daemon_json), &err);
		if (daemon == NULL)
			abort();
		json_free(daemon);
	}
}

static void report(const struct view input, struct buf *out)
{
	struct run *run = read_input(input);
	struct host *hosts[HOSTS_MOST];
	size_t differences = 0;

	for (size_t i = 0; i < run->n_hosts; i++)
		hosts[i] = parse_host(run->hosts[i], &run->meta);
	struct diagnosis *d = diagnose(run, hosts, run->n_hosts);
	for (const struct report_format *f = report_formats; f->name != NULL; f++) {
		size_t start = out->n;
		f->write(d, out);
		if (strcmp(f->name, "json") != 0)
			continue;
		struct err err;
		struct json *root = json_parse(view_skip(buf_view(out), start), &err);
		if (root == NULL)
			abort();
		json_free(root);
	}
	terminal_write_verdict(d, true, out);
	terminal_write_matrix(d, true, out);
	if (run->n_hosts > 1) {
		const struct run_meta *meta = &run->meta;
		struct fact_list a =
		    facts_make(run->arena, hosts[0], meta->targets, meta->n_targets);
		struct fact_list b =
		    facts_make(run->arena, hosts[1], meta->targets, meta->n_targets);
		compare_pair(&a, &b, ignore, &differences);
	}
	advise(run, hosts, out);
	diagnosis_free(d);
	run_free(run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view input = {(const char *)data, size};
	struct buf first = {0}, again = {0};

	report(input, &first);
	report(input, &again);
	if (first.n != again.n || memcmp(first.p, again.p, first.n) != 0)
		abort();
	buf_free(&first);
	buf_free(&again);
	return 0;
}
