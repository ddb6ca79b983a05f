#include "oddhost/report/outline.h"

#include <stdlib.h>
#include <string.h>

#include "oddhost/base/mem.h"
#include "oddhost/base/text.h"

const char *outline_name(const struct outline *o, size_t host)
{
	return o->d->hosts[host].host->record->name;
}

static int by_name_order(const void *x, const void *y, void *outline)
{
	return strcmp(
	    outline_name(outline, *(const size_t *)x), outline_name(outline, *(const size_t *)y));
}

size_t outline_host(const struct outline *o, const char *name)
{
	size_t low = 0, high = o->d->n_hosts;

	while (name != NULL && low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, outline_name(o, o->by_name[middle]));
		if (order == 0)
			return o->by_name[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return o->d->n_hosts;
}

/* Two passes: count each host's findings, then lay them one host behind the other. */
static void index_findings(struct outline *o)
{
	const struct diagnosis *d = o->d;
	size_t total = 0;

	o->findings_start = arena_alloc(o->arena, (d->n_hosts + 2) * sizeof *o->findings_start);
	for (size_t f = 0; f < d->n_findings; f++)
		total += d->findings[f].n_hosts;
	o->findings_of = arena_alloc(o->arena, (total + 1) * sizeof *o->findings_of);
	size_t *where = arena_alloc(o->arena, (total + 1) * sizeof *where), k = 0;
	for (size_t f = 0; f < d->n_findings; f++) {
		for (size_t i = 0; i < d->findings[f].n_hosts; i++) {
			where[k] = outline_host(o, d->findings[f].hosts[i]);
			o->findings_start[where[k++] + 1]++;
		}
	}
	for (size_t h = 0; h < d->n_hosts; h++)
		o->findings_start[h + 1] += o->findings_start[h];

	size_t *next = arena_alloc(o->arena, (d->n_hosts + 1) * sizeof *next);
	memcpy(next, o->findings_start, d->n_hosts * sizeof *next);
	k = 0;
	for (size_t f = 0; f < d->n_findings; f++) {
		for (size_t i = 0; i < d->findings[f].n_hosts; i++, k++) {
			if (where[k] < d->n_hosts)
				o->findings_of[next[where[k]]++] = f;
		}
	}
}

bool outline_cite(const struct outline *o, const struct evidence *e, struct citation *ret)
{
	size_t host = outline_host(o, e->host);

	if (host == o->d->n_hosts || e->probe == NULL)
		return false;

	const struct host_record *record = o->d->hosts[host].host->record;
	for (size_t i = record->n_probes; i > 0; i--) {
		if (strcmp(record->probes[i - 1].name, e->probe) == 0) {
			*ret = (struct citation){host, i - 1, e->line};
			return true;
		}
	}
	return false;
}

static int citation_order(const void *x, const void *y)
{
	const struct citation *a = x, *b = y;

	if (a->host != b->host)
		return a->host < b->host ? -1 : 1;
	if (a->probe != b->probe)
		return a->probe < b->probe ? -1 : 1;
	return a->line < b->line ? -1 : a->line > b->line;
}

static void add_citations(struct outline *o, const struct evidence *evidence, size_t n)
{
	struct citation citation;

	for (size_t i = 0; i < n; i++) {
		if (!outline_cite(o, &evidence[i], &citation))
			continue;
		o->cited =
		    arena_grow(o->arena, o->cited, o->n_cited, &o->cap_cited, sizeof *o->cited);
		o->cited[o->n_cited++] = citation;
	}
}

static void index_citations(struct outline *o)
{
	size_t n = 0;

	for (size_t i = 0; i < o->d->n_findings; i++)
		add_citations(o, o->d->findings[i].evidence, o->d->findings[i].n_evidence);
	for (size_t i = 0; i < o->d->n_ruled_out; i++)
		add_citations(o, o->d->ruled_out[i].evidence, o->d->ruled_out[i].n_evidence);
	if (o->n_cited > 0)
		qsort(o->cited, o->n_cited, sizeof *o->cited, citation_order);
	for (size_t i = 0; i < o->n_cited; i++) {
		if (n == 0 || citation_order(&o->cited[n - 1], &o->cited[i]) != 0)
			o->cited[n++] = o->cited[i];
	}
	o->n_cited = n;
}

const struct citation *outline_next_cited(
    const struct outline *o, size_t host, size_t probe, unsigned line)
{
	struct citation wanted = {host, probe, line};
	size_t low = 0, high = o->n_cited;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (citation_order(&o->cited[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == o->n_cited || o->cited[low].host != host)
		return NULL;
	return &o->cited[low];
}

bool outline_is_cited(const struct outline *o, size_t host, size_t probe, unsigned line)
{
	const struct citation *c = outline_next_cited(o, host, probe, line);

	return c != NULL && c->probe == probe && c->line == line;
}

static int text_order(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

static int cell_order(const void *x, const void *y)
{
	const struct cell *a = x, *b = y;
	const struct difference *p = a->difference, *q = b->difference;
	int order = (int)p->facet - (int)q->facet;

	if (order == 0)
		order = text_order(p->key, q->key);
	if (order == 0)
		order = text_order(p->value, q->value);
	if (order == 0)
		order = a->host < b->host ? -1 : a->host > b->host;
	return order;
}

static void index_rows(struct outline *o)
{
	for (size_t h = 0; h < o->d->n_hosts; h++) {
		for (size_t i = 0; i < o->d->hosts[h].n_differs; i++) {
			o->cells = arena_grow(
			    o->arena, o->cells, o->n_cells, &o->cap_cells, sizeof *o->cells);
			o->cells[o->n_cells++] = (struct cell){h, &o->d->hosts[h].differs[i]};
		}
	}
	if (o->n_cells > 0)
		qsort(o->cells, o->n_cells, sizeof *o->cells, cell_order);
	for (size_t i = 0; i < o->n_cells; i++) {
		const struct difference *d = o->cells[i].difference;
		struct matrix_row *row = o->n_rows == 0 ? NULL : &o->rows[o->n_rows - 1];
		if (row == NULL || row->facet != d->facet || text_order(row->key, d->key) != 0) {
			o->rows =
			    arena_grow(o->arena, o->rows, o->n_rows, &o->cap_rows, sizeof *o->rows);
			row = &o->rows[o->n_rows++];
			*row = (struct matrix_row){
			    d->facet, d->key, d->others, d->agree, d->compared, i, 0};
		}
		row->n++;
	}
}

static void show_raw(struct outline *o, const struct evidence *evidence, size_t n, size_t *shown)
{
	for (size_t i = 0; i < n && *shown < OUTLINE_SMALL; i++) {
		size_t host = outline_host(o, evidence[i].host);
		if (host < o->d->n_hosts && !o->raw[host]) {
			o->raw[host] = true;
			++*shown;
		}
	}
}

/*
 * All of a small group; of a large one those that evidence quotes, worst findings first: a report
 * stays a file that can be mailed.
 */
static void choose_raw(struct outline *o)
{
	const struct diagnosis *d = o->d;
	size_t shown = 0;

	o->raw = arena_alloc(o->arena, (d->n_hosts + 1) * sizeof *o->raw);
	for (size_t i = 0; i < d->n_findings; i++)
		show_raw(o, d->findings[i].evidence, d->findings[i].n_evidence, &shown);
	for (size_t i = 0; i < d->n_ruled_out; i++)
		show_raw(o, d->ruled_out[i].evidence, d->ruled_out[i].n_evidence, &shown);
	for (size_t h = 0; h < d->n_hosts && d->n_hosts <= OUTLINE_SMALL; h++)
		o->raw[h] = true;
}

/*
 * Of a large group those first that a finding accuses, worst first; then, as of a small one from
 * the beginning, hosts that were not reached: the culprit may be the one that cannot be asked. Of a
 * large one those are next that differ most.
 */
static int by_concern_order(const void *x, const void *y, void *outline)
{
	const struct outline *o = outline;
	size_t a = *(const size_t *)x, b = *(const size_t *)y;
	const struct host_view *p = &o->d->hosts[a], *q = &o->d->hosts[b];
	bool large = o->d->n_hosts > OUTLINE_SMALL, reached = host_record_examined(p->host->record);
	enum severity m = p->worst > SEVERITY_INFO ? p->worst : SEVERITY_NONE;
	enum severity n = q->worst > SEVERITY_INFO ? q->worst : SEVERITY_NONE;

	if (large && m != n)
		return m > n ? -1 : 1;
	if (reached != host_record_examined(q->host->record))
		return reached ? 1 : -1;
	if (large && p->score != q->score)
		return p->score > q->score ? -1 : 1;
	return (a > b) - (a < b);
}

struct outline *outline_new(const struct diagnosis *d)
{
	struct arena *arena = arena_new();
	struct outline *o = arena_alloc(arena, sizeof *o);

	o->arena = arena;
	o->d = d;
	o->by_name = arena_alloc(arena, (d->n_hosts + 1) * sizeof *o->by_name);
	o->by_concern = arena_alloc(arena, (d->n_hosts + 1) * sizeof *o->by_concern);
	for (size_t i = 0; i < d->n_hosts; i++) {
		o->by_name[i] = o->by_concern[i] = i;
		o->n_reached += host_record_examined(d->hosts[i].host->record);
	}
	if (d->n_hosts > 0)
		qsort_r(o->by_name, d->n_hosts, sizeof *o->by_name, by_name_order, o);
	if (d->n_hosts > 0)
		qsort_r(o->by_concern, d->n_hosts, sizeof *o->by_concern, by_concern_order, o);
	index_findings(o);
	index_citations(o);
	index_rows(o);
	choose_raw(o);
	return o;
}

void outline_free(struct outline *o)
{
	if (o != NULL)
		arena_free(o->arena);
}

const char *outline_fold(const struct outline *o, const char *const *names, size_t n, size_t most)
{
	return text_fold(o->arena, names, n, most);
}

const char *outline_fold_cells(
    const struct outline *o, const struct cell *cells, size_t n, size_t *ret_n, size_t most)
{
	const char **names = mem_alloc((n + 1) * sizeof *names);
	size_t k = 0;

	while (k < n && text_order(cells[k].difference->value, cells[0].difference->value) == 0) {
		names[k] = outline_name(o, cells[k].host);
		k++;
	}
	const char *folded = outline_fold(o, names, k, most);
	free(names);
	*ret_n = k;
	return folded;
}

const struct difference *outline_egress(const struct outline *o, const struct finding *f)
{
	size_t h = f->n_hosts == 0 ? o->d->n_hosts : outline_host(o, f->hosts[0]);

	for (size_t i = 0; h < o->d->n_hosts && f->target != NULL && i < o->d->hosts[h].n_differs;
	     i++) {
		const struct difference *d = &o->d->hosts[h].differs[i];
		if (d->facet == FACET_EGRESS && d->value != NULL && d->others != NULL &&
		    strcmp(d->key, f->target) == 0)
			return d;
	}
	return NULL;
}

static bool has_own(const struct host *host)
{
	for (size_t i = 0; i < host->record->n_probes; i++) {
		if (strncmp(host->record->probes[i].name, "own:", 4) == 0 &&
		    host->record->probes[i].status == PROBE_OK)
			return true;
	}
	return false;
}

bool outline_knows(const struct host *host, enum facet facet)
{
	switch (facet) {
	case FACET_EGRESS:
		return host->n_egresses > 0 || host->routes_known;
	case FACET_ROUTE:
		return host->routes_known && !host->routes.partial;
	case FACET_ROUTE6:
		return host->routes6_known && !host->routes.partial6;
	case FACET_RULE:
		return host->rules.known && !host->rules.partial;
	case FACET_NETWORK:
		return host->networks_known;
	case FACET_DNS:
		return host->n_resolutions > 0;
	case FACET_DAEMON:
		return host->daemon.known;
	case FACET_SYSTEM:
		return host->kernel != NULL || host->os != NULL;
	case FACET_SERVICE:
		return host->n_services > 0;
	case FACET_OWN:
		return has_own(host);
	case FACET_CONTAINER:
		return host->containers_known;
	case FACET_PING:
		return host->n_pings > 0;
	case FACET_TCP:
		return host->n_tcps > 0;
	case FACET_COUNT:
		break;
	}
	return false;
}

const char *outline_states(const struct outline *o)
{
	size_t states[FINDING_PERSISTING + 1] = {0}, resolved = 0, changed = 0;
	const char *more = "", *unseen = "";

	for (size_t i = 0; i < o->d->n_findings; i++)
		states[o->d->findings[i].state]++;
	for (size_t i = 0; i < o->d->n_gone; i++) {
		resolved += o->d->gone[i].resolved;
		changed += o->d->gone[i].now != NULL;
	}
	if (changed > 0)
		more = arena_printf(o->arena, ", %zu become another", changed);
	if (o->d->n_gone > resolved + changed)
		unseen = arena_printf(
		    o->arena, ", %zu not seen again", o->d->n_gone - resolved - changed);
	return arena_printf(o->arena, "%zu new, %zu persisting, %zu resolved%s%s",
	    states[FINDING_NEW], states[FINDING_PERSISTING], resolved, more, unseen);
}

const char *outline_gone(const struct outline *o, const struct gone *gone)
{
	if (gone->now != NULL)
		return arena_printf(o->arena, "now %s", gone->now->id);
	return gone->resolved ? "resolved" : "not seen again, and not known to be mended";
}

size_t outline_asked(const struct outline *o)
{
	return o->d->run->meta.n_hosts > o->d->n_hosts ? o->d->run->meta.n_hosts : o->d->n_hosts;
}

const char *outline_count(const struct outline *o, size_t n, const char *one, const char *many)
{
	return arena_printf(o->arena, "%zu %s", n, n == 1 ? one : many);
}

const char *outline_counts(const struct outline *o)
{
	const char *text = "";
	size_t hosts = 0;

	for (int severity = SEVERITY_CRITICAL; severity > SEVERITY_NONE; severity--) {
		size_t n = 0;
		for (size_t i = 0; i < o->d->n_findings; i++)
			n += (int)o->d->findings[i].severity == severity;
		if (n > 0)
			text = arena_printf(o->arena, "%s%s%zu %s", text, *text ? ", " : "", n,
			    severity_name((enum severity)severity));
	}
	for (size_t h = 0; h < o->d->n_hosts; h++)
		hosts += o->d->hosts[h].worst > SEVERITY_INFO;
	return hosts == 0
		   ? text
		   : arena_printf(o->arena, "%s; %s", text,
			 outline_count(o, hosts, "host is concerned", "hosts are concerned"));
}
