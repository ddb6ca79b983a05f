/*
 * All JSON that is read or written. A `struct json` is a node of a tree (cJSON's, whose header is
 * included in json.c only). Readers return what was asked for or a default, never fail: what comes
 * from a host or a file may have any shape. Memory: json_free() on the root frees the tree; a node
 * handed to json_set or json_push belongs to its new parent.
 */
#ifndef ODDHOST_BASE_JSON_H
#define ODDHOST_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/err.h"
#include "oddhost/base/view.h"

struct json;

/*
 * The whole of `text` as one JSON value (RFC 8259); the error names the line. json_parse_first
 * reads one value and moves the cursor behind it, for values in a row; on failure the cursor stands
 * where the text stopped being JSON.
 */
struct json *json_parse(struct view text, struct err *err);
struct json *json_parse_first(struct view *cursor, struct err *err);

/*
 * The same, for what is to be printed again, as Python's and Go's readers take it: a number is
 * printed as it was written (a double holds 53 bits), and of members with the same name the last
 * one counts, in the place of the first. Also an error: a string with a NUL character, which no C
 * string carries, and a number that RFC 8259 does not know, such as 01.
 */
struct json *json_parse_exact(struct view text, struct err *err);
void json_free(struct json *root); /* NULL does nothing */

/* Readers. A NULL node is allowed everywhere and has no members. */
const struct json *json_get(const struct json *object, const char *key); /* NULL: not there */
const struct json *json_first(const struct json *array_or_object);       /* NULL: empty */
const struct json *json_next(const struct json *node);                   /* NULL: the last one */
const char *json_key(const struct json *node); /* of an object's member, else NULL */
size_t json_size(const struct json *array_or_object);
bool json_is_object(const struct json *node);
bool json_is_array(const struct json *node);
bool json_is_string(const struct json *node);
bool json_is_number(const struct json *node);
bool json_is_bool(const struct json *node);
bool json_is_null(const struct json *node); /* a null that is written; not "not there" */
const char *json_string(const struct json *node, const char *otherwise);
double json_number(const struct json *node, double otherwise);
bool json_bool(const struct json *node, bool otherwise);
/* The member `key` as a string or number. */
const char *json_get_string(const struct json *object, const char *key, const char *otherwise);
double json_get_number(const struct json *object, const char *key, double otherwise);
/*
 * The member `key` where there is one, and *ret stays as it is where there is none. False where it
 * is no string, or no whole number within [min, max], neither of which may be past 2^53.
 */
bool json_read_string(const struct json *object, const char *key, const char **ret);
bool json_read_int(const struct json *object, const char *key, long min, long max, long *ret);

/*
 * The writer: build a tree, then print it. A byte of a string that is not UTF-8 is written as
 * U+FFFD (RFC 8259 section 8.1); NULL is written as null.
 */
struct json *json_object(void);
struct json *json_array(void);
struct json *json_new_string(const char *s);
struct json *json_new_number(double number);
struct json *json_new_bool(bool value);
struct json *json_new_null(void);
/* JSON text, printed as it stands; readers do not look into it. */
struct json *json_new_raw(const char *text);
struct json *json_copy(const struct json *node);
/* Both return the child, now its parent's, so that nesting reads from left to right. */
struct json *json_set(struct json *object, const char *key, struct json *child);
struct json *json_push(struct json *array, struct json *child);
/* In the place of the member of that name, or as the last one. */
struct json *json_replace(struct json *object, const char *key, struct json *child);
void json_set_string(struct json *object, const char *key, const char *s);
void json_set_view(struct json *object, const char *key, struct view v);
void json_set_number(struct json *object, const char *key, double number);
void json_set_bool(struct json *object, const char *key, bool value);

/*
 * On one line, or indented with one member a line; a line break ends both. What would act on a
 * terminal instead of being seen (text_is_unseen) is written as \u….
 */
void json_print(const struct json *root, bool pretty, struct buf *out);

#endif
