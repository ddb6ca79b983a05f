#include "oddhost/collect/known_hosts.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/file.h"
#include "oddhost/base/mem.h"
#include "oddhost/base/text.h"
#include "oddhost/collect/wire.h"

#define FILE_MAX ((size_t)64 << 20)
#define HASH_SIZE 20 /* SHA-1: hashed names are |1|salt|HMAC-SHA1(salt, name)| in base64 */
#define NAME_MAX_SIZE 512

struct entry {
	struct view names; /* the comma-separated patterns; empty where the name is hashed */
	struct view salt, hash;
	struct view type, key; /* key: the decoded blob */
	bool revoked;
};

struct known_hosts {
	struct arena *arena;
	struct entry *v;
	size_t n, cap;
};

struct known_hosts *known_hosts_new(void)
{
	struct known_hosts *kh = mem_alloc(sizeof *kh);

	kh->arena = arena_new();
	return kh;
}

void known_hosts_free(struct known_hosts *kh)
{
	if (kh == NULL)
		return;
	arena_free(kh->arena);
	free(kh);
}

static bool decode(struct arena *arena, struct view text, struct view *ret)
{
	struct buf bytes = {0};
	bool ok = text_base64_decode(text, &bytes);

	if (ok)
		*ret = arena_view(arena, buf_view(&bytes));
	buf_free(&bytes);
	return ok;
}

static bool parse_hashed(struct known_hosts *kh, struct view names, struct entry *entry)
{
	struct view salt;

	return view_take(&names, "|1|") && view_next_part(&names, '|', &salt) &&
	       decode(kh->arena, salt, &entry->salt) && decode(kh->arena, names, &entry->hash) &&
	       entry->salt.n == HASH_SIZE && entry->hash.n == HASH_SIZE;
}

static void parse_line(
    struct known_hosts *kh, struct view line, unsigned n, struct diag_list *diags)
{
	struct view rest = view_trim(line), names, type, key, inner, blob;
	struct entry entry = {0};

	if (rest.n == 0 || rest.p[0] == '#')
		return;
	if (rest.p[0] == '@') {
		struct view marker;
		view_next_word(&rest, &marker);
		if (view_eq(marker, "@cert-authority"))
			return;
		entry.revoked = view_eq(marker, "@revoked");
		if (!entry.revoked) {
			diag_add(diags, n, "unknown marker, expected @revoked or @cert-authority");
			return;
		}
	}
	if (!view_next_word(&rest, &names) || !view_next_word(&rest, &type) ||
	    !view_next_word(&rest, &key)) {
		diag_add(diags, n, "expected HOSTS KEYTYPE KEY");
		return;
	}
	if (!decode(kh->arena, key, &entry.key)) {
		diag_add(diags, n, "the key is not base64");
		return;
	}
	blob = entry.key;
	if (!wire_get_string(&blob, &inner) || !view_same(inner, type)) {
		diag_add(diags, n, "the key is not of the type that stands before it");
		return;
	}
	if (names.p[0] != '|') {
		entry.names = arena_view(kh->arena, names);
	} else if (!parse_hashed(kh, names, &entry)) {
		diag_add(diags, n, "expected a hashed name |1|SALT|HASH");
		return;
	}
	entry.type = arena_view(kh->arena, type);
	kh->v = arena_grow(kh->arena, kh->v, kh->n, &kh->cap, sizeof *kh->v);
	kh->v[kh->n++] = entry;
}

void known_hosts_add(struct known_hosts *kh, struct view text, struct diag_list *diags)
{
	struct view line;

	for (unsigned n = 1; view_next_line(&text, &line); n++)
		parse_line(kh, line, n, diags);
}

bool known_hosts_load(
    struct known_hosts *kh, const char *path, struct diag_list *diags, struct err *err)
{
	struct buf text = {0};

	if (access(path, F_OK) != 0 && errno == ENOENT)
		return true;

	bool ok = file_read(path, FILE_MAX, &text, err);
	if (ok)
		known_hosts_add(kh, buf_view(&text), diags);
	buf_free(&text);
	return ok;
}

/* match_pattern of OpenSSH: '*' any run, '?' any one; a backtrack point at the last '*' suffices.
 */
static bool glob(struct view pattern, struct view name)
{
	struct view star = {0}, from = {0};
	bool starred = false;

	while (name.n > 0) {
		if (pattern.n > 0 && pattern.p[0] == '*') {
			starred = true;
			star = pattern = view_skip(pattern, 1);
			from = name;
		} else if (pattern.n > 0 &&
			   (pattern.p[0] == '?' || tolower((unsigned char)pattern.p[0]) ==
						       tolower((unsigned char)name.p[0]))) {
			pattern = view_skip(pattern, 1);
			name = view_skip(name, 1);
		} else if (starred) {
			pattern = star;
			name = from = view_skip(from, 1);
		} else {
			return false;
		}
	}
	while (pattern.n > 0 && pattern.p[0] == '*')
		pattern = view_skip(pattern, 1);
	return pattern.n == 0;
}

/* A list matches where a pattern does and no negated one does. */
static bool match_list(struct view list, struct view name)
{
	bool matched = false;
	struct view pattern;

	while (view_next_part(&list, ',', &pattern)) {
		bool negated = view_take(&pattern, "!");
		if (!glob(pattern, name))
			continue;
		if (negated)
			return false;
		matched = true;
	}
	return matched;
}

static bool match(const struct entry *entry, struct view name)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (entry->hash.n == 0)
		return match_list(entry->names, name);
	return HMAC(EVP_sha1(), entry->salt.p, (int)entry->salt.n, (const unsigned char *)name.p,
		   name.n, hash, &n) != NULL &&
	       n == HASH_SIZE && memcmp(hash, entry->hash.p, HASH_SIZE) == 0;
}

static struct view lookup_name(const char *host, uint16_t port, char out[NAME_MAX_SIZE])
{
	int n = port == 22 ? snprintf(out, NAME_MAX_SIZE, "%s", host)
			   : snprintf(out, NAME_MAX_SIZE, "[%s]:%u", host, port);

	for (char *p = out; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return n < NAME_MAX_SIZE ? view_of(out) : view_of("");
}

enum known_hosts_result known_hosts_check(
    const struct known_hosts *kh, const char *host, uint16_t port, struct view key)
{
	enum known_hosts_result result = KNOWN_HOSTS_UNKNOWN;
	char text[NAME_MAX_SIZE];
	struct view name = lookup_name(host, port, text);

	for (size_t i = 0; i < kh->n; i++) {
		const struct entry *entry = &kh->v[i];
		if (!match(entry, name))
			continue;
		bool same = view_same(entry->key, key);
		if (entry->revoked && same)
			return KNOWN_HOSTS_REVOKED;
		if (entry->revoked)
			continue;
		if (same)
			result = KNOWN_HOSTS_MATCH;
		else if (result == KNOWN_HOSTS_UNKNOWN)
			result = KNOWN_HOSTS_CHANGED;
	}
	if (result == KNOWN_HOSTS_UNKNOWN && port != 22) {
		result = known_hosts_check(kh, host, 22, key);
		if (result == KNOWN_HOSTS_CHANGED)
			result = KNOWN_HOSTS_UNKNOWN;
	}
	return result;
}

const char *known_hosts_types(
    const struct known_hosts *kh, const char *host, uint16_t port, struct arena *arena)
{
	char text[NAME_MAX_SIZE];
	struct view name = lookup_name(host, port, text);
	struct buf list = {0};

	for (size_t i = 0; i < kh->n; i++) {
		const struct entry *entry = &kh->v[i];
		if (entry->revoked || !match(entry, name))
			continue;
		if (list.n > 0)
			buf_putc(&list, ',');
		buf_add_view(&list, entry->type);
	}
	const char *types = arena_dup(arena, buf_str(&list));
	buf_free(&list);
	return *types == '\0' && port != 22 ? known_hosts_types(kh, host, 22, arena) : types;
}
