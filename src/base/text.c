#include "oddhost/base/text.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "oddhost/base/mem.h"

bool text_next_rune(struct view *cursor, uint32_t *ret_rune)
{
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};

	if (cursor->n == 0)
		return false;

	const unsigned char *p = (const unsigned char *)cursor->p;
	unsigned follow = p[0] < 0x80 ? 0 : p[0] < 0xe0 ? 1 : p[0] < 0xf0 ? 2 : 3;
	uint32_t rune = follow == 0 ? p[0] : p[0] & (0x3fu >> follow);
	bool valid = p[0] < 0x80 || (p[0] >= 0xc2 && p[0] <= 0xf4);

	if (cursor->n <= follow)
		valid = false;
	for (unsigned i = 1; valid && i <= follow; i++) {
		if ((p[i] & 0xc0) != 0x80)
			valid = false;
		rune = rune << 6 | (p[i] & 0x3f);
	}
	if (rune < least[follow] || rune > 0x10ffff || (rune >= 0xd800 && rune <= 0xdfff))
		valid = false;
	*ret_rune = valid ? rune : 0xfffd;
	*cursor = view_skip(*cursor, valid ? follow + 1 : 1);
	return true;
}

/* Eight bytes at once: none has its highest bit set, and none is NUL (which borrows it below). */
static bool is_ascii8(const char *p)
{
	const uint64_t highest = UINT64_C(0x8080808080808080), ones = UINT64_C(0x0101010101010101);
	uint64_t word;

	memcpy(&word, p, sizeof word);
	return ((word | (word - ones)) & highest) == 0;
}

bool text_is_utf8(struct view v)
{
	uint32_t rune;

	while (v.n > 0) {
		if (v.n >= 8 && is_ascii8(v.p)) { /* most of what there is */
			v.p += 8;
			v.n -= 8;
			continue;
		}
		if ((unsigned char)v.p[0] - 1u < 0x7f) { /* ASCII, not NUL */
			v.p++;
			v.n--;
			continue;
		}
		bool written = view_starts(v, "\xef\xbf\xbd"); /* U+FFFD that is really there */
		text_next_rune(&v, &rune);
		if (rune == 0 || (rune == 0xfffd && !written))
			return false;
	}
	return true;
}

void text_mend_utf8(struct view v, struct buf *out)
{
	struct view before = v;
	uint32_t rune;

	for (; text_next_rune(&v, &rune); before = v) {
		if (rune == 0xfffd)
			buf_puts(out, "\xef\xbf\xbd");
		else
			buf_add(out, before.p, before.n - v.n);
	}
}

void text_base64_encode(struct view v, struct buf *out)
{
	while (v.n > 0) {
		unsigned char chunk[65];
		struct view part = view_left(v, 48);
		int n = EVP_EncodeBlock(chunk, (const unsigned char *)part.p, (int)part.n);
		buf_add(out, chunk, (size_t)n);
		v = view_skip(v, part.n);
	}
}

static int sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Not EVP_DecodeBlock: it drops blanks at both ends and takes '=' anywhere for a zero. */
bool text_base64_decode(struct view v, struct buf *out)
{
	size_t before = out->n;
	uint32_t bits = 0;
	unsigned have = 0;

	if (v.n % 4 != 0)
		return false;
	v.n -= view_ends(v, "==") ? 2 : view_ends(v, "=") ? 1 : 0;
	for (size_t i = 0; i < v.n; i++) {
		int value = sextet(v.p[i]);
		if (value < 0)
			break;
		bits = bits << 6 | (uint32_t)value;
		have += 6;
		if (have >= 8) {
			have -= 8;
			buf_putc(out, (char)(bits >> have));
			bits &= (1u << have) - 1;
		}
		if (i + 1 == v.n && bits == 0)
			return true;
	}
	out->n = before;
	return v.n == 0;
}

void text_shell_quote(struct view v, struct buf *out)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_-.,:/@%+=";
	bool quote = v.n == 0;

	for (size_t i = 0; i < v.n; i++)
		quote = quote || v.p[i] == '\0' || strchr(plain, v.p[i]) == NULL;
	if (!quote) {
		buf_add_view(out, v);
		return;
	}
	buf_putc(out, '\'');
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] == '\'')
			buf_puts(out, "'\\''");
		else
			buf_putc(out, v.p[i]);
	}
	buf_putc(out, '\'');
}

/*
 * Folding: a name is cut into what stands before its last number, the number and what stands
 * behind. Names with the same two ends and the same zero padding, sorted by number, form ranges.
 */
struct folded {
	struct view head, tail;
	uint64_t number;
	int width; /* digits where the number is zero-padded, 0 where not, -1: no number */
	struct view name;
};

static struct folded fold_cut(const char *name)
{
	struct folded f = {.name = view_of(name), .width = -1};
	size_t end = f.name.n;

	while (end > 0 && (name[end - 1] < '0' || name[end - 1] > '9'))
		end--;
	size_t begin = end;
	while (begin > 0 && name[begin - 1] >= '0' && name[begin - 1] <= '9')
		begin--;
	struct view digits = {name + begin, end - begin};
	f.head = f.name;
	if (digits.n > 0 && digits.n <= 18 && view_uint(digits, 0, UINT64_MAX, &f.number)) {
		f.head = view_left(f.name, begin);
		f.tail = view_skip(f.name, end);
		f.width = digits.n > 1 && digits.p[0] == '0' ? (int)digits.n : 0;
	}
	return f;
}

/* 99 and 100 belong behind 01..98 where the padding is 2 wide: the same width, no leading zero. */
static bool fold_same(const struct folded *a, const struct folded *b)
{
	bool padded =
	    a->width > 0 && b->width == 0 && b->name.n - b->head.n - b->tail.n == (size_t)a->width;

	return a->width >= 0 && b->width >= 0 && view_same(a->head, b->head) &&
	       view_same(a->tail, b->tail) && (a->width == b->width || padded);
}

static int fold_order(const void *x, const void *y)
{
	const struct folded *a = x, *b = y;
	int order = view_cmp(a->head, b->head);

	if (order == 0)
		order = view_cmp(a->tail, b->tail);
	if (order == 0)
		order = a->number < b->number ? -1 : a->number > b->number;
	return order != 0 ? order : view_cmp(a->name, b->name);
}

static void fold_range(struct buf *out, const struct folded *f, size_t n, bool first)
{
	if (!first)
		buf_putc(out, ',');
	int digits = f[0].width;
	buf_printf(out, "%0*llu", digits, (unsigned long long)f[0].number);
	if (n > 1)
		buf_printf(out, "-%0*llu", digits, (unsigned long long)f[n - 1].number);
}

/* Writes as many ranges as *left allows, and counts them off; returns how many names these hold. */
static size_t fold_group(struct buf *out, const struct folded *f, size_t n, size_t *left)
{
	size_t i = 0;

	if (n == 1) {
		buf_add_view(out, f[0].name);
		--*left;
		return 1;
	}
	buf_add_view(out, f[0].head);
	buf_putc(out, '[');
	for (size_t next; i<n && * left> 0; i = next, --*left) {
		for (next = i + 1; next < n && f[next].number == f[next - 1].number + 1; next++)
			;
		fold_range(out, f + i, next - i, i == 0);
	}
	buf_putc(out, ']');
	buf_add_view(out, f[0].tail);
	return i;
}

const char *text_fold(struct arena *arena, const char *const *names, size_t n, size_t most)
{
	struct folded *f = mem_alloc((n + 1) * sizeof *f);
	struct buf out = {0};
	size_t unique = 0, shown = 0, left = most == 0 ? SIZE_MAX : most;

	for (size_t k = 0; k < n; k++)
		f[k] = fold_cut(names[k]);
	qsort(f, n, sizeof *f, fold_order);
	for (size_t k = 0; k < n; k++) {
		if (unique == 0 || !view_same(f[unique - 1].name, f[k].name))
			f[unique++] = f[k];
	}
	for (size_t i = 0, next; i < unique && left > 0; i = next) {
		for (next = i + 1; next < unique && fold_same(&f[i], &f[next]); next++)
			;
		if (i > 0)
			buf_putc(&out, ',');
		shown += fold_group(&out, f + i, next - i, &left);
	}
	if (shown < unique)
		buf_printf(&out, " and %zu more", unique - shown);

	const char *text = arena_dup(arena, buf_str(&out));
	buf_free(&out);
	free(f);
	return text;
}
