#include "oddhost/inventory/words.h"

#include "oddhost/base/text.h"

bool words_is_blank(uint32_t rune)
{
	return (rune >= '\t' && rune <= '\r') || (rune >= 0x1c && rune <= ' ') || rune == 0x85 ||
	       rune == 0xa0 || rune == 0x1680 || (rune >= 0x2000 && rune <= 0x200a) ||
	       rune == 0x2028 || rune == 0x2029 || rune == 0x202f || rune == 0x205f ||
	       rune == 0x3000;
}

struct view words_trim(struct view text)
{
	struct view rest = text;
	size_t end = 0;
	uint32_t rune;

	while (text_next_rune(&rest, &rune) && words_is_blank(rune))
		text = rest;
	for (rest = text; text_next_rune(&rest, &rune);) {
		if (!words_is_blank(rune))
			end = text.n - rest.n;
	}
	return view_left(text, end);
}

static bool ends_line(uint32_t rune, bool unicode)
{
	return rune == '\n' || rune == '\r' ||
	       (unicode && (rune == '\v' || rune == '\f' || (rune >= 0x1c && rune <= 0x1e) ||
			       rune == 0x85 || rune == 0x2028 || rune == 0x2029));
}

bool words_next_line(struct view *cursor, bool unicode, struct view *ret_line)
{
	struct view rest = *cursor, before = rest;
	uint32_t rune = 0;

	if (cursor->n == 0)
		return false;
	while (text_next_rune(&rest, &rune) && !ends_line(rune, unicode))
		before = rest;
	*ret_line = view_left(*cursor, cursor->n - before.n);
	if (rune == '\r')
		view_take(&rest, "\n");
	*cursor = rest;
	return true;
}

static char take(struct view *cursor)
{
	char c = cursor->p[0];

	*cursor = view_skip(*cursor, 1);
	return c;
}

/* Behind an opening quote, up to the closing one. */
static bool take_quoted(struct view *cursor, char quote, struct buf *word, struct err *err)
{
	while (cursor->n > 0) {
		char c = take(cursor);
		if (c == quote)
			return true;
		if (c == '\\' && quote == '"') {
			if (cursor->n == 0)
				break;
			c = take(cursor);
			if (c != '"' && c != '\\')
				buf_putc(word, '\\');
		}
		buf_putc(word, c);
	}
	return err_set(err, "the quote %c is not closed", quote);
}

bool words_next(
    struct view *cursor, bool comments, struct buf *word, bool *ret_found, struct err *err)
{
	bool begun = false;

	word->n = 0;
	while (cursor->n > 0) {
		char c = take(cursor);
		if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
			if (begun)
				break;
			continue;
		}
		if (c == '#' && comments) {
			*cursor = view_skip(*cursor, cursor->n);
			break;
		}
		begun = true;
		if (c == '\'' || c == '"') {
			if (!take_quoted(cursor, c, word, err))
				return false;
			continue;
		}
		if (c == '\\') {
			if (cursor->n == 0)
				return err_set(err, "a backslash at the end escapes nothing");
			c = take(cursor);
		}
		buf_putc(word, c);
	}
	*ret_found = begun;
	return true;
}
