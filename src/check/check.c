#include "oddhost/check/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/mem.h"
#include "oddhost/base/text.h"
#include "oddhost/check/facts.h"

#define SHELL_WORD_MAX 255
#define QUOTED_BYTES 2000 /* of one line */
#define QUOTED_PEERS 3

const struct reserved *check_reserved(const struct check *check, const struct ip *ip)
{
	struct prefix address = prefix_of_ip(ip, 128);

	return check_reserved_overlapping(check, &address);
}

const struct reserved *check_reserved_overlapping(
    const struct check *check, const struct prefix *prefix)
{
	for (size_t i = 0; i < check->run->meta.n_reserved; i++) {
		if (prefix_overlaps(&check->run->meta.reserved[i].prefix, prefix))
			return &check->run->meta.reserved[i];
	}
	return NULL;
}

static int by_key(const void *a, const void *b)
{
	const struct fact_entry *x = a, *y = b;

	if (x->fact->facet != y->fact->facet)
		return x->fact->facet < y->fact->facet ? -1 : 1;
	int order = strcmp(x->fact->key, y->fact->key);
	if (order == 0)
		order = strcmp(x->fact->value, y->fact->value);
	return order != 0 ? order : (x->host > y->host) - (x->host < y->host);
}

/* Hosts that hold the key, and those that would have listed it if it were there. */
static size_t count_compared(
    const struct check *check, const struct fact_row *row, const size_t whole[])
{
	size_t n = whole[row->facet];

	for (size_t i = row->begin; i < row->end; i++)
		n += !check->facts[check->entries[i].host].whole[row->facet];
	return n;
}

static void make_rows(struct check *check)
{
	size_t total = 0, whole[FACET_COUNT] = {0}, cap = 0;

	for (size_t h = 0; h < check->n; h++) {
		total += check->facts[h].n;
		for (int f = 0; f < FACET_COUNT; f++)
			whole[f] += check->facts[h].whole[f];
	}
	check->entries = arena_alloc(check->arena, total * sizeof *check->entries);
	total = 0;
	for (size_t h = 0; h < check->n; h++) {
		for (size_t i = 0; i < check->facts[h].n; i++)
			check->entries[total++] = (struct fact_entry){&check->facts[h].v[i], h};
	}
	if (total > 1)
		qsort(check->entries, total, sizeof *check->entries, by_key);
	for (size_t i = 0, next; i < total; i = next) {
		const struct fact *fact = check->entries[i].fact;
		for (next = i + 1;
		     next < total && check->entries[next].fact->facet == fact->facet &&
		     strcmp(check->entries[next].fact->key, fact->key) == 0;
		     next++)
			;
		check->rows =
		    arena_grow(check->arena, check->rows, check->n_rows, &cap, sizeof *check->rows);
		struct fact_row *row = &check->rows[check->n_rows++];
		*row = (struct fact_row){fact->facet, fact->key, i, next, 0};
		row->compared = count_compared(check, row, whole);
	}
}

void check_prepare(struct check *check)
{
	const struct run_meta *meta = &check->run->meta;

	check->facts = arena_alloc(check->arena, check->n * sizeof *check->facts);
	for (size_t h = 0; h < check->n; h++)
		check->facts[h] =
		    facts_make(check->arena, check->hosts[h], meta->targets, meta->n_targets);
	sights_make(check);
	make_rows(check);
}

static int row_order(const void *a, const void *b)
{
	const struct fact_row *x = a, *y = b;

	if (x->facet != y->facet)
		return x->facet < y->facet ? -1 : 1;
	return strcmp(x->key, y->key);
}

const struct fact_row *check_row(const struct check *check, enum facet facet, const char *key)
{
	struct fact_row wanted = {.facet = facet, .key = key};

	return check->n_rows == 0
		   ? NULL
		   : bsearch(&wanted, check->rows, check->n_rows, sizeof wanted, row_order);
}

bool check_absent(const struct check *check, const struct fact_row *row, size_t host)
{
	const struct fact_list *list = &check->facts[host];

	return list->whole[row->facet] && facts_find(list, row->facet, row->key) == NULL;
}

struct finding *finding_add(
    struct check *check, const char *rule, enum severity severity, enum confidence confidence)
{
	struct diagnosis *d = check->diagnosis;

	d->findings = arena_grow(
	    check->arena, d->findings, d->n_findings, &d->cap_findings, sizeof *d->findings);
	struct finding *finding = &d->findings[d->n_findings++];
	*finding = (struct finding){
	    .rule = rule, .severity = severity, .confidence = confidence, .summary = "", .why = ""};
	return finding;
}

void finding_add_host(struct check *check, struct finding *f, size_t host)
{
	size_t cap = f->cap_hosts;

	f->places = arena_grow(check->arena, f->places, f->n_hosts, &cap, sizeof *f->places);
	f->hosts = arena_grow(check->arena, f->hosts, f->n_hosts, &f->cap_hosts, sizeof *f->hosts);
	f->places[f->n_hosts] = host;
	f->hosts[f->n_hosts++] = check_name(check, host);
}

void finding_add_fix(struct check *check, struct finding *f, const char *fmt, ...)
{
	va_list ap;

	f->fix = arena_grow(check->arena, f->fix, f->n_fix, &f->cap_fix, sizeof *f->fix);
	va_start(ap, fmt);
	f->fix[f->n_fix++] = arena_vprintf(check->arena, fmt, ap);
	va_end(ap);
}

void finding_once_fix(struct finding *f, size_t from)
{
	size_t n = from;

	for (size_t i = from; i < f->n_fix; i++) {
		bool again = false;
		for (size_t k = 0; k < from && !again; k++)
			again = strcmp(f->fix[k], f->fix[i]) == 0;
		if (!again)
			f->fix[n++] = f->fix[i];
	}
	f->n_fix = n;
}

/* A line may be an output of megabytes, which many findings quote: its beginning will do. */
static const char *quotation(struct check *check, struct view line)
{
	if (line.n <= QUOTED_BYTES)
		return arena_dup_view(check->arena, line);
	size_t n = QUOTED_BYTES;
	while (n > 0 && ((unsigned char)line.p[n] & 0xc0) == 0x80)
		n--; /* not within a character */
	return arena_printf(check->arena, "%.*s …", (int)n, line.p);
}

static struct evidence quote(struct check *check, const struct host *host, struct source source)
{
	return (struct evidence){.host = host->record->name,
	    .probe = source.probe->name,
	    .line = source.line,
	    .text = quotation(check, probe_line(source.probe, source.line))};
}

void finding_quote(
    struct check *check, struct finding *f, const struct host *host, struct source source)
{
	if (source.probe == NULL || source.line == 0)
		return;
	f->evidence = arena_grow(
	    check->arena, f->evidence, f->n_evidence, &f->cap_evidence, sizeof *f->evidence);
	f->evidence[f->n_evidence++] = quote(check, host, source);
}

void finding_quote_error(struct check *check, struct finding *f, const struct host *host,
    const struct probe_result *probe)
{
	struct view rest = probe->err, line = view_of("");

	while (line.n == 0 && view_next_line(&rest, &line))
		line = view_trim(line);
	f->evidence = arena_grow(
	    check->arena, f->evidence, f->n_evidence, &f->cap_evidence, sizeof *f->evidence);
	f->evidence[f->n_evidence++] =
	    (struct evidence){host->record->name, probe->name, 0, quotation(check, line)};
}

void claim_quote(
    struct check *check, struct claim *c, const struct host *host, struct source source)
{
	if (source.probe == NULL || source.line == 0)
		return;
	c->evidence = arena_grow(
	    check->arena, c->evidence, c->n_evidence, &c->cap_evidence, sizeof *c->evidence);
	c->evidence[c->n_evidence++] = quote(check, host, source);
}

struct claim *claim_add(struct check *check, const char *fmt, ...)
{
	struct diagnosis *d = check->diagnosis;
	va_list ap;

	d->ruled_out = arena_grow(
	    check->arena, d->ruled_out, d->n_ruled_out, &d->cap_ruled_out, sizeof *d->ruled_out);
	struct claim *claim = &d->ruled_out[d->n_ruled_out++];
	va_start(ap, fmt);
	*claim = (struct claim){.text = arena_vprintf(check->arena, fmt, ap)};
	va_end(ap);
	return claim;
}

void note_add(struct check *check, const char *fmt, ...)
{
	struct diagnosis *d = check->diagnosis;
	va_list ap;

	d->notes = arena_grow(check->arena, d->notes, d->n_notes, &d->cap_notes, sizeof *d->notes);
	va_start(ap, fmt);
	d->notes[d->n_notes++] = arena_vprintf(check->arena, fmt, ap);
	va_end(ap);
}

const char *finding_hosts(struct check *check, const struct finding *finding)
{
	return text_fold(check->arena, finding->hosts, finding->n_hosts, 8);
}

void findings_lead_with_hosts(struct check *check, size_t first)
{
	for (size_t i = first; i < check->diagnosis->n_findings; i++) {
		struct finding *f = &check->diagnosis->findings[i];
		f->summary =
		    arena_printf(check->arena, "%s: %s", finding_hosts(check, f), f->summary);
	}
}

struct source source_of_route(const struct host *host, const struct route *route)
{
	if (route == NULL)
		return (struct source){0};
	return (struct source){
	    route->dst.ip.family == IP_V4 ? host->routes_source : host->routes6_source,
	    route->line};
}

struct source source_of_error(const struct ping *ping, size_t error)
{
	if (ping == NULL || error >= ping->n_errors)
		return (struct source){0};
	return (struct source){ping->source.probe, ping->errors[error].line};
}

struct source source_of_reply(const struct ping *ping)
{
	if (ping == NULL || ping->n_replies == 0)
		return (struct source){0};
	return (struct source){ping->source.probe, ping->replies[0].line};
}

static struct source answer_of(const struct tcp *tcp, const struct ping *ping)
{
	return tcp != NULL && tcp->status == TCP_OPEN ? tcp->source : source_of_reply(ping);
}

struct source source_of_answer(const struct sight *sight)
{
	return answer_of(sight->tcp, sight->ping);
}

void finding_quote_peers(struct check *check, struct finding *f, const struct sought *sought)
{
	size_t n = 0;

	for (size_t h = sought->first_peer; h < check->n && n < QUOTED_PEERS; h++) {
		const struct path *path = check_path(check, h, sought->target, &sought->address);
		const struct sight *sight = check_sight(check, h, sought->target);
		if (path == NULL || !path_leaves(path) || sight->shadow == path)
			continue;
		finding_quote(check, f, check->hosts[h],
		    path->egress != NULL ? path->egress->source
					 : source_of_route(check->hosts[h], path->route));
		const struct trial *trial = sight_trial(sight, path);
		finding_quote(check, f, check->hosts[h], answer_of(trial->tcp, trial->ping));
		n++;
	}
}

const char *check_shell_word(struct check *check, const char *word)
{
	struct buf out = {0};

	if (strlen(word) > SHELL_WORD_MAX)
		return "NAME";
	text_shell_quote(view_of(word), &out);
	const char *copy = arena_dup(check->arena, buf_str(&out));
	buf_free(&out);
	return copy;
}
