#include "oddhost/inventory/limit_terms.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

#include "oddhost/base/file.h"
#include "oddhost/inventory/hostname.h"
#include "oddhost/inventory/nodeset.h"
#include "oddhost/inventory/words.h"

#define LIMIT_FILE_MAX ((size_t)16 << 20)

struct reader {
	struct inventory *inv;
	struct arena *arena;
	struct limit_terms terms;
	char pending; /* an operator that stood alone, between blanks */
};

static void add_term(struct reader *r, char how, struct view text)
{
	struct limit_terms *terms = &r->terms;

	terms->v = arena_grow(r->arena, terms->v, terms->n, &terms->cap, sizeof *terms->v);
	terms->v[terms->n++] = (struct limit_term){how, text};
	terms->in_order |= how == '^';
}

static bool is_file(struct reader *r, struct view name)
{
	return name.n > 0 && access(arena_dup_view(r->arena, name), F_OK) == 0;
}

static bool read_file(struct reader *r, struct view name, struct err *err)
{
	struct buf text = {.max = LIMIT_FILE_MAX};
	struct view lines, line;

	if (!file_read(arena_dup_view(r->arena, name), LIMIT_FILE_MAX, &text, err)) {
		buf_free(&text);
		return err_wrap(err, "limit");
	}
	lines = arena_view(r->arena, buf_view(&text));
	buf_free(&text);
	while (view_next_line(&lines, &line)) {
		line = words_trim(line);
		bool modified = line.n > 1 && (line.p[0] == '&' || line.p[0] == '!');
		if (line.n > 0)
			add_term(r, modified ? line.p[0] : ',', view_skip(line, modified));
	}
	return true;
}

/* `@NAME` is a file, as in Ansible, or else a group, as in ClusterShell. */
static bool is_group(const struct reader *r, struct view name)
{
	return inventory_group(r->inv, name) != NULL || nodeset_kind(name) != NODESET_NONE ||
	       view_find_char(name, '*') >= 0;
}

/* A term that stands where a new one begins: its first character may be an operator. */
static bool add_first(struct reader *r, struct view text, struct err *err)
{
	char how = r->pending != '\0' ? r->pending : ',';

	if (r->pending == '\0' && text.n > 0 && strchr("&!^", text.p[0]) != NULL) {
		how = text.p[0];
		text = words_trim(view_skip(text, 1));
	}
	r->pending = text.n == 0 ? how : '\0';
	if (text.n == 0)
		return true;
	if (text.p[0] == '@' && how == ',') {
		struct view name = view_skip(text, 1);
		if (is_file(r, name) || !is_group(r, name))
			return read_file(r, name, err);
	}
	add_term(r, how, text);
	return true;
}

/* Where the next operator stands, behind at least one other character; text.n: nowhere. */
static size_t find_operator(struct view text)
{
	for (size_t i = 0; i < text.n; i++) {
		long close = text.p[i] == '[' ? view_find_char(view_skip(text, i), ']') : -1;
		if (close > 0)
			i += (size_t)close;
		else if (i > 0 && strchr("&!^", text.p[i]) != NULL && text.p[i] != '\0')
			return i;
	}
	return text.n;
}

/* Names and regular expressions may hold an operator's character. */
static bool is_whole(struct reader *r, struct view text)
{
	struct view name = text;

	if (text.n > 0 && (text.p[0] == '&' || text.p[0] == '!'))
		name = words_trim(view_skip(text, 1));
	return view_starts(name, "~") || inventory_host(r->inv, name) != NULL ||
	       inventory_group(r->inv, name) != NULL ||
	       (view_starts(name, "@") && is_file(r, view_skip(name, 1)));
}

/* What stands between two commas: a term, or several with operators between them. */
static bool add_terms(struct reader *r, struct view text, struct err *err)
{
	text = words_trim(text);
	if (text.n == 0)
		return true;
	size_t n = is_whole(r, text) ? text.n : find_operator(text);
	if (!add_first(r, words_trim(view_left(text, n)), err))
		return false;
	while (n < text.n) {
		char how = text.p[n];
		text = view_skip(text, n + 1);
		struct view operand = words_trim(text);
		n = view_starts(operand, "~") ? text.n : find_operator(text);
		operand = words_trim(view_left(text, n));
		if (operand.n == 0 || strchr("&!^", operand.p[0]) != NULL)
			return err_set(err, "limit: expected hosts or a group behind '%c'", how);
		add_term(r, how, operand);
		r->terms.in_order = true;
	}
	return true;
}

/* The next comma that does not stand in the brackets of a node set. */
static size_t find_comma(struct view text)
{
	size_t i = 0;

	while (i < text.n && text.p[i] != ',') {
		size_t n = nodeset_brackets(view_skip(text, i));
		i += n > 0 ? n : 1;
	}
	return i;
}

/* Runs without blanks and colons, but for those inside of brackets. */
static bool split_at_colons(struct reader *r, struct view text, struct err *err)
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
			if (!add_terms(r, view_left(view_skip(text, begin), i - begin), err))
				return false;
			begin = i + 1;
		}
		i++;
	}
	return add_terms(r, view_skip(text, begin), err);
}

static bool split(struct reader *r, struct view limit, struct err *err)
{
	size_t comma = find_comma(limit);
	struct view host;
	unsigned port;

	if (comma == limit.n && !hostname_split(limit, &host, &port))
		return split_at_colons(r, limit, err);
	for (;; comma = find_comma(limit)) {
		if (!add_terms(r, view_left(limit, comma), err))
			return false;
		if (comma == limit.n)
			return true;
		limit = view_skip(limit, comma + 1);
	}
}

bool limit_terms_read(struct inventory *inv, struct arena *arena, struct view limit,
    struct limit_terms *ret, struct err *err)
{
	struct reader reader = {.inv = inv, .arena = arena};

	if (!split(&reader, limit, err))
		return false;
	if (reader.pending != '\0')
		return err_set(err, "limit: expected hosts or a group behind '%c'", reader.pending);
	if (reader.terms.n > 0 && reader.terms.v[0].how == '^')
		return err_set(err, "limit: expected hosts or a group before '^'");
	*ret = reader.terms;
	return true;
}
