/*
 * The SSH wire encoding (RFC 4251 section 5): length-prefixed strings and mpints. Readers move a
 * view and fail at its end; writers append to a buffer.
 */
#ifndef ODDHOST_COLLECT_WIRE_H
#define ODDHOST_COLLECT_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/view.h"

bool wire_get_u32(struct view *cursor, uint32_t *ret);
bool wire_get_string(struct view *cursor, struct view *ret);
void wire_put_u32(struct buf *out, uint32_t value);
void wire_put_string(struct buf *out, struct view value);

/* An unsigned big-endian number as mpint: without leading zeros, with one where bit 7 is set. */
void wire_put_mpint(struct buf *out, struct view number);

#endif
