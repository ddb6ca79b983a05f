#include "oddhost/check/advise.h"

#include <stdarg.h>
#include <string.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/json.h"
#include "oddhost/base/text.h"
#include "oddhost/check/recreate.h"

#define DAEMON_JSON "/etc/docker/daemon.json"
#define VERIFIED_ADDRESSES 4 /* of a target */

struct adviser {
	struct check *check;
	struct arena *arena; /* the check's */
	const struct host *host;
	struct advice *advice;
	struct container_subnet *subnets;
	size_t n_subnets;
	bool moves_docker0;
};

void line_add(struct arena *arena, struct line_list *list, const char *fmt, ...)
{
	va_list ap;

	list->v = arena_grow(arena, list->v, list->n, &list->cap, sizeof *list->v);
	va_start(ap, fmt);
	list->v[list->n++] = arena_vprintf(arena, fmt, ap);
	va_end(ap);
}

/* daemon.json */

static bool must_move_docker0(const struct adviser *a)
{
	const char *bip = a->host->daemon.bip;
	struct prefix prefix;

	if (bip != NULL && prefix_parse(view_of(bip), &prefix))
		return needs_overlapping(a->check, &prefix) != NULL;
	for (size_t i = 0; i < a->n_subnets; i++) {
		if (subnet_is_docker0(&a->subnets[i]) &&
		    needs_overlapping(a->check, &a->subnets[i].prefix) != NULL)
			return true;
	}
	return false;
}

/*
 * What does not go with the new members. Dockerd does not start with pools of both kinds, and then
 * the commands put back what was there before; of a fixed-cidr outside docker0's subnet it takes no
 * notice.
 */
static void remark_on_daemon(struct adviser *a, const struct json *root, bool pools, bool bip)
{
	const struct docker_engine *engine = &a->host->engine;
	const struct docker_daemon *daemon = &a->host->daemon;

	if (pools && daemon->known && daemon->n_pools == 0 && engine->n_pools > 0)
		line_add(a->arena, &a->advice->remarks,
		    "docker seems to be started with an option --default-address-pool, which it does "
		    "not take beside daemon.json's: take it out of its unit first");
	if (bip && json_get(root, "fixed-cidr") != NULL)
		line_add(a->arena, &a->advice->remarks,
		    "fixed-cidr in " DAEMON_JSON
		    " has no effect outside the new bip: choose another");
}

static void merge_daemon(struct adviser *a)
{
	const struct group_pools *pools = group_pools_of(a->check);
	const struct docker_daemon *daemon = &a->host->daemon;
	struct view text = daemon->present ? daemon->source.probe->out : view_of("");
	struct buf out = {0};
	struct err err;

	if (daemon->present && !daemon->valid)
		return;
	struct json *root = view_trim(text).n > 0 ? json_parse_exact(text, &err) : json_object();
	if (root == NULL)
		return;
	bool pool = !pools->own && !group_pools_are(a->check, daemon->pools, daemon->n_pools);
	bool bip = a->moves_docker0 && pools->bip != NULL;
	if (pool)
		json_replace(root, "default-address-pools",
		    json_new_raw(group_pools_list(a->check, a->host)));
	if (bip)
		json_replace(root, "bip", json_new_string(pools->bip));
	a->advice->changes = pool || bip;
	remark_on_daemon(a, root, pool, bip);
	json_print(root, true, &out);
	json_free(root);
	a->advice->daemon_json = arena_dup(a->arena, buf_str(&out));
	buf_free(&out);
}

/* Networks */

static void add_container(struct adviser *a, struct advice_network *network, const char *name)
{
	for (size_t i = 0; i < network->containers.n; i++) {
		if (strcmp(network->containers.v[i], name) == 0)
			return;
	}
	line_add(a->arena, &network->containers, "%s", name);
}

static bool names_network(const char *networks, const char *name)
{
	struct view list = view_of(networks), part;

	while (view_next_part(&list, ',', &part)) {
		if (view_eq(view_trim(part), name))
			return true;
	}
	return false;
}

static void find_containers(struct adviser *a, struct advice_network *network)
{
	const struct host *host = a->host;

	for (size_t i = 0; network->network != NULL && i < network->network->n_containers; i++)
		add_container(a, network, network->network->containers[i]);
	for (size_t i = 0; i < host->n_containers; i++) {
		const struct container *c = &host->containers[i];
		if (c->name != NULL && c->networks != NULL &&
		    names_network(c->networks, network->name))
			add_container(a, network, c->name);
	}
}

static bool in_pools(const struct group_pools *pools, const struct prefix *subnet)
{
	for (size_t i = 0; i < pools->n; i++) {
		if (prefix_contains(&pools->v[i].base, subnet))
			return true;
	}
	return false;
}

/* The entry of the network that has this subnet: it may have another one that is in the way, too.
 */
static struct advice_network *entry_of(struct adviser *a, const struct container_subnet *s)
{
	struct advice *advice = a->advice;
	const char *name = s->network != NULL ? s->network->name : s->dev;

	for (size_t i = 0; i < advice->n_recreate; i++) {
		if (text_same(advice->recreate[i].name, name))
			return &advice->recreate[i];
	}
	advice->recreate = arena_grow(a->arena, advice->recreate, advice->n_recreate,
	    &advice->cap_recreate, sizeof *advice->recreate);
	struct advice_network *network = &advice->recreate[advice->n_recreate++];
	*network =
	    (struct advice_network){.name = name, .subnet = s->prefix, .network = s->network};
	find_containers(a, network);
	return network;
}

static void add_network(
    struct adviser *a, const struct container_subnet *s, const struct need *need)
{
	struct advice_network *network = entry_of(a, s);

	if (network->need == NULL)
		network->need = need;
	network->asked = network->asked || subnet_was_asked(a->host, s);
	if (s->prefix.ip.family == IP_V6) {
		network->outlaw6 = s->prefix;
		recreate_free6(a->check, s->network, &network->instead6);
	}
}

/* Docker keeps docker_gwbridge for its swarm: no container could be connected to a new one. */
static void leave_to_swarm(struct adviser *a, const struct container_subnet *s)
{
	char text[PREFIX_TEXT_SIZE];

	line_add(a->arena, &a->advice->remarks,
	    "%s (%s) is in the way, too, and is left alone: docker keeps it for its swarm. To move it, "
	    "let the host leave the swarm (docker swarm leave), remove it, create it with another "
	    "--subnet and the options that it has, and join again",
	    s->network->name, prefix_format(&s->prefix, text));
}

static void leave_docker0(struct adviser *a, const struct container_subnet *s)
{
	char text[PREFIX_TEXT_SIZE];

	line_add(a->arena, &a->advice->remarks,
	    "docker0 has %s, which is in the way: choose another fixed-cidr-v6 in " DAEMON_JSON
	    " by hand",
	    prefix_format(&s->prefix, text));
}

/* With `needed` those in the way of a need, else those that came from other pools. */
static void find_networks(struct adviser *a, bool needed)
{
	const struct group_pools *pools = group_pools_of(a->check);

	for (size_t i = 0; i < a->n_subnets; i++) {
		const struct container_subnet *s = &a->subnets[i];
		const struct need *need = needs_overlapping(a->check, &s->prefix);
		if (strcmp(s->owner, "docker") != 0 || subnet_is_docker0(s) ||
		    (need != NULL) != needed)
			continue;
		if (s->network != NULL && network_is_swarms(s->network)) {
			if (needed)
				leave_to_swarm(a, s);
		} else if (s->dev != NULL && strcmp(s->dev, "docker0") == 0) {
			if (needed)
				leave_docker0(a, s);
		} else if (needed || (subnet_is_docker(s) && !in_pools(pools, &s->prefix) &&
					 !subnet_was_asked(a->host, s))) {
			add_network(a, s, need);
		}
	}
}

/* Networks that are no routes of the host: pools and commands of ours are not for them. */
static void leave_within(struct adviser *a)
{
	struct container_subnet *subnets;
	size_t n = subnets_within_containers(a->arena, a->host, &subnets);
	char text[PREFIX_TEXT_SIZE];

	for (size_t i = 0; i < n; i++) {
		const struct need *need = needs_overlapping(a->check, &subnets[i].prefix);
		if (need != NULL && need->kind <= NEED_RESERVED)
			line_add(a->arena, &a->advice->remarks,
			    "%s (%s, %s) keeps its containers from %s: create it again by hand, with "
			    "another subnet",
			    subnets[i].network->name, subnets[i].network->driver,
			    prefix_format(&subnets[i].prefix, text), need_text(a->arena, need));
	}
}

/* Commands */

#define BEFORE DAEMON_JSON ".before-oddhost"

static void write_daemon(struct adviser *a)
{
	struct line_list *commands = &a->advice->commands;
	const struct docker_daemon *daemon = &a->host->daemon;

	if (daemon->present)
		line_add(a->arena, commands, "cp -p " DAEMON_JSON " " BEFORE);
	else
		line_add(a->arena, commands, "mkdir -p /etc/docker");
	if (!daemon->known)
		line_add(a->arena, commands,
		    "if [ -e " DAEMON_JSON " ]\n"
		    "then echo 'there is a " DAEMON_JSON
		    ", which was not read: merge what follows into it by "
		    "hand, then go on behind it' >&2\nexit 1\nfi");
	line_add(a->arena, commands, "cat >" DAEMON_JSON " <<'END'\n%sEND", a->advice->daemon_json);
}

/*
 * Containers without a restart policy stay down after a restart, so those that ran are started;
 * those made with --rm are gone. With live-restore none stops, but docker0 stays as it is while one
 * runs. Where docker does not start with what was written, what was there before is put back.
 */
static void restart(struct adviser *a)
{
	struct line_list *commands = &a->advice->commands;
	bool survive = a->host->engine.live_restore == 1, stops = !survive || a->moves_docker0;
	static const char start[] =
	    "[ -z \"$running\" ] || docker start $running || echo 'not all of them are there' >&2";

	if (stops)
		line_add(a->arena, commands, "running=$(docker ps -q)");
	if (survive && a->moves_docker0)
		line_add(a->arena, commands, "[ -z \"$running\" ] || docker stop $running");
	if (a->advice->changes)
		line_add(a->arena, commands,
		    "systemctl restart docker || {\n"
		    "echo 'docker does not start with it: what was there before is put back' >&2\n"
		    "%s\nsystemctl restart docker\n%s%sexit 1\n}",
		    a->host->daemon.present ? "cp -p " BEFORE " " DAEMON_JSON : "rm " DAEMON_JSON,
		    stops ? start : "", stops ? "\n" : "");
	else
		line_add(a->arena, commands, "systemctl restart docker");
	if (stops)
		line_add(a->arena, commands, "%s", start);
}

/* Verifying: each command fails, or prints what is to be compared. */

static void verify_targets(struct adviser *a)
{
	struct check *check = a->check;
	char text[IP_TEXT_SIZE];

	for (size_t t = 0; t < check->run->meta.n_targets; t++) {
		const struct target *target = &check->run->meta.targets[t];
		bool answers = false;
		size_t n = 0;
		for (size_t i = 0; i < check->n_sought; i++) {
			const struct sought *s = &check->sought[i];
			if (s->target != t || (s->first_peer == check->n && s->answers_inside))
				continue;
			answers = answers || s->answers_by_gateway || s->answers_on_link;
			if (n++ < VERIFIED_ADDRESSES)
				line_add(a->arena, &a->advice->verify,
				    "! ip route get %s | grep -E ' dev (docker|br-)'",
				    ip_format(&s->address, text));
		}
		if (answers)
			line_add(a->arena, &a->advice->verify, "ping -c 3 %s",
			    check_shell_word(check, target->name));
	}
}

static void verify(struct adviser *a)
{
	struct advice *advice = a->advice;
	char text[PREFIX_TEXT_SIZE];

	if (advice->restart)
		line_add(a->arena, &advice->verify,
		    "docker info --format '{{json .DefaultAddressPools}}'; ip -4 -o addr show docker0");
	for (size_t i = 0; i < advice->n_recreate; i++) {
		const struct advice_network *network = &advice->recreate[i];
		if (network->network != NULL)
			line_add(a->arena, &advice->verify,
			    "docker network inspect -f '{{range .IPAM.Config}}{{.Subnet}} {{end}}' %s",
			    check_shell_word(a->check, network->name));
		line_add(a->arena, &advice->verify,
		    "! ip -%c route show exact %s | grep -E ' dev (docker|br-)'",
		    network->subnet.ip.family == IP_V6 ? '6' : '4',
		    prefix_format(&network->subnet, text));
	}
	if (advice->restart || advice->n_recreate > 0)
		verify_targets(a);
}

static void remark(struct adviser *a)
{
	if (a->moves_docker0 && group_pools_of(a->check)->bip == NULL)
		line_add(a->arena, &a->advice->remarks,
		    "docker0 is in the way, too, and no private space is left for it: choose a bip "
		    "in " DAEMON_JSON " by hand");
	leave_within(a);
	recreate_remarks(a->check, a->host, a->advice);
}

static void command(struct adviser *a)
{
	struct advice *advice = a->advice;

	line_add(a->arena, &advice->commands, "(set -e");
	recreate_prepare(a->check, a->host, advice);
	if (advice->changes)
		write_daemon(a);
	if (advice->restart)
		restart(a);
	recreate_networks(a->check, a->host, advice);
	line_add(a->arena, &advice->commands, ")");
}

void advise_host(struct check *check, size_t h, struct advice *ret)
{
	struct adviser a = {
	    .check = check, .arena = check->arena, .host = check->hosts[h], .advice = ret};

	*ret = (struct advice){0};
	ret->no_docker = subnets_no_docker(a.host);
	a.n_subnets = subnets_of_host(check->arena, a.host, &a.subnets);
	ret->unknown = subnets_docker_unknown(a.host, a.subnets, a.n_subnets);
	if (ret->unknown != NULL || group_pools_of(check)->n == 0)
		return;
	a.moves_docker0 = must_move_docker0(&a);
	merge_daemon(&a);
	if (ret->daemon_json == NULL) {
		ret->unknown =
		    "its " DAEMON_JSON " is none that dockerd starts with: mend it first";
		return;
	}
	ret->restart = ret->changes || !group_pools_in_force(check, a.host);
	find_networks(&a, true);
	find_networks(&a, false);
	remark(&a);
	if (ret->restart || ret->n_recreate > 0)
		command(&a);
	verify(&a);
}
