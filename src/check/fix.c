#include "oddhost/check/fix.h"

#include <string.h>

#include "oddhost/base/buf.h"
#include "oddhost/check/subnets.h"

static void declare_pools(struct check *check, struct finding *f, const char *clear_of)
{
	const char *pools = subnets_pools_json(check);

	if (pools != NULL)
		finding_add_fix(check, f,
		    "On every host of the group, merge into /etc/docker/daemon.json, so that docker stays "
		    "clear of %s:\n%s",
		    clear_of, pools);
	else
		finding_add_fix(check, f,
		    "Choose default-address-pools by hand: no /16 from 172.18.0.0 to 172.31.0.0 or from "
		    "10.200.0.0 to 10.254.0.0 is clear of what this group reserves and routes.");
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

static void recreate(struct check *check, struct finding *f, const struct docker_network *network)
{
	const char *stops = "";

	if (network == NULL) {
		finding_add_fix(check, f,
		    "Find the network's name (`docker network ls`), then remove and re-create it.");
		return;
	}
	if (network->n_containers > 0)
		stops = arena_printf(check->arena, "; these containers stop meanwhile: %s",
		    containers_text(check, network));
	if (network->project != NULL) {
		const char *project = check_shell_word(check, network->project);
		finding_add_fix(check, f,
		    "Re-create the network, so that it takes a subnet from the new pools%s. In the "
		    "directory of its compose file:",
		    stops);
		finding_add_fix(check, f,
		    "$ docker compose -p %s down && docker compose -p %s up -d", project, project);
	} else {
		const char *name = check_shell_word(check, network->name);
		finding_add_fix(check, f,
		    "Re-create the network, so that it takes a subnet from the new pools; containers "
		    "must be taken off it first%s:",
		    stops);
		finding_add_fix(
		    check, f, "$ docker network rm %s && docker network create %s", name, name);
	}
}

void fix_move_network(struct check *check, struct finding *f, const struct host *host,
    const char *dev, const struct docker_network *network, const char *clear_of)
{
	const char *owner = host_virtual_owner(host, dev);

	if (network == NULL && (owner == NULL || strcmp(owner, "docker") != 0)) {
		finding_add_fix(check, f, "Give %s another subnet, one that is clear of %s.",
		    path_owner_text(check->arena, host, dev), clear_of);
		return;
	}
	declare_pools(check, f, clear_of);
	finding_add_fix(check, f,
	    "Restart docker at a quiet moment; all containers stop for it, unless live-restore is "
	    "on:");
	finding_add_fix(check, f, "$ systemctl restart docker");
	recreate(check, f, network);
}
