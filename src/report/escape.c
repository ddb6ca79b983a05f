#include "oddhost/report/escape.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "oddhost/base/text.h"

struct piece {
	struct view bytes;
	uint32_t rune;
	bool valid; /* false: one byte that is not UTF-8 */
};

static bool next_piece(struct view *cursor, struct piece *ret)
{
	struct view before = *cursor;

	if (!text_next_rune(cursor, &ret->rune))
		return false;
	ret->bytes = view_left(before, before.n - cursor->n);
	ret->valid = ret->rune != 0xfffd || ret->bytes.n == 3;
	return true;
}

/* Write out what would not be seen; false where the piece is an ordinary character. */
static bool add_visible(struct buf *out, const struct piece *piece)
{
	if (!piece->valid)
		buf_printf(out, "\\x%02x", (unsigned char)piece->bytes.p[0]);
	else if (!text_is_unseen(piece->rune))
		return false;
	else if (piece->rune <= 0x7f)
		buf_printf(out, "\\x%02x", (unsigned)piece->rune);
	else if (piece->rune <= 0xffff)
		buf_printf(out, "\\u%04x", (unsigned)piece->rune);
	else
		buf_printf(out, "\\U%08x", (unsigned)piece->rune);
	return true;
}

void escape_html(struct buf *out, struct view text)
{
	struct piece piece;

	while (next_piece(&text, &piece)) {
		switch (piece.rune) {
		case '&':
			buf_puts(out, "&amp;");
			break;
		case '<':
			buf_puts(out, "&lt;");
			break;
		case '>':
			buf_puts(out, "&gt;");
			break;
		case '"':
			buf_puts(out, "&quot;");
			break;
		case '\'':
			buf_puts(out, "&#39;");
			break;
		case '\n':
		case '\t':
			buf_putc(out, (char)piece.rune);
			break;
		default:
			if (!add_visible(out, &piece))
				buf_add_view(out, piece.bytes);
		}
	}
}

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/*
 * Some characters depend on what stands beside them, so that names stay readable in a ticket that
 * shows Markdown as it is: '_' within a word is never emphasis (GFM 6.2), ':' and '.' matter only
 * where they make an autolink (GFM 6.9: "://", "www.", "mailto:", "xmpp:"), brackets only where a
 * target or a label follows them (6.6; nobody can define a label, since a definition begins a
 * line), and headings, lists and task boxes only begin a text.
 */
static bool markdown_acts(struct view before, char c, struct view after)
{
	switch (c) {
	case '_':
		return before.n == 0 || after.n == 0 || !is_word(before.p[before.n - 1]) ||
		       !is_word(after.p[0]);
	case ':':
		return (after.n > 0 && after.p[0] == '/') || view_ends(before, "mailto") ||
		       view_ends(before, "xmpp");
	case ']':
		return after.n > 0 && strchr("([:", after.p[0]) != NULL;
	case '[':
	case '#':
	case '-':
	case '+':
	case '=':
		return before.n == 0;
	case '.':
		return before.n >= 3 && strncasecmp(before.p + before.n - 3, "www", 3) == 0;
	default:
		return strchr("\\`*|~$", c) != NULL;
	}
}

void escape_markdown(struct buf *out, struct view text)
{
	const char *start = text.p;
	struct piece piece;

	while (next_piece(&text, &piece)) {
		struct view before = {start, (size_t)(piece.bytes.p - start)};
		char c = piece.rune < 0x80 && piece.valid ? (char)piece.rune : 'x';
		if (c == '&')
			buf_puts(out, "&amp;");
		else if (c == '<')
			buf_puts(out, "&lt;");
		else if (c == '>')
			buf_puts(out, "&gt;");
		else if (c == '@')
			buf_puts(out, "@<!-- -->"); /* neither a mention nor a mail address */
		else if (c == '\n' || c == '\t')
			buf_putc(out, ' ');
		else if (c != '\0' && markdown_acts(before, c, text))
			buf_printf(out, "\\%c", c);
		else if (piece.valid && !text_is_unseen(piece.rune))
			buf_add_view(out, piece.bytes);
		else {
			buf_putc(out, '\\'); /* so that the backslash of \x1b is seen */
			add_visible(out, &piece);
		}
	}
}

static void add_plain(struct buf *out, struct view text, bool lines)
{
	struct piece piece;

	while (next_piece(&text, &piece)) {
		if (piece.rune == '\n' || piece.rune == '\t')
			buf_putc(out, lines ? (char)piece.rune : ' ');
		else if (!add_visible(out, &piece))
			buf_add_view(out, piece.bytes);
	}
}

void escape_plain(struct buf *out, struct view text)
{
	add_plain(out, text, false);
}

void escape_lines(struct buf *out, struct view text)
{
	add_plain(out, text, true);
}

void escape_utf8(struct buf *out, struct view text)
{
	struct piece piece;

	while (next_piece(&text, &piece)) {
		if (piece.valid && piece.rune != 0)
			buf_add_view(out, piece.bytes);
		else
			add_visible(out, &piece);
	}
}

size_t escape_longest_run(struct view text, char c)
{
	size_t run = 0, longest = 0;

	for (size_t i = 0; i < text.n; i++) {
		run = text.p[i] == c ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	return longest;
}

/* One conversion behind its '%': returns what follows it. */
static const char *add_conversion(
    struct buf *out, void (*escape)(struct buf *, struct view), const char *p, va_list *ap)
{
	bool is_size = *p == 'z';
	int decimals = 6;

	p += is_size;
	if (p[0] == '.' && p[1] >= '0' && p[1] <= '9') {
		decimals = p[1] - '0';
		p += 2;
	}
	switch (*p) {
	case 's':
		escape(out, view_of(va_arg(*ap, const char *)));
		break;
	case 'u':
		buf_printf(
		    out, "%zu", is_size ? va_arg(*ap, size_t) : (size_t)va_arg(*ap, unsigned));
		break;
	case 'd':
		buf_printf(out, "%d", va_arg(*ap, int));
		break;
	case 'f':
		buf_printf(out, "%.*f", decimals, va_arg(*ap, double));
		break;
	default:
		buf_putc(out, '%');
	}
	return *p == '\0' ? p : p + 1;
}

void escape_vprintf(
    struct buf *out, void (*escape)(struct buf *, struct view), const char *fmt, va_list ap)
{
	va_list
	    values; /* an array on some machines, and then not to be pointed at as a parameter */

	va_copy(values, ap);
	while (*fmt != '\0') {
		size_t literal = strcspn(fmt, "%");
		buf_add(out, fmt, literal);
		fmt += literal;
		if (*fmt == '%')
			fmt = add_conversion(out, escape, fmt + 1, &values);
	}
	va_end(values);
}

void escape_printf(struct buf *out, void (*escape)(struct buf *, struct view), const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	escape_vprintf(out, escape, fmt, ap);
	va_end(ap);
}
