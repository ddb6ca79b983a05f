/*
 * Heap memory that is there or ends the program: running out is handled in this one place (exit
 * status 2). What protects against hostile input is the byte cap of each reader, not a NULL check.
 */
#ifndef ODDHOST_BASE_MEM_H
#define ODDHOST_BASE_MEM_H

#include <stddef.h>

/* `p` itself; where it is NULL, the program ends. For memory that a library allocates. */
void *mem_check(void *p) __attribute__((returns_nonnull));

/* Zeroed bytes; the caller frees them with free(3). */
void *mem_alloc(size_t size);

/* Like realloc(3); new bytes are not initialised. */
void *mem_resize(void *p, size_t size);

/* Make room for item number `n` of an array: returns the array, perhaps moved, with *cap > n. */
void *mem_grow(void *array, size_t n, size_t *cap, size_t item_size);

/* A NUL-terminated copy of n bytes; the caller frees it. */
char *mem_strndup(const char *p, size_t n);

/* A copy of a string; NULL stays NULL. */
char *mem_strdup(const char *s);

#endif
