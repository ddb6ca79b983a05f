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

/* Characters that are not seen, or that move what is seen: each range inclusive. */
static const struct {
	uint32_t first, last;
} unseen[] = {
    {0x0000, 0x001f},   /* C0 controls */
    {0x007f, 0x009f},   /* DEL, C1 controls */
    {0x00ad, 0x00ad},   /* soft hyphen */
    {0x034f, 0x034f},   /* combining grapheme joiner */
    {0x061c, 0x061c},   /* Arabic letter mark */
    {0x115f, 0x1160},   /* Hangul fillers */
    {0x17b4, 0x17b5},   /* Khmer vowels without a shape */
    {0x180b, 0x180f},   /* Mongolian selectors and vowel separator */
    {0x200b, 0x200f},   /* zero-width characters, direction marks */
    {0x2028, 0x202e},   /* line and paragraph separators, bidirectional embeddings */
    {0x2060, 0x206f},   /* word joiner, invisible operators, bidirectional isolates */
    {0x3164, 0x3164},   /* Hangul filler */
    {0xfeff, 0xfeff},   /* byte order mark */
    {0xffa0, 0xffa0},   /* Hangul filler, half width */
    {0xfff0, 0xfffb},   /* unassigned, interlinear annotation */
    {0xe0000, 0xe0fff}, /* tags, selectors */
};

bool text_is_unseen(uint32_t rune)
{
	for (size_t i = 0; i < sizeof unseen / sizeof *unseen && rune >= unseen[i].first; i++) {
		if (rune <= unseen[i].last)
			return true;
	}
	return false;
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

bool text_same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

void text_lower(char *text)
{
	for (; *text != '\0'; text++) {
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text + ('a' - 'A'));
	}
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
 * Folding: a name is cut into its numbers and the text around them, its pattern. From the last
 * number to the first, names that differ in this number only become one, with all its values in
 * brackets: so a full grid becomes one name. Patterns have NUMBER where a number stands.
 */
#define FOLD_NUMBERS 6
#define NUMBER '\1'

struct folded {
	const char *name;
	struct view pattern;
	struct view at[FOLD_NUMBERS]; /* a number as it is written, or several: "[01-03,07]" */
	size_t n;                     /* numbers */
	size_t names;                 /* how many it stands for */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Of many numbers the last ones count; one that is too long is text. */
static struct folded fold_cut(struct arena *arena, const char *name)
{
	struct folded f = {.name = name, .names = 1};
	struct view numbers[FOLD_NUMBERS] = {{0}};
	size_t end = strlen(name), i = end, out = end;
	char *pattern = arena_alloc(arena, end + 1);

	f.pattern = view_of(name);
	if (strchr(name, NUMBER) != NULL)
		return f;
	while (i > 0) {
		size_t begin = i;
		while (begin > 0 && is_digit(name[begin - 1]))
			begin--;
		if (begin < i && i - begin <= 18 && f.n < FOLD_NUMBERS) {
			numbers[FOLD_NUMBERS - ++f.n] = (struct view){name + begin, i - begin};
			pattern[--out] = NUMBER;
			i = begin;
		} else {
			do
				pattern[--out] = name[--i];
			while (i > begin);
		}
	}
	f.pattern = (struct view){pattern + out, end - out};
	memcpy(f.at, numbers + FOLD_NUMBERS - f.n, f.n * sizeof *numbers);
	return f;
}

/* Numbers by their length, then by value: leading zeros are kept apart, as nodeset(1) does. */
static int number_order(struct view a, struct view b)
{
	return a.n != b.n ? (a.n < b.n ? -1 : 1) : memcmp(a.p, b.p, a.n);
}

/* All but the number `*last` is compared first. */
static int fold_order(const void *x, const void *y, void *last)
{
	const struct folded *a = x, *b = y;
	size_t skip = *(const size_t *)last;
	int order = view_cmp(a->pattern, b->pattern);

	if (order == 0 && a->n != b->n)
		order = a->n < b->n ? -1 : 1;
	for (size_t i = 0; order == 0 && i < a->n; i++) {
		if (i != skip)
			order = number_order(a->at[i], b->at[i]);
	}
	if (order == 0 && skip < a->n)
		order = number_order(a->at[skip], b->at[skip]);
	return order;
}

/* The first number of "[1-3,7]", or the number itself. */
static struct view first_number(struct view at)
{
	size_t n = 0;

	view_take(&at, "[");
	while (n < at.n && is_digit(at.p[n]))
		n++;
	return view_left(at, n);
}

/* For reading: by the first numbers. */
static int written_order(const void *x, const void *y)
{
	const struct folded *a = x, *b = y;
	size_t none = FOLD_NUMBERS;
	int order = view_cmp(a->pattern, b->pattern);

	for (size_t i = 0; order == 0 && i < a->n && i < b->n; i++)
		order = number_order(first_number(a->at[i]), first_number(b->at[i]));
	return order != 0 ? order : fold_order(x, y, &none);
}

static bool differs_only_in(const struct folded *a, const struct folded *b, size_t number)
{
	if (a->n <= number || a->n != b->n || !view_same(a->pattern, b->pattern))
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (i != number && !view_same(a->at[i], b->at[i]))
			return false;
	}
	return true;
}

/* Does `next` go on with the range that began with `first` and has come to `last`? */
static bool goes_on(struct view first, struct view last, struct view next)
{
	uint64_t a = 0, b = 0;

	view_uint(last, 0, UINT64_MAX, &a);
	view_uint(next, 0, UINT64_MAX, &b);
	return b == a + 1 &&
	       (next.n == first.n || (next.p[0] != '0' && (first.p[0] != '0' || first.n == 1)));
}

/* n of them, sorted, that differ in this number only: all of them into the first. */
static void fold_into(struct arena *arena, struct folded *f, size_t n, size_t number)
{
	struct buf out = {0};

	if (n == 1)
		return;
	buf_putc(&out, '[');
	for (size_t i = 0, next; i < n; i = next) {
		struct view first = f[i].at[number];
		for (next = i + 1; next < n; next++) {
			if (!goes_on(first, f[next - 1].at[number], f[next].at[number]))
				break;
		}
		buf_printf(&out, "%s%.*s", i > 0 ? "," : "", VIEW_ARG(first));
		if (next > i + 1)
			buf_printf(&out, "-%.*s", VIEW_ARG(f[next - 1].at[number]));
	}
	buf_putc(&out, ']');
	for (size_t i = 1; i < n; i++)
		f[0].names += f[i].names;
	f[0].at[number] = arena_view(arena, buf_view(&out));
	buf_free(&out);
}

/* Fold by one number; returns how many are left. */
static size_t fold_by(struct arena *arena, struct folded *f, size_t n, size_t number)
{
	size_t kept = 0;

	qsort_r(f, n, sizeof *f, fold_order, &number);
	for (size_t i = 0, next; i < n; i = next) {
		for (next = i + 1; next < n && differs_only_in(&f[i], &f[next], number); next++)
			;
		fold_into(arena, f + i, next - i, number);
		f[kept++] = f[i];
	}
	return kept;
}

static size_t drop_duplicates(struct folded *f, size_t n)
{
	size_t kept = 0, none = FOLD_NUMBERS;

	qsort_r(f, n, sizeof *f, fold_order, &none);
	for (size_t i = 0; i < n; i++) {
		if (kept == 0 || strcmp(f[kept - 1].name, f[i].name) != 0)
			f[kept++] = f[i];
	}
	return kept;
}

static void write_folded(struct buf *out, const struct folded *f)
{
	size_t number = 0;

	if (f->n == 0)
		buf_puts(out, f->name);
	for (size_t i = 0; f->n > 0 && i < f->pattern.n; i++) {
		if (f->pattern.p[i] == NUMBER)
			buf_add_view(out, f->at[number++]);
		else
			buf_putc(out, f->pattern.p[i]);
	}
}

/* Cut "[1-3,5,7]" behind so many ranges; returns how many numbers are left in it. */
static size_t cut_ranges(struct arena *arena, struct view *text, size_t most)
{
	struct view inside = view_skip(view_left(*text, text->n - 1), 1), part, low;
	size_t kept = 0, end = 0;

	for (size_t i = 0; i < most && view_next_part(&inside, ',', &part); i++) {
		uint64_t first = 0, last = 0;
		end = (size_t)(part.p + part.n - text->p);
		view_next_part(&part, '-', &low);
		view_uint(low, 0, UINT64_MAX, &first);
		if (!view_uint(part, 0, UINT64_MAX, &last))
			last = first;
		kept += (size_t)(last - first) + 1;
	}
	*text = view_of(arena_printf(arena, "%.*s]", (int)end, text->p));
	return kept;
}

/* Make it fit into *left ranges and count those off: a grid is not cut. */
static void fit(struct arena *arena, struct folded *f, size_t *left)
{
	size_t several = 0, which = 0, ranges = 1;

	for (size_t i = 0; i < f->n; i++) {
		for (size_t k = 0; k < f->at[i].n; k++)
			ranges += f->at[i].p[k] == ',';
		if (f->at[i].p[0] == '[') {
			several++;
			which = i;
		}
	}
	if (several == 1 && ranges > *left) {
		f->names = cut_ranges(arena, &f->at[which], *left);
		ranges = *left;
	}
	*left -= ranges < *left ? ranges : *left;
}

const char *text_fold(struct arena *arena, const char *const *names, size_t n, size_t most)
{
	struct folded *f = mem_alloc((n + 1) * sizeof *f);
	struct arena *work = arena_new();
	struct buf out = {0};
	size_t shown = 0, left = most == 0 ? SIZE_MAX : most;

	for (size_t i = 0; i < n; i++)
		f[i] = fold_cut(work, names[i]);
	n = drop_duplicates(f, n);
	const size_t unique = n;
	for (size_t number = FOLD_NUMBERS; number > 0; number--)
		n = fold_by(work, f, n, number - 1);
	qsort(f, n, sizeof *f, written_order);
	for (size_t i = 0; i < n && left > 0; i++) {
		fit(work, &f[i], &left);
		if (i > 0)
			buf_putc(&out, ',');
		write_folded(&out, &f[i]);
		shown += f[i].names;
	}
	if (shown < unique)
		buf_printf(&out, " and %zu more", unique - shown);

	const char *text = arena_dup(arena, buf_str(&out));
	buf_free(&out);
	arena_free(work);
	free(f);
	return text;
}

/* What a terminal writes beside text: ESC [ … letter, ESC ] … BEL, ESC ( B, ESC letter. */
static size_t escape_length(struct view v)
{
	size_t n = 2;

	if (v.n < 2)
		return v.n;
	if (v.p[1] == '[') {
		while (n < v.n && (v.p[n] < '@' || v.p[n] > '~') && v.p[n] != '\n')
			n++;
	} else if (v.p[1] == ']') {
		while (n < v.n && v.p[n] != '\a' && v.p[n] != '\x1b' && v.p[n] != '\n')
			n++;
		if (n + 1 < v.n && v.p[n] == '\x1b' && v.p[n + 1] == '\\')
			n++;
	} else if (strchr("()*+#%", v.p[1]) == NULL) {
		return v.p[1] == '\n' ? 1 : 2;
	}
	return n < v.n && v.p[n] != '\n' ? n + 1 : n;
}

void text_without_terminal(struct view text, struct buf *out)
{
	view_take(&text, "\xef\xbb\xbf");
	while (text.n > 0) {
		char c = text.p[0];
		size_t skip = 1;
		if (c == '\x1b')
			skip = escape_length(text);
		else if (view_starts(text, "^C"))
			skip = 2;
		else if (c == '\n' || c == '\t' || (unsigned char)c >= ' ')
			buf_putc(out, c);
		text = view_skip(text, skip);
	}
}
