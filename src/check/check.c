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

/* An open port proves more than a silent ping, and one that is closed more than an answered one. */
static enum reach reach_by(const struct tcp *tcp, const struct ping *ping, const struct path *path)
{
	if (tcp != NULL && tcp->status != TCP_OPEN)
		return REACH_FAILED;
	if (tcp != NULL || (ping != NULL && ping_answered(ping)))
		/* An answer from an address of its own says nothing about the target. */
		return path != NULL && path->local ? REACH_UNKNOWN : REACH_OK;
	if (ping == NULL)
		return REACH_UNKNOWN;
	switch (ping->status) {
	case PING_SILENT:
		return REACH_SILENT;
	case PING_UNREACHABLE:
	case PING_UNKNOWN_HOST:
	case PING_NO_ROUTE:
	case PING_REFUSED:
		return REACH_FAILED;
	case PING_OK:
	case PING_LOSS:
	case PING_UNKNOWN:
	case PING_NO_PERMISSION:
		break;
	}
	return REACH_UNKNOWN;
}

static enum reach reach_of(const struct sight *sight)
{
	enum reach reach = reach_by(sight->tcp, sight->ping, sight->tried);
	bool unnamed = sight->resolution != NULL && sight->resolution->failed;

	return unnamed && reach != REACH_OK ? REACH_FAILED : reach;
}

static const struct path *path_tried(const struct sight *sight)
{
	const struct ip *address;

	if (sight->tcp == NULL && sight->ping == NULL)
		return NULL;
	address = sight->tcp != NULL ? &sight->tcp->address : &sight->ping->address;
	if (address->family == IP_NONE)
		return sight->n_paths == 1 ? &sight->paths[0] : NULL;
	for (size_t i = 0; i < sight->n_paths; i++) {
		if (ip_equal(&sight->paths[i].address, address))
			return &sight->paths[i];
	}
	return NULL;
}

static bool went_to(const struct sight *sight, const struct path *path, const struct ip *address)
{
	return address->family == IP_NONE ? sight->n_paths == 1 : ip_equal(address, &path->address);
}

static struct trial trial_of(
    const struct host *host, const char *target, const struct sight *sight, const struct path *path)
{
	struct trial trial = {sight->tcp, sight->ping, sight->reach};

	if (sight->tried == NULL)
		return trial; /* at which of the addresses is not known: at any */
	trial.tcp = NULL;
	for (size_t i = 0; i < host->n_tcps; i++) {
		const struct tcp *tcp = &host->tcps[i];
		if (tcp->status != TCP_UNKNOWN && strcmp(tcp->target, target) == 0 &&
		    went_to(sight, path, &tcp->address))
			trial.tcp = tcp;
	}
	if (trial.ping != NULL && !went_to(sight, path, &trial.ping->address))
		trial.ping = NULL;
	trial.reach = reach_by(trial.tcp, trial.ping, path);
	return trial;
}

static void see(struct check *check, size_t h, size_t t)
{
	const struct host *host = check->hosts[h];
	const struct target *target = &check->run->meta.targets[t];
	struct sight *sight = &check->sights[h * check->run->meta.n_targets + t];
	const struct ip *addresses;
	struct ip scratch;

	sight->resolution = host_resolution(host, target->text);
	sight->ping = host_ping(host, target->text);
	sight->tcp = host_tcp(host, target->text);
	sight->n_paths = path_addresses(host, target, &addresses, &scratch);
	sight->paths = arena_alloc(check->arena, sight->n_paths * sizeof *sight->paths);
	sight->trials = arena_alloc(check->arena, sight->n_paths * sizeof *sight->trials);
	for (size_t i = 0; i < sight->n_paths; i++)
		sight->paths[i] = path_of(host, target->text, &addresses[i]);
	sight->tried = path_tried(sight);
	sight->reach = reach_of(sight);
	for (size_t i = 0; i < sight->n_paths; i++)
		sight->trials[i] = trial_of(host, target->text, sight, &sight->paths[i]);
}

static int by_address(const void *a, const void *b)
{
	const struct sought *x = a, *y = b;

	if (x->target != y->target)
		return x->target < y->target ? -1 : 1;
	return ip_cmp(&x->address, &y->address);
}

const struct trial *sight_trial(const struct sight *sight, const struct path *path)
{
	return &sight->trials[path - sight->paths];
}

static struct sought *entry_of(const struct check *check, size_t target, const struct ip *ip)
{
	struct sought key = {.target = target, .address = *ip};

	return bsearch(&key, check->sought, check->n_sought, sizeof key, by_address);
}

static void count_answers(struct check *check, size_t h, size_t t)
{
	const struct sight *sight = check_sight(check, h, t);

	for (size_t i = 0; i < sight->n_paths; i++) {
		const struct path *path = &sight->paths[i];
		struct sought *s = entry_of(check, t, &path->address);
		bool answered = sight->trials[i].reach == REACH_OK;
		if (!path_leaves(path)) {
			s->answers_inside |= answered && path->owner != NULL;
			continue;
		}
		if (s->first_peer == check->n)
			s->first_peer = h;
		if (path->gateway.family != IP_NONE)
			s->answers_by_gateway |= answered;
		else
			s->answers_on_link |= answered;
	}
}

/* Does an address of that family answer the host? */
static bool answers_by(const struct sight *sight, enum ip_family family)
{
	for (size_t i = 0; i < sight->n_paths; i++) {
		if (sight->trials[i].reach == REACH_OK && sight->paths[i].address.family == family)
			return true;
	}
	return false;
}

/*
 * A client may take any of the addresses of a name: one that fails here and answers other hosts is
 * the host's word on the target, whatever the others are worth. Not where none of its family
 * answers here: a host without IPv6 goes by IPv4.
 */
static void mind_addresses(const struct check *check, struct sight *sight, size_t target)
{
	for (size_t i = 0; i < sight->n_paths && sight->reach == REACH_OK; i++) {
		const struct path *path = &sight->paths[i];
		const struct sought *s = entry_of(check, target, &path->address);
		if (sight->trials[i].reach != REACH_FAILED ||
		    !(s->answers_by_gateway || s->answers_on_link) ||
		    !answers_by(sight, path->address.family))
			continue;
		sight->tried = path;
		sight->tcp = sight->trials[i].tcp;
		sight->ping = sight->trials[i].ping;
		sight->reach = REACH_FAILED;
	}
}

static void find_sought(struct check *check)
{
	size_t targets = check->run->meta.n_targets, n = 0, kept = 0;

	for (size_t i = 0; i < check->n * targets; i++)
		n += check->sights[i].n_paths;
	check->sought = arena_alloc(check->arena, n * sizeof *check->sought);
	n = 0;
	for (size_t i = 0; i < check->n * targets; i++) {
		for (size_t k = 0; k < check->sights[i].n_paths; k++)
			check->sought[n++] = (struct sought){.target = i % targets,
			    .address = check->sights[i].paths[k].address,
			    .first_peer = check->n};
	}
	if (n > 1)
		qsort(check->sought, n, sizeof *check->sought, by_address);
	for (size_t i = 0; i < n; i++) {
		if (kept == 0 || by_address(&check->sought[kept - 1], &check->sought[i]) != 0)
			check->sought[kept++] = check->sought[i];
	}
	check->n_sought = kept;
	for (size_t i = 0; i < check->n * targets; i++)
		count_answers(check, i / targets, i % targets);
	for (size_t i = 0; i < check->n * targets; i++)
		mind_addresses(check, &check->sights[i], i % targets);
}

const struct sought *check_sought(const struct check *check, size_t target, const struct ip *ip)
{
	return entry_of(check, target, ip);
}

const struct path *check_path(
    const struct check *check, size_t host, size_t target, const struct ip *ip)
{
	const struct sight *sight = check_sight(check, host, target);

	for (size_t i = 0; i < sight->n_paths; i++) {
		if (ip_equal(&sight->paths[i].address, ip))
			return &sight->paths[i];
	}
	return NULL;
}

bool check_shadowed(const struct check *check, size_t host, const struct prefix *prefix)
{
	for (size_t t = 0; t < check->run->meta.n_targets; t++) {
		const struct sight *sight = check_sight(check, host, t);
		for (size_t i = 0; i < sight->n_paths; i++) {
			const struct path *path = &sight->paths[i];
			bool doubted = path->contradiction && reach_fails(sight->trials[i].reach);
			if ((path == sight->shadow || doubted) &&
			    prefix_contains_ip(prefix, &path->address))
				return true;
		}
	}
	return false;
}

const struct sought *check_peers(struct check *check, size_t target, const struct ip *ip)
{
	struct sought *s = entry_of(check, target, ip);
	const char **names;
	size_t n = 0;

	if (s->peers != NULL)
		return s;
	names = arena_alloc(check->arena, check->n * sizeof *names);
	s->peers_answered = true;
	for (size_t h = s->first_peer; h < check->n; h++) {
		const struct sight *sight = check_sight(check, h, target);
		const struct path *path = check_path(check, h, target, ip);
		if (path == NULL || !path_leaves(path) || sight->shadow == path)
			continue;
		if (n == 0)
			s->gateway = path->gateway;
		else if (!ip_equal(&s->gateway, &path->gateway))
			s->gateway = (struct ip){0};
		s->peers_answered =
		    s->peers_answered && sight_trial(sight, path)->reach == REACH_OK;
		names[n++] = check_name(check, h);
	}
	s->n_peers = n;
	s->peers = n == 0 ? "" : text_fold(check->arena, names, n, 6);
	return s;
}

const char *check_peers_text(struct check *check, const struct sought *sought)
{
	const char *s = sought->n_peers == 1 ? "s" : "", *way = "out by a real interface";
	char text[IP_TEXT_SIZE];

	if (sought->n_peers == 0)
		return "";
	if (sought->gateway.family != IP_NONE)
		way =
		    arena_printf(check->arena, "to gateway %s", ip_format(&sought->gateway, text));
	return arena_printf(check->arena, " %s send%s it %s%s%s%s.", sought->peers, s, way,
	    sought->peers_answered ? " and get" : "", sought->peers_answered ? s : "",
	    sought->peers_answered ? " answers" : "");
}

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
	check->sights =
	    arena_alloc(check->arena, check->n * meta->n_targets * sizeof *check->sights);
	for (size_t h = 0; h < check->n; h++) {
		check->facts[h] =
		    facts_make(check->arena, check->hosts[h], meta->targets, meta->n_targets);
		for (size_t t = 0; t < meta->n_targets; t++)
			see(check, h, t);
	}
	find_sought(check);
	make_rows(check);
}

const struct sight *check_sight(const struct check *check, size_t host, size_t target)
{
	return &check->sights[host * check->run->meta.n_targets + target];
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
