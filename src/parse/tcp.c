#include "oddhost/parse/tcp.h"

#include "oddhost/parse/line.h"

static bool take(struct view line, struct tcp *ret)
{
	struct view address, word, status;
	uint64_t port;

	if (!view_next_word(&line, &address) || !view_next_word(&line, &word) ||
	    !view_eq(word, "port") || !view_next_word(&line, &word) || !view_ends(word, ":") ||
	    !view_uint(view_left(word, word.n - 1), 1, 65535, &port) ||
	    !view_next_word(&line, &status) || !tcp_status_from_name(status, &ret->status))
		return false;
	if (!ip_parse(address, &ret->address))
		ret->address = (struct ip){0};
	ret->port = (uint16_t)port;
	return true;
}

bool parse_tcp(struct view text, struct tcp_list *list, struct diag_list *diags)
{
	struct line_reader lines = {.rest = text};
	struct view line;
	bool any = false;

	while (list->n < TCP_MOST && line_next(&lines, &line)) {
		struct tcp tcp = {.source.line = lines.number};
		if (!take(line, &tcp)) {
			line_reject(diags, lines.number, line, "ADDRESS port N: RESULT");
			continue;
		}
		list->v = arena_grow(list->arena, list->v, list->n, &list->cap, sizeof *list->v);
		list->v[list->n++] = tcp;
		any = true;
	}
	return any || view_trim(text).n == 0;
}
