/*
 * A run made in memory for the tests of the checks: hosts with raw outputs, as short as the case
 * allows, that go through the real parsers. Freed with scene_free().
 */
#ifndef TESTS_SCENE_H
#define TESTS_SCENE_H

#include <stdio.h>
#include <string.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/mem.h"
#include "oddhost/check/diagnose.h"
#include "oddhost/model/cloud.h"
#include "oddhost/parse/host.h"

struct scene {
	struct run *run;
	struct host **hosts; /* as the run's, once diagnosed */
	size_t cap_hosts;
	struct diagnosis *d;
	struct buf text; /* of scene_findings() */
};

/* `targets` and `reserved` as an inventory writes them, comma separated; "" for none. */
static inline void scene_begin(struct scene *s, const char *targets, const char *reserved)
{
	struct view list = view_of(targets), part;
	struct err err;

	memset(s, 0, sizeof *s);
	s->run = run_new();
	struct run_meta *meta = &s->run->meta;
	meta->version = meta->group = "test";
	meta->started = meta->finished = "2020-12-04T03:00:00Z";
	meta->targets = arena_alloc(s->run->arena, 8 * sizeof *meta->targets);
	meta->reserved = arena_alloc(s->run->arena, 8 * sizeof *meta->reserved);
	while (view_next_part(&list, ',', &part))
		target_parse(s->run->arena, part, &meta->targets[meta->n_targets++], &err);
	list = view_of(reserved);
	while (view_next_part(&list, ',', &part))
		reserved_parse(s->run->arena, part, &meta->reserved[meta->n_reserved++], &err);
}

/* Hosts must be added in the order of their names. */
static inline struct host_record *scene_host(struct scene *s, const char *name)
{
	struct host_record *record = host_record_new(name);

	s->hosts = arena_grow(
	    s->run->arena, s->hosts, s->run->n_hosts, &s->cap_hosts, sizeof(struct host *));
	run_add(s->run, record);
	s->run->meta.n_hosts++;
	return record;
}

static inline void scene_probe(struct host_record *record, const char *name, const char *out)
{
	struct probe_result *probe = host_record_add_probe(record, name);

	probe->exit = 0;
	probe->out = arena_view(record->arena, view_of(out));
}

static inline void scene_fail(
    struct host_record *record, const char *name, enum probe_status status)
{
	host_record_add_probe(record, name)->status = status;
}

/* `baseline`: NULL, or another scene, diagnosed, to be freed behind this one. */
static inline void scene_diagnose_since(struct scene *s, const struct scene *baseline)
{
	for (size_t i = 0; i < s->run->n_hosts; i++)
		s->hosts[i] = parse_host(s->run->hosts[i], &s->run->meta);
	cloud_reserve(s->run, s->hosts);
	s->d = diagnose_since(
	    s->run, s->hosts, s->run->n_hosts, baseline == NULL ? NULL : baseline->d);
}

static inline void scene_diagnose(struct scene *s)
{
	scene_diagnose_since(s, NULL);
}

/* "RULE SEVERITY HOST,HOST\n" a finding. */
static inline const char *scene_findings(struct scene *s)
{
	s->text.n = 0;
	for (size_t i = 0; i < s->d->n_findings; i++) {
		const struct finding *f = &s->d->findings[i];
		buf_printf(&s->text, "%s %s ", f->rule, severity_name(f->severity));
		for (size_t k = 0; k < f->n_hosts; k++)
			buf_printf(&s->text, "%s%s", k ? "," : "", f->hosts[k]);
		buf_putc(&s->text, '\n');
	}
	return buf_str(&s->text);
}

#define SCENE_HOSTS 5
#define SCENE_PROBES 10

struct scene_probe_row {
	const char *name, *out;
	enum probe_status status;
	int exit;
};

/* Hosts h1, h2 … with these probes, diagnosed; a host without probes ends them. */
static inline void scene_play(
    struct scene *s, const struct scene_probe_row hosts[SCENE_HOSTS][SCENE_PROBES])
{
	char name[24];

	for (int h = 0; h < SCENE_HOSTS && hosts[h][0].name != NULL; h++) {
		snprintf(name, sizeof name, "h%d", h + 1);
		struct host_record *record = scene_host(s, name);
		for (int i = 0; i < SCENE_PROBES && hosts[h][i].name != NULL; i++) {
			scene_probe(record, hosts[h][i].name, hosts[h][i].out);
			record->probes[record->n_probes - 1].status = hosts[h][i].status;
			record->probes[record->n_probes - 1].exit = hosts[h][i].exit;
		}
	}
	scene_diagnose(s);
}

/* All that the diagnosis says. */
static inline void scene_words(const struct scene *s, struct buf *out)
{
	const struct diagnosis *d = s->d;

	buf_puts(out, d->summary);
	for (size_t i = 0; i < d->n_findings; i++) {
		buf_printf(out, "\n%s\n%s", d->findings[i].summary, d->findings[i].why);
		for (size_t k = 0; k < d->findings[i].n_fix; k++)
			buf_printf(out, "\n%s", d->findings[i].fix[k]);
	}
	for (size_t i = 0; i < d->n_ruled_out; i++)
		buf_printf(out, "\n%s", d->ruled_out[i].text);
	for (size_t i = 0; i < d->n_notes; i++)
		buf_printf(out, "\n%s", d->notes[i]);
}

/* Does it find these, say the one text and not the other? NULL: not asked. Prints what it says
 * where it does not. */
static inline bool scene_holds(
    struct scene *s, const char *name, const char *findings, const char *says, const char *silent)
{
	struct buf text = {0};

	scene_words(s, &text);
	const char *said = buf_str(&text), *found = scene_findings(s);
	bool holds = (findings == NULL || strcmp(found, findings) == 0) &&
		     (says == NULL || strstr(said, says) != NULL) &&
		     (silent == NULL || strstr(said, silent) == NULL);
	if (!holds)
		fprintf(stderr, "case: %s\n%s%.2000s\n\n", name, found, said);
	buf_free(&text);
	return holds;
}

static inline void scene_free(struct scene *s)
{
	diagnosis_free(s->d);
	run_free(s->run);
	buf_free(&s->text);
}

#endif
