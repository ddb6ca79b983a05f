#include "oddhost/check/since.h"

#include <stdlib.h>
#include <string.h>

#include "oddhost/base/text.h"

static int by_name(const void *key, const void *record)
{
	return strverscmp(key, (*(struct host_record *const *)record)->name);
}

/* A run's hosts stand in the order of their names; the run's number of hosts: none is called so. */
static size_t place_of(const struct run *run, const char *name)
{
	struct host_record **found = NULL;

	if (run->n_hosts > 0)
		found = bsearch(name, run->hosts, run->n_hosts, sizeof *run->hosts, by_name);
	return found == NULL ? run->n_hosts : (size_t)(found - run->hosts);
}

const struct host *since_host(const struct check *check, const struct host *host)
{
	const struct diagnosis *baseline = check->diagnosis->baseline;

	if (baseline == NULL)
		return NULL;
	size_t place = place_of(baseline->run, host->record->name);
	return place == baseline->n_hosts ? NULL : baseline->hosts[place].host;
}

static const struct finding *find(const struct diagnosis *d, const char *fingerprint)
{
	for (size_t i = 0; i < d->n_findings; i++) {
		if (strcmp(d->findings[i].fingerprint, fingerprint) == 0)
			return &d->findings[i];
	}
	return NULL;
}

static bool shares_host(const struct finding *a, const struct finding *b)
{
	for (size_t i = 0; i < a->n_hosts; i++) {
		for (size_t k = 0; k < b->n_hosts; k++) {
			if (strcmp(a->hosts[i], b->hosts[k]) == 0)
				return true;
		}
	}
	return false;
}

/* Rules of overlaps name no prefix where several subnets are in one way. */
static bool same_prefix(const struct finding *a, const struct finding *b)
{
	size_t n = strlen(a->rule), end = strlen("-overlap");

	return text_same(a->prefix, b->prefix) ||
	       ((a->prefix == NULL || b->prefix == NULL) && n > end &&
		   strcmp(a->rule + n - end, "-overlap") == 0);
}

/* What an earlier finding has become: of the same prefix, or else the same rule and target. */
static const struct finding *successor(const struct diagnosis *d, const struct finding *f)
{
	for (size_t i = 0; i < d->n_findings; i++) {
		const struct finding *now = &d->findings[i];
		bool same = strcmp(f->rule, now->rule) == 0 && text_same(f->target, now->target);
		bool alike = same ? same_prefix(f, now)
				  : f->prefix != NULL && text_same(f->prefix, now->prefix);
		if (alike && shares_host(f, now))
			return now;
	}
	return NULL;
}

static bool is_read(const struct host_record *record, const char *name)
{
	const struct probe_result *probe = host_record_probe(record, name);

	return probe != NULL && probe->status == PROBE_OK;
}

/* Are all the outputs of the host's that the finding quotes there again? False for *ret_any: none
 * is quoted. */
static bool quotes_read(
    const struct finding *f, const char *host, const struct host_record *now, bool *ret_any)
{
	*ret_any = false;
	for (size_t i = 0; i < f->n_evidence; i++) {
		const struct evidence *e = &f->evidence[i];
		if (e->host == NULL || e->probe == NULL || strcmp(e->host, host) != 0)
			continue;
		*ret_any = true;
		if (!is_read(now, e->probe))
			return false;
	}
	return true;
}

/* Is every output there again that there was then? What has no evidence of its own may have been
 * concluded from any. */
static bool all_read(const struct host_record *then, const struct host_record *now)
{
	for (size_t i = 0; i < then->n_probes; i++) {
		if (then->probes[i].status == PROBE_OK && !is_read(now, then->probes[i].name))
			return false;
	}
	return true;
}

static bool read_again(const struct diagnosis *d, const struct finding *f)
{
	const struct run *then = d->baseline->run, *now = d->run;
	bool quoted;

	for (size_t i = 0; i < f->n_hosts; i++) {
		size_t place = place_of(now, f->hosts[i]), before = place_of(then, f->hosts[i]);
		if (place == now->n_hosts || !host_record_examined(now->hosts[place]) ||
		    !quotes_read(f, f->hosts[i], now->hosts[place], &quoted))
			return false;
		if (!quoted && before < then->n_hosts &&
		    !all_read(then->hosts[before], now->hosts[place]))
			return false;
	}
	return true;
}

void since_compare(struct check *check)
{
	struct diagnosis *d = check->diagnosis;

	if (d->baseline == NULL)
		return;
	for (size_t i = 0; i < d->n_findings; i++)
		d->findings[i].state = find(d->baseline, d->findings[i].fingerprint) == NULL
					   ? FINDING_NEW
					   : FINDING_PERSISTING;
	for (size_t i = 0; i < d->baseline->n_findings; i++) {
		const struct finding *f = &d->baseline->findings[i];
		if (find(d, f->fingerprint) != NULL)
			continue;
		struct gone **list = &d->gone;
		*list = arena_grow(check->arena, *list, d->n_gone, &d->cap_gone, sizeof **list);
		const struct finding *now = successor(d, f);
		(*list)[d->n_gone++] = (struct gone){f, now, now == NULL && read_again(d, f)};
	}
}
