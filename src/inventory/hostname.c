#include "oddhost/inventory/hostname.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "oddhost/base/buf.h"
#include "oddhost/net/prefix.h"

#define MOST_RANGES 8

static bool all_digits(struct view v)
{
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
	}
	return v.n > 0;
}

/* Step over `[begin:end]` or `[begin:end:step]` of digits, or of hexadecimal or single letters. */
static bool take_range(struct view *cursor, bool hex)
{
	long close = view_find_char(*cursor, ']');
	struct view inner, begin, end, step = {0};

	if (cursor->n == 0 || cursor->p[0] != '[' || close < 0)
		return false;
	inner = view_skip(view_left(*cursor, (size_t)close), 1);
	if (!view_next_part(&inner, ':', &begin) || !view_next_part(&inner, ':', &end) ||
	    begin.n == 0 || end.n == 0)
		return false;
	if (end.p + end.n != cursor->p + close) { /* a step follows, and nothing behind it */
		step = inner;
		if (!all_digits(step))
			return false;
	}
	bool letters = begin.n == 1 && end.n == 1 && isalpha((unsigned char)begin.p[0]) &&
		       isalpha((unsigned char)end.p[0]);
	bool digits = all_digits(begin) && all_digits(end);
	if (hex) {
		for (size_t i = 0; i < begin.n + 1 + end.n; i++) {
			if (!isxdigit((unsigned char)begin.p[i]) && begin.p[i] != ':')
				return false;
		}
	} else if (!letters && !digits) {
		return false;
	}
	*cursor = view_skip(*cursor, (size_t)close + 1);
	return true;
}

/* Letters, digits, '_', ranges and any bytes past ASCII; '-' and '_' not at the end, '-' not first.
 */
static bool is_label(struct view label)
{
	bool first = true, ok = false;

	while (label.n > 0) {
		unsigned char c = (unsigned char)label.p[0];
		if (c == '[') {
			if (!take_range(&label, false))
				return false;
			ok = true;
		} else if (isalnum(c) || c >= 0x80 || c == '_' || (c == '-' && !first)) {
			ok = c != '_' && c != '-';
			label = view_skip(label, 1);
		} else {
			return false;
		}
		first = false;
	}
	return ok;
}

/* Labels with dots between them; a dot inside brackets does not occur in a range. */
static bool is_name(struct view text)
{
	struct view label, rest = text;

	if (text.n == 0 || text.p[text.n - 1] == '.')
		return false;
	while (view_next_part(&rest, '.', &label)) {
		if (!is_label(label))
			return false;
	}
	return true;
}

/*
 * An IPv6 address in which each range stands for a group of digits. A range is put in as "0" and
 * the rest left to ip_parse().
 */
static bool is_v6(struct view text)
{
	char plain[64] = "";
	size_t n = 0;
	struct ip ip;

	while (text.n > 0 && n < sizeof plain) {
		if (text.p[0] != '[') {
			plain[n++] = text.p[0];
			text = view_skip(text, 1);
		} else if (take_range(&text, true)) {
			plain[n++] = '0';
		} else {
			return false;
		}
	}
	return text.n == 0 && memchr(plain, ':', n) != NULL &&
	       ip_parse((struct view){plain, n}, &ip);
}

static bool parse_port(struct view digits, unsigned *ret)
{
	uint64_t port;

	if (!view_uint(digits, 0, UINT32_MAX, &port))
		return false;
	*ret = (unsigned)port;
	return true;
}

/* `[anything]:22` */
static bool split_bracketed(struct view text, struct view *ret_host, unsigned *ret_port)
{
	size_t i = text.n;

	while (i > 0 && text.p[i - 1] >= '0' && text.p[i - 1] <= '9')
		i--;
	if (i == text.n || i < 4 || text.p[0] != '[' || text.p[i - 1] != ':' ||
	    text.p[i - 2] != ']' || !parse_port(view_skip(text, i), ret_port))
		return false;
	*ret_host = view_skip(view_left(text, i - 2), 1);
	return true;
}

/* `name:22`, where no other colon stands outside of brackets. */
static bool split_plain(struct view text, struct view *ret_host, unsigned *ret_port)
{
	size_t i = 0;

	while (i < text.n && text.p[i] != ':') {
		if (text.p[i] == ']')
			return false;
		if (text.p[i] == '[') {
			long close = view_find_char(view_skip(text, i), ']');
			if (close < 0)
				return false;
			i += (size_t)close;
		}
		i++;
	}
	if (i >= text.n || !all_digits(view_skip(text, i + 1)) ||
	    !parse_port(view_skip(text, i + 1), ret_port))
		return false;
	*ret_host = view_left(text, i);
	return true;
}

bool hostname_split(struct view text, struct view *ret_host, unsigned *ret_port)
{
	struct view host = text;
	unsigned port = 0;

	split_bracketed(host, &host, &port);
	split_plain(host, &host, &port);
	if (!is_name(host) && !is_v6(host))
		return false;
	*ret_host = host;
	*ret_port = port;
	return true;
}

bool hostname_has_range(struct view text)
{
	return view_find_char(text, '[') >= 0;
}

/* One range of a pattern and the text before it. */
struct range {
	struct view head;
	uint64_t begin, end, step;
	size_t width; /* digits to fill up to with zeros; 0: as they come */
	bool letters;
};

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

static bool letter_index(struct view v, uint64_t *ret)
{
	if (v.n != 1 || !isalpha((unsigned char)v.p[0]))
		return false;
	*ret = (uint64_t)(strchr(alphabet, v.p[0]) - alphabet);
	return true;
}

static bool parse_range(struct view inner, struct range *range, struct err *err)
{
	struct view whole = inner, part[3] = {{0}};
	size_t n = 0;

	while (n < 3 && view_next_part(&inner, ':', &part[n]))
		n++;
	if (n < 2 || inner.n > 0 || whole.p[whole.n - 1] == ':' || part[1].n == 0)
		return err_set(err, "[%.*s]: expected a range, [begin:end] or [begin:end:step]",
		    VIEW_ARG(view_left(whole, 80)));
	if (part[0].n == 0)
		part[0] = view_of("0");
	range->step = 1;
	range->letters = letter_index(part[0], &range->begin) && letter_index(part[1], &range->end);
	if ((!range->letters && (!view_uint(part[0], 0, UINT32_MAX, &range->begin) ||
				    !view_uint(part[1], 0, UINT32_MAX, &range->end))) ||
	    (n == 3 && !view_uint(part[2], 1, UINT32_MAX, &range->step)))
		return err_set(err,
		    "[%.*s]: expected a range of numbers or of single letters, and a step from 1 "
		    "up",
		    VIEW_ARG(view_left(whole, 80)));
	if (range->begin > range->end)
		return err_set(
		    err, "[%.*s]: the range begins behind its end", VIEW_ARG(view_left(whole, 80)));
	range->width = !range->letters && part[0].n > 1 && part[0].p[0] == '0' ? part[0].n : 0;
	if (range->width > 20 || (range->width > 0 && range->width != part[1].n))
		return err_set(err,
		    "[%.*s]: both ends must have as many digits where the first has leading zeros",
		    VIEW_ARG(view_left(whole, 80)));
	return true;
}

static void write_name(
    struct buf *name, const struct range *range, const uint64_t *at, size_t n, struct view tail)
{
	name->n = 0;
	for (size_t i = 0; i < n; i++) {
		buf_add_view(name, range[i].head);
		if (range[i].letters)
			buf_putc(name, alphabet[at[i]]);
		else
			buf_printf(name, "%0*llu", (int)range[i].width, (unsigned long long)at[i]);
	}
	buf_add_view(name, tail);
}

bool hostname_expand(
    struct view pattern, bool (*each)(void *arg, struct view name), void *arg, struct err *err)
{
	struct range range[MOST_RANGES];
	uint64_t at[MOST_RANGES];
	struct buf name = {.max = 4096};
	size_t n = 0;

	while (hostname_has_range(pattern)) {
		size_t open = (size_t)view_find_char(pattern, '[');
		long close = view_find_char(pattern, ']');
		if (n == MOST_RANGES)
			return err_set(err, "more than %d ranges in one name", MOST_RANGES);
		if (close < (long)open)
			return err_set(err, "'%.*s': expected a ']' for the '['",
			    VIEW_ARG(view_left(pattern, 80)));
		range[n].head = view_left(pattern, open);
		if (!parse_range(
			view_skip(view_left(pattern, (size_t)close), open + 1), &range[n], err))
			return false;
		at[n] = range[n].begin;
		n++;
		pattern = view_skip(pattern, (size_t)close + 1);
	}
	for (;;) {
		size_t i = n;
		write_name(&name, range, at, n, pattern);
		if (!each(arg, buf_view(&name)))
			break;
		while (i > 0 && (at[i - 1] += range[i - 1].step) > range[i - 1].end) {
			at[i - 1] = range[i - 1].begin;
			i--;
		}
		if (i == 0)
			break;
	}
	buf_free(&name);
	return true;
}
