/*
 * Patterns of names, as limits have them: Python's fnmatch, and regular expressions behind a '~'.
 * Those are POSIX's extended ones with \d \w \s and their opposites, matched from the beginning of
 * the name.
 */
#ifndef ODDHOST_INVENTORY_PATTERN_H
#define ODDHOST_INVENTORY_PATTERN_H

#include <regex.h>
#include <stdbool.h>

#include "oddhost/base/arena.h"
#include "oddhost/base/err.h"
#include "oddhost/base/view.h"

struct pattern {
	struct view glob;
	regex_t regex;
	bool is_regex;
};

/* The text must outlive the pattern. Fails on a regular expression that is none. */
bool pattern_read(struct arena *arena, struct view text, struct pattern *ret, struct err *err);
void pattern_free(struct pattern *pattern);

bool pattern_matches(const struct pattern *pattern, const char *name);

/* `*`, `?`, `[seq]`, `[!seq]`; linear in time but for the product of both lengths. */
bool pattern_glob(struct view glob, struct view name);

/* Does the text have any of their special characters? */
bool pattern_is_glob(struct view text);

#endif
