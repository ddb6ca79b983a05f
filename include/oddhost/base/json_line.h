/*
 * JSON that is written as it is said, on one line, into a buffer: for what is written many times a
 * second, where a tree (json.h) would be built only to be printed. The bytes are those that
 * json_print gives for the same values, but that it goes into files: what would act on a terminal
 * stays as it is. The caller opens and closes in pairs; `key` is NULL within an array and for the
 * outermost value.
 */
#ifndef ODDHOST_BASE_JSON_LINE_H
#define ODDHOST_BASE_JSON_LINE_H

#include <stdbool.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/view.h"

/* `struct json_line line = {.out = &buf}` begins one. */
struct json_line {
	struct buf *out;
	bool more; /* a value stands before the next one */
};

void json_line_object(struct json_line *line, const char *key);
void json_line_end_object(struct json_line *line);
void json_line_array(struct json_line *line, const char *key);
void json_line_end_array(struct json_line *line);

/* NULL is written as null; what is not UTF-8 as U+FFFD (RFC 8259 section 8.1). */
void json_line_string(struct json_line *line, const char *key, const char *s);

/* Any bytes: as `key` where a JSON string can hold them, else in base64 as `key`_b64. */
void json_line_bytes(struct json_line *line, const char *key, struct view bytes);

void json_line_number(struct json_line *line, const char *key, long number);
void json_line_bool(struct json_line *line, const char *key, bool value);
void json_line_null(struct json_line *line, const char *key);

#endif
