#include "oddhost/check/fix.h"

#include <string.h>

#include "oddhost/base/buf.h"
#include "oddhost/check/group_pools.h"
#include "oddhost/check/subnets.h"

/* Returns whether docker must be restarted for it. */
static bool declare_pools(struct check *check, struct finding *f, const struct host *host,
    const char *clear_of, bool with_bip)
{
	const char *pools = group_pools_json(check, host, with_bip);

	if (pools == NULL) {
		finding_add_fix(check, f,
		    "Choose default-address-pools%s by hand: no private space is clear of what this group "
		    "reserves and routes (oddhost advise shows what takes it).",
		    with_bip ? " and bip" : "");
		return true;
	}
	if (!with_bip && group_pools_in_force(check, host)) {
		finding_add_fix(check, f,
		    "The address pools that docker uses here are clear of %s already: to re-create the network is enough.",
		    clear_of);
		return false;
	}
	finding_add_fix(check, f,
	    "On every host of the group, merge into /etc/docker/daemon.json, so that docker stays "
	    "clear of %s:\n%s",
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

static void recreate_by_compose(
    struct check *check, struct finding *f, const char *project, const char *stops)
{
	const char *word = check_shell_word(check, project);

	finding_add_fix(check, f,
	    "Re-create the network, so that it takes a subnet from the new pools%s. In the "
	    "directory of its compose file (where that file sets a subnet under ipam, change it "
	    "first):",
	    stops);
	finding_add_fix(
	    check, f, "$ docker compose -p %s down && docker compose -p %s up -d", word, word);
}

/* Only what was read of the network is known, so its other settings must be carried over by hand.
 */
static void recreate_by_hand(
    struct check *check, struct finding *f, const struct docker_network *network, const char *stops)
{
	const char *name = check_shell_word(check, network->name);

	finding_add_fix(check, f,
	    "Re-create the network, so that it takes a subnet from the new pools. Note its settings, "
	    "and which containers are on it%s:",
	    stops);
	finding_add_fix(check, f, "$ docker network inspect %s", name);
	finding_add_fix(check, f,
	    "Take its containers off it, remove it, and create it with the same driver, options, "
	    "labels and flags, but no subnet; then connect the containers again:");
	finding_add_fix(check, f, "$ docker network rm %s && docker network create %s%s", name,
	    network->internal ? "--internal " : "", name);
}

static void recreate(struct check *check, struct finding *f, const struct docker_network *network)
{
	const char *stops = "";

	if (network == NULL) {
		finding_add_fix(check, f,
		    "Find the network's name (`docker network ls`), note its settings (`docker network "
		    "inspect`), then remove it and create it with the same, but no subnet.");
		return;
	}
	if (network->n_containers > 0)
		stops = arena_printf(check->arena, "; these containers stop meanwhile: %s",
		    containers_text(check, network));
	if (network->project != NULL)
		recreate_by_compose(check, f, network->project, stops);
	else
		recreate_by_hand(check, f, network, stops);
}

/* Docker's own bridge, which can be neither removed nor created: daemon.json alone moves it. */
static bool is_default_bridge(const char *dev, const struct docker_network *network)
{
	return (dev != NULL && strcmp(dev, "docker0") == 0) ||
	       (network != NULL && strcmp(network->name, "bridge") == 0);
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
	if (declare_pools(check, f, host, clear_of, false))
		restart(check, f, false);
}

void fix_move_network(struct check *check, struct finding *f, const struct host *host,
    const char *dev, const struct docker_network *network, const char *clear_of)
{
	const char *owner = host_virtual_owner(host, dev);
	bool by_default = is_default_bridge(dev, network);

	if (network == NULL && owner == NULL) {
		finding_add_fix(check, f,
		    "Find out what made %s (docker, a VPN, an administrator's own network), and give "
		    "it another subnet, one that is clear of %s:",
		    dev, clear_of);
		finding_add_fix(check, f, "$ ip -d link show dev %s; docker network ls",
		    check_shell_word(check, dev));
		return;
	}
	if (network == NULL && strcmp(owner, "vpn") == 0) {
		finding_add_fix(check, f,
		    "Keep %s out of what goes through %s, in the VPN's own configuration (pushed "
		    "routes, AllowedIPs).",
		    clear_of, dev);
		return;
	}
	if (network == NULL && strcmp(owner, "docker") != 0) {
		finding_add_fix(check, f, "Give %s another subnet, one that is clear of %s.",
		    path_owner_text(check->arena, host, dev), clear_of);
		return;
	}
	if (declare_pools(check, f, host, clear_of, by_default))
		restart(check, f, by_default);
	if (!by_default)
		recreate(check, f, network);
}
