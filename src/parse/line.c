#include "oddhost/parse/line.h"

#include <stdio.h>
#include <string.h>

bool line_next(struct line_reader *reader, struct view *ret_line)
{
	struct view line;

	while (view_next_line(&reader->rest, &line)) {
		reader->number++;
		if (view_trim(line).n > 0) {
			*ret_line = line;
			return true;
		}
	}
	return false;
}

void line_reject(struct diag_list *diags, unsigned number, struct view line, const char *expected)
{
	char start[64];
	struct view shown = view_left(view_trim(line), sizeof start - 4);
	size_t n = 0;

	for (; n < shown.n; n++)
		start[n] = shown.p[n] >= ' ' && shown.p[n] <= '~' ? shown.p[n] : '?';
	snprintf(start + n, sizeof start - n, "%s", view_trim(line).n > n ? "..." : "");
	diag_add(diags, number, "expected %s: '%s'", expected, start);
}

bool line_each(struct view text, struct diag_list *diags, const char *expected,
    bool (*take)(struct view line, unsigned number, void *arg), void *arg)
{
	struct line_reader lines = {.rest = text};
	struct view line;
	bool any = false;

	while (line_next(&lines, &line)) {
		if (take(line, lines.number, arg))
			any = true;
		else
			line_reject(diags, lines.number, line, expected);
	}
	return any || view_trim(text).n == 0;
}

bool line_is_warning(struct view line)
{
	static const char *const starts[] = {
	    "WARNING: ", "WARN[", "Emulate Docker CLI using podman", "DEPRECATED: "};

	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
		if (view_starts(line, starts[i]))
			return true;
	}
	return view_starts(line, "time=\"") && view_find(line, " level=warning ") > 0;
}

struct view line_skip_warnings(struct view text)
{
	struct view rest = text, line;

	while (view_next_line(&rest, &line) && line_is_warning(line))
		text = rest;
	return text;
}

bool line_begins(struct view line, const char *key)
{
	struct view word;

	return view_next_word(&line, &word) && view_eq(word, key);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

bool line_next_field(struct view *cursor, struct view *ret_field)
{
	struct view rest = *cursor;
	size_t n = 0;

	while (rest.n > 0 && is_space(rest.p[0]))
		rest = view_skip(rest, 1);
	while (n < rest.n && rest.p[n] != '\t' &&
	       !(rest.p[n] == ' ' && (n + 1 == rest.n || is_space(rest.p[n + 1]))))
		n++;
	*cursor = view_skip(rest, n);
	*ret_field = view_left(rest, n);
	return n > 0;
}

static unsigned count_breaks(const char *from, const char *to)
{
	unsigned n = 0;

	for (; from < to; from++)
		n += *from == '\n';
	return n;
}

/*
 * Where a value is broken, the next line is tried. A value that reaches over many lines and is cut
 * off would so be tried at each of its lines, in quadratic time: so only lines that begin at their
 * first byte are, and at most BROKEN_MAX of them.
 */
#define BROKEN_MAX 20

size_t line_each_json(struct view text, struct diag_list *diags,
    bool (*each)(const struct json *value, unsigned number, void *arg), void *arg)
{
	struct view line, inner = view_trim(text);
	unsigned number = 1, broken = 0;
	size_t n = 0;

	if (inner.n == 0)
		return 0;
	/* Once: the blanks behind the last value may be many, and the values, too. */
	text.n = (size_t)(inner.p - text.p) + inner.n;
	while (text.n > 0) {
		struct view start = view_trim(text);
		struct err err;
		number += count_breaks(text.p, start.p);
		text = view_skip(text, (size_t)(start.p - text.p));

		struct view rest = text;
		struct json *value = json_parse_first(&rest, &err);
		if (value != NULL) {
			n += each(value, number, arg);
			json_free(value);
			number += count_breaks(text.p, rest.p);
			text = rest;
			continue;
		}
		unsigned at = number + count_breaks(text.p, rest.p);
		if (!view_next_line(&rest, &line))
			line = view_of("the end");
		line_reject(diags, at, line, "JSON");
		view_next_line(&text, &line);
		number++;
		if (++broken == BROKEN_MAX)
			return n;
		while (text.n > 0 && strchr("{[n", text.p[0]) == NULL) {
			view_next_line(&text, &line);
			number++;
		}
	}
	return n;
}

struct items {
	bool (*each)(const struct json *item, unsigned number, void *arg);
	void *arg;
};

static bool each_item(const struct json *array, unsigned number, void *arg)
{
	const struct items *items = arg;
	bool any = json_is_array(array) && json_size(array) == 0;

	for (const struct json *item = json_first(array); item != NULL; item = json_next(item))
		any = items->each(item, number, items->arg) || any;
	return any;
}

bool line_each_item(struct view text, struct diag_list *diags,
    bool (*each)(const struct json *item, unsigned number, void *arg), void *arg)
{
	struct items items = {each, arg};

	return line_each_json(text, diags, each_item, &items) > 0;
}

unsigned line_of_value(struct line_finder *finder, const char *key, const char *value)
{
	char quoted[64];

	snprintf(quoted, sizeof quoted, "\"%s\"", key);
	while (!finder->lost) {
		long at = view_find(finder->rest, quoted);
		if (at < 0)
			break;
		struct view after = view_skip(finder->rest, (size_t)at + strlen(quoted));
		finder->line += count_breaks(finder->rest.p, after.p);
		finder->rest = after;
		while (after.n > 0 && (is_space(after.p[0]) || after.p[0] == ':'))
			after = view_skip(after, 1);
		if (view_take(&after, "\"") && view_take(&after, value) && view_starts(after, "\""))
			return finder->line;
	}
	finder->lost = true;
	return 0;
}
