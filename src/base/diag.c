#include "oddhost/base/diag.h"

#include <stdarg.h>
#include <stdio.h>

size_t diag_kept(const struct diag_list *list)
{
	return list->n < DIAG_KEPT ? list->n : DIAG_KEPT;
}

void diag_add(struct diag_list *list, unsigned line, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	if (list == NULL || list->n++ >= DIAG_KEPT)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);

	list->items =
	    arena_grow(list->arena, list->items, list->n - 1, &list->cap, sizeof *list->items);
	list->items[list->n - 1] = (struct diag){list->source, line, arena_dup(list->arena, text)};
}
