#include "oddhost/inventory/limit.h"

#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "oddhost/base/file.h"
#include "oddhost/base/mem.h"
#include "oddhost/base/text.h"
#include "oddhost/inventory/hierarchy.h"
#include "oddhost/inventory/hostname.h"

#define LIMIT_FILE_MAX ((size_t)16 << 20)

struct terms {
	struct view *v;
	size_t n, cap;
};

struct selection {
	struct inventory *inv;
	struct arena *arena; /* for the work; freed at the end */
	bool *taken;         /* by a host's index */
	bool *now;           /* those that the current term means */
};

struct subscript {
	bool given, range;
	long begin, end;
};

/* ---- globs ---- */

/*
 * One `[seq]` at the pattern's start against a character. Returns how long it is, 0 where no
 * bracket closes it: then '[' stands for itself.
 */
static size_t match_set(struct view pattern, unsigned char c, bool *ret_match)
{
	size_t i = 1;
	bool negated = pattern.n > 1 && pattern.p[1] == '!', match = false;

	if (negated)
		i++;
	size_t first = i;
	size_t end = first < pattern.n && pattern.p[first] == ']' ? first + 1 : first;
	while (end < pattern.n && pattern.p[end] != ']')
		end++;
	if (end >= pattern.n)
		return 0;
	while (i < end) {
		unsigned char low = (unsigned char)pattern.p[i], high = low;
		if (i + 2 < end && pattern.p[i + 1] == '-') {
			high = (unsigned char)pattern.p[i + 2];
			i += 2;
		}
		match = match || (low <= c && c <= high);
		i++;
	}
	*ret_match = match != negated;
	return end + 1;
}

/* How many bytes of the pattern match this one byte: 0 for none. */
static size_t match_one(struct view pattern, unsigned char c)
{
	bool match;

	if (pattern.n == 0)
		return 0;
	if (pattern.p[0] == '[') {
		size_t n = match_set(pattern, c, &match);
		if (n > 0)
			return match ? n : 0;
	}
	return pattern.p[0] == '?' || (unsigned char)pattern.p[0] == c ? 1 : 0;
}

/* Only the last star is ever gone back to: an earlier one gains nothing by taking more. */
bool limit_glob(struct view pattern, struct view name)
{
	struct view star = {0}, star_name = {0};
	bool starred = false;

	for (;;) {
		if (pattern.n > 0 && pattern.p[0] == '*') {
			pattern = view_skip(pattern, 1);
			star = pattern;
			star_name = name;
			starred = true;
			continue;
		}
		if (name.n == 0 && pattern.n == 0)
			return true;
		size_t n = name.n == 0 ? 0 : match_one(pattern, (unsigned char)name.p[0]);
		if (n > 0) {
			pattern = view_skip(pattern, n);
			name = view_skip(name, 1);
		} else if (starred && star_name.n > 0) {
			star_name = view_skip(star_name, 1);
			pattern = star;
			name = star_name;
		} else {
			return false;
		}
	}
}

/* ---- the grammar ---- */

static void add_term(struct selection *s, struct terms *terms, struct view term)
{
	term = view_trim(term);
	if (term.n == 0)
		return;
	terms->v = arena_grow(s->arena, terms->v, terms->n, &terms->cap, sizeof *terms->v);
	terms->v[terms->n++] = term;
}

/* Runs without blanks and colons, but for those inside of brackets. */
static void split_at_colons(struct selection *s, struct terms *terms, struct view text)
{
	size_t begin = 0, i = 0;

	while (i < text.n) {
		char c = text.p[i];
		long close = c == '[' ? view_find_char(view_skip(text, i), ']') : -1;
		if (close > 0) {
			i += (size_t)close + 1;
			continue;
		}
		if (c == ':' || c == '[' || c == ']' || isspace((unsigned char)c)) {
			add_term(s, terms, view_left(view_skip(text, begin), i - begin));
			begin = i + 1;
		}
		i++;
	}
	add_term(s, terms, view_skip(text, begin));
}

static bool read_term_file(
    struct selection *s, struct terms *terms, struct view name, struct err *err)
{
	struct buf text = {.max = LIMIT_FILE_MAX};
	struct view lines, line;
	char *path = arena_dup_view(s->arena, name);

	if (!file_read(path, LIMIT_FILE_MAX, &text, err)) {
		buf_free(&text);
		return err_wrap(err, "limit");
	}
	lines = arena_view(s->arena, buf_view(&text));
	while (view_next_line(&lines, &line))
		add_term(s, terms, line);
	buf_free(&text);
	return true;
}

static bool split_terms(
    struct selection *s, struct view limit, struct terms *terms, struct err *err)
{
	struct terms written = {0};
	struct view part, host;
	unsigned port;

	if (view_find_char(limit, ',') >= 0) {
		while (view_next_part(&limit, ',', &part))
			add_term(s, &written, part);
	} else if (hostname_split(limit, &host, &port)) {
		add_term(s, &written, limit);
	} else {
		split_at_colons(s, &written, limit);
	}
	for (size_t i = 0; i < written.n; i++) {
		if (written.v[i].p[0] != '@')
			add_term(s, terms, written.v[i]);
		else if (!read_term_file(s, terms, view_skip(written.v[i], 1), err))
			return false;
	}
	return true;
}

static bool parse_long(struct view v, long *ret)
{
	bool negative = view_take(&v, "-");
	uint64_t value;

	if (!view_uint(v, 0, INVENTORY_MOST_HOSTS, &value))
		return false;
	*ret = negative ? -(long)value : (long)value;
	return true;
}

/* `web[0]`, `web[-1]`, `web[1:3]`, `web[1:]`: cut off behind; else it is part of a glob. */
static struct subscript take_subscript(struct view *term)
{
	struct subscript none = {0}, found = {.given = true};
	struct view inner;
	size_t open = term->n;

	if (!view_ends(*term, "]"))
		return none;
	while (open > 0 && term->p[open - 1] != '[')
		open--;
	if (open < 2)
		return none;
	inner = view_left(view_skip(*term, open), term->n - open - 1);
	long colon = view_find_char(inner, ':');
	if (colon < 0 && inner.n > 1)
		colon = view_find_char(view_skip(inner, 1), '-') < 0
			    ? -1
			    : view_find_char(view_skip(inner, 1), '-') + 1;
	if (colon < 0) {
		if (!parse_long(inner, &found.begin))
			return none;
	} else {
		struct view end = view_skip(inner, (size_t)colon + 1);
		found.range = true;
		found.end = INVENTORY_MOST_HOSTS;
		if (inner.p[0] == '-' ||
		    !parse_long(view_left(inner, (size_t)colon), &found.begin) ||
		    (end.n > 0 && (end.p[0] == '-' || !parse_long(end, &found.end))))
			return none;
	}
	term->n = open - 1;
	return found;
}

/* ---- matching ---- */

/* Python's classes in POSIX's words; the rest of the syntax is the same for what one writes here.
 */
static char *posix_regex(struct arena *arena, struct view text)
{
	struct buf out = {0};
	char *copy;

	buf_puts(&out, "^(");
	for (size_t i = 0; i < text.n; i++) {
		bool escape = text.p[i] == '\\' && i + 1 < text.n;
		if (escape && text.p[i + 1] == 'd')
			buf_puts(&out, "[0-9]");
		else if (escape && text.p[i + 1] == 'D')
			buf_puts(&out, "[^0-9]");
		else
			buf_add(&out, text.p + i, escape ? 2 : 1);
		i += escape;
	}
	buf_putc(&out, ')');
	copy = arena_dup(arena, buf_str(&out));
	buf_free(&out);
	return copy;
}

struct matcher {
	struct view pattern;
	regex_t *regex; /* NULL: a glob */
};

static bool matches(const struct matcher *m, const char *name)
{
	if (m->regex != NULL)
		return regexec(m->regex, name, 0, NULL, 0) == 0;
	return limit_glob(m->pattern, view_of(name));
}

struct hosts {
	struct inventory_host **v;
	size_t n, cap;
};

/* A host that is found twice counts twice in Ansible's subscripts as well. */
static void add_found(struct selection *s, struct hosts *hosts, struct inventory_host *host)
{
	hosts->v = arena_grow(s->arena, hosts->v, hosts->n, &hosts->cap, sizeof *hosts->v);
	hosts->v[hosts->n++] = host;
}

static void add_group(struct selection *s, struct hosts *hosts, struct inventory_group *group)
{
	size_t n;
	struct inventory_host **v = hierarchy_hosts(s->inv, s->arena, group, &n);

	for (size_t i = 0; i < n; i++)
		add_found(s, hosts, v[i]);
}

/* A word without special characters: no need to look at every name. */
static bool find_word(struct selection *s, struct view word, struct hosts *hosts)
{
	struct inventory_group *group = inventory_group(s->inv, word);
	struct inventory_host *host = inventory_host(s->inv, word);

	if (group != NULL)
		add_group(s, hosts, group);
	if (host != NULL && (group == NULL || view_find_char(word, '.') >= 0))
		add_found(s, hosts, host);
	return group != NULL || host != NULL;
}

/* Groups first; hosts where no group matched, or where the term looks like a pattern. */
static bool find_pattern(struct selection *s, const struct matcher *m, struct hosts *hosts)
{
	bool any = false;

	for (size_t i = 0; i < s->inv->n_groups; i++) {
		if (!matches(m, s->inv->groups[i]->name))
			continue;
		any = true;
		add_group(s, hosts, s->inv->groups[i]);
	}
	for (size_t i = 0; i < s->inv->n_hosts; i++) {
		if (!matches(m, s->inv->hosts[i]->name))
			continue;
		any = true;
		add_found(s, hosts, s->inv->hosts[i]);
	}
	return any;
}

static bool find_regex(
    struct selection *s, struct view term, struct hosts *hosts, bool *ret_any, struct err *err)
{
	regex_t regex;
	struct matcher m = {.regex = &regex};
	const char *text = posix_regex(s->arena, view_skip(term, 1));

	if (regcomp(&regex, text, REG_EXTENDED | REG_NOSUB) != 0)
		return err_set(err,
		    "limit: '%.*s': expected a POSIX extended regular expression behind '~'",
		    VIEW_ARG(view_left(term, 80)));
	*ret_any = find_pattern(s, &m, hosts);
	regfree(&regex);
	return true;
}

static bool is_pattern(struct view word)
{
	return view_find_char(word, '*') >= 0 || view_find_char(word, '?') >= 0 ||
	       view_find_char(word, '[') >= 0;
}

static bool apply_subscript(
    struct view term, struct subscript sub, struct hosts *hosts, struct err *err)
{
	if (!sub.given || hosts->n == 0)
		return true;
	long n = (long)hosts->n, begin = sub.begin, end = sub.range ? sub.end : sub.begin;

	if (begin < 0)
		end = begin += n;
	if (!sub.range && (begin < 0 || begin >= n))
		return err_set(err, "limit: '%.*s': there are only %ld hosts, counted from 0",
		    VIEW_ARG(view_left(term, 80)), n);
	if (end >= n)
		end = n - 1;
	if (begin > end) {
		hosts->n = 0;
		return true;
	}
	hosts->v += begin;
	hosts->n = (size_t)(end - begin + 1);
	return true;
}

/* What a term without its modifier means, into s->now. A plain host's name is that host first. */
static bool find_term(struct selection *s, struct view term, bool plain, struct err *err)
{
	struct hosts hosts = {0};
	struct view word = term;
	bool any = false;
	struct inventory_host *host = inventory_host(s->inv, term);

	if (plain && host != NULL) {
		s->now[host->index] = true;
		return true;
	}
	if (term.n > 0 && term.p[0] == '~') {
		if (!find_regex(s, term, &hosts, &any, err))
			return false;
	} else {
		struct subscript sub = take_subscript(&word);
		struct matcher m = {.pattern = word};
		any = is_pattern(word) ? find_pattern(s, &m, &hosts) : find_word(s, word, &hosts);
		if (!apply_subscript(term, sub, &hosts, err))
			return false;
	}
	if (!any && !view_eq(term, "all"))
		inventory_warn_at(s->inv, "limit", 0, "'%.*s' matches no group and no host",
		    VIEW_ARG(view_left(term, 80)));
	for (size_t i = 0; i < hosts.n; i++)
		s->now[hosts.v[i]->index] = true;
	return true;
}

static char modifier(struct view term)
{
	return term.p[0] == '&' || term.p[0] == '!' ? term.p[0] : '\0';
}

static void apply_term(struct selection *s, char how)
{
	for (size_t i = 0; i < s->inv->n_hosts; i++) {
		if (how == '&')
			s->taken[i] = s->taken[i] && s->now[i];
		else
			s->taken[i] = s->taken[i] && !s->now[i];
		s->now[i] = false;
	}
}

/*
 * Plain terms add to s->taken at once (s->now is the same array), so that a file of many names
 * takes one pass; each modifier costs a pass over all hosts.
 */
static bool evaluate(struct selection *s, const struct terms *terms, struct err *err)
{
	static const char order[] = {'\0', '&', '!'};
	bool *scratch = s->now;
	bool plain = false;

	for (size_t k = 0; k < sizeof order; k++) {
		s->now = order[k] == '\0' ? s->taken : scratch;
		for (size_t i = 0; i < terms->n; i++) {
			struct view term = terms->v[i];
			if (modifier(term) != order[k])
				continue;
			plain = plain || order[k] == '\0';
			if (!find_term(
				s, view_skip(term, order[k] != '\0'), order[k] == '\0', err)) {
				s->now = scratch;
				return false;
			}
			if (order[k] != '\0')
				apply_term(s, order[k]);
		}
		if (!plain)
			memset(s->taken, true, s->inv->n_hosts);
		plain = true;
	}
	s->now = scratch;
	return true;
}

/* For people: what could have been asked for. */
static const char *what_there_is(struct selection *s)
{
	const char **names = mem_alloc((s->inv->n_hosts + s->inv->n_groups + 1) * sizeof *names);
	size_t n = 0, n_hosts;

	for (size_t i = 0; i < s->inv->n_hosts; i++)
		names[n++] = s->inv->hosts[i]->name;
	n_hosts = n;
	for (size_t i = 0; i < s->inv->n_groups; i++) {
		const struct inventory_group *group = s->inv->groups[i];
		if (group->n_hosts > 0 || group->n_children > 0)
			names[n++] = group->name;
	}
	const char *hosts = text_fold(s->arena, names, n_hosts, 8);
	const char *groups = text_fold(s->arena, names + n_hosts, n - n_hosts, 12);
	free(names);
	return arena_printf(s->arena, "groups: %.180s; hosts: %.180s", groups, hosts);
}

bool limit_select(struct inventory *inv, struct arena *arena, const char *limit,
    struct inventory_host ***ret_hosts, size_t *ret_n, struct err *err)
{
	struct selection s = {.inv = inv, .arena = arena_new()};
	struct terms terms = {0};
	struct inventory_host **hosts;
	size_t n = 0;
	bool ok = false;

	s.taken = arena_alloc(s.arena, inv->n_hosts + 1);
	s.now = arena_alloc(s.arena, inv->n_hosts + 1);
	if (inv->n_hosts == 0) {
		err_set(err, "the inventory has no hosts");
		goto out;
	}
	if (!split_terms(&s, view_of(limit), &terms, err) || !evaluate(&s, &terms, err))
		goto out;
	hosts = arena_alloc(arena, (inv->n_hosts + 1) * sizeof *hosts);
	for (size_t i = 0; i < inv->n_hosts; i++) {
		if (s.taken[i])
			hosts[n++] = inv->hosts[i];
	}
	if (n == 0) {
		err_set(
		    err, "limit '%.80s' leaves no host; there are %s", limit, what_there_is(&s));
		goto out;
	}
	*ret_hosts = hosts;
	*ret_n = n;
	ok = true;
out:
	arena_free(s.arena);
	return ok;
}
