#include "oddhost/model/run.h"

#include <stdlib.h>
#include <string.h>

#include "oddhost/base/mem.h"
#include "oddhost/base/text.h"

static bool same_texts(const char **a, size_t n_a, const char **b, size_t n_b)
{
	if (n_a != n_b)
		return false;
	for (size_t i = 0; i < n_a; i++) {
		if (!text_same(a[i], b[i]))
			return false;
	}
	return true;
}

bool host_spec_same_way(const struct host_spec *a, const struct host_spec *b)
{
	return text_same(a->address, b->address) && text_same(a->user, b->user) &&
	       a->port == b->port &&
	       same_texts(a->identities, a->n_identities, b->identities, b->n_identities) &&
	       a->no_usual_keys == b->no_usual_keys && a->identities_only == b->identities_only &&
	       text_same(a->agent, b->agent) && text_same(a->bind_address, b->bind_address) &&
	       a->family == b->family && a->connect_seconds == b->connect_seconds &&
	       a->alive_seconds == b->alive_seconds &&
	       same_texts(a->known_hosts, a->n_known_hosts, b->known_hosts, b->n_known_hosts) &&
	       text_same(a->known_as, b->known_as) && a->host_key == b->host_key;
}

struct host_record *host_record_new(const char *name)
{
	struct arena *arena = arena_new();
	struct host_record *record = arena_alloc(arena, sizeof *record);

	record->arena = arena;
	record->name = arena_dup(arena, name);
	record->address = record->name;
	record->error = "";
	return record;
}

void host_record_free(struct host_record *record)
{
	if (record != NULL)
		arena_free(record->arena); /* which holds the record itself */
}

struct probe_result *host_record_add_probe(struct host_record *record, const char *name)
{
	record->probes = arena_grow(record->arena, record->probes, record->n_probes,
	    &record->cap_probes, sizeof *record->probes);

	struct probe_result *probe = &record->probes[record->n_probes++];
	*probe = (struct probe_result){.name = arena_dup(record->arena, name),
	    .command = "",
	    .exit = -1,
	    .out = view_of(""),
	    .err = view_of("")};
	return probe;
}

const struct probe_result *host_record_probe(const struct host_record *record, const char *name)
{
	for (size_t i = record->n_probes; i-- > 0;) {
		if (strcmp(record->probes[i].name, name) == 0)
			return &record->probes[i];
	}
	return NULL;
}

bool host_record_examined(const struct host_record *record)
{
	if (!host_status_reached(record->status))
		return false;
	for (size_t i = 0; i < record->n_probes; i++) {
		const struct probe_result *probe = &record->probes[i];
		if (probe->status != PROBE_SKIPPED &&
		    (probe->status != PROBE_TIMEOUT || probe->out.n > 0))
			return true;
	}
	return false;
}

struct view probe_line(const struct probe_result *probe, unsigned line)
{
	struct view rest = probe->out, found;

	for (unsigned n = 1; view_next_line(&rest, &found); n++) {
		if (n == line)
			return found;
	}
	return view_of("");
}

/* A DNS name, an address or a service name: what may stand in a command without being quoted. */
static bool is_plain_name(struct view v)
{
	static const char allowed[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:";

	if (v.n == 0 || v.n > 253 || v.p[0] == '-')
		return false;
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] == '\0' || strchr(allowed, v.p[i]) == NULL)
			return false;
	}
	return true;
}

bool target_parse(struct arena *arena, struct view text, struct target *ret, struct err *err)
{
	struct target target = {0};
	struct view name = view_trim(text), port = {0};
	struct ip ip;
	uint64_t number = 0;

	text = name;
	long colon = view_find_char(name, ':');
	if (view_starts(name, "[") && view_find(name, "]") > 0) {
		size_t close = (size_t)view_find(name, "]");
		port = view_skip(name, close + 1);
		name = view_skip(view_left(name, close), 1);
		if (!ip_parse(name, &ip) || (port.n > 0 && !view_take(&port, ":")) ||
		    (port.n == 0 && text.p[text.n - 1] == ':'))
			name = view_of("");
	} else if (colon >= 0 && !ip_parse(name, &ip)) {
		port = view_skip(name, (size_t)colon + 1);
		name = view_left(name, (size_t)colon);
		if (port.n == 0)
			name = view_of("");
	}
	if (!is_plain_name(name) || (port.n > 0 && !view_uint(port, 1, 65535, &number)))
		return err_set(err,
		    "target '%.*s': expected NAME or ADDRESS, with or without :PORT",
		    VIEW_ARG(view_left(text, 100)));
	target.text = arena_dup_view(arena, text);
	target.name = arena_dup_view(arena, name);
	target.port = (uint16_t)number;
	*ret = target;
	return true;
}

bool reserved_parse(struct arena *arena, struct view text, struct reserved *ret, struct err *err)
{
	struct view prefix, name = view_trim(text);

	text = name;
	if (!view_next_part(&name, '=', &prefix) || !prefix_parse(view_trim(prefix), &ret->prefix))
		return err_set(err,
		    "reserved prefix '%.*s': expected ADDRESS/LENGTH or ADDRESS/LENGTH=NAME",
		    VIEW_ARG(view_left(text, 100)));
	ret->name = arena_dup_view(arena, view_trim(name));
	return true;
}

struct run *run_new(void)
{
	struct run *run = mem_alloc(sizeof *run);

	run->arena = arena_new();
	run->diags.arena = run->arena;
	return run;
}

void run_free(struct run *run)
{
	if (run == NULL)
		return;
	for (size_t i = 0; i < run->n_hosts; i++)
		host_record_free(run->hosts[i]);
	free(run->hosts);
	arena_free(run->arena);
	free(run);
}

void run_add(struct run *run, struct host_record *record)
{
	run->hosts = mem_grow(run->hosts, run->n_hosts, &run->cap_hosts, sizeof *run->hosts);
	run->hosts[run->n_hosts++] = record;
}

struct place {
	struct host_record *record;
	size_t at;
};

static int by_name(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int order = strverscmp(x->record->name, y->record->name);

	return order != 0 ? order : (x->at > y->at) - (x->at < y->at);
}

void run_sort(struct run *run)
{
	struct place *places = mem_alloc((run->n_hosts + 1) * sizeof *places);
	size_t n = run->n_hosts;

	for (size_t i = 0; i < n; i++)
		places[i] = (struct place){run->hosts[i], i};
	qsort(places, n, sizeof *places, by_name);
	run->n_hosts = 0;
	for (size_t i = 0; i < n; i++) {
		if (i + 1 < n && strcmp(places[i].record->name, places[i + 1].record->name) == 0)
			host_record_free(places[i].record);
		else
			run->hosts[run->n_hosts++] = places[i].record;
	}
	free(places);
}
