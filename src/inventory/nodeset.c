#include "oddhost/inventory/nodeset.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/mem.h"
#include "oddhost/inventory/inventory.h"

#define MOST_DIMENSIONS 8
#define LONGEST_NUMBER 18

/* `8-11`, `5` or `0-8/2` of one pair of brackets. */
struct range {
	uint64_t begin, end, step;
	size_t width; /* digits to fill up to with zeros; 0: as they come */
};

/* The text before a pair of brackets, and what is in them. */
struct dimension {
	struct view head;
	struct range *ranges;
	size_t n, cap;
	size_t range; /* where the walk is */
	uint64_t at;
};

struct set {
	struct dimension dimensions[MOST_DIMENSIONS];
	size_t n;
	struct view tail;
};

size_t nodeset_brackets(struct view text)
{
	bool digits = false;

	if (text.n == 0 || text.p[0] != '[')
		return 0;
	for (size_t i = 1; i < text.n; i++) {
		char c = text.p[i];
		if (c == ']')
			return digits ? i + 1 : 0;
		digits = digits || isdigit((unsigned char)c);
		if (!isdigit((unsigned char)c) && c != '-' && c != ',' && c != '/' && c != ' ')
			return 0;
	}
	return 0;
}

/* Nobody writes [1-12] for the characters 1 and 2. */
static bool is_only_nodeset(struct view inside)
{
	long dash = view_find_char(inside, '-');

	return view_find_char(inside, ',') >= 0 || view_find_char(inside, '/') >= 0 ||
	       (dash > 0 && view_trim(view_skip(inside, (size_t)dash + 1)).n > 1);
}

enum nodeset_kind nodeset_kind(struct view text)
{
	enum nodeset_kind kind = NODESET_NONE;

	for (size_t i = 0; i < text.n; i++) {
		size_t n = nodeset_brackets(view_skip(text, i));
		if (n == 0)
			continue;
		if (is_only_nodeset(view_skip(view_left(view_skip(text, i), n - 1), 1)))
			return NODESET_ONLY;
		kind = NODESET_PERHAPS;
		i += n - 1;
	}
	return kind;
}

static bool read_number(struct view text, uint64_t *ret, size_t *ret_width)
{
	if (text.n == 0 || text.n > LONGEST_NUMBER || !view_uint(text, 0, UINT64_MAX, ret))
		return false;
	*ret_width = text.n > 1 && text.p[0] == '0' ? text.n : 0;
	return true;
}

static bool read_range(struct view text, struct range *ret, struct err *err)
{
	struct view whole = text, begin = {0}, end = {0}, step;
	size_t width = 0;

	*ret = (struct range){.step = 1};
	if (view_next_part(&text, '/', &end) && text.n > 0) {
		step = view_trim(text);
		if (!view_uint(step, 1, UINT32_MAX, &ret->step) || view_find_char(end, '-') < 0)
			return err_set(err, "[%.*s]: expected a step from 1 up behind a range",
			    VIEW_ARG(view_left(whole, 80)));
	}
	view_next_part(&end, '-', &begin);
	begin = view_trim(begin);
	end = end.n == 0 ? begin : view_trim(end);
	if (!read_number(begin, &ret->begin, &ret->width) || !read_number(end, &ret->end, &width) ||
	    view_ends(whole, "-") || view_ends(whole, "/"))
		return err_set(err, "[%.*s]: expected numbers and ranges, as in [1-3,7]",
		    VIEW_ARG(view_left(whole, 80)));
	if (ret->begin > ret->end)
		return err_set(
		    err, "[%.*s]: the range begins behind its end", VIEW_ARG(view_left(whole, 80)));
	if ((ret->width > 0 || width > 0) && begin.n != end.n)
		return err_set(err,
		    "[%.*s]: both ends must have as many digits where one has leading zeros",
		    VIEW_ARG(view_left(whole, 80)));
	if (ret->width == 0)
		ret->width = width;
	return true;
}

/*
 * ClusterShell takes digits before the brackets into the range: it reads n1[8-12] as n18 to n112.
 * Where that and what one sees differ, the text is refused.
 */
static bool follows_digit(const struct dimension *d)
{
	return d->head.n > 0 && isdigit((unsigned char)d->head.p[d->head.n - 1]);
}

static unsigned digits_of(uint64_t number)
{
	unsigned n = 1;

	for (; number >= 10; number /= 10)
		n++;
	return n;
}

/* What stands in one pair of brackets. */
static bool read_dimension(struct view inside, struct dimension *d, struct err *err)
{
	struct view rest = inside, part;

	while (view_next_part(&rest, ',', &part)) {
		struct range range;
		if (!read_range(view_trim(part), &range, err))
			return false;
		if (follows_digit(d) && range.width == 0 && range.step == 1 &&
		    digits_of(range.begin) != digits_of(range.end))
			return err_set(err,
			    "[%.*s]: behind a digit, both ends must have as many digits",
			    VIEW_ARG(view_left(part, 80)));
		d->ranges = mem_grow(d->ranges, d->n, &d->cap, sizeof *d->ranges);
		d->ranges[d->n++] = range;
	}
	if (d->n == 0 || view_ends(inside, ","))
		return err_set(err, "[%.*s]: expected a number behind each comma",
		    VIEW_ARG(view_left(inside, 80)));
	return true;
}

static uint64_t count(const struct set *set)
{
	uint64_t product = 1;

	for (size_t k = 0; k < set->n; k++) {
		uint64_t sum = 0;
		for (size_t i = 0; i < set->dimensions[k].n && sum <= INVENTORY_MOST_HOSTS; i++) {
			const struct range *r = &set->dimensions[k].ranges[i];
			sum += (r->end - r->begin) / r->step + 1;
		}
		product *= sum > INVENTORY_MOST_HOSTS ? (uint64_t)INVENTORY_MOST_HOSTS + 1 : sum;
		if (product > INVENTORY_MOST_HOSTS)
			break;
	}
	return product;
}

static bool read_set(struct view text, struct set *set, struct err *err)
{
	struct view rest = text;
	long open;

	while ((open = view_find_char(rest, '[')) >= 0) {
		struct dimension *d = &set->dimensions[set->n];
		size_t n = nodeset_brackets(view_skip(rest, (size_t)open));
		if (n == 0)
			return err_set(err,
			    "'%.*s': expected numbers and ranges in brackets, as in n[1-3,7]",
			    VIEW_ARG(view_left(text, 80)));
		if (set->n == MOST_DIMENSIONS || (open == 0 && set->n > 0))
			return err_set(err,
			    "'%.*s': expected at most %d pairs of brackets, with text between them",
			    VIEW_ARG(view_left(text, 80)), MOST_DIMENSIONS);
		d->head = view_left(rest, (size_t)open);
		set->n++; /* from here on its memory is freed */
		if (!read_dimension(
			view_skip(view_left(view_skip(rest, (size_t)open), n - 1), 1), d, err))
			return false;
		d->at = d->ranges[0].begin;
		rest = view_skip(rest, (size_t)open + n);
	}
	set->tail = rest;
	if (count(set) > INVENTORY_MOST_HOSTS)
		return err_set(err, "'%.*s' means more than %d hosts",
		    VIEW_ARG(view_left(text, 80)), INVENTORY_MOST_HOSTS);
	return true;
}

static void write_name(const struct set *set, struct buf *name)
{
	name->n = 0;
	for (size_t k = 0; k < set->n; k++) {
		const struct dimension *d = &set->dimensions[k];
		buf_add_view(name, d->head);
		buf_printf(
		    name, "%0*llu", (int)d->ranges[d->range].width, (unsigned long long)d->at);
	}
	buf_add_view(name, set->tail);
}

/* To the next number; false at the end, where the walk is at its beginning again. */
static bool step(struct dimension *d)
{
	d->at += d->ranges[d->range].step;
	if (d->at <= d->ranges[d->range].end)
		return true;
	d->range++;
	bool more = d->range < d->n;
	if (!more)
		d->range = 0;
	d->at = d->ranges[d->range].begin;
	return more;
}

bool nodeset_expand(
    struct view text, bool (*each)(void *arg, struct view name), void *arg, struct err *err)
{
	struct set set = {0};
	struct buf name = {0};
	bool ok = read_set(text, &set, err);

	for (bool more = ok; more;) {
		size_t k = set.n;
		write_name(&set, &name);
		more = each(arg, buf_view(&name));
		while (more && k > 0 && !step(&set.dimensions[k - 1]))
			k--;
		more = more && k > 0;
	}
	for (size_t k = 0; k < set.n; k++)
		free(set.dimensions[k].ranges);
	buf_free(&name);
	return ok;
}
