#include "oddhost/base/search.h"

size_t search_first(const void *v, size_t n, size_t size, const void *key,
    int (*order)(const void *item, const void *key))
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (order((const char *)v + middle * size, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
