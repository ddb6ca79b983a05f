#include "oddhost/parse/service.h"

#include "oddhost/parse/line.h"
#include "oddhost/parse/ping.h"
#include "oddhost/parse/tcp.h"

#define PEER "peer "

static enum service_state state_of_http(struct view status)
{
	uint64_t code;

	if (view_uint(status, 100, 599, &code))
		return code < 500 ? SERVICE_UP : SERVICE_DOWN;
	return view_eq(status, "refused") || view_eq(status, "timeout") ? SERVICE_DOWN
									: SERVICE_UNKNOWN;
}

static bool take_http(struct view text, struct service *ret, struct diag_list *diags)
{
	struct line_reader lines = {.rest = text};
	struct view line, url, status;
	bool any = false;

	while (line_next(&lines, &line)) {
		struct view rest = line;
		if (!view_next_word(&rest, &url) || !view_ends(url, ":") ||
		    !view_next_word(&rest, &status)) {
			line_reject(diags, lines.number, line, "URL: STATUS");
			continue;
		}
		ret->state = state_of_http(status);
		ret->source.line = lines.number;
		any = true;
	}
	return any || view_trim(text).n == 0;
}

bool parse_service(
    struct view text, struct arena *arena, struct service *ret, struct diag_list *diags)
{
	struct tcp_list list = {.arena = arena};
	const struct tcp *best = NULL;

	ret->state = SERVICE_UNKNOWN;
	if (view_starts(text, "http"))
		return take_http(text, ret, diags);
	bool understood = parse_tcp(text, &list, diags);
	for (size_t i = 0; i < list.n; i++) {
		if (list.v[i].status != TCP_UNKNOWN &&
		    (best == NULL || list.v[i].status < best->status))
			best = &list.v[i];
	}
	if (best != NULL) {
		ret->state = best->status == TCP_OPEN ? SERVICE_UP : SERVICE_DOWN;
		ret->source.line = best->source.line;
	}
	return understood;
}

/* The text up to the next "peer " line. */
static struct view part_of(struct view rest, unsigned *ret_lines)
{
	struct view part = rest, line;

	*ret_lines = 0;
	while (rest.n > 0 && !view_starts(rest, PEER)) {
		view_next_line(&rest, &line);
		++*ret_lines;
	}
	return view_left(part, part.n - rest.n);
}

/* The lines of a part count from the whole text's first. */
static void move_lines(struct ping *ping, unsigned by)
{
	ping->source.line += by;
	for (size_t i = 0; i < ping->n_replies; i++)
		ping->replies[i].line += by;
	for (size_t i = 0; i < ping->n_errors; i++)
		ping->errors[i].line += by;
}

bool parse_mesh(struct view text, struct peer_list *list, struct diag_list *diags)
{
	struct view rest = text, line;
	unsigned number = 0, lines;
	bool any = false;

	while (list->n < PEERS_MOST && view_next_line(&rest, &line)) {
		number++;
		if (!view_take(&line, PEER) || view_trim(line).n == 0) {
			if (view_trim(line).n > 0)
				line_reject(diags, number, line, "peer NAME");
			continue;
		}
		struct view part = part_of(rest, &lines);
		struct peer peer = {.name = arena_dup_view(list->arena, view_trim(line))};
		parse_ping(part, view_of(""), list->arena, &peer.ping, diags);
		move_lines(&peer.ping, number);
		list->v = arena_grow(list->arena, list->v, list->n, &list->cap, sizeof *list->v);
		list->v[list->n++] = peer;
		rest = view_skip(rest, part.n);
		number += lines;
		any = true;
	}
	return any || view_trim(text).n == 0;
}
