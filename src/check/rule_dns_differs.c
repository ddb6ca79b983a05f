#include "oddhost/check/rules.h"

#include <string.h>

#include "oddhost/check/facts.h"

/* The row of a target's resolutions, or NULL. */
static const struct fact_row *row_of(const struct check *check, const char *target)
{
	for (size_t i = 0; i < check->n_rows; i++) {
		if (check->rows[i].facet == FACET_DNS && strcmp(check->rows[i].key, target) == 0)
			return &check->rows[i];
	}
	return NULL;
}

static const char *value_at(const struct check *check, const struct fact_row *row, size_t i)
{
	return check->entries[row->begin + i].fact->value;
}

/* The size and first entry of the largest class; *ret_tied where another is as large. */
static size_t largest(
    const struct check *check, const struct fact_row *row, size_t *ret_size, bool *ret_tied)
{
	size_t n = row->end - row->begin, best = 0;

	*ret_size = 0;
	*ret_tied = false;
	for (size_t i = 0, next; i < n; i = next) {
		for (next = i + 1;
		     next < n && strcmp(value_at(check, row, next), value_at(check, row, i)) == 0;
		     next++)
			;
		if (next - i == *ret_size)
			*ret_tied = true;
		if (next - i > *ret_size) {
			*ret_size = next - i;
			best = i;
			*ret_tied = false;
		}
	}
	return best;
}

static void report(struct check *check, size_t t, const struct fact_row *row, size_t best,
    size_t size, bool majority)
{
	const char *target = check->run->meta.targets[t].text, *usual = value_at(check, row, best);
	struct finding *f = finding_add(check, "dns-differs", SEVERITY_MEDIUM, CONFIDENCE_CERTAIN);
	size_t n = row->end - row->begin;

	f->target = target;
	for (size_t h = 0; h < check->n; h++) {
		const struct fact *fact = facts_find(&check->facts[h], FACET_DNS, target);
		if (fact == NULL || (majority && strcmp(fact->value, usual) == 0))
			continue;
		finding_add_host(check, f, check_name(check, h));
		if (check_sight(check, h, t)->reach == REACH_FAILED)
			f->severity = SEVERITY_HIGH;
		if (f->n_hosts <= 4)
			finding_quote(check, f, check->hosts[h], fact->source);
	}
	if (majority) {
		const struct fact_entry *peer = &check->entries[row->begin + best];
		finding_quote(check, f, check->hosts[peer->host], peer->fact->source);
		f->summary = arena_printf(check->arena,
		    "%s resolve%s %s differently: %zu of %zu hosts have %s",
		    finding_hosts(check, f), f->n_hosts == 1 ? "s" : "", target, size, n, usual);
	} else if (size == n) {
		f->severity = SEVERITY_HIGH;
		f->summary = arena_printf(
		    check->arena, "%s does not resolve on %s", target, finding_hosts(check, f));
	} else {
		f->summary = arena_printf(check->arena,
		    "%s resolves differently on %s, and no answer is the majority's", target,
		    finding_hosts(check, f));
	}
	f->why =
	    size == n
		? "No host that was asked gets an address for the name, so nothing can be said about "
		  "the way to it: the name itself, or the name servers that these hosts share."
		: "Hosts that get different addresses for one name talk to different machines, or "
		  "to one that is no longer there. A stale /etc/hosts entry, another name server "
		  "or a split view does this; a name with many addresses that rotate may do it "
		  "harmlessly.";
	finding_add_fix(check, f, "Compare on these hosts and on a healthy one:");
	finding_add_fix(check, f, "$ getent hosts %s; grep -n %s /etc/hosts; cat /etc/resolv.conf",
	    check_shell_word(check, check->run->meta.targets[t].name),
	    check_shell_word(check, check->run->meta.targets[t].name));
}

void rule_dns_differs(struct check *check)
{
	for (size_t t = 0; t < check->run->meta.n_targets; t++) {
		const struct fact_row *row = row_of(check, check->run->meta.targets[t].text);
		size_t size;
		bool tied;
		if (row == NULL)
			continue;
		size_t n = row->end - row->begin, best = largest(check, row, &size, &tied);
		bool failed = strcmp(value_at(check, row, best), "does not resolve") == 0;
		if (size < n || failed)
			report(check, t, row, best, size,
			    !failed && !tied && n >= 3 && size * 3 >= n * 2);
	}
}
