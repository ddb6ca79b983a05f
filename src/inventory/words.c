#include "oddhost/inventory/words.h"

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
