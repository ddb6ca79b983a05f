#include "oddhost/parse/resolv.h"

#include "oddhost/parse/line.h"

static bool take_server(struct resolv *resolv, struct view rest, unsigned number)
{
	struct nameserver server = {.line = number};
	struct view word;

	if (!view_next_word(&rest, &word) || !ip_parse_zoned(word, &server.ip))
		return false;
	resolv->servers = arena_grow(
	    resolv->arena, resolv->servers, resolv->n_servers, &resolv->cap_servers, sizeof server);
	resolv->servers[resolv->n_servers++] = server;
	return true;
}

static void take_search(struct resolv *resolv, struct view rest)
{
	struct view word;

	resolv->n_search = 0;
	while (view_next_word(&rest, &word)) {
		resolv->search = arena_grow(resolv->arena, resolv->search, resolv->n_search,
		    &resolv->cap_search, sizeof *resolv->search);
		resolv->search[resolv->n_search++] = arena_dup_view(resolv->arena, word);
	}
}

/* One line: false where it is not understood. A keyword must start its line (resolv.conf(5)). */
static bool take_line(struct view line, unsigned number, void *arg)
{
	struct resolv *resolv = arg;
	struct view rest = line, word;

	if (!view_next_word(&rest, &word))
		return false;
	if (view_starts(word, "#") || view_starts(word, ";"))
		return true;
	if (word.p != line.p)
		return false;
	if (view_eq(word, "nameserver"))
		return take_server(resolv, rest, number);
	if (view_eq(word, "search") || view_eq(word, "domain")) {
		take_search(resolv, rest);
		return true;
	}
	return view_eq(word, "options") || view_eq(word, "sortlist");
}

bool parse_resolv(struct view text, struct resolv *resolv, struct diag_list *diags)
{
	return line_each(
	    text, diags, "a line of resolv.conf(5), whose keyword starts it", take_line, resolv);
}

bool resolv_is_stub(const struct resolv *resolv)
{
	static const struct ip stub = {IP_V4, {127, 0, 0, 53}};

	return resolv->n_servers == 1 && ip_equal(&resolv->servers[0].ip, &stub);
}
