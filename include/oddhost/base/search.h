/*
 * Binary search where bsearch(3) falls short: it finds no place for what is not there, and any of
 * several that are equal. Owns nothing.
 */
#ifndef ODDHOST_BASE_SEARCH_H
#define ODDHOST_BASE_SEARCH_H

#include <stddef.h>

/*
 * Of n sorted items of `size` bytes, the index of the first that does not stand before the key; n
 * where all do. `order` is negative where its item stands before the key.
 */
size_t search_first(const void *v, size_t n, size_t size, const void *key,
    int (*order)(const void *item, const void *key));

#endif
