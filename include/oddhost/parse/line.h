/*
 * What all parsers share: lines with their numbers, diagnostics about a line, and the line at which
 * a JSON value stands. Every parser of this layer keeps to one contract: it never fails as a whole;
 * a line that it does not understand becomes a diagnostic; what the text does not say is not filled
 * in; strings and arrays go to the arena that was passed in, so the text may go away afterwards.
 * It returns false where the text says something and none of it was understood: the caller then
 * knows nothing. An empty text returns true.
 */
#ifndef ODDHOST_PARSE_LINE_H
#define ODDHOST_PARSE_LINE_H

#include <stdbool.h>

#include "oddhost/base/diag.h"
#include "oddhost/base/json.h"
#include "oddhost/base/view.h"

/* Start with {.rest = text}. */
struct line_reader {
	struct view rest;
	unsigned number; /* of the line that was returned last, from 1 */
};

/* The next line that is not blank; false at the end. */
bool line_next(struct line_reader *reader, struct view *ret_line);

/*
 * A diagnostic "expected EXPECTED: 'START OF LINE'"; bytes that could steer a terminal are shown
 * as '?'. A NULL list is allowed.
 */
void line_reject(struct diag_list *diags, unsigned number, struct view line, const char *expected);

/*
 * Calls `take` with every line that is not blank; where it returns false, `expected` is what the
 * diagnostic says. Returns as the contract above says.
 */
bool line_each(struct view text, struct diag_list *diags, const char *expected,
    bool (*take)(struct view line, unsigned number, void *arg), void *arg);

/* Is it a warning that docker or podman puts before its answer? */
bool line_is_warning(struct view line);
struct view line_skip_warnings(struct view text); /* from the first other line on */

/* Does a line begin with `key` as its first word? */
bool line_begins(struct view line, const char *key);

/*
 * The field up to a tab or two blanks, as aligned tables are written, without the blanks behind
 * it; false at the end. A single blank belongs to the field.
 */
bool line_next_field(struct view *cursor, struct view *ret_field);

/*
 * One JSON value, or several in a row as `docker … --format '{{json .}}'` prints them: calls `each`
 * with every value and the line it starts on. What is not JSON is a diagnostic with its line, and
 * reading goes on with the next line. Returns how many values `each` accepted.
 */
size_t line_each_json(struct view text, struct diag_list *diags,
    bool (*each)(const struct json *value, unsigned number, void *arg), void *arg);

/*
 * The same for arrays: `each` gets every item, and the line on which its array starts. Returns
 * whether it accepted one, or an array was empty.
 */
bool line_each_item(struct view text, struct diag_list *diags,
    bool (*each)(const struct json *item, unsigned number, void *arg), void *arg);

/*
 * Finds the lines of values in JSON that was parsed already. Start with {.rest = text, .line = 1};
 * values must be asked for in the order in which they stand, so that the search is linear.
 */
struct line_finder {
	struct view rest;
	unsigned line;
	bool lost; /* a value was not found: no answers from here on */
};

/* The line of `"KEY": "VALUE"`, or 0 where it is not found. */
unsigned line_of_value(struct line_finder *finder, const char *key, const char *value);

#endif
