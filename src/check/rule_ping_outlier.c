#include "oddhost/check/rules.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define QUOTED_HOSTS 4
#define QUOTED_PEERS 2
#define HEAVY 50 /* per cent */

/*
 * A round trip is far from the group's where it lies this many scaled median absolute deviations
 * above the median (1.4826 MAD estimates a standard deviation), and is several times as long, by a
 * few milliseconds: a group in one zone differs by fractions of one, which are nobody's fault.
 */
#define RTT_HOSTS 4 /* fewer have no median to speak of */
#define RTT_DEVIATIONS 6
#define RTT_TIMES 3
#define RTT_LEAST_MS 5
#define MAD_SCALE 1.4826

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts the values. */
static double median(double *v, size_t n)
{
	qsort(v, n, sizeof *v, by_value);
	return n % 2 == 1 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static double rtt_of(const struct check *check, size_t h, size_t t)
{
	const struct ping *ping = check_sight(check, h, t)->ping;

	return ping != NULL && ping_answered(ping) ? ping->rtt_avg : -1;
}

/* The group's median, and the longest round trip that is not called far from it. */
static bool usual_rtt(const struct check *check, size_t t, double *ret_median, double *ret_limit)
{
	double *v = arena_alloc(check->arena, (check->n + 1) * sizeof *v);
	size_t n = 0;

	for (size_t h = 0; h < check->n; h++) {
		if (rtt_of(check, h, t) >= 0)
			v[n++] = rtt_of(check, h, t);
	}
	if (n < RTT_HOSTS)
		return false;
	double middle = median(v, n);
	for (size_t i = 0; i < n; i++)
		v[i] = fabs(v[i] - middle);
	double limit = middle + RTT_DEVIATIONS * MAD_SCALE * median(v, n);
	limit = fmax(limit, fmax(middle * RTT_TIMES, middle + RTT_LEAST_MS));
	*ret_median = middle;
	*ret_limit = limit;
	return true;
}

static bool loses(const struct ping *ping)
{
	return ping != NULL && ping->status == PING_LOSS;
}

static bool is_heavy(const struct ping *ping)
{
	return ping->loss_percent >= HEAVY;
}

static void quote(struct check *check, struct finding *f, size_t h, const struct ping *ping)
{
	finding_quote(check, f, check->hosts[h], ping->source);
	finding_quote(check, f, check->hosts[h], source_of_reply(ping));
}

static void explain(
    struct check *check, struct finding *f, const char *target, double worst, size_t well)
{
	const char *lost = worst < 0 ? "" : arena_printf(check->arena, " (up to %.0f %%)", worst);

	f->summary = arena_printf(check->arena,
	    "%s lose%s packets to %s%s, beside %zu host%s without loss", finding_hosts(check, f),
	    f->n_hosts == 1 ? "s" : "", f->target, lost, well, well == 1 ? "" : "s");
	f->why = arena_printf(check->arena,
	    "Some packets come back and others do not, while other hosts lose none on the way to "
	    "%s. With a few pings this may be chance; if it lasts, look at what is the host's own: "
	    "its link, a full connection-tracking table, a limit of its instance type.",
	    f->target);
	finding_add_fix(check, f, "See whether it lasts, and what the host drops:");
	finding_add_fix(check, f, "$ ping -n -c 100 -i 0.2 %s; ip -s link; dmesg | tail",
	    check_shell_word(check, target));
}

static void report(struct check *check, size_t t, size_t well, bool heavy)
{
	struct finding *f = NULL;
	double worst = -1;

	for (size_t h = 0; h < check->n; h++) {
		const struct ping *ping = check_sight(check, h, t)->ping;
		if (!loses(ping) || is_heavy(ping) != heavy)
			continue;
		if (f == NULL) {
			f = finding_add(check, "ping-outlier",
			    heavy ? SEVERITY_MEDIUM : SEVERITY_LOW, CONFIDENCE_POSSIBLE);
			f->target = check->run->meta.targets[t].text;
		}
		finding_add_host(check, f, h);
		worst = ping->loss_percent > worst ? ping->loss_percent : worst;
		if (f->n_hosts <= QUOTED_HOSTS)
			quote(check, f, h, ping);
	}
	if (f == NULL)
		return;
	for (size_t h = 0, n = 0; h < check->n && n < QUOTED_PEERS; h++) {
		const struct ping *ping = check_sight(check, h, t)->ping;
		if (ping == NULL || ping->status != PING_OK)
			continue;
		quote(check, f, h, ping);
		n++;
	}
	explain(check, f, check->run->meta.targets[t].name, worst, well);
}

static void report_slow(struct check *check, size_t t)
{
	struct finding *f = NULL;
	double middle, limit, worst = 0;

	if (!usual_rtt(check, t, &middle, &limit))
		return;
	for (size_t h = 0; h < check->n; h++) {
		double rtt = rtt_of(check, h, t);
		if (rtt <= limit)
			continue;
		if (f == NULL) {
			f = finding_add(check, "ping-outlier", SEVERITY_LOW, CONFIDENCE_POSSIBLE);
			f->target = check->run->meta.targets[t].text;
		}
		finding_add_host(check, f, h);
		worst = fmax(worst, rtt);
		if (f->n_hosts <= QUOTED_HOSTS)
			quote(check, f, h, check_sight(check, h, t)->ping);
	}
	if (f == NULL)
		return;
	f->summary = arena_printf(check->arena,
	    "%s: packets to %s take up to %.1f ms, the group's median is %.1f ms",
	    finding_hosts(check, f), f->target, worst, middle);
	f->why = "They come back, and late: another path, another zone, a link or a host that is "
		 "busy. With a few pings it may be chance.";
	finding_add_fix(check, f, "See whether it lasts, and where the time goes:");
	finding_add_fix(check, f, "$ ping -n -c 100 -i 0.2 %s; tracepath -n %s",
	    check_shell_word(check, check->run->meta.targets[t].name),
	    check_shell_word(check, check->run->meta.targets[t].name));
}

void rule_ping_outlier(struct check *check)
{
	for (size_t t = 0; t < check->run->meta.n_targets; t++) {
		size_t well = 0;
		for (size_t h = 0; h < check->n; h++) {
			const struct ping *ping = check_sight(check, h, t)->ping;
			well += ping != NULL && ping->status == PING_OK;
		}
		if (well == 0)
			continue;
		report_slow(check, t);
		report(check, t, well, true);
		report(check, t, well, false);
	}
}
