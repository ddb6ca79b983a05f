#include "oddhost/inventory/pattern.h"

#include "oddhost/base/buf.h"

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
bool pattern_glob(struct view pattern, struct view name)
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

bool pattern_is_glob(struct view text)
{
	return view_find_char(text, '*') >= 0 || view_find_char(text, '?') >= 0 ||
	       view_find_char(text, '[') >= 0;
}

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

bool pattern_read(struct arena *arena, struct view text, struct pattern *ret, struct err *err)
{
	struct pattern pattern = {.glob = text};

	if (view_starts(text, "~")) {
		pattern.is_regex = true;
		if (regcomp(&pattern.regex, posix_regex(arena, view_skip(text, 1)),
			REG_EXTENDED | REG_NOSUB) != 0)
			return err_set(err,
			    "'%.*s': expected a POSIX extended regular expression behind '~'",
			    VIEW_ARG(view_left(text, 80)));
	}
	*ret = pattern;
	return true;
}

void pattern_free(struct pattern *pattern)
{
	if (pattern->is_regex)
		regfree(&pattern->regex);
}

bool pattern_matches(const struct pattern *pattern, const char *name)
{
	if (pattern->is_regex)
		return regexec(&pattern->regex, name, 0, NULL, 0) == 0;
	return pattern_glob(pattern->glob, view_of(name));
}
