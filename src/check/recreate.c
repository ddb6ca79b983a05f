#include "oddhost/check/recreate.h"

#include <string.h>

#include "oddhost/base/buf.h"

/*
 * A network's settings as options of `docker network create`, one a line; its containers, each with
 * the options of `docker network connect`; and which of these had a fixed address. Where docker
 * does not remove it, for something else is on it, they are put back.
 */
#define FUNCTION                                                                                       \
	"recreate() {\n"                                                                               \
	"net=$1\n"                                                                                     \
	"shift\n"                                                                                      \
	"settings=$(docker network inspect -f '--driver={{.Driver}}"                                   \
	"{{range $k, $v := .Options}}{{println}}--opt={{$k}}={{$v}}{{end}}"                            \
	"{{range $k, $v := .Labels}}{{println}}--label={{$k}}={{$v}}{{end}}"                           \
	"{{if .Internal}}{{println}}--internal{{end}}"                                                 \
	"{{if .Attachable}}{{println}}--attachable{{end}}"                                             \
	"{{if .EnableIPv6}}{{println}}--ipv6{{end}}' \"$net\")\n"                                      \
	"each='{{$c := .Name}}{{range $n, $e := .NetworkSettings.Networks}}{{if eq $n \"'$net'\"}}'\n" \
	"on=$(docker ps -aq --filter \"network=$net\" | xargs -r docker inspect -f "                   \
	"\"$each\"'{{$c}}{{range .Aliases}} --alias={{.}}{{end}}"                                      \
	"{{range .Links}} --link={{.}}{{end}}{{end}}{{end}}')\n"                                       \
	"docker ps -aq --filter \"network=$net\" | xargs -r docker inspect -f "                        \
	"\"$each\"'{{with .IPAMConfig}}{{with .IPv4Address}}{{println $c \"had the fixed address\" "   \
	". \"which is not kept\"}}{{end}}{{with .IPv6Address}}{{println $c \"had the fixed address\" " \
	". \"which is not kept\"}}{{end}}{{end}}{{end}}{{end}}' | grep . >&2 || true\n"                \
	"printf '%s\\n' \"$net was made with:\" \"$settings\" \"and had on it:\" \"$on\" >&2\n"        \
	"printf '%s\\n' \"$on\" | while read -r c options; do "                                        \
	"[ -z \"$c\" ] || docker network disconnect -f \"$net\" \"$c\"; done\n"                        \
	"kept=\n"                                                                                      \
	"docker network rm \"$net\" || kept=yes\n"                                                     \
	"[ \"$kept\" ] || printf '%s' \"$settings\" | tr '\\n' '\\0' | "                               \
	"xargs -0 docker network create \"$@\" \"$net\"\n"                                             \
	"set -f\n"                                                                                     \
	"printf '%s\\n' \"$on\" | while read -r c options; do "                                        \
	"[ -z \"$c\" ] || docker network connect $options \"$net\" \"$c\"; done\n"                     \
	"[ -z \"$kept\" ]\n"                                                                           \
	"}"

#define LABEL "docker inspect -f '{{index .Config.Labels \"com.docker.compose.project.%s\"}}' %s"

const char *recreate_compose(const struct docker_network *network)
{
	return network->compose != NULL && view_starts(view_of(network->compose), "1.")
		   ? "docker-compose"
		   : "docker compose";
}

bool recreate_free6(struct check *check, const struct docker_network *network, struct prefix *ret)
{
	const char *id = network == NULL ? NULL : network->id;

	for (; id != NULL && strlen(id) >= 10; id++) {
		const char *text =
		    arena_printf(check->arena, "fd%.2s:%.4s:%.4s::/64", id, id + 2, id + 6);
		if (prefix_parse(view_of(text), ret) && needs_overlapping(check, ret) == NULL)
			return true;
	}
	return false;
}

static const char *project_of(const struct advice_network *network)
{
	return network->network == NULL ? NULL : network->network->project;
}

/* A container of the network's project, whose labels say where the compose file is; or NULL. */
static const char *container_of(const struct host *host, const struct advice_network *network)
{
	const char *project = project_of(network);

	for (size_t i = 0; project != NULL && i < host->n_containers; i++) {
		const struct container *c = &host->containers[i];
		if (c->name != NULL && c->project != NULL && strcmp(c->project, project) == 0)
			return c->name;
	}
	return NULL;
}

/* Several networks of a project are re-created at once. */
static bool is_first_of_project(const struct advice *advice, size_t i)
{
	const char *project = project_of(&advice->recreate[i]);

	for (size_t k = 0; k < i; k++) {
		const char *other = project_of(&advice->recreate[k]);
		if (other != NULL && strcmp(other, project) == 0)
			return false;
	}
	return true;
}

/*
 * To where the project was started, with the files it was started with; in the root directory,
 * where its container does not say: compose finds no file there, and nothing happens.
 */
static const char *enter_project(struct check *check, const char *container)
{
	const char *word = check_shell_word(check, container);

	return arena_printf(check->arena,
	    "cd \"$(" LABEL ")/.\"\n"
	    "export COMPOSE_PATH_SEPARATOR=, COMPOSE_FILE=\"$(" LABEL ")\"",
	    "working_dir", word, "config_files", word);
}

static void check_project(
    struct check *check, const char *container, struct advice *advice, size_t first)
{
	const struct advice_network *network = &advice->recreate[first];
	const char *command = arena_printf(check->arena, "%s -p %s config",
	    recreate_compose(network->network), check_shell_word(check, project_of(network)));
	char text[PREFIX_TEXT_SIZE];
	struct buf named = {0};

	for (size_t i = first; i < advice->n_recreate; i++) {
		const struct advice_network *n = &advice->recreate[i];
		if (project_of(n) == NULL || strcmp(project_of(n), project_of(network)) != 0)
			continue;
		buf_printf(&named, " -e %s", prefix_format(&n->subnet, text));
		if (n->outlaw6.ip.family != IP_NONE && !prefix_equal(&n->outlaw6, &n->subnet))
			buf_printf(&named, " -e %s", prefix_format(&n->outlaw6, text));
	}
	line_add(check->arena, &advice->commands,
	    "(%s\n%s -q\nif %s | grep -F%s\n"
	    "then echo 'this subnet is set in the compose file: change it there first' >&2\nexit 1\nfi)",
	    enter_project(check, container), command, command, buf_str(&named));
	buf_free(&named);
}

static void recreate_project(struct check *check, const char *container, struct advice *advice,
    const struct advice_network *network)
{
	const char *word = check_shell_word(check, project_of(network));
	const char *compose = recreate_compose(network->network);

	line_add(check->arena, &advice->commands, "(%s\n%s -p %s down\n%s -p %s up -d)",
	    enter_project(check, container), compose, word, compose, word);
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

static bool is_known(const struct advice_network *network)
{
	return network->network != NULL || id_of(network) != NULL;
}

/* The subnets that it keeps: those of IPv6, which docker may have none of to give. */
static const char *subnets_kept(
    struct check *check, const struct advice_network *network, const char *name)
{
	const struct docker_network *known = network->network;
	char text[PREFIX_TEXT_SIZE];
	struct buf out = {0};

	if (known == NULL || !known->inspected)
		return arena_printf(check->arena,
		    " $(docker network inspect -f '{{range .IPAM.Config}}{{if gt (len (split .Subnet "
		    "\":\")) 1}} --subnet={{.Subnet}}{{end}}{{end}}' %s)",
		    name);
	for (size_t i = 0; i < known->n_subnets; i++) {
		const struct prefix *p = &known->subnets[i];
		if (prefix_equal(p, &network->outlaw6) && network->instead6.ip.family != IP_NONE)
			buf_printf(&out, " --subnet=%s", prefix_format(&network->instead6, text));
		else if (!prefix_equal(p, &network->subnet) &&
			 (p->ip.family == IP_V6 || known->asked[i]))
			buf_printf(&out, " --subnet=%s", prefix_format(p, text));
	}
	const char *kept = arena_dup(check->arena, buf_str(&out));
	buf_free(&out);
	return kept;
}

static void recreate_by_hand(
    struct check *check, struct advice *advice, const struct advice_network *network)
{
	const char *name = check_shell_word(check, network->name);

	if (network->network == NULL)
		name = arena_printf(check->arena, "\"$(docker network inspect -f '{{.Name}}' %s)\"",
		    id_of(network));
	line_add(check->arena, &advice->commands, "recreate %s%s", name,
	    subnets_kept(check, network, name));
}

void recreate_prepare(struct check *check, const struct host *host, struct advice *advice)
{
	bool by_hand = false;

	for (size_t i = 0; i < advice->n_recreate; i++) {
		const char *container = container_of(host, &advice->recreate[i]);
		by_hand = by_hand || (container == NULL && is_known(&advice->recreate[i]));
		if (container != NULL && is_first_of_project(advice, i))
			check_project(check, container, advice, i);
	}
	if (by_hand)
		line_add(check->arena, &advice->commands, "%s", FUNCTION);
}

void recreate_networks(struct check *check, const struct host *host, struct advice *advice)
{
	for (size_t i = 0; i < advice->n_recreate; i++) {
		const struct advice_network *network = &advice->recreate[i];
		const char *container = container_of(host, network);
		if (container == NULL && is_known(network))
			recreate_by_hand(check, advice, network);
		else if (container != NULL && is_first_of_project(advice, i))
			recreate_project(check, container, advice, network);
	}
}

static void remark(struct check *check, const struct host *host, struct advice *advice,
    const struct advice_network *network)
{
	struct line_list *remarks = &advice->remarks;
	const char *instead = "";
	char text[PREFIX_TEXT_SIZE];

	if (!is_known(network)) {
		line_add(check->arena, remarks,
		    "the network behind %s is not known (see docker network ls): re-create it by hand",
		    network->name);
		return;
	}
	if (network->instead6.ip.family != IP_NONE)
		instead = arena_printf(
		    check->arena, "; %s is free", prefix_format(&network->instead6, text));
	prefix_format(&network->subnet, text);
	if (container_of(host, network) != NULL) {
		if (network->asked)
			line_add(check->arena, remarks,
			    "the compose file of %s seems to name the subnet %s (under ipam): change it there "
			    "first%s. Where it does, the commands end before they change anything",
			    project_of(network), text, instead);
		return;
	}
	if (network->asked)
		line_add(check->arena, remarks,
		    "the subnet %s of %s seems to have been named when it was made (--subnet, or ipam in a "
		    "compose file): name another one, or none, where that is written%s",
		    text, network->name, instead);
	if (network->containers.n > 0)
		line_add(check->arena, remarks,
		    "containers with a fixed address on %s (--ip) get another one: the commands say which "
		    "these are",
		    network->name);
}

void recreate_remarks(struct check *check, const struct host *host, struct advice *advice)
{
	for (size_t i = 0; i < advice->n_recreate; i++)
		remark(check, host, advice, &advice->recreate[i]);
}
