#include "oddhost/parse/neighbours.h"

#include "oddhost/base/json.h"
#include "oddhost/parse/line.h"

struct reader {
	struct neighbour_list *list;
	struct diag_list *diags;
	struct line_finder finder;
};

static void add(struct reader *r, const struct neighbour *found)
{
	struct neighbour_list *list = r->list;

	list->v = arena_grow(list->arena, list->v, list->n, &list->cap, sizeof *list->v);
	list->v[list->n++] = *found;
}

static bool state_from_name(struct view word, enum neighbour_state *ret)
{
	for (unsigned i = NEIGHBOUR_INCOMPLETE; i <= NEIGHBOUR_NONE; i++) {
		if (view_eq(word, neighbour_state_name((enum neighbour_state)i))) {
			*ret = (enum neighbour_state)i;
			return true;
		}
	}
	return false;
}

/* The words of `ip neigh` that stand alone, print_neigh() of iproute2's ip/ipneigh.c. */
static bool is_flag(struct view word)
{
	static const char *const flags[] = {
	    "router", "proxy", "extern_learn", "offload", "managed", "extern_valid"};

	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
		if (view_eq(word, flags[i]))
			return true;
	}
	return false;
}

/*
 * "10.0.0.1 dev eth0 lladdr 02:42:ac:11:00:02 used 1/2/3 probes 1 REACHABLE"; ip(8) leaves out the
 * blank before "probes". A proxy entry is what the host answers for, no neighbour.
 */
static bool take_ip_line(struct reader *r, struct view line, unsigned number)
{
	struct neighbour found = {.line = number};
	struct view word, value;
	bool proxy = false;

	if (!view_next_word(&line, &word) || !ip_parse(word, &found.ip))
		return false;
	while (view_next_word(&line, &word)) {
		proxy = proxy || view_eq(word, "proxy");
		if (state_from_name(word, &found.state) || is_flag(word))
			continue;
		if (!view_next_word(&line, &value) ||
		    (view_ends(value, "probes") && !view_next_word(&line, &value)))
			return false;
		if (view_eq(word, "dev"))
			found.dev = arena_dup_view(r->list->arena, value);
		else if (view_eq(word, "lladdr"))
			found.lladdr = arena_dup_view(r->list->arena, value);
		else if (!view_eq(word, "used") && !view_eq(word, "probes") &&
			 !view_eq(word, "ref") && !view_eq(word, "vlan") &&
			 !view_eq(word, "proto") && !view_eq(word, "nhid"))
			return false;
	}
	if (found.dev == NULL)
		return false;
	if (!proxy)
		add(r, &found);
	return true;
}

static bool is_incomplete(struct view word)
{
	return view_eq(word, "(incomplete)") || view_eq(word, "<incomplete>");
}

/* `arp -n`: "10.0.0.1 ether 02:… C eth0", "10.0.0.9 (incomplete) eth0". */
static bool take_arp_row(struct reader *r, struct view line, unsigned number)
{
	struct neighbour found = {.line = number};
	struct view word[6] = {{0}};
	size_t n = 0;

	while (n < 6 && view_next_word(&line, &word[n]))
		n++;
	if (n < 3 || view_trim(line).n > 0 || !ip_parse(word[0], &found.ip))
		return false;
	if (view_eq(word[2], "<from_interface>"))
		return true; /* a proxy entry */
	if (is_incomplete(word[1])) {
		found.state = NEIGHBOUR_INCOMPLETE;
	} else if (n >= 5 && view_eq(word[1], "ether")) {
		found.lladdr = arena_dup_view(r->list->arena, word[2]);
		found.state =
		    view_find_char(word[3], 'M') >= 0 ? NEIGHBOUR_PERMANENT : NEIGHBOUR_UNKNOWN;
	} else {
		return false;
	}
	found.dev = arena_dup_view(r->list->arena, word[n - 1]);
	add(r, &found);
	return true;
}

/* `arp -an`: "? (10.0.0.1) at 02:… [ether] PERM on eth0", BSD's with "ifscope" and the like. */
static bool take_arp_line(struct reader *r, struct view line, unsigned number)
{
	struct neighbour found = {.line = number};
	struct view word, value;

	view_next_word(&line, &word); /* the name, or '?' */
	if (!view_next_word(&line, &word) || word.n < 2 || word.p[0] != '(' ||
	    word.p[word.n - 1] != ')' ||
	    !ip_parse(view_skip(view_left(word, word.n - 1), 1), &found.ip))
		return false;
	while (view_next_word(&line, &word)) {
		struct view rest = line;
		if (view_eq(word, "PERM") || view_eq(word, "permanent"))
			found.state = NEIGHBOUR_PERMANENT;
		if (view_eq(word, "PUB") || view_eq(word, "PUP") || view_eq(word, "published"))
			return true; /* a proxy entry */
		if (!view_next_word(&rest, &value))
			break;
		if (view_eq(word, "on"))
			found.dev = arena_dup_view(r->list->arena, value);
		else if (view_eq(word, "at") && is_incomplete(value))
			found.state = NEIGHBOUR_INCOMPLETE;
		else if (view_eq(word, "at"))
			found.lladdr = arena_dup_view(r->list->arena, value);
	}
	if (found.dev == NULL || (found.lladdr == NULL && found.state == NEIGHBOUR_UNKNOWN))
		return false;
	add(r, &found);
	return true;
}

/* One object of `ip -j neigh`. */
static bool take_object(const struct json *object, unsigned number, void *arg)
{
	struct reader *r = arg;
	struct arena *arena = r->list->arena;
	const char *dst = json_get_string(object, "dst", NULL);
	const char *state = json_string(json_first(json_get(object, "state")), "");
	struct neighbour found = {
	    .dev = arena_dup(arena, json_get_string(object, "dev", NULL)),
	    .lladdr = arena_dup(arena, json_get_string(object, "lladdr", NULL)),
	};

	if (dst == NULL || !ip_parse(view_of(dst), &found.ip) || found.dev == NULL) {
		diag_add(r->diags, number, "expected an object of `ip -j neigh` with dst and dev");
		return false;
	}
	unsigned at = line_of_value(&r->finder, "dst", dst);
	found.line = at != 0 ? at : number;
	state_from_name(view_of(state), &found.state);
	add(r, &found);
	return true;
}

static bool take_line(struct view line, unsigned number, void *arg)
{
	struct reader *r = arg;

	return line_begins(line, "Address") || take_ip_line(r, line, number) ||
	       take_arp_row(r, line, number) || take_arp_line(r, line, number);
}

bool parse_neighbours(struct view text, struct neighbour_list *list, struct diag_list *diags)
{
	struct reader r = {.list = list, .diags = diags, .finder = {.rest = text, .line = 1}};

	if (view_starts(view_trim(text), "["))
		return line_each_item(text, diags, take_object, &r);
	return line_each(text, diags, "a neighbour as ip neigh or arp prints it", take_line, &r);
}
