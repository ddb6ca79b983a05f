#include "oddhost/parse/command.h"

#include <string.h>

#include "oddhost/net/prefix.h"

#define WORDS_MOST 24
#define COMMAND_MOST 4096

struct words {
	struct view v[WORDS_MOST];
	size_t n;
};

bool command_next_word(struct view *cursor, struct arena *arena, struct view *ret_word)
{
	struct view rest = view_trim(*cursor);
	size_t end = 0, n = 0;
	char quote = '\0';

	for (; end < rest.n && (quote != '\0' || (rest.p[end] != ' ' && rest.p[end] != '\t'));
	     end++) {
		if (quote != '\0')
			quote = rest.p[end] == quote ? '\0' : quote;
		else if (rest.p[end] == '\'' || rest.p[end] == '"')
			quote = rest.p[end];
	}
	*cursor = view_skip(rest, end);
	if (end == 0)
		return false;
	char *copy = arena_alloc(arena, end + 1);
	quote = '\0'; /* one that was never closed */
	for (size_t at = 0; at < end; at++) {
		char c = rest.p[at];
		bool opens = quote == '\0' && (c == '\'' || c == '"');
		if (opens)
			quote = c;
		else if (c == quote)
			quote = '\0';
		else
			copy[n++] = c;
	}
	*ret_word = (struct view){copy, n};
	return true;
}

/*
 * Words up to WORDS_MOST: no question that is known has more, but `docker inspect` of many
 * networks, of which the first words are enough.
 */
static struct words cut(struct arena *arena, struct view command)
{
	struct words w = {0};

	while (w.n < WORDS_MOST && command_next_word(&command, arena, &w.v[w.n]))
		w.n++;
	return w;
}

static bool is(const struct words *w, size_t i, const char *text)
{
	return i < w->n && view_eq(w->v[i], text);
}

static bool is_one_of(struct view word, const char *list)
{
	struct view names = view_of(list), name;

	while (view_next_word(&names, &name)) {
		if (view_same(name, word))
			return true;
	}
	return false;
}

/* Does the shell do more than run one command and show its output? */
static bool is_plain(struct view command)
{
	char quote = '\0';

	for (size_t i = 0; i < command.n; i++) {
		char c = command.p[i];
		if (quote != '\0')
			quote = c == quote ? '\0' : quote;
		else if (c == '\'' || c == '"')
			quote = c;
		else if (c == '\0' || strchr("|;&<>`", c) != NULL)
			return false;
	}
	return true;
}

/* "2>&1" and "2>/dev/null" change nothing that matters here. */
static struct view without_stderr(struct view command)
{
	command = view_trim(command);
	if (view_ends(command, "2>&1"))
		return view_trim(view_left(command, command.n - 4));
	if (view_ends(command, "2>/dev/null"))
		return view_trim(view_left(command, command.n - 11));
	return command;
}

/* Drop "sudo -n", "timeout 5", "time", "busybox", "LC_ALL=C" and the directory of the program. */
static void drop_prefixes(struct words *w)
{
	size_t i = 0;

	while (i < w->n) {
		bool sudo = view_eq(w->v[i], "sudo"), timeout = view_eq(w->v[i], "timeout");
		if (!sudo && !timeout && !is_one_of(w->v[i], "time busybox") &&
		    view_find_char(w->v[i], '=') <= 0)
			break;
		i++;
		while ((sudo || timeout) && i < w->n && view_starts(w->v[i], "-"))
			i++;
		i += timeout;
	}
	w->n = i < w->n ? w->n - i : 0;
	memmove(w->v, w->v + i, w->n * sizeof *w->v);
	if (w->n == 0)
		return;
	for (long slash; (slash = view_find_char(w->v[0], '/')) >= 0;)
		w->v[0] = view_skip(w->v[0], (size_t)slash + 1);
}

/* The first word that is neither an option nor the value of one of `valued`, e.g. "ciw". */
static struct view operand(const struct words *w, size_t from, const char *valued)
{
	for (size_t i = from; i < w->n; i++) {
		struct view word = w->v[i];
		if (!view_starts(word, "-"))
			return word;
		if (word.n == 2 && strchr(valued, word.p[1]) != NULL)
			i++;
	}
	return view_of("");
}

static const char *name_of(struct arena *arena, const char *kind, struct view target)
{
	if (target.n == 0 || target.n > 253)
		return NULL;
	return arena_printf(arena, "%s:%.*s", kind, VIEW_ARG(target));
}

/* `ip [-4|-6|-o|-j|…] OBJECT [show|list] …`: only whole answers count. */
static const char *ip_name(struct arena *arena, const struct words *w)
{
	size_t i = 1;
	bool v6 = false;
	struct ip ip;

	for (; i < w->n && view_starts(w->v[i], "-"); i++)
		v6 = v6 || view_eq(w->v[i], "-6");
	if (i == w->n)
		return NULL;
	struct view object = w->v[i++];
	if (is_one_of(object, "r ro rou rout route") && is(w, i, "get")) {
		struct view to = i + 1 < w->n ? w->v[i + 1] : view_of("");
		return w->n == i + 2 && ip_parse(to, &ip) ? name_of(arena, "egress", to) : NULL;
	}
	if (i < w->n && is_one_of(w->v[i], "s sh sho show l ls li lis list"))
		i++;
	bool table = i + 2 == w->n && is_one_of(w->v[i], "t ta tab tabl table") &&
		     is_one_of(w->v[i + 1], "a all main 254");
	if (i < w->n && !table)
		return NULL;
	if (is_one_of(object, "r ro rou rout route"))
		return v6 ? "routes6" : "routes";
	if (table)
		return NULL;
	if (is_one_of(object, "ru rul rule"))
		return v6 ? "rules6" : "rules";
	if (is_one_of(object, "n ne nei neig neigh neighb neighbo neighbor neighbour"))
		return "neigh";
	return is_one_of(object, "a ad add addr addre addres address") ? "addrs" : NULL;
}

/* `route`, `route -n`, `netstat -rn`; with -6 or `-A inet6` IPv6's. */
static const char *route_name(const struct words *w, size_t from, bool netstat)
{
	bool routes = !netstat, v6 = false;

	for (size_t i = from; i < w->n; i++) {
		if (view_eq(w->v[i], "-A") && is(w, i + 1, "inet6")) {
			v6 = true;
			i++;
			continue;
		}
		if (!view_starts(w->v[i], "-") || view_find_char(w->v[i], 'A') >= 0 ||
		    view_find_char(w->v[i], 'C') >= 0)
			return NULL;
		v6 = v6 || view_find_char(w->v[i], '6') >= 0;
		routes = routes || view_find_char(w->v[i], 'r') >= 0;
	}
	return !routes ? NULL : v6 ? "routes6" : "routes";
}

/* `ifconfig`, `ifconfig -a`, `arp -n`, `arp -an`: without an interface or a host. */
static bool only_options(const struct words *w)
{
	for (size_t i = 1; i < w->n; i++) {
		if (!view_starts(w->v[i], "-") || view_starts(w->v[i], "-i"))
			return false;
	}
	return true;
}

static const char *file_name(struct view path)
{
	static const struct {
		const char *end, *probe;
	} files[] = {{"/daemon.json", "docker_daemon"}, {"/etc/resolv.conf", "resolv"},
	    {"/run/systemd/resolve/resolv.conf", "resolv_systemd"}, {"/os-release", "host"}};

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		if (view_ends(path, files[i].end))
			return files[i].probe;
	}
	return view_eq(path, "daemon.json") ? "docker_daemon" : NULL;
}

/* Do the words ask for less than everything: a filter, or ids only? */
static bool filters(const struct words *w, size_t from)
{
	for (size_t i = from; i < w->n; i++) {
		if (view_eq(w->v[i], "-q") || view_eq(w->v[i], "--quiet") ||
		    view_eq(w->v[i], "-f") || view_starts(w->v[i], "--filter") ||
		    view_eq(w->v[i], "-aq") || view_eq(w->v[i], "-qa") ||
		    view_starts(w->v[i], "-n") || view_starts(w->v[i], "-l"))
			return true;
	}
	return false;
}

static const char *docker_name(const struct words *w)
{
	if (is(w, 1, "network") && w->n > 2) {
		if (is_one_of(w->v[2], "ls list"))
			return filters(w, 3) ? NULL : "docker_networks";
		return view_eq(w->v[2], "inspect") ? "docker_inspect" : NULL;
	}
	if (is(w, 1, "info"))
		return "docker_info";
	if (is(w, 1, "inspect"))
		return "docker_inspect";
	if (is(w, 1, "ps"))
		return filters(w, 2) ? NULL : "docker_ps";
	if ((is(w, 1, "container")) && w->n > 2 && is_one_of(w->v[2], "ls ps list"))
		return filters(w, 3) ? NULL : "docker_ps";
	return NULL;
}

const char *command_probe_name(struct arena *arena, struct view command)
{
	command = without_stderr(command);
	if (!is_plain(command) || command.n > COMMAND_MOST)
		return NULL;
	struct words w = cut(arena, command);
	drop_prefixes(&w);
	if (w.n == 0)
		return NULL;
	struct view program = w.v[0];
	if (view_eq(program, "fping"))
		return name_of(arena, "ping", operand(&w, 1, "bBcCHiIpQrStTxO"));
	if (is_one_of(program, "ping ping4 ping6"))
		return name_of(arena, "ping", operand(&w, 1, "cCiIsStTwWMmpQFNelG"));
	if (view_eq(program, "ip"))
		return ip_name(arena, &w);
	if (view_eq(program, "route") || view_eq(program, "netstat"))
		return route_name(&w, 1, view_eq(program, "netstat"));
	if (is_one_of(program, "docker podman"))
		return docker_name(&w);
	if (view_eq(program, "getent") && w.n == 3 &&
	    is_one_of(w.v[1], "hosts ahosts ahostsv4 ahostsv6"))
		return name_of(arena, "dns", w.v[2]);
	if (view_eq(program, "cat") && w.n == 2)
		return file_name(w.v[1]);
	if (is_one_of(program, "uname uptime"))
		return "host";
	if (is_one_of(program, "ifconfig arp") && only_options(&w))
		return view_eq(program, "arp") ? "neigh" : "addrs";
	if (view_eq(program, "sysctl") && w.n > 1 && view_starts(w.v[1], "net.") &&
	    view_find_char(command, '=') < 0)
		return "sysctl";
	return NULL;
}

bool command_is_shell(struct arena *arena, struct view command)
{
	struct words w = cut(arena, view_left(command, COMMAND_MOST));

	if (w.n == 0)
		return false;
	drop_prefixes(&w);
	return w.n == 0 || (is_one_of(w.v[0], "bash sh dash ash zsh ksh") && w.n == 1) ||
	       (is_one_of(w.v[0], "su") && w.n <= 3);
}

bool command_is_usual(struct arena *arena, struct view command)
{
	if (command_probe_name(arena, command) != NULL || command_is_shell(arena, command))
		return true;
	struct words w = cut(arena, view_left(command, COMMAND_MOST));
	drop_prefixes(&w);
	if (w.n == 0)
		return false;
	if (is_one_of(w.v[0], "docker podman kubectl"))
		return w.n > 2 && is_one_of(w.v[1], "exec run attach");
	return (w.n > 1 && is_one_of(w.v[0], "ssh nsenter")) ||
	       (w.n == 1 && is_one_of(w.v[0], "exit logout"));
}
