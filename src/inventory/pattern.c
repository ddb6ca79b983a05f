#define PCRE2_CODE_UNIT_WIDTH 8

#include "oddhost/inventory/pattern.h"

#include <stdlib.h>
#include <string.h>

#include <pcre2.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/mem.h"
#include "oddhost/base/text.h"

#define MOST_STEPS 1000000 /* per name; an ordinary expression takes less than a hundred */

struct pattern {
	struct view text; /* as it was given; for messages */
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *context;
};

/* ---- a glob in the words of regular expressions (fnmatch.translate) ---- */

static void add_rune(struct buf *out, uint32_t rune)
{
	buf_printf(out, "\\x{%x}", (unsigned)rune);
}

/* What stands between brackets; a range that begins behind its end holds nothing. */
static void add_set(struct buf *out, struct view set)
{
	bool negated = view_take(&set, "!"), any = false;
	uint32_t low, high;

	buf_puts(out, negated ? "[^" : "[");
	while (text_next_rune(&set, &low)) {
		high = low;
		if (set.n > 1 && view_take(&set, "-"))
			text_next_rune(&set, &high);
		if (low > high)
			continue;
		add_rune(out, low);
		buf_putc(out, '-');
		add_rune(out, high);
		any = true;
	}
	if (any)
		buf_putc(out, ']');
	else
		buf_puts(out, negated ? "\\n]" : "\\x{0}]"); /* all and none of what a name has */
}

/* The length of `[…]` at the start; 0 where no bracket closes it: then '[' stands for itself. */
static size_t set_length(struct view glob)
{
	size_t i = 1;

	if (glob.n == 0 || glob.p[0] != '[')
		return 0;
	i += i < glob.n && glob.p[i] == '!';
	i += i < glob.n && glob.p[i] == ']';
	while (i < glob.n && glob.p[i] != ']')
		i++;
	return i < glob.n ? i + 1 : 0;
}

/* Up to the next star. */
static void add_fixed(struct buf *out, struct view *glob)
{
	uint32_t rune;

	while (glob->n > 0 && glob->p[0] != '*') {
		size_t n = set_length(*glob);
		if (n > 0) {
			add_set(out, view_skip(view_left(*glob, n - 1), 1));
			*glob = view_skip(*glob, n);
		} else if (view_take(glob, "?")) {
			buf_putc(out, '.');
		} else if (text_next_rune(glob, &rune)) {
			add_rune(out, rune);
		}
	}
}

/*
 * A star takes as little as it can, once for all ("(?>"): taking more gains nothing, and trying it
 * would take forever where there are many stars. Only the last one must reach the end.
 */
static void add_glob(struct buf *out, struct view glob)
{
	struct buf fixed = {0};

	add_fixed(out, &glob);
	while (glob.n > 0) {
		while (view_take(&glob, "*"))
			;
		fixed.n = 0;
		add_fixed(&fixed, &glob);
		buf_puts(out, glob.n > 0 ? "(?>.*?" : ".*");
		buf_add_view(out, buf_view(&fixed));
		buf_puts(out, glob.n > 0 ? ")" : "");
	}
	buf_puts(out, "\\z");
	buf_free(&fixed);
}

bool pattern_is_glob(struct view text)
{
	return view_find_char(text, '*') >= 0 || view_find_char(text, '?') >= 0 ||
	       view_find_char(text, '[') >= 0;
}

/* ---- matching ---- */

struct pattern *pattern_new(struct view text, struct err *err)
{
	struct pattern *pattern = mem_alloc(sizeof *pattern);
	struct buf expression = {0};
	struct view rest = text;
	PCRE2_UCHAR why[160];
	PCRE2_SIZE at;
	int code;

	pattern->text = view_left(text, 80);
	if (view_take(&rest, "~"))
		buf_add_view(&expression, rest);
	else
		add_glob(&expression, rest);
	pattern->code = pcre2_compile((PCRE2_SPTR)buf_str(&expression), expression.n,
	    PCRE2_ANCHORED | PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &code, &at, NULL);
	buf_free(&expression);
	if (pattern->code == NULL) {
		pcre2_get_error_message(code, why, sizeof why);
		err_set(err, "'%.*s': not a regular expression: %s (at character %zu)",
		    VIEW_ARG(pattern->text), (const char *)why, at + 1);
		pattern_free(pattern);
		return NULL;
	}
	pattern->data = pcre2_match_data_create(1, NULL);
	pattern->context = pcre2_match_context_create(NULL);
	if (pattern->data == NULL || pattern->context == NULL)
		mem_alloc(~(size_t)0); /* ends the program: PCRE2 says NULL for out of memory */
	pcre2_set_match_limit(pattern->context, MOST_STEPS);
	return pattern;
}

void pattern_free(struct pattern *pattern)
{
	if (pattern == NULL)
		return;
	pcre2_match_context_free(pattern->context);
	pcre2_match_data_free(pattern->data);
	pcre2_code_free(pattern->code);
	free(pattern);
}

bool pattern_matches(
    const struct pattern *pattern, const char *name, bool *ret_match, struct err *err)
{
	PCRE2_UCHAR why[160];
	int code = pcre2_match(
	    pattern->code, (PCRE2_SPTR)name, strlen(name), 0, 0, pattern->data, pattern->context);

	if (code < PCRE2_ERROR_NOMATCH) {
		pcre2_get_error_message(code, why, sizeof why);
		return err_set(err, "'%.*s' against '%.80s': %s", VIEW_ARG(pattern->text), name,
		    (const char *)why);
	}
	*ret_match = code != PCRE2_ERROR_NOMATCH;
	return true;
}
