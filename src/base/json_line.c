#include "oddhost/base/json_line.h"

#include <stdio.h>

#include "oddhost/base/text.h"

/* A string's inside. Runs of bytes that stand for themselves are copied as a whole. */
static void escape(struct buf *out, struct view v)
{
	static const char special[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	size_t from = 0;

	for (size_t i = 0; i < v.n; i++) {
		unsigned char c = (unsigned char)v.p[i];
		if (c >= ' ' && c != '"' && c != '\\')
			continue;
		buf_add(out, v.p + from, i - from);
		from = i + 1;
		long at = view_find_char(view_of(special), (char)c);
		if (at < 0)
			buf_printf(out, "\\u%04x", c);
		else
			buf_add(out, (char[]){'\\', letters[at]}, 2);
	}
	buf_add(out, v.p + from, v.n - from);
}

static void quote(struct buf *out, struct view v)
{
	buf_putc(out, '"');
	escape(out, v);
	buf_putc(out, '"');
}

static void begin(struct json_line *line, const char *key)
{
	if (line->more)
		buf_putc(line->out, ',');
	line->more = true;
	if (key == NULL)
		return;
	quote(line->out, view_of(key));
	buf_putc(line->out, ':');
}

static void open_bracket(struct json_line *line, const char *key, char bracket)
{
	begin(line, key);
	buf_putc(line->out, bracket);
	line->more = false;
}

static void close_bracket(struct json_line *line, char bracket)
{
	buf_putc(line->out, bracket);
	line->more = true;
}

void json_line_object(struct json_line *line, const char *key)
{
	open_bracket(line, key, '{');
}

void json_line_end_object(struct json_line *line)
{
	close_bracket(line, '}');
}

void json_line_array(struct json_line *line, const char *key)
{
	open_bracket(line, key, '[');
}

void json_line_end_array(struct json_line *line)
{
	close_bracket(line, ']');
}

void json_line_string(struct json_line *line, const char *key, const char *s)
{
	struct view v = view_of(s);
	struct buf mended = {0};

	if (s == NULL) {
		json_line_null(line, key);
		return;
	}
	if (!text_is_utf8(v)) {
		text_mend_utf8(v, &mended);
		v = buf_view(&mended);
	}
	begin(line, key);
	quote(line->out, v);
	buf_free(&mended);
}

void json_line_bytes(struct json_line *line, const char *key, struct view bytes)
{
	char name[64];

	if (text_is_utf8(bytes)) {
		begin(line, key);
		quote(line->out, bytes);
		return;
	}
	snprintf(name, sizeof name, "%s_b64", key);
	begin(line, name);
	buf_putc(line->out, '"');
	text_base64_encode(bytes, line->out);
	buf_putc(line->out, '"');
}

void json_line_number(struct json_line *line, const char *key, long number)
{
	begin(line, key);
	buf_printf(line->out, "%ld", number);
}

void json_line_bool(struct json_line *line, const char *key, bool value)
{
	begin(line, key);
	buf_puts(line->out, value ? "true" : "false");
}

void json_line_null(struct json_line *line, const char *key)
{
	begin(line, key);
	buf_puts(line->out, "null");
}
