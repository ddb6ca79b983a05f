#include "oddhost/check/rules.h"

#include <string.h>

#include "oddhost/base/text.h"
#include "oddhost/model/cloud.h"

#define QUOTED_HOSTS 4
#define NAMED_WAYS 3
#define WAYS_KEPT 64 /* a group has a gateway for each of its few subnets */

enum symptom {
	NONE,
	NO_WAY,   /* the route table has none */
	DROPPED,  /* a route drops the packets: blackhole, unreachable, prohibit */
	REFUSED,  /* a firewall of the host itself */
	SERVICE,  /* the port is refused: the packets arrive, and the service is not there */
	FILTERED, /* connecting to the port is not answered, whatever ping says */
	ERRORS,
	SILENCE,
	SYMPTOMS
};

/* How packets leave a failing host, against the hosts that are answered. */
enum way {
	ALIKE,   /* as they leave some of those */
	DIFFERS, /* by another gateway or interface than any of those */
	INSIDE,  /* not at all: into a network of the host's own, as the peers' do */
	UNKNOWN,
	WAYS
};

/* Of a target: how the hosts that are answered send their packets. */
struct answered {
	size_t target, n;
	const char **values; /* the paths that their pings took, in words, each once */
	size_t n_values, cap_values;
};

static bool is_known_value(const struct answered *answered, const char *value)
{
	for (size_t i = 0; i < answered->n_values; i++) {
		if (strcmp(answered->values[i], value) == 0)
			return true;
	}
	return false;
}

/* The path that the ping took, in words; NULL where it is not known. */
static const char *way_text(const struct check *check, size_t t, size_t h)
{
	const struct sight *sight = check_sight(check, h, t);

	return sight->tried == NULL ? NULL : path_text(check->arena, check->hosts[h], sight->tried);
}

static struct answered find_answered(const struct check *check, size_t t)
{
	struct answered answered = {.target = t};

	for (size_t h = 0; h < check->n; h++) {
		if (check_sight(check, h, t)->reach != REACH_OK)
			continue;
		const char *value = way_text(check, t, h);
		answered.n++;
		if (value == NULL || answered.n_values == WAYS_KEPT ||
		    is_known_value(&answered, value))
			continue;
		answered.values = arena_grow(check->arena, answered.values, answered.n_values,
		    &answered.cap_values, sizeof *answered.values);
		answered.values[answered.n_values++] = value;
	}
	return answered;
}

static bool has_no_way(const struct path *path)
{
	return path->known && !path->uncertain && path->reason != LOOKUP_FOUND;
}

/* The path that has none: the one that ping tried, else, where no address has one, the first. */
static const struct path *find_no_way(const struct sight *sight)
{
	if (sight->tried != NULL)
		return has_no_way(sight->tried) ? sight->tried : NULL;
	for (size_t i = 0; i < sight->n_paths; i++) {
		if (!has_no_way(&sight->paths[i]))
			return NULL;
	}
	return sight->n_paths > 0 ? &sight->paths[0] : NULL;
}

static enum symptom symptom_of(const struct sight *sight)
{
	if (sight->shadow != NULL || (sight->resolution != NULL && sight->resolution->failed))
		return NONE; /* explained elsewhere */
	if (sight->reach != REACH_FAILED && sight->reach != REACH_SILENT)
		return NONE;
	const struct path *path = find_no_way(sight);
	if (path != NULL)
		return path->reason == LOOKUP_NO_ROUTE ? NO_WAY : DROPPED;
	if (sight->misnamed)
		return NONE;
	if (sight->tcp != NULL && sight->tcp->status == TCP_REFUSED)
		return SERVICE;
	if (sight->ping != NULL && sight->ping->status == PING_REFUSED)
		return REFUSED;
	if (sight->tcp != NULL && sight->tcp->status == TCP_TIMEOUT)
		return FILTERED;
	return sight->reach == REACH_SILENT ? SILENCE : ERRORS;
}

static enum way way_of(const struct check *check, const struct answered *answered, size_t h)
{
	const struct path *tried = check_sight(check, h, answered->target)->tried;
	const char *value = way_text(check, answered->target, h);

	if (value == NULL || answered->n_values == 0)
		return UNKNOWN;
	if (tried->owner != NULL && strcmp(tried->owner, "vpn") != 0)
		return INSIDE;
	return is_known_value(answered, value) ? ALIKE : DIFFERS;
}

/* What tells most comes first: what came back, or the route that lets nothing out. */
static void quote(struct check *check, struct finding *f, size_t h, const struct sight *sight)
{
	const struct host *host = check->hosts[h];
	bool sent = find_no_way(sight) == NULL;

	if (sight->tcp != NULL && sent)
		finding_quote(check, f, host, sight->tcp->source);
	if (sight->ping != NULL && sent) {
		finding_quote(check, f, host, source_of_error(sight->ping, 0));
		finding_quote(check, f, host, sight->ping->source);
		if (sight->tcp != NULL)
			finding_quote(check, f, host, source_of_reply(sight->ping));
	}
	for (size_t i = 0; i < sight->n_paths && i < 2; i++) {
		const struct path *path = &sight->paths[i];
		finding_quote(check, f, host, source_of_route(host, path->route));
		if (path->egress != NULL)
			finding_quote(check, f, host, path->egress->source);
	}
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

static void explain_no_way(struct check *check, size_t t, struct finding *f)
{
	const struct path *path = find_no_way(check_sight(check, f->places[0], t));
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
	f->summary = answered->n > 0 ? arena_printf(check->arena, "%s refuses the connection of %s",
					   f->target, finding_hosts(check, f))
				     : arena_printf(check->arena,
					   "%s refuses every host's connection", f->target);
	f->why = arena_printf(check->arena,
	    "Something answered for the address at once and said no: the packets arrive, so the way "
	    "there is not the fault. %s",
	    answered->n > 0
		? "Other hosts are let in, so it is not down: it refuses these, or another "
		  "machine answers them."
		: "The service does not run, listens elsewhere, or a firewall rejects. No "
		  "host is accused.");
	finding_add_fix(check, f,
	    "See what listens on the target's side: the service, its port and address, the backends "
	    "of a load balancer.");
	if (answered->n == 0)
		return;
	finding_add_fix(check, f, "On these hosts, look for what redirects the connection:");
	finding_add_fix(check, f, "$ iptables -t nat -S OUTPUT; nft list ruleset");
}

static void explain_all(struct check *check, struct finding *f, enum symptom symptom)
{
	bool silent = symptom == SILENCE;

	f->summary = arena_printf(
	    check->arena, "No host gets an answer from %s%s", f->target, silent ? " by ping" : "");
	f->why =
	    silent ? "Nothing came back to any host. That may be a filter: many services do not "
		     "answer ping. No host is accused."
	    : symptom == FILTERED
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

/* "via 10.1.0.77, via 10.1.0.78 and others": how the hosts of the finding send their packets. */
static const char *ways_text(struct check *check, size_t t, const struct finding *f)
{
	const char *named[NAMED_WAYS], *text = "";
	size_t n = 0;

	for (size_t i = 0; i < f->n_hosts; i++) {
		const char *value = way_text(check, t, f->places[i]);
		size_t k = 0;
		while (k < n && strcmp(named[k], value) != 0)
			k++;
		if (k < n)
			continue;
		if (n == NAMED_WAYS)
			return arena_printf(check->arena, "%s and others", text);
		named[n++] = value;
		text = arena_printf(check->arena, "%s%s%s", text, n > 1 ? ", " : "", value);
	}
	return text;
}

/* What support asks for first. */
static void add_instances(struct check *check, struct finding *f)
{
	for (size_t i = 0; i < f->n_hosts && i < QUOTED_HOSTS; i++) {
		const char *text = cloud_text(check->arena, &check->hosts[f->places[i]]->cloud);
		if (text != NULL)
			finding_add_fix(
			    check, f, "Name the instance: %s is %s.", f->hosts[i], text);
	}
}

static void explain_alike(
    struct check *check, struct finding *f, const struct answered *answered, enum symptom symptom)
{
	const char *who = finding_hosts(check, f);

	f->summary = arena_printf(
	    check->arena, "%s cannot reach %s, and its routes are like its peers'", who, f->target);
	f->why = arena_printf(check->arena,
	    "%zu other host%s answered by the same target, these send their packets out in the same "
	    "way (%s), and %s. What remains lies outside of the host.",
	    answered->n, answered->n == 1 ? " is" : "s are", ways_text(check, answered->target, f),
	    symptom == ERRORS ? "errors come back" : "nothing comes back");
	finding_add_fix(check, f,
	    "Ask the cloud: does the target's security group and allow-list hold the address of "
	    "%s? Is there a network ACL, or a route table of another subnet? Is the instance's state "
	    "as it should be (its network card, a limit, maintenance)?",
	    who);
	add_instances(check, f);
}

static void explain_differs(struct check *check, struct finding *f, const struct answered *answered)
{
	const char *ways = ways_text(check, answered->target, f);

	f->summary =
	    arena_printf(check->arena, "%s cannot reach %s, by another way than hosts that can: %s",
		finding_hosts(check, f), f->target, ways);
	f->why = arena_printf(check->arena,
	    "%zu other host%s answered by the same target. There the packets leave %s, here %s. Whether "
	    "that way leads to the target is not known from the hosts.",
	    answered->n, answered->n == 1 ? " is" : "s are",
	    answered->n_values == 1 ? answered->values[0] : "in other ways", ways);
	finding_add_fix(check, f,
	    "Find out whether the difference is meant (another subnet or zone). If not, see who sets "
	    "the route (netplan, cloud-init, DHCP, a VPN) and align it; if it is, look at that "
	    "gateway.");
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

static void explain(struct check *check, struct finding *f, const struct answered *answered,
    enum symptom symptom, enum way way)
{
	if (symptom == NO_WAY || symptom == DROPPED)
		explain_no_way(check, answered->target, f);
	else if (symptom == REFUSED)
		explain_refused(check, f);
	else if (symptom == SERVICE)
		explain_service(check, f, answered);
	else if (answered->n == 0)
		explain_all(check, f, symptom);
	else if (way == ALIKE)
		explain_alike(check, f, answered, symptom);
	else if (way == DIFFERS)
		explain_differs(check, f, answered);
	else if (way == INSIDE)
		explain_inside(check, answered->target, f);
	else
		explain_unknown(check, f, answered);
}

static enum severity severity_of(enum symptom symptom, size_t passing)
{
	if (symptom == SILENCE)
		return passing > 0 ? SEVERITY_MEDIUM : SEVERITY_LOW;
	return SEVERITY_HIGH;
}

static void report(
    struct check *check, const struct answered *answered, enum symptom symptom, enum way way)
{
	bool by_way = symptom >= FILTERED && answered->n > 0;
	bool sure = symptom != SILENCE && (!by_way || way == ALIKE);
	struct finding *f = NULL;

	if (!by_way && way != ALIKE)
		return; /* one finding, whatever the way */
	for (size_t h = 0; h < check->n; h++) {
		const struct sight *sight = check_sight(check, h, answered->target);
		if (symptom_of(sight) != symptom || (by_way && way_of(check, answered, h) != way))
			continue;
		if (f == NULL) {
			f = finding_add(check, "target-unreachable",
			    severity_of(symptom, answered->n),
			    sure ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE);
			f->target = check->run->meta.targets[answered->target].text;
		}
		finding_add_host(check, f, h);
		if (f->n_hosts <= QUOTED_HOSTS)
			quote(check, f, h, sight);
	}
	if (f != NULL)
		explain(check, f, answered, symptom, way);
}

void rule_target_unreachable(struct check *check)
{
	for (size_t t = 0; t < check->run->meta.n_targets; t++) {
		struct answered answered = find_answered(check, t);
		for (int symptom = NO_WAY; symptom < SYMPTOMS; symptom++) {
			for (int way = ALIKE; way < WAYS; way++)
				report(check, &answered, (enum symptom)symptom, (enum way)way);
		}
	}
}
