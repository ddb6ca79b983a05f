#include "oddhost/inventory/literal.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/text.h"

/*
 * One pass that writes JSON. What is inside of brackets goes to `out` as it is read; the last
 * string that was read also stands in `string`, decoded, in case it is the whole value.
 */
struct reader {
	struct view rest;
	struct buf out, string;
	unsigned depth;
};

#define DEEPEST 50
#define MOST_DIGITS 4300 /* Python's own limit for integers */

struct item {
	enum inventory_kind kind;
	bool signed_number; /* "-1": a second sign is not a literal any more */
	bool bytes;         /* b'…': JSON carries it only where it is the whole value */
};

static bool read_item(struct reader *r, struct item *ret);

static char peek(const struct reader *r)
{
	return r->rest.n > 0 ? r->rest.p[0] : '\0';
}

static bool take(struct reader *r, char c)
{
	if (r->rest.n == 0 || r->rest.p[0] != c)
		return false;
	r->rest = view_skip(r->rest, 1);
	return true;
}

static void skip_blanks(struct reader *r)
{
	while (take(r, ' ') || take(r, '\t') || take(r, '\f'))
		;
	if (peek(r) == '#')
		r->rest = view_skip(r->rest, r->rest.n);
}

static void quote_json(struct buf *out, struct view text)
{
	buf_putc(out, '"');
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		if (c == '"' || c == '\\')
			buf_putc(out, '\\');
		if (c < ' ')
			buf_printf(out, "\\u%04x", c);
		else
			buf_putc(out, (char)c);
	}
	buf_putc(out, '"');
}

/* ---- numbers ---- */

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

/* Digits of a base with single underscores between them, appended to `digits` without those. */
static bool read_digits(struct reader *r, int base, struct buf *digits)
{
	bool any = false;

	for (;;) {
		if (digit_of(peek(r)) < base) {
			buf_putc(digits, peek(r));
			any = true;
		} else if (!any || peek(r) != '_' || r->rest.n < 2 ||
			   digit_of(r->rest.p[1]) >= base) {
			return any;
		}
		r->rest = view_skip(r->rest, 1);
	}
}

/* Digits of any base in decimal, of any length that Python prints: nine decimal digits a limb. */
static bool write_decimal(struct buf *out, struct view digits, int base)
{
	uint32_t limb[MOST_DIGITS / 9 + 1] = {0};
	size_t n = 1;

	for (size_t i = 0; i < digits.n; i++) {
		uint64_t carry = (uint64_t)digit_of(digits.p[i]);
		for (size_t k = 0; k < n; k++) {
			carry += (uint64_t)limb[k] * (unsigned)base;
			limb[k] = (uint32_t)(carry % 1000000000);
			carry /= 1000000000;
		}
		if (carry > 0 && n == sizeof limb / sizeof *limb)
			return false;
		if (carry > 0)
			limb[n++] = (uint32_t)carry;
	}
	buf_printf(out, "%u", limb[n - 1]);
	while (--n > 0)
		buf_printf(out, "%09u", limb[n - 1]);
	return true;
}

/* Behind "0x", "0o" or "0b". */
static bool read_based(struct reader *r, int base)
{
	struct buf digits = {0};
	bool ok;

	r->rest = view_skip(r->rest, 2);
	take(r, '_');
	ok = read_digits(r, base, &digits) && write_decimal(&r->out, buf_view(&digits), base);
	buf_free(&digits);
	return ok;
}

/* The shortest form that reads back as the same number, with a mark of its being no integer. */
static bool write_float(struct reader *r, struct buf *digits)
{
	double value = strtod(buf_str(digits), NULL);
	char text[40];

	if (!isfinite(value))
		return false;
	for (int precision = 15; precision <= 17; precision++) {
		snprintf(text, sizeof text, "%.*g", precision, value);
		if (strtod(text, NULL) == value)
			break;
	}
	buf_puts(&r->out, text);
	if (strpbrk(text, ".e") == NULL)
		buf_puts(&r->out, ".0");
	return true;
}

/* "0", "00" and "0_0" are zero; any other integer must not begin with 0. */
static bool write_integer(struct reader *r, struct view digits)
{
	if (digits.n > MOST_DIGITS)
		return false;
	if (digits.p[0] == '0') {
		for (size_t i = 0; i < digits.n; i++) {
			if (digits.p[i] != '0')
				return false;
		}
		digits = view_left(digits, 1);
	}
	buf_add_view(&r->out, digits);
	return true;
}

static bool read_exponent(struct reader *r, struct buf *digits)
{
	buf_putc(digits, 'e');
	r->rest = view_skip(r->rest, 1);
	if (peek(r) == '-' || peek(r) == '+') {
		buf_putc(digits, peek(r));
		r->rest = view_skip(r->rest, 1);
	}
	return read_digits(r, 10, digits);
}

static bool read_decimal(struct reader *r)
{
	struct buf digits = {0};
	bool whole = read_digits(r, 10, &digits), fraction = false, ok = true;

	if (take(r, '.')) {
		buf_putc(&digits, '.');
		fraction = true;
		ok = read_digits(r, 10, &digits) || whole;
	}
	if (ok && (peek(r) == 'e' || peek(r) == 'E')) {
		fraction = true;
		ok = read_exponent(r, &digits);
	}
	ok = ok && (fraction ? write_float(r, &digits) : write_integer(r, buf_view(&digits)));
	buf_free(&digits);
	return ok;
}

static bool read_number(struct reader *r)
{
	char second = r->rest.n > 1 ? (char)tolower((unsigned char)r->rest.p[1]) : '\0';
	bool ok;

	if (peek(r) == '0' && second == 'x')
		ok = read_based(r, 16);
	else if (peek(r) == '0' && second == 'o')
		ok = read_based(r, 8);
	else if (peek(r) == '0' && second == 'b')
		ok = read_based(r, 2);
	else
		ok = read_decimal(r);
	return ok && !isalnum((unsigned char)peek(r)) && peek(r) != '_';
}

/* ---- strings ---- */

static bool put_rune(struct buf *out, unsigned long rune)
{
	if (rune == 0 || rune > 0x10ffff || (rune >= 0xd800 && rune <= 0xdfff))
		return false; /* no JSON or C string carries it */
	if (rune < 0x80) {
		buf_putc(out, (char)rune);
		return true;
	}
	int more = rune < 0x800 ? 1 : rune < 0x10000 ? 2 : 3;
	static const unsigned lead[] = {0, 0xc0, 0xe0, 0xf0};
	buf_putc(out, (char)(lead[more] | rune >> 6 * more));
	while (more-- > 0)
		buf_putc(out, (char)(0x80 | (rune >> 6 * more & 0x3f)));
	return true;
}

static bool read_hex(struct reader *r, size_t n, unsigned long *ret)
{
	*ret = 0;
	if (r->rest.n < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (digit_of(r->rest.p[i]) > 15)
			return false;
		*ret = *ret * 16 + (unsigned long)digit_of(r->rest.p[i]);
	}
	r->rest = view_skip(r->rest, n);
	return true;
}

/* Up to three octal digits. */
static unsigned long read_octal(struct reader *r)
{
	unsigned long value = 0;

	for (int i = 0; i < 3 && digit_of(peek(r)) < 8; i++) {
		value = value * 8 + (unsigned long)digit_of(peek(r));
		r->rest = view_skip(r->rest, 1);
	}
	return value;
}

/* Behind a backslash (Python's reference, "String and Bytes literals"). */
static bool read_escape(struct reader *r, bool bytes)
{
	static const char from[] = "\\'\"abfnrtv", to[] = "\\'\"\a\b\f\n\r\t\v";
	unsigned long rune;
	char c = peek(r);

	if (r->rest.n == 0)
		return false;
	if (digit_of(c) < 8) {
		rune = read_octal(r);
	} else {
		const char *simple = strchr(from, c);
		r->rest = view_skip(r->rest, 1);
		if (simple != NULL) {
			buf_putc(&r->string, to[simple - from]);
			return true;
		}
		if (c == 'N' && !bytes)
			return false; /* by its name: not worth Unicode's table of them */
		if (c == 'x' || (!bytes && (c == 'u' || c == 'U'))) {
			if (!read_hex(r, c == 'x' ? 2 : c == 'u' ? 4 : 8, &rune))
				return false;
		} else {
			buf_putc(&r->string, '\\');
			buf_putc(&r->string, c);
			return true;
		}
	}
	if (!bytes)
		return put_rune(&r->string, rune);
	buf_putc(&r->string, (char)rune);
	return (rune & 0xff) != 0;
}

/* From the opening quote on; three of them make a string that a single one does not end. */
static bool read_quoted(struct reader *r, bool raw, bool bytes)
{
	char quote = peek(r);
	char three[] = {quote, quote, quote, '\0'};
	const char *end = view_starts(r->rest, three) ? three : three + 2;

	view_take(&r->rest, end);
	while (r->rest.n > 0) {
		if (view_take(&r->rest, end))
			return true;
		char c = peek(r);
		if (bytes && (unsigned char)c >= 0x80)
			return false;
		r->rest = view_skip(r->rest, 1);
		if (c != '\\') {
			buf_putc(&r->string, c);
		} else if (!raw) {
			if (!read_escape(r, bytes))
				return false;
		} else {
			buf_putc(&r->string, c);
			if (r->rest.n == 0)
				return false;
			buf_putc(&r->string, peek(r));
			r->rest = view_skip(r->rest, 1);
		}
	}
	return false;
}

/* The length of a prefix such as r, b, Rb, u before a quote; -1 where no string begins here. */
static int string_prefix(const struct reader *r, bool *ret_raw, bool *ret_bytes)
{
	static const char *const prefixes[] = {"r", "u", "b", "br", "rb", ""};

	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
		size_t n = strlen(prefixes[i]);
		if (r->rest.n <= n || strncasecmp(r->rest.p, prefixes[i], n) != 0 ||
		    (r->rest.p[n] != '\'' && r->rest.p[n] != '"'))
			continue;
		*ret_raw = strchr(prefixes[i], 'r') != NULL;
		*ret_bytes = strchr(prefixes[i], 'b') != NULL;
		return (int)n;
	}
	return -1;
}

/* One string, or several in a row, which are one. */
static bool read_string(struct reader *r, struct item *ret)
{
	bool raw, bytes, first = true;
	int n;

	r->string.n = 0;
	*ret = (struct item){.kind = INVENTORY_STRING};
	while ((n = string_prefix(r, &raw, &bytes)) >= 0) {
		if (!first && bytes != ret->bytes)
			return false;
		ret->bytes = bytes;
		first = false;
		r->rest = view_skip(r->rest, (size_t)n);
		if (!read_quoted(r, raw, bytes))
			return false;
		skip_blanks(r);
	}
	return !first && (!ret->bytes || text_is_utf8(buf_view(&r->string)));
}

/* ---- containers ---- */

/* A value inside of brackets: JSON in `out`. */
static bool read_member(struct reader *r, struct item *ret)
{
	if (!read_item(r, ret) || ret->bytes)
		return false;
	if (ret->kind == INVENTORY_STRING)
		quote_json(&r->out, buf_view(&r->string));
	skip_blanks(r);
	return true;
}

/* Behind the opening bracket. `(x)` is x; `(x,)` and `[x]` are lists. */
static bool read_list(struct reader *r, char close, struct item *ret)
{
	size_t start = r->out.n;
	bool comma = false, empty = true;
	struct item item = {0};

	buf_putc(&r->out, '[');
	for (skip_blanks(r); !take(r, close); skip_blanks(r)) {
		if (!empty && !comma)
			return false;
		if (!empty)
			buf_putc(&r->out, ',');
		if (!read_member(r, &item))
			return false;
		comma = take(r, ',');
		if (!comma && close == ')' && empty && take(r, close)) {
			r->out.n--;
			memmove(r->out.p + start, r->out.p + start + 1, r->out.n - start);
			if (item.kind == INVENTORY_STRING)
				r->out.n = start; /* as every string: in r->string */
			*ret = item;
			return true;
		}
		empty = false;
	}
	buf_putc(&r->out, ']');
	*ret = (struct item){.kind = INVENTORY_LIST};
	return true;
}

/* JSON's keys are strings: json.dumps() turns numbers, booleans and None into them. */
static bool read_key(struct reader *r)
{
	size_t start = r->out.n;
	struct item key;

	if (!read_member(r, &key) || key.kind == INVENTORY_LIST || key.kind == INVENTORY_DICT)
		return false;
	if (key.kind != INVENTORY_STRING) {
		buf_putc(&r->out, '"');
		memmove(r->out.p + start + 1, r->out.p + start, r->out.n - start - 1);
		r->out.p[start] = '"';
		buf_putc(&r->out, '"');
	}
	return true;
}

static bool read_dict(struct reader *r, struct item *ret)
{
	bool comma = true;
	struct item item;

	*ret = (struct item){.kind = INVENTORY_DICT};
	buf_putc(&r->out, '{');
	for (skip_blanks(r); !take(r, '}'); skip_blanks(r)) {
		if (!comma)
			return false;
		if (r->out.p[r->out.n - 1] != '{')
			buf_putc(&r->out, ',');
		if (!read_key(r) || !take(r, ':'))
			return false;
		buf_putc(&r->out, ':');
		if (!read_member(r, &item))
			return false;
		comma = take(r, ',');
	}
	buf_putc(&r->out, '}');
	return true;
}

static bool read_word(struct reader *r, struct item *ret)
{
	static const struct {
		const char *python, *json;
		enum inventory_kind kind;
	} words[] = {{"True", "true", INVENTORY_BOOL}, {"False", "false", INVENTORY_BOOL},
	    {"None", "null", INVENTORY_NULL}};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (!view_take(&r->rest, words[i].python))
			continue;
		buf_puts(&r->out, words[i].json);
		*ret = (struct item){.kind = words[i].kind};
		return !isalnum((unsigned char)peek(r)) && peek(r) != '_';
	}
	return false;
}

static bool read_signed(struct reader *r, struct item *ret)
{
	if (take(r, '-'))
		buf_putc(&r->out, '-');
	else
		take(r, '+');
	if (!read_item(r, ret) || ret->kind != INVENTORY_NUMBER || ret->signed_number)
		return false;
	ret->signed_number = true;
	return true;
}

static bool read_item(struct reader *r, struct item *ret)
{
	bool ok;
	char c;

	skip_blanks(r);
	c = peek(r);
	if (r->depth >= DEEPEST)
		return false;
	r->depth++;
	*ret = (struct item){.kind = INVENTORY_NUMBER};
	if (take(r, '('))
		ok = read_list(r, ')', ret);
	else if (take(r, '['))
		ok = read_list(r, ']', ret);
	else if (take(r, '{'))
		ok = read_dict(r, ret);
	else if (c == '-' || c == '+')
		ok = read_signed(r, ret);
	else if (c == '.' || (c >= '0' && c <= '9'))
		ok = read_number(r);
	else if (c == 'T' || c == 'F' || c == 'N')
		ok = read_word(r, ret);
	else
		ok = read_string(r, ret);
	r->depth--;
	return ok;
}

/* The whole text as one item, or as items with commas, which are a tuple without its brackets. */
static bool read_all(struct reader *r, struct item *ret, bool *ret_tuple)
{
	bool comma;
	struct item item;

	*ret_tuple = false;
	buf_putc(&r->out, '['); /* in case that it is a tuple */
	if (!read_item(r, ret))
		return false;
	skip_blanks(r);
	if (r->rest.n == 0)
		return true;
	if (ret->bytes)
		return false;
	if (ret->kind == INVENTORY_STRING)
		quote_json(&r->out, buf_view(&r->string));
	for (comma = take(r, ','), skip_blanks(r); r->rest.n > 0; skip_blanks(r)) {
		if (!comma)
			return false;
		buf_putc(&r->out, ',');
		if (!read_member(r, &item))
			return false;
		comma = take(r, ',');
	}
	buf_putc(&r->out, ']');
	*ret = (struct item){.kind = INVENTORY_LIST};
	*ret_tuple = true;
	return true;
}

struct inventory_value literal_parse(struct arena *arena, struct view text)
{
	struct inventory_value value = {INVENTORY_STRING, NULL};
	struct reader r = {.rest = text};
	struct item item;
	bool tuple;

	if (!read_all(&r, &item, &tuple)) {
		value.text = arena_dup_view(arena, text);
	} else if (item.kind == INVENTORY_STRING) {
		value.text = arena_dup_view(arena, buf_view(&r.string));
	} else {
		value.kind = item.kind;
		value.text = arena_dup_view(arena, view_skip(buf_view(&r.out), tuple ? 0 : 1));
	}
	buf_free(&r.out);
	buf_free(&r.string);
	return value;
}
