#include "oddhost/check/advise.h"

#include <stdarg.h>
#include <string.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/json.h"

#define DAEMON_JSON "/etc/docker/daemon.json"
#define VERIFIED_ADDRESSES 4 /* of a target */

/* The settings of a network that `docker network create` takes, one a line. */
#define SETTINGS                                                                                   \
	"{{range $k, $v := .Options}}--opt={{$k}}={{$v}}{{println}}{{end}}"                        \
	"{{range $k, $v := .Labels}}--label={{$k}}={{$v}}{{println}}{{end}}"                       \
	"{{if .Internal}}--internal{{println}}{{end}}"                                             \
	"{{if .Attachable}}--attachable{{println}}{{end}}"                                         \
	"{{if .EnableIPv6}}--ipv6{{println}}{{end}}"                                               \
	"{{range .IPAM.Config}}{{if gt (len (split .Subnet \":\")) 1}}"                            \
	"--subnet={{.Subnet}}{{println}}{{end}}{{end}}"

struct adviser {
	struct check *check;
	const struct host *host;
	struct advice *advice;
	struct container_subnet *subnets;
	size_t n_subnets;
	bool moves_docker0;
};

static void __attribute__((format(printf, 3, 4)))
add(struct adviser *a, struct line_list *list, const char *fmt, ...)
{
	va_list ap;

	list->v = arena_grow(a->check->arena, list->v, list->n, &list->cap, sizeof *list->v);
	va_start(ap, fmt);
	list->v[list->n++] = arena_vprintf(a->check->arena, fmt, ap);
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

static struct json *pools_as_json(const struct group_pools *pools)
{
	struct json *list = json_array();
	char text[PREFIX_TEXT_SIZE];

	for (size_t i = 0; i < pools->n; i++) {
		struct json *pool = json_push(list, json_object());
		json_set_string(pool, "base", prefix_format(&pools->v[i].base, text));
		json_set_number(pool, "size", pools->v[i].size);
	}
	return list;
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
	struct json *root = view_trim(text).n > 0 ? json_parse(text, &err) : json_object();
	if (root == NULL)
		return;
	if (!pools->own && !pools_same(daemon->pools, daemon->n_pools, pools->v, pools->n)) {
		json_replace(root, "default-address-pools", pools_as_json(pools));
		a->advice->changes = true;
	}
	if (a->moves_docker0) {
		json_replace(root, "bip", json_new_string(pools->bip));
		a->advice->changes = true;
	}
	json_print(root, true, &out);
	json_free(root);
	a->advice->daemon_json = arena_dup(a->check->arena, buf_str(&out));
	buf_free(&out);
}

/* Networks */

static void add_container(struct adviser *a, struct advice_network *network, const char *name)
{
	for (size_t i = 0; i < network->containers.n; i++) {
		if (strcmp(network->containers.v[i], name) == 0)
			return;
	}
	add(a, &network->containers, "%s", name);
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

/* Did docker choose this subnet, from pools of its own or of its daemon.json? */
static bool was_chosen(const struct adviser *a, const struct prefix *subnet)
{
	const struct docker_pool *v;
	size_t n;
	uint64_t place;

	if (subnets_pools(a->host, &v, &n) && pools_place(v, n, subnet, &place))
		return true;
	v = pools_default(&n);
	return pools_place(v, n, subnet, &place);
}

static bool in_pools(const struct group_pools *pools, const struct prefix *subnet)
{
	for (size_t i = 0; i < pools->n; i++) {
		if (prefix_contains(&pools->v[i].base, subnet))
			return true;
	}
	return false;
}

static void find_networks(struct adviser *a, bool needed)
{
	const struct group_pools *pools = group_pools_of(a->check);
	struct advice *advice = a->advice;

	for (size_t i = 0; i < a->n_subnets; i++) {
		const struct container_subnet *s = &a->subnets[i];
		const struct need *need = needs_overlapping(a->check, &s->prefix);
		if (!subnet_is_docker(s) || subnet_is_docker0(s) || (need != NULL) != needed ||
		    (!needed && (in_pools(pools, &s->prefix) || !was_chosen(a, &s->prefix))))
			continue;
		advice->recreate = arena_grow(a->check->arena, advice->recreate, advice->n_recreate,
		    &advice->cap_recreate, sizeof *advice->recreate);
		struct advice_network *network = &advice->recreate[advice->n_recreate++];
		*network =
		    (struct advice_network){.name = s->network != NULL ? s->network->name : s->dev,
			.subnet = s->prefix,
			.need = need,
			.network = s->network};
		find_containers(a, network);
	}
}

/* Commands */

static void write_daemon(struct adviser *a)
{
	struct line_list *commands = &a->advice->commands;
	const struct docker_daemon *daemon = &a->host->daemon;

	if (daemon->present)
		add(a, commands, "cp -p " DAEMON_JSON " " DAEMON_JSON ".before-oddhost");
	else
		add(a, commands, "mkdir -p /etc/docker");
	if (!daemon->known)
		add(a, commands,
		    "# what " DAEMON_JSON
		    " holds was not read: where there is one, merge these members into it by hand");
	add(a, commands, "%scat >" DAEMON_JSON " <<'END'\n%sEND",
	    daemon->known ? "" : "[ ! -e " DAEMON_JSON " ] && ", a->advice->daemon_json);
}

/*
 * Containers without a restart policy stay down after a restart, so those that ran are started.
 * With live-restore none stops, but docker0 stays as it is while one runs.
 */
static void restart(struct adviser *a)
{
	struct line_list *commands = &a->advice->commands;
	bool survive = a->host->engine.live_restore == 1;

	if (!survive || a->moves_docker0)
		add(a, commands, "running=$(docker ps -q)");
	if (survive && a->moves_docker0)
		add(a, commands, "[ -z \"$running\" ] || docker stop $running");
	add(a, commands, "systemctl restart docker");
	if (!survive || a->moves_docker0)
		add(a, commands, "[ -z \"$running\" ] || docker start $running");
}

static const char *project_of(const struct advice_network *network)
{
	return network->network == NULL ? NULL : network->network->project;
}

/* Several networks of a project are re-created at once. */
static bool is_first_of_project(const struct adviser *a, size_t i)
{
	const char *project = project_of(&a->advice->recreate[i]);

	for (size_t k = 0; k < i; k++) {
		const char *other = project_of(&a->advice->recreate[k]);
		if (other != NULL && strcmp(other, project) == 0)
			return false;
	}
	return true;
}

/* The directory of its compose file is a label of each of its containers. */
static void recreate_project(struct adviser *a, const struct advice_network *network)
{
	struct line_list *commands = &a->advice->commands;
	const char *word = check_shell_word(a->check, project_of(network));
	const char *container = NULL;

	for (size_t i = 0; i < a->host->n_containers && container == NULL; i++) {
		const struct container *c = &a->host->containers[i];
		if (c->project != NULL && strcmp(c->project, project_of(network)) == 0)
			container = c->name;
	}
	if (!was_chosen(a, &network->subnet))
		add(a, commands,
		    "# its compose file may name this subnet (ipam): change it there first");
	if (container == NULL) {
		add(a, commands, "# in the directory of its compose file:");
		add(a, commands, "docker compose -p %s down && docker compose -p %s up -d", word,
		    word);
		return;
	}
	add(a, commands,
	    "(cd \"$(docker inspect -f '{{index .Config.Labels "
	    "\"com.docker.compose.project.working_dir\"}}' %s)\" && docker compose -p %s config -q && "
	    "docker compose -p %s down && docker compose -p %s up -d)",
	    check_shell_word(a->check, container), word, word, word);
}

/* The digits of br-c3c094fc6759 are those of the network's id, which names it, too. */
static const char *id_of(const struct advice_network *network)
{
	const char *id = network->name + 3;

	if (strncmp(network->name, "br-", 3) != 0 || strlen(id) != 12 ||
	    strspn(id, "0123456789abcdef") != 12)
		return NULL;
	return id;
}

/* With the settings that it has: they are read before it is removed. */
static void recreate_network(struct adviser *a, const struct advice_network *network)
{
	struct line_list *commands = &a->advice->commands;
	const struct docker_network *known = network->network;
	const char *name = check_shell_word(a->check, network->name), *driver = "bridge";

	if (known == NULL && id_of(network) == NULL) {
		add(a, commands, "# the network behind %s is not known: see docker network ls",
		    name);
		return;
	}
	if (known == NULL) {
		add(a, commands, "name=$(docker network inspect -f '{{.Name}}' %s)",
		    id_of(network));
		name = "\"$name\"";
	} else if (known->driver != NULL) {
		driver = check_shell_word(a->check, known->driver);
	}
	if (known == NULL || !known->inspected)
		add(a, commands,
		    "# the containers on %s are not known: docker network rm refuses while there are any",
		    name);
	for (size_t i = 0; i < network->containers.n; i++)
		add(a, commands, "docker network disconnect -f %s %s", name,
		    check_shell_word(a->check, network->containers.v[i]));
	add(a, commands,
	    "settings=$(docker network inspect -f '" SETTINGS
	    "' %s) && docker network rm %s && printf '%%s' \"$settings\" | "
	    "xargs -d '\\n' docker network create -d %s %s",
	    name, name, driver, name);
	for (size_t i = 0; i < network->containers.n; i++)
		add(a, commands, "docker network connect %s %s", name,
		    check_shell_word(a->check, network->containers.v[i]));
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
				add(a, &a->advice->verify,
				    "! ip route get %s | grep -E ' dev (docker|br-)'",
				    ip_format(&s->address, text));
		}
		if (answers)
			add(a, &a->advice->verify, "ping -c 3 %s",
			    check_shell_word(check, target->name));
	}
}

static void verify(struct adviser *a)
{
	struct advice *advice = a->advice;
	char text[PREFIX_TEXT_SIZE];

	if (advice->restart)
		add(a, &advice->verify,
		    "docker info --format '{{json .DefaultAddressPools}}'; ip -4 -o addr show docker0");
	for (size_t i = 0; i < advice->n_recreate; i++) {
		const struct advice_network *network = &advice->recreate[i];
		if (network->network != NULL)
			add(a, &advice->verify,
			    "docker network inspect -f '{{range .IPAM.Config}}{{.Subnet}} {{end}}' %s",
			    check_shell_word(a->check, network->name));
		add(a, &advice->verify, "! ip -4 route show exact %s | grep -E ' dev (docker|br-)'",
		    prefix_format(&network->subnet, text));
	}
	if (advice->restart || advice->n_recreate > 0)
		verify_targets(a);
}

void advise_host(struct check *check, size_t h, struct advice *ret)
{
	struct adviser a = {.check = check, .host = check->hosts[h], .advice = ret};

	*ret = (struct advice){0};
	a.n_subnets = subnets_of_host(check->arena, a.host, &a.subnets);
	ret->unknown = subnets_docker_unknown(a.host, a.subnets, a.n_subnets);
	if (ret->unknown != NULL || group_pools_of(check)->n == 0)
		return;
	a.moves_docker0 = must_move_docker0(&a);
	merge_daemon(&a);
	if (ret->daemon_json == NULL) {
		ret->unknown = "its " DAEMON_JSON " is not valid JSON: mend it first";
		return;
	}
	ret->restart = ret->changes || !group_pools_in_force(check, a.host);
	find_networks(&a, true);
	find_networks(&a, false);
	if (ret->changes)
		write_daemon(&a);
	if (ret->restart)
		restart(&a);
	for (size_t i = 0; i < ret->n_recreate; i++) {
		if (project_of(&ret->recreate[i]) == NULL)
			recreate_network(&a, &ret->recreate[i]);
		else if (is_first_of_project(&a, i))
			recreate_project(&a, &ret->recreate[i]);
	}
	verify(&a);
}
