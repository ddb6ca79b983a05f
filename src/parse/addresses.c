#include "oddhost/parse/addresses.h"

#include "oddhost/base/json.h"
#include "oddhost/parse/ifconfig.h"
#include "oddhost/parse/line.h"

struct reader {
	struct address_list *list;
	struct diag_list *diags;
	const char *dev; /* of the block of plain `ip addr`; NULL before the first */
	struct line_finder finder;
};

void address_list_add(
    struct address_list *list, const char *dev, struct ip ip, unsigned len, unsigned number)
{
	list->v = arena_grow(list->arena, list->v, list->n, &list->cap, sizeof *list->v);
	list->v[list->n++] = (struct address){dev, ip, (uint8_t)len, number};
}

/*
 * "192.168.0.1/20", or "10.0.0.1 peer 10.0.0.2/32" where the length is that of the other end.
 * An address with neither is a host's own (/32, /128).
 */
static bool take_address(
    struct reader *r, const char *dev, struct view *words, struct view first, unsigned number)
{
	struct view rest = *words, word, peer;
	struct prefix p;
	struct ip ip;
	long slash = view_find_char(first, '/');

	if (!prefix_parse(first, &p) ||
	    !ip_parse(slash < 0 ? first : view_left(first, (size_t)slash), &ip))
		return false;
	if (view_next_word(&rest, &word) && view_eq(word, "peer") && view_next_word(&rest, &peer) &&
	    prefix_parse(peer, &p))
		*words = rest;
	address_list_add(r->list, dev, ip, p.len, number);
	return true;
}

/* "3: eth0@if2: <FLAGS> …", "3: eth0    inet …": the name without its peer. */
static const char *take_dev(struct view word, struct arena *arena)
{
	struct view name;

	if (view_ends(word, ":"))
		word.n--;
	if (!view_next_part(&word, '@', &name))
		return NULL;
	return arena_dup_view(arena, name);
}

static bool is_state(struct view word)
{
	static const char *const states[] = {
	    "UP", "DOWN", "UNKNOWN", "LOWERLAYERDOWN", "DORMANT", "TESTING", "NOTPRESENT"};

	for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
		if (view_eq(word, states[i]))
			return true;
	}
	return false;
}

/* A line of `ip -br addr`, behind the name and the state. */
static bool take_brief(struct reader *r, struct view name, struct view words, unsigned number)
{
	const char *dev = take_dev(name, r->list->arena);
	struct view word;

	while (view_next_word(&words, &word)) {
		if (view_eq(word, "metric")) {
			if (!view_next_word(&words, &word))
				return false;
		} else if (!take_address(r, dev, &words, word, number)) {
			return false;
		}
	}
	return true;
}

static bool take_line(struct view line, unsigned number, void *arg)
{
	struct reader *r = arg;
	struct view rest = line, word, second;
	uint64_t index;

	if (!view_next_word(&rest, &word))
		return false;
	if (view_eq(word, "inet") || view_eq(word, "inet6")) {
		return r->dev != NULL && view_next_word(&rest, &word) &&
		       take_address(r, r->dev, &rest, word, number);
	}
	if (line.p[0] == ' ') /* what else there is of the interface: link, counters, lifetimes */
		return r->dev != NULL;
	if (!view_next_word(&rest, &second))
		return false;
	if (is_state(second))
		return take_brief(r, word, rest, number);
	word.n--;
	if (!view_uint(word, 1, UINT32_MAX, &index) || word.p[word.n] != ':')
		return false;
	r->dev = take_dev(second, r->list->arena);
	if (view_ends(second, ":"))
		return true;
	if (!view_next_word(&rest, &word))
		return false;
	if (!view_eq(word, "inet") && !view_eq(word, "inet6"))
		return view_starts(word, "link/");
	return view_next_word(&rest, &word) && take_address(r, r->dev, &rest, word, number);
}

/* One interface of `ip -j addr`. */
static bool take_object(const struct json *object, unsigned number, void *arg)
{
	struct reader *r = arg;
	const char *dev = json_get_string(object, "ifname", NULL);

	if (dev == NULL) {
		if (!json_is_object(object) ||
		    json_first(object) !=
			NULL) /* old versions of ip print {} for what they filter */
			diag_add(
			    r->diags, number, "expected an object of `ip -j addr` with ifname");
		return false;
	}
	dev = arena_dup(r->list->arena, dev);
	const struct json *item = json_first(json_get(object, "addr_info"));
	for (; item != NULL; item = json_next(item)) {
		const char *local = json_get_string(item, "local", NULL);
		long len = -1;
		struct ip ip;
		if (local == NULL)
			continue;
		unsigned at = line_of_value(&r->finder, "local", local);
		if (ip_parse(view_of(local), &ip) &&
		    json_read_int(item, "prefixlen", 0, ip.family == IP_V4 ? 32 : 128, &len) &&
		    len >= 0)
			address_list_add(r->list, dev, ip, (unsigned)len, at != 0 ? at : number);
		else
			diag_add(r->diags, at, "expected an address with its prefixlen");
	}
	return true;
}

static bool read_text(struct view text, struct address_list *list, struct diag_list *diags)
{
	struct reader r = {.list = list, .diags = diags, .finder = {.rest = text, .line = 1}};

	if (view_starts(view_trim(text), "["))
		return line_each_item(text, diags, take_object, &r);
	if (ifconfig_is(text))
		return ifconfig_parse(text, list, diags);
	return line_each(
	    text, diags, "an interface or address as ip addr prints it", take_line, &r);
}

bool parse_addresses(struct view text, struct address_list *list, struct diag_list *diags)
{
	size_t before = list->n;

	if (view_trim(text).n == 0)
		return true;
	if (!read_text(text, list, diags))
		return false;
	if (list->n > before)
		return true;
	/* `ip link` prints the same interfaces: a host that answers has an address. */
	diag_add(diags, 0, "expected an address of any interface, as ip addr prints it");
	return false;
}
