#include "oddhost/check/rules.h"

#include <string.h>

#include "oddhost/check/facts.h"

#define QUOTED_HOSTS 4

/* A target's facts of one row: those that name addresses, without those that name none. */
struct answers {
	const struct fact_row *row;
	size_t n, failed;
	size_t best, size; /* the first entry of the largest class, and its size */
	bool tied;         /* another class is as large */
	size_t answered; /* the first entry of the largest class that is answered; else row->end */
	size_t dead;     /* beside it, hosts of classes of which none is; not among n */
};

/* The row of a target's resolutions, or NULL. */
static const struct fact_row *row_of(const struct check *check, const char *target)
{
	for (size_t i = 0; i < check->n_rows; i++) {
		if (check->rows[i].facet == FACET_DNS && strcmp(check->rows[i].key, target) == 0)
			return &check->rows[i];
	}
	return NULL;
}

static const struct resolution *resolution_of(const struct check *check, size_t t, size_t entry)
{
	return check_sight(check, check->entries[entry].host, t)->resolution;
}

/* Where the class of an entry ends: the hosts that know the target by the same addresses. */
static size_t end_of_class(const struct check *check, const struct fact_row *row, size_t first)
{
	const char *value = check->entries[first].fact->value;
	size_t next = first + 1;

	while (next < row->end && strcmp(check->entries[next].fact->value, value) == 0)
		next++;
	return next;
}

/* How a class gets on: REACH_OK where one host is answered, REACH_FAILED where some fail. */
static enum reach reach_of(const struct check *check, size_t t, size_t first, size_t next)
{
	enum reach reach = REACH_UNKNOWN;

	for (size_t i = first; i < next; i++) {
		enum reach own = check_sight(check, check->entries[i].host, t)->reach;
		if (own == REACH_OK)
			return REACH_OK;
		if (own != REACH_UNKNOWN)
			reach = REACH_FAILED;
	}
	return reach;
}

/* The largest class of which a host is answered: its first entry, or row->end. */
static size_t find_answered(const struct check *check, size_t t, const struct fact_row *row)
{
	size_t found = row->end, size = 0;

	for (size_t i = row->begin, next; i < row->end; i = next) {
		next = end_of_class(check, row, i);
		if (next - i > size && !resolution_of(check, t, i)->failed &&
		    reach_of(check, t, i, next) == REACH_OK) {
			size = next - i;
			found = i;
		}
	}
	return found;
}

static struct answers count(const struct check *check, size_t t, const struct fact_row *row)
{
	struct answers a = {.row = row, .answered = find_answered(check, t, row)};

	for (size_t i = row->begin, next; i < row->end; i = next) {
		next = end_of_class(check, row, i);
		if (resolution_of(check, t, i)->failed) {
			a.failed += next - i;
			continue;
		}
		if (a.answered < row->end && reach_of(check, t, i, next) == REACH_FAILED) {
			a.dead += next - i;
			continue;
		}
		a.n += next - i;
		if (next - i == a.size)
			a.tied = true;
		if (next - i > a.size) {
			a.size = next - i;
			a.best = i;
			a.tied = false;
		}
	}
	return a;
}

static struct finding *add(struct check *check, size_t t)
{
	const struct target *target = &check->run->meta.targets[t];
	struct finding *f = finding_add(check, "dns-differs", SEVERITY_MEDIUM, CONFIDENCE_CERTAIN);

	f->target = target->text;
	finding_add_fix(check, f, "Compare on these hosts and on a healthy one:");
	finding_add_fix(check, f, "$ getent hosts %s; grep -n %s /etc/hosts; cat /etc/resolv.conf",
	    check_shell_word(check, target->name), check_shell_word(check, target->name));
	return f;
}

static void accuse(struct check *check, struct finding *f, size_t t, size_t h)
{
	const struct sight *sight = check_sight(check, h, t);

	finding_add_host(check, f, h);
	if (sight->reach == REACH_FAILED)
		f->severity = SEVERITY_HIGH;
	if (f->n_hosts > QUOTED_HOSTS)
		return;
	finding_quote(check, f, check->hosts[h], sight->resolution->source);
}

static void quote_usual(struct check *check, struct finding *f, const struct answers *a)
{
	const struct fact_entry *peer = &check->entries[a->best];

	finding_quote(check, f, check->hosts[peer->host], peer->fact->source);
}

static void report_failed(struct check *check, size_t t, const struct answers *a)
{
	struct finding *f = add(check, t);

	for (size_t h = 0; h < check->n; h++) {
		const struct resolution *resolution = check_sight(check, h, t)->resolution;
		if (resolution != NULL && resolution->failed)
			accuse(check, f, t, h);
	}
	f->summary = arena_printf(
	    check->arena, "%s does not resolve on %s", f->target, finding_hosts(check, f));
	if (a->n > 0) {
		quote_usual(check, f, a);
		f->why = arena_printf(check->arena,
		    "%zu other host%s an address for the name, so it exists. Another name server, a "
		    "missing /etc/hosts entry or a name server that did not answer does this.",
		    a->n + a->dead, a->n + a->dead == 1 ? " gets" : "s get");
		return;
	}
	f->why =
	    "No host that was asked gets an address for the name, so nothing can be said about "
	    "the way to it: the name itself, or the name servers that these hosts share.";
}

static void report_differs(struct check *check, size_t t, const struct answers *a)
{
	const char *usual = check->entries[a->best].fact->value;
	bool majority = !a->tied && a->n >= 3 && a->size * 3 >= a->n * 2;
	struct finding *f = add(check, t);

	for (size_t h = 0; h < check->n; h++) {
		const struct resolution *resolution = check_sight(check, h, t)->resolution;
		const struct fact *fact = facts_find(&check->facts[h], FACET_DNS, f->target);
		if (fact != NULL && !resolution->failed && !check_sight(check, h, t)->misnamed &&
		    (!majority || strcmp(fact->value, usual) != 0))
			accuse(check, f, t, h);
	}
	if (majority) {
		quote_usual(check, f, a);
		f->summary = arena_printf(check->arena,
		    "%s resolve%s %s differently: %zu of %zu hosts have %s",
		    finding_hosts(check, f), f->n_hosts == 1 ? "s" : "", f->target, a->size, a->n,
		    usual);
	} else {
		f->summary = arena_printf(check->arena,
		    "%s resolves differently on %s, and no answer is the majority's", f->target,
		    finding_hosts(check, f));
	}
	f->why =
	    "Hosts that get different addresses for one name talk to different machines, or to "
	    "one that is no longer there. A stale /etc/hosts entry, another name server or a "
	    "split view does this; a name with many addresses that rotate may do it harmlessly.";
}

/*
 * Some addresses answer those who use them and others do not: whoever uses the others is wrong,
 * however many they are.
 */
static void report_dead(struct check *check, size_t t, const struct answers *a)
{
	struct finding *f = add(check, t);
	const struct fact_entry *well = &check->entries[a->answered];
	const char *dead = "";
	size_t classes = 0;

	for (size_t i = a->row->begin, next; i < a->row->end; i = next) {
		next = end_of_class(check, a->row, i);
		if (resolution_of(check, t, i)->failed ||
		    reach_of(check, t, i, next) != REACH_FAILED)
			continue;
		classes++;
		dead = check->entries[i].fact->value;
		for (size_t k = i; k < next; k++) {
			accuse(check, f, t, check->entries[k].host);
			check->sights[check->entries[k].host * check->run->meta.n_targets + t]
			    .misnamed = true;
		}
	}
	finding_quote(check, f, check->hosts[well->host], well->fact->source);
	finding_quote(check, f, check->hosts[well->host],
	    source_of_answer(check_sight(check, well->host, t)));
	f->summary = arena_printf(check->arena,
	    "%s know%s %s by %s, at which it cannot be reached; the address that works is %s",
	    finding_hosts(check, f), f->n_hosts == 1 ? "s" : "", f->target,
	    classes == 1 ? dead : "other addresses", well->fact->value);
	f->why = "The name leads these hosts to another address than those that reach it. A stale "
		 "/etc/hosts entry, a name server's or the application's cache, or another name "
		 "server does this, most often after the service has moved.";
}

void rule_dns_differs(struct check *check)
{
	for (size_t t = 0; t < check->run->meta.n_targets; t++) {
		const struct fact_row *row = row_of(check, check->run->meta.targets[t].text);
		if (row == NULL)
			continue;
		struct answers a = count(check, t, row);
		if (a.failed > 0)
			report_failed(check, t, &a);
		if (a.dead > 0)
			report_dead(check, t, &a);
		if (a.size < a.n)
			report_differs(check, t, &a);
	}
}
