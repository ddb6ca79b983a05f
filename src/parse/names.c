#include "oddhost/parse/names.h"

#include <stdlib.h>

#include "oddhost/base/json.h"
#include "oddhost/parse/line.h"

static int by_address(const void *a, const void *b)
{
	return ip_cmp(a, b);
}

bool parse_getent(
    struct view text, struct arena *arena, struct resolution *ret, struct diag_list *diags)
{
	struct line_reader lines = {.rest = text};
	struct view line;
	size_t unique = 0;

	*ret = (struct resolution){.failed = view_trim(text).n == 0};
	while (line_next(&lines, &line)) {
		struct view rest = line, word;
		struct ip ip;
		if (!view_next_word(&rest, &word) || !ip_parse_zoned(word, &ip)) {
			line_reject(
			    diags, lines.number, line, "an address first, as getent prints it");
			continue;
		}
		if (ret->n == 0)
			ret->source.line = lines.number;
		ret->addresses = arena_grow(arena, ret->addresses, ret->n, &ret->cap, sizeof ip);
		ret->addresses[ret->n++] = ip;
	}
	if (ret->n == 0)
		return ret->failed;
	qsort(ret->addresses, ret->n, sizeof *ret->addresses, by_address);
	for (size_t i = 0; i < ret->n; i++) {
		if (unique == 0 || !ip_equal(&ret->addresses[unique - 1], &ret->addresses[i]))
			ret->addresses[unique++] = ret->addresses[i];
	}
	ret->n = unique;
	return true;
}

static void add(struct egress_list *list, struct egress found, unsigned number)
{
	list->v = arena_grow(list->arena, list->v, list->n, &list->cap, sizeof *list->v);
	found.source.line = number;
	list->v[list->n++] = found;
}

/* A whole answer; false where it does not say where packets go. */
static bool add_answer(struct egress_list *list, struct egress found, unsigned number)
{
	enum route_type type = found.type;

	if (type == ROUTE_BLACKHOLE || type == ROUTE_UNREACHABLE || type == ROUTE_PROHIBIT) {
		found.refused = route_type_name(type);
		found.dev = NULL; /* IPv6 prints lo for these */
	} else if (found.dev == NULL) {
		return false;
	}
	add(list, found, number);
	return true;
}

/*
 * "192.168.0.166 via 192.168.73.253 dev eth0 src 192.168.73.10 uid 0". Only the three words that
 * matter are looked for; "from :: via", "table local" and the like may stand between them.
 */
static bool take_answer(struct egress_list *list, struct view line, unsigned number)
{
	struct view word, value;
	enum route_type type = ROUTE_UNICAST;
	struct egress found = {0};

	if (!view_next_word(&line, &word) ||
	    (route_type_from_name(word, &type) && !view_next_word(&line, &word)) ||
	    !ip_parse_zoned(word, &found.address))
		return false;
	while (view_next_word(&line, &word)) {
		struct view rest = line;
		if (!view_next_word(&rest, &value))
			break;
		if (view_eq(word, "via")) {
			if (view_eq(value, "inet6") && !view_next_word(&rest, &value))
				return false;
			if (!ip_parse(value, &found.gateway))
				return false;
		} else if (view_eq(word, "dev")) {
			found.dev = arena_dup_view(list->arena, value);
		} else if (view_eq(word, "src")) {
			if (!ip_parse(value, &found.src))
				return false;
		} else {
			continue;
		}
		line = rest;
	}
	found.type = type;
	return add_answer(list, found, number);
}

/* One object of `ip -j route get`. */
static bool take_object(struct egress_list *list, const struct json *object, unsigned number)
{
	const char *to = json_get_string(object, "dst", NULL);
	const char *type = json_get_string(object, "type", "unicast");
	const char *dev = json_get_string(object, "dev", NULL);
	const char *src = json_get_string(object, "prefsrc", NULL);
	const struct json *via = json_get(object, "via"), *gateway = json_get(object, "gateway");
	struct egress found = {0};

	if (gateway == NULL && via != NULL)
		gateway = json_get(via, "host");
	if (!ip_parse(view_of(to), &found.address) ||
	    !route_type_from_name(view_of(type), &found.type) ||
	    (src != NULL && !ip_parse(view_of(src), &found.src)) ||
	    ((gateway != NULL || via != NULL) &&
		!ip_parse(view_of(json_string(gateway, NULL)), &found.gateway)))
		return false;
	found.dev = arena_dup(list->arena, dev);
	return add_answer(list, found, number);
}

/* An array that begins with the line, which may go on over more lines: they are taken as well. */
static bool take_json(
    struct egress_list *list, struct line_reader *lines, struct view line, struct diag_list *diags)
{
	struct view rest = {line.p, (size_t)(lines->rest.p + lines->rest.n - line.p)};
	unsigned number = lines->number;
	struct err err;
	struct json *root = json_parse_first(&rest, &err);

	if (root == NULL)
		return false;
	for (const struct json *item = json_first(root); item != NULL; item = json_next(item)) {
		if (!take_object(list, item, number))
			line_reject(diags, number, line, "an answer of ip -j route get");
	}
	while (lines->rest.n > rest.n && view_next_line(&lines->rest, &line))
		lines->number++;
	json_free(root);
	return true;
}

bool parse_egress(struct view text, struct egress_list *list, struct diag_list *diags)
{
	struct line_reader lines = {.rest = text};
	struct view line;
	size_t before = list->n;
	bool broken = false;

	while (line_next(&lines, &line)) {
		struct view rest = view_trim(line);
		if (!broken && view_starts(rest, "[")) {
			broken = !take_json(list, &lines, line, diags);
			if (!broken)
				continue;
		}
		if (line_begins(line, "cache") || line_begins(line, "users"))
			continue;
		if (view_take(&rest, "RTNETLINK answers: ") ||
		    view_take(&rest, "ip: RTNETLINK answers: ")) {
			add(list, (struct egress){.refused = arena_dup_view(list->arena, rest)},
			    lines.number);
		} else if (!take_answer(list, line, lines.number)) {
			line_reject(diags, lines.number, line, "an answer of ip route get");
		}
	}
	return list->n > before || view_trim(text).n == 0;
}
