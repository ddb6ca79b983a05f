#include "oddhost/parse/names.h"

#include <stdlib.h>

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

static struct egress *add(struct egress_list *list, unsigned number)
{
	list->v = arena_grow(list->arena, list->v, list->n, &list->cap, sizeof *list->v);
	struct egress *egress = &list->v[list->n++];
	*egress = (struct egress){.source.line = number};
	return egress;
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
	if (type == ROUTE_BLACKHOLE || type == ROUTE_UNREACHABLE || type == ROUTE_PROHIBIT) {
		found.refused = route_type_name(type);
		found.dev = NULL; /* IPv6 prints lo for these */
	} else if (found.dev == NULL) {
		return false;
	}
	struct egress *egress = add(list, number);
	unsigned line_number = egress->source.line;
	*egress = found;
	egress->source.line = line_number;
	return true;
}

bool parse_egress(struct view text, struct egress_list *list, struct diag_list *diags)
{
	struct line_reader lines = {.rest = text};
	struct view line;
	bool any = false;

	while (line_next(&lines, &line)) {
		struct view rest = view_trim(line);
		if (line_begins(line, "cache") || line_begins(line, "users"))
			continue;
		if (view_take(&rest, "RTNETLINK answers: ") ||
		    view_take(&rest, "ip: RTNETLINK answers: ")) {
			add(list, lines.number)->refused = arena_dup_view(list->arena, rest);
			any = true;
		} else if (take_answer(list, line, lines.number)) {
			any = true;
		} else {
			line_reject(diags, lines.number, line, "an answer of ip route get");
		}
	}
	return any || view_trim(text).n == 0;
}
