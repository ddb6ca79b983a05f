#include "oddhost/check/rules.h"

#include <string.h>

#include "oddhost/check/causes.h"
#include "oddhost/model/cloud.h"

#define QUOTED_HOSTS 4

static void quote_path(
    struct check *check, struct finding *f, const struct host *host, const struct path *path)
{
	finding_quote(check, f, host, source_of_route(host, path->route));
	if (path->egress != NULL)
		finding_quote(check, f, host, path->egress->source);
}

/* What tells most comes first: what came back, or the route that lets nothing out. */
static void quote(struct check *check, struct finding *f, size_t h, const struct sight *sight,
    const struct cause *cause)
{
	const struct host *host = check->hosts[h];
	bool sent = cause->symptom != SYMPTOM_NO_WAY && cause->symptom != SYMPTOM_DROPPED;

	if (sight->tcp != NULL && sent)
		finding_quote(check, f, host, sight->tcp->source);
	if (sight->ping != NULL && sent) {
		finding_quote(check, f, host, source_of_error(sight->ping, 0));
		finding_quote(check, f, host, sight->ping->source);
		if (sight->tcp != NULL)
			finding_quote(check, f, host, source_of_reply(sight->ping));
	}
	if (sight->tried != NULL) {
		const struct neighbour *n = path_neighbour_failed(host, sight->tried);
		if (n != NULL)
			finding_quote(
			    check, f, host, (struct source){host->neighbours_source, n->line});
		quote_path(check, f, host, sight->tried);
	}
	for (size_t i = 0; i < sight->n_paths && i < 2 && sight->tried == NULL; i++)
		quote_path(check, f, host, &sight->paths[i]);
	if (!sent)
		finding_quote(check, f, host, source_of_error(sight->ping, 0));
}

/* The route that closes the way, or the one that is missing: its peers have it. */
static void fix_no_way(struct check *check, struct finding *f, const struct path *path,
    const struct sought *sought, const struct path *peer)
{
	char text[PREFIX_TEXT_SIZE], gateway[IP_TEXT_SIZE];
	bool v6 = path->address.family == IP_V6;

	if (path->route != NULL && path->reason != LOOKUP_NO_ROUTE) {
		finding_add_fix(check, f, "If the route is not meant, remove it:");
		finding_add_fix(check, f, "$ ip%s route del %s %s", v6 ? " -6" : "",
		    lookup_reason_name(path->reason), prefix_format(&path->route->dst, text));
	} else if (peer != NULL && peer->route != NULL && sought->gateway.family != IP_NONE) {
		finding_add_fix(check, f, "Put back the route that %s %s:", sought->peers,
		    sought->n_peers == 1 ? "has" : "have");
		finding_add_fix(check, f, "$ ip%s route add %s via %s", v6 ? " -6" : "",
		    peer->route->dst.len == 0 ? "default" : prefix_format(&peer->route->dst, text),
		    ip_format(&sought->gateway, gateway));
	}
	finding_add_fix(check, f,
	    "Find out who set or removed it (cloud-init, netplan, DHCP, a VPN, fail2ban), or it comes "
	    "back.");
}

static void explain_no_way(
    struct check *check, size_t t, struct finding *f, const struct path *path)
{
	const struct sought *sought = check_peers(check, t, &path->address);
	const struct path *peer =
	    sought->n_peers == 0 ? NULL : check_path(check, sought->first_peer, t, &path->address);
	const char *who = finding_hosts(check, f), *way;
	char text[PREFIX_TEXT_SIZE];

	f->address = arena_dup(check->arena, ip_format(&path->address, text));
	if (path->route != NULL && path->reason != LOOKUP_NO_ROUTE) {
		f->prefix = arena_dup(check->arena, prefix_format(&path->route->dst, text));
		way = arena_printf(check->arena, "the route '%s %s' drops packets for %s",
		    lookup_reason_name(path->reason), f->prefix, f->address);
	} else {
		way = arena_printf(check->arena, "there is no route to %s", f->address);
	}
	f->summary = arena_printf(
	    check->arena, "%s cannot reach %s: on the host itself, %s", who, f->target, way);
	f->why = arena_printf(check->arena, "%s is %s. No packet for it leaves %s: %s.%s",
	    f->target, f->address, f->n_hosts == 1 ? "the host" : "these hosts", way,
	    check_peers_text(check, sought));
	fix_no_way(check, f, path, sought, peer);
	finding_quote_peers(check, f, sought);
}

static void fix_own_firewall(struct check *check, struct finding *f)
{
	finding_add_fix(check, f,
	    "The host's own firewall was not read: look for a rule that stops these packets, or "
	    "their answers (as root):");
	finding_add_fix(check, f, "$ iptables -S; iptables -t nat -S; nft list ruleset");
}

static void explain_refused(struct check *check, struct finding *f)
{
	f->summary = arena_printf(check->arena,
	    "%s cannot reach %s: a firewall on the host itself refuses to send",
	    finding_hosts(check, f), f->target);
	f->why =
	    "ping is told 'Operation not permitted' by its own kernel: a rule for outgoing packets "
	    "(iptables, nftables) drops them before they leave. Whether the target would answer is "
	    "not known.";
	finding_add_fix(check, f, "Look for the rule that drops them:");
	finding_add_fix(check, f, "$ iptables -S OUTPUT; nft list ruleset");
}

static void explain_service(struct check *check, struct finding *f, const struct answered *answered)
{
	bool some = answered->n > 0;

	f->summary =
	    some ? arena_printf(check->arena, "%s refuses the connection of %s", f->target,
		       finding_hosts(check, f))
		 : arena_printf(check->arena, "%s refuses every host's connection", f->target);
	f->why = arena_printf(check->arena,
	    "Something answered for the address at once and said no. %s",
	    some ? "Other hosts are let in, so the service is not down: it refuses these, another "
		   "machine answers them, or a firewall rejects, which may be the host's own."
		 : "The service does not run, listens elsewhere, or a firewall rejects. No "
		   "host is accused.");
	if (some)
		fix_own_firewall(check, f);
	finding_add_fix(check, f,
	    "See what listens on the target's side: the service, its port and address, the backends "
	    "of a load balancer.");
}

static void explain_all(struct check *check, struct finding *f, enum symptom symptom)
{
	bool silent = symptom == SYMPTOM_SILENCE;

	f->summary = arena_printf(
	    check->arena, "No host gets an answer from %s%s", f->target, silent ? " by ping" : "");
	f->why =
	    silent ? "Nothing came back to any host. That may be a filter: many services do not "
		     "answer ping. No host is accused."
	    : symptom == SYMPTOM_FILTERED
		? "No host's connection is answered, so the fault lies in what they share: the "
		  "target itself, its security group, or the network before it. No host is "
		  "accused."
		: "Every host that was asked fails alike, so the fault lies in what they "
		  "share: the target itself, or the network before it. No host is accused.";
	finding_add_fix(check, f,
	    silent
		? "Test the service's own port from one of the hosts."
		: "Check the target in the cloud's console: does it run, did its address change, "
		  "does its allow-list hold these hosts?");
}

static void fix_cloud(struct check *check, struct finding *f)
{
	finding_add_fix(check, f,
	    "Ask the cloud: does the target's security group and allow-list hold the address of "
	    "%s? Is there a network ACL, or a route table of another subnet? Is the instance's state "
	    "as it should be (its network card, a limit, maintenance)?",
	    finding_hosts(check, f));
	/* What support asks for first. */
	for (size_t i = 0; i < f->n_hosts && i < QUOTED_HOSTS; i++) {
		const char *text = cloud_text(check->arena, &check->hosts[f->places[i]]->cloud);
		if (text != NULL)
			finding_add_fix(
			    check, f, "Name the instance: %s is %s.", f->hosts[i], text);
	}
}

static void fix_tunnel(struct check *check, struct finding *f, const char *dev)
{
	finding_add_fix(check, f,
	    "Look at the tunnel: is it up, when was its last handshake, and does its other end still "
	    "know this host and send its packets on?");
	finding_add_fix(
	    check, f, "$ ip -s link show dev %s; wg show", check_shell_word(check, dev));
}

static void fix_neighbour(struct check *check, struct finding *f, const struct path *path)
{
	char text[IP_TEXT_SIZE];

	finding_add_fix(check, f,
	    "See whether anybody in the host's own network answers for the address, and whether the "
	    "network is as large as the host thinks (its netmask, its VLAN):");
	finding_add_fix(check, f, "$ ip neigh show %s; arping -c 3 -I %s %s",
	    ip_format(&path->address, text), check_shell_word(check, path->dev), text);
}

static bool is_vpn(const struct path *path)
{
	return path->owner != NULL && strcmp(path->owner, "vpn") == 0;
}

/* Is the target in a network that the host itself is in? */
static bool is_next_door(const struct path *path)
{
	return path->owner == NULL && path->gateway.family == IP_NONE && path->dev != NULL;
}

/* What lies behind the way, in the order in which it is cheap to ask. */
static void fix_beyond(struct check *check, struct finding *f, size_t t)
{
	const struct path *path = check_sight(check, f->places[0], t)->tried;

	if (is_vpn(path)) {
		fix_tunnel(check, f, path->dev);
		fix_own_firewall(check, f);
		return;
	}
	if (is_next_door(path))
		fix_neighbour(check, f, path);
	fix_own_firewall(check, f);
	fix_cloud(check, f);
}

/* What came of the packets, as far as the first of the hosts says. */
static const char *outcome(struct check *check, const struct finding *f, size_t t)
{
	const struct host *host = check->hosts[f->places[0]];
	const struct sight *sight = check_sight(check, f->places[0], t);
	char text[IP_TEXT_SIZE];

	if (sight->ping == NULL || sight->ping->n_errors == 0)
		return sight->tcp != NULL && sight->tcp->status == TCP_UNREACHABLE
			   ? "errors come back"
			   : "nothing comes back";
	const struct ip *from = &sight->ping->errors[0].from;
	if (from->family == IP_NONE || host_dev_of_own(host, from) != NULL)
		return "the host itself reports errors";
	return arena_printf(check->arena, "errors come back from %s", ip_format(from, text));
}

static void explain_alike(
    struct check *check, struct finding *f, const struct answered *answered, enum way way)
{
	bool asked = check_sight(check, f->places[0], answered->target)->tried->asked;
	const char *its = f->n_hosts == 1 ? "its" : "their";

	f->summary = arena_printf(check->arena,
	    way == WAY_ALIKE
		? "%s cannot reach %s, though %s way out is the same as that of hosts that can"
		: "%s cannot reach %s by the gateway of %s own network, as hosts of other networks can",
	    finding_hosts(check, f), f->target, its);
	f->why = arena_printf(check->arena,
	    "%zu other host%s answered by the same target. Here the kernel sends in the same way (%s%s%s), "
	    "and %s. So a route is not what sets %s apart; whether a firewall of %s own lets the packets "
	    "out, and what lies behind that way, was not seen.",
	    answered->n, answered->n == 1 ? " is" : "s are", ways_text(check, answered->target, f),
	    way == WAY_LIKEWISE ? ", the gateway of their own network" : "",
	    asked ? ", by its own answer" : "", outcome(check, f, answered->target),
	    f->n_hosts == 1 ? "the host" : "these hosts", its);
	fix_beyond(check, f, answered->target);
}

static void explain_differs(struct check *check, struct finding *f, const struct answered *answered)
{
	const char *ways = ways_text(check, answered->target, f);
	const struct path *tried = check_sight(check, f->places[0], answered->target)->tried;

	const char *how = is_next_door(tried) ? "which is in the same network as it is"
					      : "by another way than hosts that can";

	f->summary = arena_printf(check->arena, "%s cannot reach %s, %s: %s",
	    finding_hosts(check, f), f->target, how, ways);
	f->why = arena_printf(check->arena,
	    "%zu other host%s answered by the same target. There the packets leave %s, here %s. Whether "
	    "that way leads to the target is not known from the hosts.",
	    answered->n, answered->n == 1 ? " is" : "s are",
	    answered->n_ways == 1 ? answered->ways[0].value : "in other ways", ways);
	if (is_vpn(answered->first) && !is_vpn(tried))
		finding_add_fix(check, f,
		    "The hosts that are answered go through a tunnel (%s): see whether this one lacks "
		    "its route (AllowedIPs, pushed routes).",
		    answered->first->dev);
	else if (!is_next_door(tried))
		finding_add_fix(check, f,
		    "Find out whether the difference is meant (another subnet or zone). If not, see "
		    "who sets the route (netplan, cloud-init, DHCP, a VPN) and align it; if it is, "
		    "look at that gateway.");
	fix_beyond(check, f, answered->target);
}

static void explain_inside(struct check *check, size_t t, struct finding *f)
{
	const struct path *path = check_sight(check, f->places[0], t)->tried;
	const char *owner = path_owner_text(check->arena, check->hosts[f->places[0]], path->dev);

	f->summary = arena_printf(check->arena,
	    "%s cannot reach %s, which every host looks for in a network of its own: %s",
	    finding_hosts(check, f), f->target, owner);
	f->why = arena_printf(check->arena,
	    "No host sends packets for %s out: all look for it in %s or one like it. Other hosts are "
	    "answered there, so what should serve it here does not run.",
	    f->target, owner);
	finding_add_fix(check, f, "Look at the container that serves it on this host:");
	finding_add_fix(check, f, "$ docker ps -a");
}

static void explain_unknown(struct check *check, struct finding *f, const struct answered *answered)
{
	const char *who = finding_hosts(check, f);

	f->summary = arena_printf(check->arena,
	    "%s cannot reach %s, and by which way it tries is not known", who, f->target);
	f->why = arena_printf(check->arena,
	    "%zu other host%s answered by the same target. The way out of the failing or of the "
	    "healthy hosts was not read whole, so a fault on the host is not ruled out.",
	    answered->n, answered->n == 1 ? " is" : "s are");
	finding_add_fix(check, f, "Compare on %s and on a healthy host:", who);
	finding_add_fix(check, f, "$ getent ahosts %s; ip route get ADDRESS; ip route; ip rule",
	    check_shell_word(check, check->run->meta.targets[answered->target].name));
}

/* Nobody was found to send a packet to, whom a firewall might stop. */
static void explain_unheard(struct check *check, struct finding *f, const struct answered *answered)
{
	const struct path *path = check_sight(check, f->places[0], answered->target)->tried;
	char text[IP_TEXT_SIZE];

	f->summary = arena_printf(check->arena,
	    "%s cannot reach %s: in %s own network, %s, nobody answers for %s",
	    finding_hosts(check, f), f->target, f->n_hosts == 1 ? "its" : "their",
	    path_owner_text(check->arena, check->hosts[f->places[0]], path->dev),
	    ip_format(&path->address, text));
	f->why = arena_printf(check->arena,
	    "The address lies in the host's own network, so the kernel asks who has it (ARP, or "
	    "neighbour discovery), and its neighbour table says that nobody answered: no packet "
	    "leaves for the target. %zu other host%s answered by it.",
	    answered->n, answered->n == 1 ? " is" : "s are");
	fix_neighbour(check, f, path);
}

static void explain(struct check *check, struct finding *f, const struct answered *answered,
    const struct cause *cause)
{
	if (cause->symptom == SYMPTOM_NO_WAY || cause->symptom == SYMPTOM_DROPPED)
		explain_no_way(check, answered->target, f, cause->path);
	else if (cause->symptom == SYMPTOM_REFUSED)
		explain_refused(check, f);
	else if (cause->symptom == SYMPTOM_SERVICE)
		explain_service(check, f, answered);
	else if (answered->n == 0)
		explain_all(check, f, cause->symptom);
	else if (cause->symptom == SYMPTOM_UNHEARD)
		explain_unheard(check, f, answered);
	else if (cause->way == WAY_ALIKE || cause->way == WAY_LIKEWISE)
		explain_alike(check, f, answered, cause->way);
	else if (cause->way == WAY_DIFFERS)
		explain_differs(check, f, answered);
	else if (cause->way == WAY_INSIDE)
		explain_inside(check, answered->target, f);
	else
		explain_unknown(check, f, answered);
}

static enum severity severity_of(enum symptom symptom, size_t passing)
{
	if (symptom == SYMPTOM_SILENCE)
		return passing > 0 ? SEVERITY_MEDIUM : SEVERITY_LOW;
	return SEVERITY_HIGH;
}

/* Silence may be a filter's, and a way of its own may be meant. */
static enum confidence confidence_of(const struct cause *cause)
{
	return cause->symptom != SYMPTOM_SILENCE &&
		       (cause->way == WAY_ALIKE || cause->way == WAY_LIKEWISE)
		   ? CONFIDENCE_LIKELY
		   : CONFIDENCE_POSSIBLE;
}

/* The same route of a host's, or the same lack of one. */
static bool same_route(const struct path *a, const struct path *b)
{
	if (a == NULL || b == NULL || a->reason != b->reason)
		return false;
	return a->route == b->route && (a->route != NULL || a->reason == LOOKUP_NO_ROUTE);
}

struct reporter {
	struct check *check;
	struct answered *answered; /* one a target */
	struct cause **causes;     /* [target][host]; without a symptom where it was told */
};

/* Does this target fail on the finding's hosts, and only on them, for the same route as `lead`? */
static bool fails_as_well(const struct reporter *r, const struct finding *f, size_t lead, size_t t)
{
	size_t n = 0;

	for (size_t h = 0; h < r->check->n; h++) {
		bool same = same_route(r->causes[t][h].path, r->causes[lead][h].path);
		if (same != (n < f->n_hosts && f->places[n] == h))
			return false;
		n += same;
	}
	return true;
}

/* One cause is one finding: the other targets that it costs are named with the first. */
static void add_targets(const struct reporter *r, struct finding *f, size_t lead)
{
	struct check *check = r->check;
	size_t first = f->places[0];

	for (size_t t = lead + 1; t < check->run->meta.n_targets; t++) {
		if (!fails_as_well(r, f, lead, t))
			continue;
		enum severity severity = severity_of(r->causes[t][first].symptom, r->answered[t].n);
		f->severity = severity > f->severity ? severity : f->severity;
		f->summary = arena_printf(
		    check->arena, "%s; nor %s", f->summary, check->run->meta.targets[t].text);
		quote(check, f, first, check_sight(check, first, t), &r->causes[t][first]);
		for (size_t i = 0; i < f->n_hosts; i++)
			r->causes[t][f->places[i]] = (struct cause){.symptom = SYMPTOM_NONE};
	}
}

/* Of a name that answers at other addresses: which one it is. */
static void name_address(struct check *check, struct finding *f, size_t t)
{
	const struct sight *sight = check_sight(check, f->places[0], t);
	char text[IP_TEXT_SIZE];

	if (sight->tried == NULL || !sight_answers_beside(sight, sight->tried))
		return;
	f->address = arena_dup(check->arena, ip_format(&sight->tried->address, text));
	f->why = arena_printf(check->arena, "%s Of the name's %zu addresses it is %s.", f->why,
	    sight->n_paths, f->address);
}

static void report(const struct reporter *r, size_t t, enum symptom symptom, enum way way)
{
	struct check *check = r->check;
	struct finding *f = NULL;

	for (size_t h = 0; h < check->n; h++) {
		const struct cause *cause = &r->causes[t][h];
		if (cause->symptom != symptom || cause->way != way)
			continue;
		if (f == NULL) {
			f = finding_add(check, "target-unreachable",
			    severity_of(symptom, r->answered[t].n), confidence_of(cause));
			f->target = check->run->meta.targets[t].text;
		}
		finding_add_host(check, f, h);
		if (f->n_hosts <= QUOTED_HOSTS)
			quote(check, f, h, check_sight(check, h, t), cause);
	}
	if (f == NULL)
		return;
	explain(check, f, &r->answered[t], &r->causes[t][f->places[0]]);
	name_address(check, f, t);
	add_targets(r, f, t);
}

void rule_target_unreachable(struct check *check)
{
	size_t targets = check->run->meta.n_targets;
	struct reporter r = {.check = check,
	    .answered = arena_alloc(check->arena, targets * sizeof *r.answered),
	    .causes = arena_alloc(check->arena, targets * sizeof *r.causes)};

	for (size_t t = 0; t < targets; t++) {
		r.answered[t] = answered_find(check, t);
		r.causes[t] = causes_of(check, &r.answered[t]);
		for (size_t h = 0; h < check->n; h++)
			check->sights[h * targets + t].misrouted = r.causes[t][h].path != NULL;
	}
	for (size_t t = 0; t < targets; t++) {
		for (int symptom = SYMPTOM_NO_WAY; symptom < SYMPTOMS; symptom++) {
			for (int way = WAY_ALIKE; way < WAYS; way++)
				report(&r, t, (enum symptom)symptom, (enum way)way);
		}
	}
}
