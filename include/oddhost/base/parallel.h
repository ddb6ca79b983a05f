/*
 * The same work on each of many things, on all processors. Owns nothing, and is over when it
 * returns. The work on one thing must touch nothing that the work on another one changes.
 */
#ifndef ODDHOST_BASE_PARALLEL_H
#define ODDHOST_BASE_PARALLEL_H

#include <stddef.h>

/*
 * Call `each` with every index below n, in any order, some at the same time; the caller's thread
 * works as well. Where no thread can be started it works alone.
 */
void parallel_each(size_t n, void (*each)(void *context, size_t index), void *context);

#endif
