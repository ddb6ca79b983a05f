#include "oddhost/check/rules.h"

#include <stdlib.h>
#include <string.h>

#include "oddhost/check/facts.h"

#define QUOTED_HOSTS 4
#define PART_HOSTS 4  /* hosts with other answers, at least … */
#define PART_SHARE 10 /* … and more than one in so many: no odd ones */

/*
 * A target's facts of one row, which is of one family: those that name addresses, without those
 * that name none. A class is the hosts that know the target by the same addresses.
 */
struct answers {
	const struct fact_row *row;
	size_t target;
	uint8_t family;
	size_t n, failed, classes;
	size_t best, size; /* the first entry of the largest class, and its size */
	bool tied;         /* another class is as large */
	size_t answered; /* the first entry of the largest class that is answered; else row->end */
	size_t dead;     /* beside it, hosts of classes of which none is; not among n */
};

static const struct resolution *resolution_of(
    const struct check *check, const struct answers *a, size_t entry)
{
	return check_sight(check, check->entries[entry].host, a->target)->resolution;
}

/* Where the class of an entry ends. */
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
static size_t find_answered(const struct check *check, const struct answers *a)
{
	size_t found = a->row->end, size = 0;

	for (size_t i = a->row->begin, next; i < a->row->end; i = next) {
		next = end_of_class(check, a->row, i);
		if (next - i > size && !resolution_of(check, a, i)->failed &&
		    reach_of(check, a->target, i, next) == REACH_OK) {
			size = next - i;
			found = i;
		}
	}
	return found;
}

static bool is_dead(const struct check *check, const struct answers *a, size_t first, size_t next)
{
	return a->answered < a->row->end && !resolution_of(check, a, first)->failed &&
	       reach_of(check, a->target, first, next) == REACH_FAILED;
}

static void count(const struct check *check, struct answers *a)
{
	a->answered = find_answered(check, a);
	for (size_t i = a->row->begin, next; i < a->row->end; i = next) {
		next = end_of_class(check, a->row, i);
		if (resolution_of(check, a, i)->failed) {
			a->failed += next - i;
			continue;
		}
		if (is_dead(check, a, i, next)) {
			a->dead += next - i;
			continue;
		}
		a->n += next - i;
		a->classes++;
		if (next - i == a->size)
			a->tied = true;
		if (next - i > a->size) {
			a->size = next - i;
			a->best = i;
			a->tied = false;
		}
	}
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

static void report_failed(struct check *check, const struct answers *a)
{
	struct finding *f = add(check, a->target);

	for (size_t h = 0; h < check->n; h++) {
		const struct resolution *resolution = check_sight(check, h, a->target)->resolution;
		if (resolution != NULL && resolution->failed)
			accuse(check, f, a->target, h);
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

/* Have two answers an address of the family in common? Both are sorted. */
static bool share(const struct resolution *a, const struct resolution *b, uint8_t family)
{
	size_t i = 0, k = 0;

	while (i < a->n && k < b->n) {
		int order = ip_cmp(&a->addresses[i], &b->addresses[k]);
		if (order == 0 && a->addresses[i].family == family)
			return true;
		i += order <= 0;
		k += order >= 0;
	}
	return false;
}

/* An address, and by which class it is held. */
struct holding {
	struct ip ip;
	size_t class;
};

static int by_address(const void *a, const void *b)
{
	const struct holding *x = a, *y = b;
	int order = ip_cmp(&x->ip, &y->ip);

	return order != 0 ? order : (x->class > y->class) - (x->class < y->class);
}

/* The addresses of all classes that are not dead, sorted. */
static size_t list_holdings(struct check *check, const struct answers *a, struct holding **ret_v)
{
	size_t n = 0, cap = 0, class = 0;

	for (size_t i = a->row->begin, next; i < a->row->end; i = next, class ++) {
		const struct resolution *resolution = resolution_of(check, a, i);
		next = end_of_class(check, a->row, i);
		if (is_dead(check, a, i, next))
			continue;
		for (size_t k = 0; k < resolution->n; k++) {
			if (resolution->addresses[k].family != a->family)
				continue;
			*ret_v = arena_grow(check->arena, *ret_v, n, &cap, sizeof **ret_v);
			(*ret_v)[n++] = (struct holding){resolution->addresses[k], class};
		}
	}
	if (n > 1)
		qsort(*ret_v, n, sizeof **ret_v, by_address);
	return n;
}

/* Does every class share an address with another one? */
static bool all_overlap(struct check *check, const struct answers *a)
{
	bool *shares = arena_alloc(check->arena, (a->row->end - a->row->begin) * sizeof *shares);
	struct holding *v = NULL;
	size_t n = list_holdings(check, a, &v), sharing = 0;

	for (size_t i = 1; i < n; i++) {
		if (ip_equal(&v[i].ip, &v[i - 1].ip))
			shares[v[i].class] = shares[v[i - 1].class] = true;
	}
	for (size_t i = 0; i < a->row->end - a->row->begin; i++)
		sharing += shares[i];
	return sharing == a->classes;
}

/* Is every class's answer a working one, for somebody? */
static bool all_answered(const struct check *check, const struct answers *a)
{
	for (size_t i = a->row->begin, next; i < a->row->end; i = next) {
		next = end_of_class(check, a->row, i);
		if (!resolution_of(check, a, i)->failed && !is_dead(check, a, i, next) &&
		    reach_of(check, a->target, i, next) != REACH_OK)
			return false;
	}
	return true;
}

/*
 * A name with many addresses, of which each host gets some: those overlap, or there are more than
 * two views and all of them work. There is no odd one then.
 */
static bool rotates(struct check *check, const struct answers *a)
{
	return all_overlap(check, a) ||
	       ((a->classes > 2 || a->classes == a->n) && all_answered(check, a));
}

/* Several hosts that are no few of the group, and their answers work: a zone of its own, rather
 * than a fault. */
static bool is_zone(const struct check *check, const struct answers *a, size_t odd)
{
	return odd >= PART_HOSTS && odd * PART_SHARE > a->n && all_answered(check, a);
}

/* Is it named? Beside a majority, who has none of its addresses; else everybody. */
static bool is_odd(const struct check *check, const struct answers *a, bool majority, size_t h)
{
	const struct sight *sight = check_sight(check, h, a->target);

	return facts_find(&check->facts[h], FACET_DNS, a->row->key) != NULL &&
	       !sight->resolution->failed && !sight->misnamed &&
	       !(majority && share(sight->resolution, resolution_of(check, a, a->best), a->family));
}

static void report_differs(struct check *check, const struct answers *a)
{
	bool majority = !a->tied && a->n >= 3 && a->size * 3 >= a->n * 2;
	struct finding *f = NULL;

	if (!majority && rotates(check, a))
		return;
	for (size_t h = 0; h < check->n; h++) {
		if (!is_odd(check, a, majority, h))
			continue;
		if (f == NULL)
			f = add(check, a->target);
		accuse(check, f, a->target, h);
	}
	if (f == NULL)
		return;
	if (majority) {
		if (is_zone(check, a, f->n_hosts))
			f->severity = SEVERITY_INFO;
		quote_usual(check, f, a);
		f->summary = arena_printf(check->arena,
		    "%s resolve%s %s differently: %zu of %zu hosts have %s",
		    finding_hosts(check, f), f->n_hosts == 1 ? "s" : "", f->target, a->size, a->n,
		    check->entries[a->best].fact->value);
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
static void report_dead(struct check *check, const struct answers *a)
{
	const struct fact_entry *well = &check->entries[a->answered];
	struct finding *f = NULL;
	const char *dead = NULL;

	for (size_t i = a->row->begin, next; i < a->row->end; i = next) {
		next = end_of_class(check, a->row, i);
		if (!is_dead(check, a, i, next))
			continue;
		dead = dead == NULL ? check->entries[i].fact->value : "other addresses";
		for (size_t k = i; k < next; k++) {
			size_t h = check->entries[k].host;
			bool *misnamed =
			    &check->sights[h * check->run->meta.n_targets + a->target].misnamed;
			if (*misnamed)
				continue; /* by its addresses of the other family */
			*misnamed = true;
			if (f == NULL)
				f = add(check, a->target);
			accuse(check, f, a->target, h);
		}
	}
	if (f == NULL)
		return;
	finding_quote(check, f, check->hosts[well->host], well->fact->source);
	finding_quote(check, f, check->hosts[well->host],
	    source_of_answer(check_sight(check, well->host, a->target)));
	f->summary = arena_printf(check->arena,
	    "%s know%s %s by %s, at which it cannot be reached; the address that works is %s",
	    finding_hosts(check, f), f->n_hosts == 1 ? "s" : "", f->target, dead,
	    well->fact->value);
	f->why = "The name leads these hosts to another address than those that reach it. A stale "
		 "/etc/hosts entry, a name server's or the application's cache, or another name "
		 "server does this, most often after the service has moved.";
}

/* Families are judged apart: a host without IPv6 is not told of a name's IPv6 addresses. */
static void look_at(struct check *check, size_t t, uint8_t family)
{
	const char *key = fact_target_key(check->arena, check->run->meta.targets[t].text, family);
	struct answers a = {.row = check_row(check, FACET_DNS, key), .target = t, .family = family};

	if (a.row == NULL)
		return;
	count(check, &a);
	if (a.failed > 0)
		report_failed(check, &a);
	if (a.dead > 0)
		report_dead(check, &a);
	if (a.classes > 1)
		report_differs(check, &a);
}

void rule_dns_differs(struct check *check)
{
	for (size_t t = 0; t < check->run->meta.n_targets; t++) {
		look_at(check, t, IP_V4);
		look_at(check, t, IP_V6);
	}
}
