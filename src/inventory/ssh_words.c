#include "oddhost/inventory/ssh_words.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_blanks(struct view *cursor)
{
	while (cursor->n > 0 && is_blank(cursor->p[0]))
		*cursor = view_skip(*cursor, 1);
}

static void skip_separator(struct view *cursor)
{
	bool equals = cursor->p[0] == '=';

	*cursor = view_skip(*cursor, 1);
	skip_blanks(cursor);
	if (!equals && view_take(cursor, "="))
		skip_blanks(cursor);
}

bool ssh_words_delim(struct view *cursor, struct buf *word)
{
	word->n = 0;
	if (cursor->n == 0)
		return false;
	for (; cursor->n > 0; *cursor = view_skip(*cursor, 1)) {
		char c = cursor->p[0];
		if (is_blank(c) || c == '=') {
			skip_separator(cursor);
			return true;
		}
		if (c == '"')
			break;
		buf_putc(word, c);
	}
	if (cursor->n == 0)
		return true;
	*cursor = view_skip(*cursor, 1);
	long end = view_find_char(*cursor, '"');
	if (end < 0) {
		*cursor = view_skip(*cursor, cursor->n);
		return false;
	}
	buf_add_view(word, view_left(*cursor, (size_t)end));
	*cursor = view_skip(*cursor, (size_t)end + 1);
	skip_blanks(cursor);
	return true;
}

static bool is_escape(struct view rest, char quote)
{
	if (rest.n < 2 || rest.p[0] != '\\')
		return false;
	char c = rest.p[1];
	return c == '\'' || c == '"' || c == '\\' || (quote == '\0' && c == ' ');
}

bool ssh_words_next(struct view *cursor, struct buf *word, bool *ret_found, struct err *err)
{
	char quote = '\0';

	word->n = 0;
	while (cursor->n > 0 && (cursor->p[0] == ' ' || cursor->p[0] == '\t'))
		*cursor = view_skip(*cursor, 1);
	if (cursor->n > 0 && cursor->p[0] == '#')
		*cursor = view_skip(*cursor, cursor->n);
	*ret_found = cursor->n > 0;
	for (; cursor->n > 0; *cursor = view_skip(*cursor, 1)) {
		char c = cursor->p[0];
		if (is_escape(*cursor, quote)) {
			buf_putc(word, cursor->p[1]);
			*cursor = view_skip(*cursor, 1);
		} else if (quote == '\0' && (c == ' ' || c == '\t')) {
			return true;
		} else if (quote == '\0' && (c == '"' || c == '\'')) {
			quote = c;
		} else if (quote != '\0' && c == quote) {
			quote = '\0';
		} else {
			buf_putc(word, c);
		}
	}
	return quote == '\0' || err_set(err, "a closing %c", quote);
}

/*
 * On a mismatch it is enough to go back to the last '*'. Most patterns that do not match are told
 * by their last byte.
 */
bool ssh_words_match(struct view pattern, struct view text)
{
	const char *p = pattern.p, *p_end = p + pattern.n, *star = NULL;
	const char *t = text.p, *t_end = t + text.n, *from = NULL;

	if (pattern.n > 0 && p_end[-1] != '*' &&
	    (text.n == 0 || (p_end[-1] != '?' && p_end[-1] != t_end[-1])))
		return false;
	while (t < t_end) {
		if (p < p_end && *p == '*') {
			star = ++p;
			from = t;
		} else if (p < p_end && (*p == '?' || *p == *t)) {
			p++;
			t++;
		} else if (star != NULL) {
			p = star;
			t = ++from;
		} else {
			return false;
		}
	}
	while (p < p_end && *p == '*')
		p++;
	return p == p_end;
}

bool ssh_words_match_list(struct view patterns, struct view text)
{
	bool matched = false;
	struct view pattern;

	while (view_next_part(&patterns, ',', &pattern)) {
		bool negated = view_take(&pattern, "!");
		if (!ssh_words_match(pattern, text))
			continue;
		if (negated)
			return false;
		matched = true;
	}
	return matched;
}
