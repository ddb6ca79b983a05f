/*
 * Patterns of names, as limits have them: Python's fnmatch, and its regular expressions behind a
 * '~', which match from the beginning of the name (ansible-core: inventory/manager.py). PCRE2
 * does the work: nearly all of Python's syntax is Perl's (pcre2syntax(3)), and what is not,
 * such as \u0041 or (?a), is refused by name. A glob is turned into such an expression, as Python
 * does it.
 */
#ifndef ODDHOST_INVENTORY_PATTERN_H
#define ODDHOST_INVENTORY_PATTERN_H

#include <stdbool.h>

#include "oddhost/base/err.h"
#include "oddhost/base/view.h"

struct pattern;

/* NULL, with an error, for a regular expression that is none. The text must outlive it. */
struct pattern *pattern_new(struct view text, struct err *err);
void pattern_free(struct pattern *pattern); /* NULL does nothing */

/*
 * Fails where that takes too many steps ("(a+)+$"), or the name is not UTF-8. Globs take time
 * linear but for the product of both lengths.
 */
bool pattern_matches(
    const struct pattern *pattern, const char *name, bool *ret_match, struct err *err);

/* Does the text have any of a glob's special characters: *, ?, [seq], [!seq]? */
bool pattern_is_glob(struct view text);

#endif
