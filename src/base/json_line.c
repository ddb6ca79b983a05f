#include "oddhost/base/json_line.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "oddhost/base/text.h"

#define ONES UINT64_C(0x0101010101010101)
#define HIGHEST UINT64_C(0x8080808080808080)

/* Is a byte of the eight less than `limit` (at most 0x80)? Only then it borrows its highest bit. */
static bool any_below(uint64_t word, uint64_t limit)
{
	return ((word - ONES * limit) & ~word & HIGHEST) != 0;
}

static bool is_special(unsigned char c)
{
	return c < ' ' || c == '"' || c == '\\';
}

/* How many bytes from the beginning stand for themselves in a string. */
static size_t plain_run(struct view v)
{
	size_t n = 0;

	for (uint64_t word; n + sizeof word <= v.n; n += sizeof word) {
		memcpy(&word, v.p + n, sizeof word);
		if (any_below(word, ' ') || any_below(word ^ ONES * '"', 1) ||
		    any_below(word ^ ONES * '\\', 1))
			break;
	}
	while (n < v.n && !is_special((unsigned char)v.p[n]))
		n++;
	return n;
}

/* A string's inside. */
static void escape(struct buf *out, struct view v)
{
	static const char special[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";

	while (v.n > 0) {
		size_t run = plain_run(v);
		buf_add(out, v.p, run);
		v = view_skip(v, run);
		if (v.n == 0)
			break;
		const char *at = strchr(special, v.p[0]);
		if (at == NULL)
			buf_printf(out, "\\u%04x", (unsigned char)v.p[0]);
		else
			buf_add(out, (char[]){'\\', letters[at - special]}, 2);
		v = view_skip(v, 1);
	}
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
