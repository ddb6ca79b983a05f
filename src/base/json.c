#include "oddhost/base/json.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "oddhost/base/mem.h"
#include "oddhost/base/table.h"
#include "oddhost/base/text.h"

/* `struct json` is cJSON under another name; these two are the only casts. */
static const cJSON *in(const struct json *node)
{
	return (const cJSON *)node;
}

static struct json *out(const cJSON *node)
{
	return (struct json *)node;
}

static struct json *made(cJSON *node)
{
	if (node == NULL)
		mem_alloc(~(size_t)0); /* ends the program: cJSON says NULL for out of memory */
	return out(node);
}

static unsigned line_at(struct view text, const char *at)
{
	unsigned line = 1;

	for (const char *p = text.p; p < at && p < text.p + text.n; p++)
		line += *p == '\n';
	return line;
}

struct json *json_parse_first(struct view *cursor, struct err *err)
{
	const char *end = NULL;
	struct view text = view_trim(*cursor);

	if (text.n == 0) {
		err_set(err, "empty, expected a JSON value");
		return NULL;
	}
	cJSON *node = cJSON_ParseWithLengthOpts(text.p, text.n, &end, 0);
	if (node == NULL) {
		err_set(err, "line %u: not valid JSON", line_at(*cursor, end));
		*cursor = view_skip(*cursor, (size_t)(end - cursor->p));
		return NULL;
	}
	*cursor = view_skip(*cursor, (size_t)(end - cursor->p));
	return out(node);
}

struct json *json_parse(struct view text, struct err *err)
{
	struct view rest = text;
	struct json *root = json_parse_first(&rest, err);

	if (root != NULL && view_trim(rest).n > 0) {
		err_set(err, "line %u: something follows the JSON value",
		    line_at(text, view_trim(rest).p));
		json_free(root);
		return NULL;
	}
	return root;
}

/* ---- what a double and a C string cannot hold ---- */

static void skip_digits(struct view *text)
{
	while (text->n > 0 && isdigit((unsigned char)text->p[0]))
		*text = view_skip(*text, 1);
}

/* RFC 8259 section 6; cJSON takes what strtod(3) does. */
static bool is_number(struct view text)
{
	struct view rest;

	view_take(&text, "-");
	rest = text;
	skip_digits(&text);
	if (text.n == rest.n || (rest.p[0] == '0' && rest.n - text.n > 1))
		return false;
	if (view_take(&text, ".")) {
		rest = text;
		skip_digits(&text);
		if (text.n == rest.n)
			return false;
	}
	if (view_take(&text, "e") || view_take(&text, "E")) {
		if (!view_take(&text, "+"))
			view_take(&text, "-");
		rest = text;
		skip_digits(&text);
		if (text.n == rest.n)
			return false;
	}
	return text.n == 0;
}

/* Of JSON that cJSON has read: where its text is, and how far we have come in it. */
struct exact {
	struct view text, rest;
	struct err *err;
};

static bool skip_string(struct exact *x)
{
	x->rest = view_skip(x->rest, 1);
	while (x->rest.n > 0 && x->rest.p[0] != '"') {
		if (x->rest.p[0] == '\0' || view_starts(x->rest, "\\u0000"))
			return err_set(x->err, "line %u: a string with a NUL character in it",
			    line_at(x->text, x->rest.p));
		x->rest = view_skip(x->rest, x->rest.p[0] == '\\' ? 2 : 1);
	}
	x->rest = view_skip(x->rest, 1);
	return true;
}

/* The next number's text, empty where no number follows. */
static bool next_number(struct exact *x, struct view *ret)
{
	static const char letters[] = "+-.0123456789Ee";
	size_t n = 0;

	while (x->rest.n > 0 && x->rest.p[0] != '-' && !isdigit((unsigned char)x->rest.p[0])) {
		if (x->rest.p[0] != '"')
			x->rest = view_skip(x->rest, 1);
		else if (!skip_string(x))
			return false;
	}
	while (n < x->rest.n && memchr(letters, x->rest.p[n], sizeof letters - 1) != NULL)
		n++;
	*ret = view_left(x->rest, n);
	if (n > 0 && !is_number(*ret))
		return err_set(x->err, "line %u: '%.*s' is not a number in JSON",
		    line_at(x->text, x->rest.p), VIEW_ARG(view_left(*ret, 80)));
	x->rest = view_skip(x->rest, n);
	return true;
}

/* Nodes stand in the order of the text: so the next number of one is the next of the other. */
static bool keep_number(struct exact *x, cJSON *node)
{
	struct view number;

	if (!next_number(x, &number))
		return false;
	node->type = (node->type & ~0xff) | cJSON_Raw;
	node->valuestring = mem_strndup(number.p, number.n);
	return true;
}

/* The later member's value, in the earlier one's place. */
static void supersede(cJSON *object, cJSON *earlier, cJSON *later)
{
	cJSON was = *earlier;

	earlier->type = later->type;
	earlier->valuestring = later->valuestring;
	earlier->valueint = later->valueint;
	earlier->valuedouble = later->valuedouble;
	earlier->child = later->child;
	later->type = was.type;
	later->valuestring = was.valuestring;
	later->child = was.child;
	cJSON_Delete(cJSON_DetachItemViaPointer(object, later));
}

static void join_namesakes(cJSON *object)
{
	struct table names = {0};

	for (cJSON *node = object->child, *next; node != NULL; node = next) {
		next = node->next;
		cJSON *first = table_add(&names, view_of(node->string), node);
		if (first != node)
			supersede(object, first, node);
	}
	table_free(&names);
}

/* cJSON refuses what nests deeper than 1000, so this recursion is bounded. */
static bool make_exact(struct exact *x, cJSON *node)
{
	if (cJSON_IsNumber(node))
		return keep_number(x, node);
	for (cJSON *item = node->child; item != NULL; item = item->next) {
		if (!make_exact(x, item))
			return false;
	}
	if (cJSON_IsObject(node))
		join_namesakes(node);
	return true;
}

struct json *json_parse_exact(struct view text, struct err *err)
{
	struct json *root = json_parse(text, err);
	struct exact x = {text, text, err};
	struct view none;

	if (root == NULL || (make_exact(&x, (cJSON *)root) && next_number(&x, &none)))
		return root;
	json_free(root);
	return NULL;
}

/* ---- readers ---- */

void json_free(struct json *root)
{
	cJSON_Delete((cJSON *)root);
}

const struct json *json_get(const struct json *object, const char *key)
{
	if (!cJSON_IsObject(in(object)))
		return NULL;
	return out(cJSON_GetObjectItemCaseSensitive(in(object), key));
}

const struct json *json_first(const struct json *node)
{
	if (!cJSON_IsObject(in(node)) && !cJSON_IsArray(in(node)))
		return NULL;
	return out(in(node)->child);
}

const struct json *json_next(const struct json *node)
{
	return out(in(node)->next);
}

const char *json_key(const struct json *node)
{
	return node == NULL ? NULL : in(node)->string;
}

size_t json_size(const struct json *node)
{
	size_t n = 0;

	for (const struct json *item = json_first(node); item != NULL; item = json_next(item))
		n++;
	return n;
}

bool json_is_object(const struct json *node)
{
	return cJSON_IsObject(in(node));
}

bool json_is_array(const struct json *node)
{
	return cJSON_IsArray(in(node));
}

bool json_is_string(const struct json *node)
{
	return cJSON_IsString(in(node));
}

/* A number that keeps its text has it as raw JSON, and its value as ever. */
bool json_is_number(const struct json *node)
{
	return cJSON_IsNumber(in(node)) ||
	       (cJSON_IsRaw(in(node)) && is_number(view_of(in(node)->valuestring)));
}

bool json_is_bool(const struct json *node)
{
	return cJSON_IsBool(in(node));
}

bool json_is_null(const struct json *node)
{
	return cJSON_IsNull(in(node));
}

const char *json_string(const struct json *node, const char *otherwise)
{
	return json_is_string(node) ? in(node)->valuestring : otherwise;
}

double json_number(const struct json *node, double otherwise)
{
	return json_is_number(node) && isfinite(in(node)->valuedouble) ? in(node)->valuedouble
								       : otherwise;
}

bool json_bool(const struct json *node, bool otherwise)
{
	return json_is_bool(node) ? cJSON_IsTrue(in(node)) : otherwise;
}

const char *json_get_string(const struct json *object, const char *key, const char *otherwise)
{
	return json_string(json_get(object, key), otherwise);
}

double json_get_number(const struct json *object, const char *key, double otherwise)
{
	return json_number(json_get(object, key), otherwise);
}

bool json_read_string(const struct json *object, const char *key, const char **ret)
{
	const struct json *member = json_get(object, key);

	if (member == NULL)
		return true;
	if (!json_is_string(member))
		return false;
	*ret = in(member)->valuestring;
	return true;
}

bool json_read_int(const struct json *object, const char *key, long min, long max, long *ret)
{
	const struct json *member = json_get(object, key);

	if (member == NULL)
		return true;
	double number = json_is_number(member) ? in(member)->valuedouble : NAN;
	if (!(number >= (double)min && number <= (double)max) || number != floor(number))
		return false;
	*ret = (long)number;
	return true;
}

struct json *json_object(void)
{
	return made(cJSON_CreateObject());
}

struct json *json_array(void)
{
	return made(cJSON_CreateArray());
}

struct json *json_new_string(const char *s)
{
	struct buf mended = {0};

	if (s == NULL)
		return made(cJSON_CreateNull());
	if (text_is_utf8(view_of(s)))
		return made(cJSON_CreateString(s));
	text_mend_utf8(view_of(s), &mended);
	struct json *node = made(cJSON_CreateString(buf_str(&mended)));
	buf_free(&mended);
	return node;
}

struct json *json_new_number(double number)
{
	return made(cJSON_CreateNumber(number));
}

struct json *json_new_bool(bool value)
{
	return made(cJSON_CreateBool(value));
}

struct json *json_new_null(void)
{
	return made(cJSON_CreateNull());
}

struct json *json_new_raw(const char *text)
{
	return made(cJSON_CreateRaw(text));
}

struct json *json_copy(const struct json *node)
{
	return made(cJSON_Duplicate(in(node), 1));
}

struct json *json_set(struct json *object, const char *key, struct json *child)
{
	if (!cJSON_AddItemToObject((cJSON *)object, key, (cJSON *)child))
		made(NULL);
	return child;
}

struct json *json_replace(struct json *object, const char *key, struct json *child)
{
	if (json_get(object, key) == NULL)
		return json_set(object, key, child);
	if (!cJSON_ReplaceItemInObjectCaseSensitive((cJSON *)object, key, (cJSON *)child))
		made(NULL);
	return child;
}

struct json *json_push(struct json *array, struct json *child)
{
	if (!cJSON_AddItemToArray((cJSON *)array, (cJSON *)child))
		made(NULL);
	return child;
}

void json_set_string(struct json *object, const char *key, const char *s)
{
	json_set(object, key, json_new_string(s));
}

void json_set_view(struct json *object, const char *key, struct view v)
{
	char *copy = mem_strndup(v.p, v.n);

	json_set_string(object, key, copy);
	free(copy);
}

void json_set_number(struct json *object, const char *key, double number)
{
	json_set(object, key, json_new_number(number));
}

void json_set_bool(struct json *object, const char *key, bool value)
{
	json_set(object, key, json_new_bool(value));
}

/* Outside of strings there is ASCII only; cJSON escapes what is below ' '. */
static void add_seen(struct buf *out, struct view text)
{
	uint32_t rune;

	while (text.n > 0) {
		size_t run = 0;
		while (run < text.n && (unsigned char)text.p[run] < 0x7f)
			run++;
		buf_add_view(out, view_left(text, run));
		text = view_skip(text, run);
		struct view before = text;
		if (!text_next_rune(&text, &rune))
			return;
		if (!text_is_unseen(rune))
			buf_add(out, before.p, before.n - text.n);
		else if (rune <= 0xffff)
			buf_printf(out, "\\u%04x", (unsigned)rune);
		else /* RFC 8259 section 7: as two UTF-16 surrogates */
			buf_printf(out, "\\u%04x\\u%04x", (unsigned)(0xd7c0 + (rune >> 10)),
			    (unsigned)(0xdc00 | (rune & 0x3ff)));
	}
}

void json_print(const struct json *root, bool pretty, struct buf *buf)
{
	char *text = pretty ? cJSON_Print(in(root)) : cJSON_PrintUnformatted(in(root));

	if (text == NULL)
		made(NULL);
	add_seen(buf, view_of(text));
	buf_putc(buf, '\n');
	cJSON_free(text);
}
