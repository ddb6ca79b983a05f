#include "oddhost/check/fix.h"

#include <string.h>

#include "oddhost/base/buf.h"
#include "oddhost/check/group_pools.h"
#include "oddhost/check/recreate.h"
#include "oddhost/check/subnets.h"

static void mend_daemon(struct check *check, struct finding *f, const struct host *host)
{
	if (host->daemon.present && !host->daemon.valid)
		finding_add_fix(check, f,
		    "Mend /etc/docker/daemon.json of %s: it is not valid JSON, so that docker will "
		    "not start again.",
		    host->record->name);
}

/* Returns whether there are any to declare. */
static bool declare_pools(struct check *check, struct finding *f, const struct host *host,
    const char *clear_of, bool with_bip)
{
	const char *pools = group_pools_json(check, host, with_bip);
	const struct docker_daemon *daemon = &host->daemon;

	if (pools == NULL) {
		finding_add_fix(check, f,
		    "Choose default-address-pools%s by hand: no private space is clear of what this group "
		    "reserves and routes (oddhost advise shows what takes it).",
		    with_bip ? " and bip" : "");
		return false;
	}
	if (with_bip) {
		finding_add_fix(check, f,
		    "On every host whose docker0 is in the way, merge into /etc/docker/daemon.json, so "
		    "that it stays clear of %s:\n%s",
		    clear_of, pools);
		return true;
	}
	if (daemon->valid && daemon->n_pools > 0 && !group_pools_in_force(check, host) &&
	    group_pools_are(check, daemon->pools, daemon->n_pools))
		finding_add_fix(check, f,
		    "The address pools that daemon.json declares are clear of %s: docker only has to "
		    "be restarted to use them.",
		    clear_of);
	else
		finding_add_fix(check, f,
		    "On every host of the group that has docker, merge into /etc/docker/daemon.json, so "
		    "that docker stays clear of %s:\n%s",
		    clear_of, pools);
	return true;
}

#define NAMED_CONTAINERS 12

static const char *containers_text(struct check *check, const struct docker_network *network)
{
	struct buf out = {0};

	for (size_t i = 0; i < network->n_containers && i < NAMED_CONTAINERS; i++)
		buf_printf(&out, "%s%.100s", i ? ", " : "", network->containers[i]);
	if (network->n_containers > NAMED_CONTAINERS)
		buf_printf(&out, " and %zu more", network->n_containers - NAMED_CONTAINERS);
	const char *text = arena_dup(check->arena, buf_str(&out));
	buf_free(&out);
	return text;
}

/* What of a network is in the way of something. */
struct in_the_way {
	bool ipv4, ipv6;
	bool asked; /* somebody named that subnet, so re-creating it alone moves nothing */
};

static struct in_the_way look_at(struct check *check, const struct host *host, const char *dev,
    const struct docker_network *network)
{
	struct in_the_way ret = {0};
	struct container_subnet *subnets;
	size_t n = subnets_of_host(check->arena, host, &subnets);

	for (size_t i = 0; i < n; i++) {
		const struct container_subnet *s = &subnets[i];
		bool same = network != NULL ? s->network == network
					    : s->dev != NULL && strcmp(s->dev, dev) == 0;
		if (!same || needs_overlapping(check, &s->prefix) == NULL)
			continue;
		ret.ipv4 = ret.ipv4 || s->prefix.ip.family == IP_V4;
		ret.ipv6 = ret.ipv6 || s->prefix.ip.family == IP_V6;
		ret.asked = ret.asked || subnet_was_asked(host, s);
	}
	return ret;
}

static void recreate_by_compose(struct check *check, struct finding *f,
    const struct docker_network *network, const char *so_that, const char *stops)
{
	const char *word = check_shell_word(check, network->project);
	const char *compose = recreate_compose(network);

	finding_add_fix(check, f,
	    "Re-create the network%s%s. In the directory of its compose file%s:", so_that, stops,
	    *so_that ? " (where that file sets a subnet under ipam, change it first)" : "");
	finding_add_fix(
	    check, f, "$ %s -p %s down && %s -p %s up -d", compose, word, compose, word);
}

/* Only what was read of the network is known, so its other settings must be carried over by hand.
 */
static void recreate_by_hand(struct check *check, struct finding *f,
    const struct docker_network *network, const char *so_that, const char *stops,
    const char *options)
{
	const char *name = check_shell_word(check, network->name);

	finding_add_fix(check, f,
	    "Re-create the network%s. Note its settings, which containers are on it, and their "
	    "aliases and fixed addresses on it%s:",
	    so_that, stops);
	finding_add_fix(check, f, "$ docker network inspect %s", name);
	finding_add_fix(check, f,
	    "Take its containers off it, remove it, and create it with the same driver, options, "
	    "labels and flags, but %s; then connect the containers again, with their "
	    "aliases (oddhost advise prints commands that do it):",
	    *options ? "another subnet" : "no subnet");
	finding_add_fix(check, f, "$ docker network rm %s && docker network create %s%s%s", name,
	    network->internal ? "--internal " : "", options, name);
}

static void recreate(struct check *check, struct finding *f, const struct docker_network *network,
    const char *so_that, const char *options)
{
	const char *stops = "";

	if (network == NULL) {
		finding_add_fix(check, f,
		    "Find the network's name (`docker network ls`), note its settings (`docker network "
		    "inspect`), then remove it and create it with the same, but %s.",
		    *options ? "another subnet" : "no subnet");
		return;
	}
	if (network->n_containers > 0)
		stops = arena_printf(check->arena, "; these containers stop meanwhile: %s",
		    containers_text(check, network));
	if (network->project != NULL)
		recreate_by_compose(check, f, network, so_that, stops);
	else
		recreate_by_hand(check, f, network, so_that, stops, options);
}

/* Docker's own bridge, which can be neither removed nor created: daemon.json alone moves it. */
static bool is_default_bridge(const char *dev, const struct docker_network *network)
{
	struct container_subnet subnet = {
	    .prefix.ip.family = IP_V4, .dev = dev, .owner = "docker", .network = network};

	return subnet_is_docker0(&subnet);
}

static void restart(struct check *check, struct finding *f, bool with_bip)
{
	finding_add_fix(check, f,
	    "Restart docker at a quiet moment. All containers stop for it, unless live-restore is "
	    "on, and those without a restart policy stay down%s:",
	    with_bip ? "" : "; docker0 moves into the new pools too, unless bip is set");
	finding_add_fix(check, f, "$ systemctl restart docker");
}

void fix_declare_pools(
    struct check *check, struct finding *f, const struct host *host, const char *clear_of)
{
	mend_daemon(check, f, host);
	declare_pools(check, f, host, clear_of, false);
	restart(check, f, false);
}

/* Docker's address pools have no part in it. */
static void move_ipv6(struct check *check, struct finding *f, const struct docker_network *network,
    const char *clear_of)
{
	const char *options = "--ipv6 --subnet SUBNET ", *so_that;
	char text[PREFIX_TEXT_SIZE];
	struct prefix free6;

	if (recreate_free6(check, network, &free6)) {
		prefix_format(&free6, text);
		options = arena_printf(check->arena, "--ipv6 --subnet %s ", text);
	} else {
		text[0] = '\0';
	}
	so_that =
	    arena_printf(check->arena, " with another IPv6 subnet, one that is clear of %s%s%s",
		clear_of, *text ? ", such as " : "", text);
	recreate(check, f, network, so_that, options);
}

static void move_docker(struct check *check, struct finding *f, const struct host *host,
    const char *dev, const struct docker_network *network, const char *clear_of)
{
	struct in_the_way what = look_at(check, host, dev, network);
	bool by_default = is_default_bridge(dev, network);

	if (what.ipv6 && !what.ipv4 && by_default) {
		finding_add_fix(check, f,
		    "Choose another fixed-cidr-v6 in /etc/docker/daemon.json, one that is clear of %s.",
		    clear_of);
		restart(check, f, true);
		return;
	}
	if (what.ipv6 && !what.ipv4) {
		move_ipv6(check, f, network, clear_of);
		return;
	}
	bool declared = false;
	mend_daemon(check, f, host);
	if (by_default || !group_pools_in_force(check, host)) {
		declared = declare_pools(check, f, host, clear_of, by_default);
		restart(check, f, by_default);
	} else {
		finding_add_fix(check, f,
		    "The address pools that docker uses here are clear of %s already: to re-create the network is enough.",
		    clear_of);
	}
	if (by_default)
		return;
	if (what.asked)
		finding_add_fix(check, f,
		    "The subnet seems to have been named when the network was made (--subnet, or "
		    "ipam in a compose file): change it there, to one that is clear of %s, or to "
		    "none.",
		    clear_of);
	recreate(check, f, network,
	    declared && !what.asked ? ", so that it takes a subnet from the new pools" : "", "");
}

/* containers.conf(5), [network]. Podman has no daemon: new networks go by it at once. */
static void move_podman(struct check *check, struct finding *f, const struct host *host,
    const char *dev, const struct docker_network *network, const char *clear_of)
{
	const struct group_pools *pools = group_pools_of(check);
	char text[PREFIX_TEXT_SIZE];
	struct buf list = {0};

	for (size_t i = 0; i < pools->n; i++)
		buf_printf(&list, "%s{\"base\" = \"%s\", \"size\" = %u}", i ? ", " : "",
		    prefix_format(&pools->v[i].base, text), pools->v[i].size);
	if (network != NULL && strcmp(network->name, "podman") == 0) {
		finding_add_fix(check, f,
		    "Give podman's default network a default_subnet that is clear of %s, under "
		    "[network] in /etc/containers/containers.conf; containers on it must be made anew.",
		    clear_of);
	} else {
		if (pools->n > 0)
			finding_add_fix(check, f,
			    "So that podman stays clear of %s, put into /etc/containers/containers.conf "
			    "(podman 4 on; nothing has to be restarted):\n[network]\ndefault_subnet_pools = "
			    "[%s]",
			    clear_of, buf_str(&list));
		finding_add_fix(check, f,
		    "Remove the containers on %s, re-create it with the settings that it has, but "
		    "another subnet or none, and the containers:",
		    network != NULL ? path_network_text(check->arena, host, network)
				    : path_owner_text(check->arena, host, dev));
		const char *name =
		    network == NULL ? "NETWORK" : check_shell_word(check, network->name);
		finding_add_fix(
		    check, f, "$ podman network rm %s && podman network create %s", name, name);
	}
	buf_free(&list);
}

void fix_move_network(struct check *check, struct finding *f, const struct host *host,
    const char *dev, const struct docker_network *network, const char *clear_of)
{
	const char *owner = host_virtual_owner(host, dev);

	if (network == NULL && owner == NULL) {
		finding_add_fix(check, f,
		    "Find out what made %s (docker, a VPN, an administrator's own network), and give "
		    "it another subnet, one that is clear of %s:",
		    dev, clear_of);
		finding_add_fix(check, f, "$ ip -d link show dev %s; docker network ls",
		    check_shell_word(check, dev));
	} else if (network == NULL && strcmp(owner, "vpn") == 0) {
		finding_add_fix(check, f,
		    "Keep %s out of what goes through %s, in the VPN's own configuration (pushed "
		    "routes, AllowedIPs).",
		    clear_of, dev);
	} else if (host->engine.podman || (owner != NULL && strcmp(owner, "podman") == 0)) {
		move_podman(check, f, host, dev, network, clear_of);
	} else if (network == NULL && strcmp(owner, "docker") != 0) {
		finding_add_fix(check, f, "Give %s another subnet, one that is clear of %s.",
		    path_owner_text(check->arena, host, dev), clear_of);
	} else if (network != NULL && network_is_swarms(network)) {
		finding_add_fix(check, f,
		    "%s is docker's own, for its swarm, and can be neither re-created nor used by "
		    "hand while the host is in it. Let the host leave the swarm (docker swarm leave), "
		    "remove the network, create it with the options that it has and another subnet, "
		    "one that is clear of %s, and join again.",
		    network->name, clear_of);
	} else {
		move_docker(check, f, host, dev, network, clear_of);
	}
}
