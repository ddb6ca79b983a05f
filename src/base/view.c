#include "oddhost/base/view.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct view view_of(const char *s)
{
	return (struct view){s, s == NULL ? 0 : strlen(s)};
}

struct view view_skip(struct view v, size_t n)
{
	if (n > v.n)
		n = v.n;
	if (n > 0) /* arithmetic on NULL is undefined, even by 0 under some sanitizers */
		v.p += n;
	v.n -= n;
	return v;
}

struct view view_left(struct view v, size_t n)
{
	if (n < v.n)
		v.n = n;
	return v;
}

struct view view_trim(struct view v)
{
	while (v.n > 0 && is_blank(v.p[0]))
		v = view_skip(v, 1);
	while (v.n > 0 && is_blank(v.p[v.n - 1]))
		v.n--;
	return v;
}

bool view_same(struct view a, struct view b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Most texts that are compared differ in their first byte: no need for the length of `s`. */
bool view_eq(struct view v, const char *s)
{
	if (s == NULL)
		return v.n == 0;
	for (size_t i = 0; i < v.n; i++) {
		if (s[i] == '\0' || v.p[i] != s[i])
			return false;
	}
	return s[v.n] == '\0';
}

bool view_starts(struct view v, const char *prefix)
{
	for (size_t i = 0; prefix[i] != '\0'; i++) {
		if (i == v.n || v.p[i] != prefix[i])
			return false;
	}
	return true;
}

bool view_ends(struct view v, const char *suffix)
{
	size_t n = strlen(suffix);

	return v.n >= n && view_eq(view_skip(v, v.n - n), suffix);
}

int view_cmp(struct view a, struct view b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n == 0 ? 0 : memcmp(a.p, b.p, n);

	if (order != 0)
		return order;
	return a.n < b.n ? -1 : a.n > b.n;
}

long view_find(struct view v, const char *needle)
{
	if (v.n == 0)
		return -1;
	const char *at = memmem(v.p, v.n, needle, strlen(needle));
	return at == NULL ? -1 : at - v.p;
}

long view_find_char(struct view v, char c)
{
	if (v.n == 0)
		return -1;
	const char *at = memchr(v.p, c, v.n);
	return at == NULL ? -1 : at - v.p;
}

bool view_next_part(struct view *cursor, char sep, struct view *ret_part)
{
	if (cursor->n == 0)
		return false;

	long at = view_find_char(*cursor, sep);
	if (at < 0) {
		*ret_part = *cursor;
		*cursor = view_skip(*cursor, cursor->n);
	} else {
		*ret_part = view_left(*cursor, (size_t)at);
		*cursor = view_skip(*cursor, (size_t)at + 1);
	}
	return true;
}

bool view_next_line(struct view *cursor, struct view *ret_line)
{
	if (!view_next_part(cursor, '\n', ret_line))
		return false;
	if (ret_line->n > 0 && ret_line->p[ret_line->n - 1] == '\r')
		ret_line->n--;
	return true;
}

bool view_next_word(struct view *cursor, struct view *ret_word)
{
	while (cursor->n > 0 && is_blank(cursor->p[0]))
		*cursor = view_skip(*cursor, 1);

	size_t n = 0;
	while (n < cursor->n && !is_blank(cursor->p[n]))
		n++;
	if (n == 0)
		return false;
	*ret_word = view_left(*cursor, n);
	*cursor = view_skip(*cursor, n);
	return true;
}

bool view_take(struct view *cursor, const char *prefix)
{
	if (!view_starts(*cursor, prefix))
		return false;
	*cursor = view_skip(*cursor, strlen(prefix));
	return true;
}

bool view_uint(struct view v, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (v.n == 0)
		return false;
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
		unsigned digit = (unsigned)(v.p[i] - '0');
		if (value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	if (value < min || value > max)
		return false;
	*ret = value;
	return true;
}

bool view_decimal(struct view v, double *ret)
{
	double value = 0, scale = 1;
	bool digits = false, fraction = false;

	if (v.n > 32)
		return false;
	for (size_t i = 0; i < v.n; i++) {
		char c = v.p[i];
		if ((c == '.' || c == ',') && !fraction) {
			fraction = true;
		} else if (c >= '0' && c <= '9') {
			value = value * 10 + (c - '0');
			scale *= fraction ? 10 : 1;
			digits = true;
		} else {
			return false;
		}
	}
	if (!digits)
		return false;
	*ret = value / scale; /* one rounding: "0.992" gives the double nearest to 0.992 */
	return true;
}
