#include "oddhost/check/diagnose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oddhost/base/digest.h"
#include "oddhost/base/mem.h"
#include "oddhost/base/text.h"
#include "oddhost/check/check.h"
#include "oddhost/check/compare.h"
#include "oddhost/check/gaps.h"
#include "oddhost/check/ruled_out.h"
#include "oddhost/check/rules.h"
#include "oddhost/check/since.h"
#include "oddhost/check/suspects.h"

#define NAMED_TARGETS 3

static void (*const rules[])(struct check *check) = {
    rule_target_shadowed, /* these two first: they set what others leave out */
    rule_dns_differs,
    rule_reserved_overlap,
    rule_lan_overlap,
    rule_shared_private_block,
    rule_next_subnet_collides,
    rule_stale_networks,
    rule_pools_differ,
    rule_target_unreachable,
    rule_ping_outlier,
    rule_route_outlier,
    rule_dns_changed,
    rule_neighbour_failed,
    rule_path_contradiction,
    rule_container_unhealthy,
    rule_docker_down,
    rule_service_down,
    rule_peer_unreachable,
    rule_host_unreachable,
};

static int by_severity(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;

	if (x->severity != y->severity)
		return x->severity > y->severity ? -1 : 1;
	if (x->confidence != y->confidence)
		return x->confidence > y->confidence ? -1 : 1;
	return strcmp(x->summary, y->summary);
}

/* Rule, hosts, target and prefix: what makes it the same fault in another run. */
static const char *fingerprint(struct check *check, const struct finding *f)
{
	char digest[DIGEST_TEXT_SIZE];
	struct buf text = {0};

	buf_printf(
	    &text, "%s\n%s\n%s\n", f->rule, f->target ? f->target : "", f->prefix ? f->prefix : "");
	for (size_t i = 0; i < f->n_hosts; i++)
		buf_printf(&text, "%s\n", f->hosts[i]);
	digest_sha256(buf_view(&text), digest);
	buf_free(&text);
	return arena_printf(check->arena, "%.16s", digest);
}

static void mark_hosts(struct check *check, const struct finding *f)
{
	for (size_t i = 0; i < f->n_hosts; i++) {
		struct host_view *view = &check->diagnosis->hosts[f->places[i]];
		view->worst = view->worst < f->severity ? f->severity : view->worst;
	}
}

static void number_findings(struct check *check)
{
	struct diagnosis *d = check->diagnosis;

	if (d->n_findings > 1)
		qsort(d->findings, d->n_findings, sizeof *d->findings, by_severity);
	for (size_t i = 0; i < d->n_findings; i++) {
		struct finding *f = &d->findings[i];
		f->id = arena_printf(d->arena, "F%zu", i + 1);
		f->fingerprint = fingerprint(check, f);
		mark_hosts(check, f);
		if (f->severity > d->severity)
			d->severity = f->severity;
	}
}

static void note_unknown(struct check *check)
{
	const struct run *run = check->run;
	size_t lines = 0, hosts = 0;

	if (run->meta.n_targets == 0)
		note_add(check, "No targets are known (oddhost_targets), so nothing was said about "
				"reaching them.");
	if (run->n_hosts < run->meta.n_hosts)
		note_add(check, "%zu of %zu hosts have no record: the collection was cut off.",
		    run->meta.n_hosts - run->n_hosts, run->meta.n_hosts);
	for (size_t i = 0; i < diag_kept(&run->diags); i++)
		note_add(check, "hosts.jsonl line %u: %s.", run->diags.items[i].line,
		    run->diags.items[i].text);
	for (size_t h = 0; h < check->n; h++) {
		lines += check->hosts[h]->diags.n;
		hosts += check->hosts[h]->diags.n > 0;
	}
	gaps_note(check);
	if (lines > 0)
		note_add(check, "%zu line%s of output on %zu host%s not understood and left out.",
		    lines, lines == 1 ? "" : "s", hosts, lines == 1 ? " was" : "s were");
}

/* Hosts that say whether they reach the target, or at least by which way they would. */
static size_t count_judged(const struct check *check, size_t t)
{
	size_t n = 0;

	for (size_t h = 0; h < check->n; h++) {
		const struct sight *sight = check_sight(check, h, t);
		bool known = sight->reach != REACH_UNKNOWN;
		for (size_t i = 0; i < sight->n_paths; i++)
			known = known || (sight->paths[i].known && !sight->paths[i].uncertain);
		n += known;
	}
	return n;
}

/* "N hosts examined, and no fault was found", with the targets that not all of them speak of. */
static const char *summary_without_fault(struct check *check, size_t reached)
{
	const struct run_meta *meta = &check->run->meta;
	struct arena *arena = check->diagnosis->arena;
	const char *s = reached == 1 ? "" : "s", *gaps = "";
	size_t most = 0, named = 0;

	for (size_t t = 0; t < meta->n_targets; t++) {
		size_t judged = count_judged(check, t);
		most = judged > most ? judged : most;
		if (judged < check->n && named++ < NAMED_TARGETS)
			gaps = arena_printf(arena, "%s %s was judged on %zu of %zu.", gaps,
			    meta->targets[t].text, judged, check->n);
	}
	if (meta->n_targets > 0 && most == 0)
		return arena_printf(arena,
		    "%zu host%s examined, but nothing could be concluded: none says how it gets on "
		    "with a target.",
		    reached, s);
	return arena_printf(
	    arena, "%zu host%s examined, and no fault was found.%s", reached, s, gaps);
}

/* What makes everything else doubtful is said with the verdict. */
static const char *doubt_of_all(const struct check *check)
{
	const struct run_meta *meta = &check->run->meta;

	for (size_t i = 0; i < meta->n_options; i++) {
		if (strcmp(meta->options[i].name, "host-key-policy") == 0 &&
		    strcmp(meta->options[i].value, "off") == 0)
			return " Host keys were not checked (--host-key off): somebody else may have "
			       "answered in a host's place.";
	}
	return "";
}

static void summarise(struct check *check)
{
	struct diagnosis *d = check->diagnosis;
	size_t reached = 0;

	for (size_t h = 0; h < check->n; h++)
		reached += host_record_examined(check->run->hosts[h]);
	if (d->n_findings > 0 && d->severity >= SEVERITY_MEDIUM) {
		d->summary = arena_printf(d->arena, "%s.", d->findings[0].summary);
	} else if (check->n > 0 && reached == 0) {
		d->summary =
		    arena_printf(d->arena, "None of %zu hosts could be examined.", check->n);
	} else {
		d->summary = summary_without_fault(check, reached);
	}
	d->summary = arena_printf(d->arena, "%s%s", d->summary, doubt_of_all(check));
}

struct diagnosis *diagnose(const struct run *run, struct host *const *hosts, size_t n)
{
	return diagnose_since(run, hosts, n, NULL);
}

struct diagnosis *diagnose_since(
    const struct run *run, struct host *const *hosts, size_t n, const struct diagnosis *baseline)
{
	struct arena *arena = arena_new();
	struct diagnosis *d = arena_alloc(arena, sizeof *d);
	struct check check = {.arena = arena, .run = run, .hosts = hosts, .n = n, .diagnosis = d};

	d->arena = arena;
	d->run = run;
	d->baseline = baseline;
	d->n_hosts = n;
	d->hosts = arena_alloc(arena, n * sizeof *d->hosts);
	for (size_t h = 0; h < n; h++)
		d->hosts[h].host = hosts[h];
	check_prepare(&check);
	compare_hosts(&check);
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		rules[i](&check);
	suspects_rank(&check);
	ruled_out_find(&check);
	note_unknown(&check);
	number_findings(&check);
	since_compare(&check);
	summarise(&check);
	return d;
}

void diagnosis_free(struct diagnosis *diagnosis)
{
	if (diagnosis != NULL)
		arena_free(diagnosis->arena); /* which holds the diagnosis itself */
}
