#include "oddhost/check/rules.h"

#include <string.h>

#define QUOTED_HOSTS 4
#define QUOTED_PEERS 2
#define HEAVY 50 /* per cent */

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

static void explain(struct check *check, struct finding *f, double worst, size_t well)
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
	    check_shell_word(check, f->target));
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
	explain(check, f, worst, well);
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
		report(check, t, well, true);
		report(check, t, well, false);
	}
}
