#include "oddhost/base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *mem_check(void *p)
{
	static const char text[] = "oddhost: out of memory\n";

	if (p == NULL) {
		if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
			_exit(2);
		_exit(2);
	}
	return p;
}

void *mem_alloc(size_t size)
{
	return mem_check(calloc(1, size ? size : 1));
}

void *mem_resize(void *p, size_t size)
{
	return mem_check(realloc(p, size ? size : 1));
}

void *mem_grow(void *array, size_t n, size_t *cap, size_t item_size)
{
	if (n < *cap)
		return array;

	size_t want = *cap ? *cap * 2 : 8;
	while (want <= n)
		want *= 2;
	mem_check(want > SIZE_MAX / item_size ? NULL : (void *)cap);
	array = mem_resize(array, want * item_size);
	*cap = want;
	return array;
}

char *mem_strndup(const char *p, size_t n)
{
	char *copy = mem_alloc(n + 1);

	if (n > 0)
		memcpy(copy, p, n);
	return copy;
}

char *mem_strdup(const char *s)
{
	return s == NULL ? NULL : mem_strndup(s, strlen(s));
}
