#include "oddhost/inventory/questions.h"

#include <string.h>
#include <strings.h>

#include "oddhost/inventory/hierarchy.h"

#define PROBE_PREFIX "oddhost_probe_"
#define MOST 32 /* services and commands of one host */

struct asking {
	struct inventory *inv;
	struct arena *arena;
	struct host_spec *spec;
	size_t cap;
	const struct inventory_var *var;
};

static void complain(struct asking *a, const char *expected)
{
	inventory_error_at(
	    a->inv, a->var->source, a->var->line, "%s: expected %s", a->var->name->text, expected);
}

static void ask(struct asking *a, enum question_kind kind, const char *name, const char *text)
{
	struct host_spec *spec = a->spec;

	if (spec->n_questions >= MOST && kind != QUESTION_PEER) {
		complain(a, "fewer services and commands for one host");
		return;
	}
	spec->questions = arena_grow(
	    a->arena, spec->questions, spec->n_questions, &a->cap, sizeof *spec->questions);
	spec->questions[spec->n_questions++] = (struct question){kind, name, text};
}

/* A port, or a URL of which nothing is left to interpretation. */
static bool is_service(struct view text)
{
	uint64_t port;

	if (view_uint(text, 1, 65535, &port))
		return true;
	if (!view_take(&text, "http://") && !view_take(&text, "https://"))
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] <= ' ' || text.p[i] > '~')
			return false;
	}
	return text.n > 0 && text.p[0] != '/';
}

static void ask_local(struct asking *a, struct view list)
{
	struct view entry;

	while (view_next_part(&list, ',', &entry)) {
		entry = view_trim(entry);
		if (entry.n == 0)
			continue;
		const char *text = arena_dup_view(a->arena, entry);
		if (is_service(entry))
			ask(a, QUESTION_LOCAL, text, text);
		else
			complain(a, "a port or http://ADDRESS:PORT/PATH, comma separated");
	}
}

/* A list comes from JSON, or from an INI line such as `oddhost_local=[8080, 'http://…']`. */
static void ask_locals(struct asking *a)
{
	struct err err;
	struct json *list;

	if (a->var->value.kind != INVENTORY_LIST) {
		ask_local(a, view_of(a->var->value.text));
		return;
	}
	list = json_parse(view_of(a->var->value.text), &err);
	for (const struct json *item = json_first(list); item != NULL; item = json_next(item)) {
		if (json_is_number(item))
			ask_local(a, view_of(arena_printf(a->arena, "%.0f", json_number(item, 0))));
		else
			ask_local(a, view_of(json_string(item, "?")));
	}
	json_free(list);
}

static void ask_own(struct asking *a, const char *name)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	const char *text = a->var->value.text;

	if (a->var->value.kind != INVENTORY_STRING || *text == '\0')
		complain(a, "a command");
	else if (*name == '\0' || strspn(name, letters) != strlen(name))
		complain(a, "a name of letters, digits, '_' and '-' behind " PROBE_PREFIX);
	else
		ask(a, QUESTION_OWN, name, text);
}

static bool is_yes(struct asking *a)
{
	static const char *const yes[] = {"true", "yes", "on", "1"};
	static const char *const no[] = {"false", "no", "off", "0"};

	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
		if (strcasecmp(a->var->value.text, yes[i]) == 0)
			return true;
		if (strcasecmp(a->var->value.text, no[i]) == 0)
			return false;
	}
	complain(a, "yes or no");
	return false;
}

/* Returns whether the host takes part in the mesh. */
static bool read_vars(struct asking *a, const struct inventory_host *host)
{
	size_t n;
	const struct inventory_var **vars = hierarchy_vars(a->inv, host, &n);
	bool mesh = false;

	for (size_t i = 0; i < n; i++) {
		const char *name = vars[i]->name->text;
		a->var = vars[i];
		bool local = strcmp(name, "oddhost_local") == 0,
		     own = strncmp(name, PROBE_PREFIX, strlen(PROBE_PREFIX)) == 0,
		     ours = local || own || strcmp(name, "oddhost_mesh") == 0;
		if (!ours || a->var->value.kind == INVENTORY_NULL)
			continue;
		if (strstr(a->var->value.text, "{{") != NULL && !own)
			inventory_warn_at(a->inv, a->var->source, a->var->line,
			    "%s: holds a template, {{ … }}, which is not evaluated: left out",
			    name);
		else if (local)
			ask_locals(a);
		else if (own)
			ask_own(a, name + strlen(PROBE_PREFIX));
		else
			mesh = is_yes(a);
	}
	return mesh;
}

/* An address that means another machine wherever it is used. */
static bool can_be_pinged(const struct host_spec *spec)
{
	struct ip ip;

	return !spec->local && spec->address[0] != '-' &&
	       !(ip_parse(view_of(spec->address), &ip) && ip_is_loopback(&ip));
}

static void ask_peer(struct asking *a, const struct host_spec *peer)
{
	if (peer != a->spec)
		ask(a, QUESTION_PEER, peer->name, peer->address);
}

static void ask_peers(
    struct asking *a, struct host_spec *const *members, size_t n, size_t own_place)
{
	size_t steps[] = {1, n / 4, n / 2};

	for (size_t i = 0; n <= QUESTIONS_MESH_WHOLE && i < n; i++)
		ask_peer(a, members[i]);
	for (size_t i = 0; n > QUESTIONS_MESH_WHOLE && i < sizeof steps / sizeof *steps; i++)
		ask_peer(a, members[(own_place + steps[i]) % n]);
}

void questions_find(struct inventory *inv, struct arena *arena, struct inventory_host *const *hosts,
    struct host_spec *specs, size_t n)
{
	struct host_spec **members = arena_alloc(arena, n * sizeof *members);
	size_t *caps = arena_alloc(arena, n * sizeof *caps), n_members = 0;

	for (size_t i = 0; i < n; i++) {
		struct asking a = {.inv = inv, .arena = arena, .spec = &specs[i]};
		if (read_vars(&a, hosts[i]) && can_be_pinged(&specs[i]))
			members[n_members++] = &specs[i];
		caps[i] = a.cap;
	}
	for (size_t i = 0; i < n_members; i++) {
		struct asking a = {.arena = arena, .spec = members[i]};
		a.cap = caps[members[i] - specs];
		ask_peers(&a, members, n_members, i);
	}
}
