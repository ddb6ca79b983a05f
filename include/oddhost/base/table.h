/*
 * A hash table from bytes to pointers. Keys are not copied: their bytes must outlive the table.
 * Each table has a random seed (SipHash), so that nobody who writes the keys can make it slow.
 * `struct table t = {0}` is an empty one; table_free() makes it empty again.
 */
#ifndef ODDHOST_BASE_TABLE_H
#define ODDHOST_BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "oddhost/base/view.h"

struct table_slot;

struct table {
	struct table_slot *slots;
	size_t n, cap;
	uint64_t seed[2];
};

void table_free(struct table *table);

/* The value stored under the key, or NULL. */
void *table_get(const struct table *table, struct view key);

/* Store `value` (not NULL) unless the key is there already: returns what the table holds now. */
void *table_add(struct table *table, struct view key, void *value);

#endif
