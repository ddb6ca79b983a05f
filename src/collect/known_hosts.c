#include "oddhost/collect/known_hosts.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OPENSSL_SUPPRESS_DEPRECATED /* of SHA-1's compression alone there is no other way */
#include <openssl/sha.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/file.h"
#include "oddhost/base/mem.h"
#include "oddhost/base/table.h"
#include "oddhost/base/text.h"
#include "oddhost/collect/wire.h"

#define FILE_MAX ((size_t)64 << 20)
#define HASH_SIZE 20 /* SHA-1: hashed names are |1|salt|HMAC-SHA1(salt, name)| in base64 */
#define BLOCK_SIZE SHA_CBLOCK
#define NAME_MAX_SIZE 512

/*
 * A line is in one of three places: names without patterns are in the index, one named_line for
 * each; hashed lines, each of which has a salt of its own, and lines with patterns must all be
 * looked at.
 */
struct named_line {
	const struct known_key *key;
	struct named_line *next; /* of the same name */
};

/* SHA-1 behind some whole blocks. */
struct sha1 {
	uint32_t h[HASH_SIZE / 4];
};

struct hashed_line {
	struct sha1 inner, outer; /* HMAC's two, behind the salt */
	unsigned char hash[HASH_SIZE];
	const struct known_key *key;
};

struct pattern_line {
	struct view names; /* comma separated */
	const struct known_key *key;
};

struct known_hosts {
	struct arena *arena;
	struct table named; /* lower case, to struct named_line */
	struct hashed_line *hashed;
	size_t n_hashed, cap_hashed;
	struct pattern_line *patterns;
	size_t n_patterns, cap_patterns;
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
	table_free(&kh->named);
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

/*
 * A hashed name is HMAC-SHA1(salt, name) (RFC 2104), and each line has a salt of its own. What that
 * makes of the first block of both hashes is kept, and the name's blocks are the same for all
 * lines: so a line costs a lookup two blocks instead of four, and nothing to set up.
 */
static void absorb(struct sha1 *sha, const unsigned char *bytes, size_t blocks)
{
	uint32_t *h = sha->h;
	SHA_CTX context = {.h0 = h[0], .h1 = h[1], .h2 = h[2], .h3 = h[3], .h4 = h[4]};

	for (size_t i = 0; i < blocks; i++)
		SHA1_Transform(&context, bytes + i * BLOCK_SIZE);
	*sha = (struct sha1){{context.h0, context.h1, context.h2, context.h3, context.h4}};
}

static struct sha1 behind_salt(const unsigned char salt[HASH_SIZE], unsigned char with)
{
	struct sha1 sha = {{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}};
	unsigned char block[BLOCK_SIZE];

	memset(block, with, sizeof block);
	for (size_t i = 0; i < HASH_SIZE; i++)
		block[i] ^= salt[i];
	absorb(&sha, block, 1);
	return sha;
}

/* FIPS 180-4 section 5.1.1: pad a message that stands behind one block; returns its blocks. */
static size_t pad(unsigned char *message, size_t n)
{
	size_t blocks = (n + 9 + BLOCK_SIZE - 1) / BLOCK_SIZE, end = blocks * BLOCK_SIZE;
	size_t bits = (BLOCK_SIZE + n) * 8;

	memset(message + n, 0, end - n);
	message[n] = 0x80;
	message[end - 2] = (unsigned char)(bits >> 8);
	message[end - 1] = (unsigned char)bits;
	return blocks;
}

static void write_hash(const struct sha1 *sha, unsigned char out[HASH_SIZE])
{
	for (size_t i = 0; i < HASH_SIZE; i++)
		out[i] = (unsigned char)(sha->h[i / 4] >> (24 - 8 * (i % 4)));
}

static bool add_hashed(struct known_hosts *kh, struct view names, const struct known_key *key)
{
	struct hashed_line line = {.key = key};
	struct view text, salt, hash;

	if (!view_take(&names, "|1|") || !view_next_part(&names, '|', &text) ||
	    !decode(kh->arena, text, &salt) || !decode(kh->arena, names, &hash) ||
	    salt.n != HASH_SIZE || hash.n != HASH_SIZE)
		return false;
	line.inner = behind_salt((const unsigned char *)salt.p, 0x36);
	line.outer = behind_salt((const unsigned char *)salt.p, 0x5c);
	memcpy(line.hash, hash.p, HASH_SIZE);
	kh->hashed =
	    arena_grow(kh->arena, kh->hashed, kh->n_hashed, &kh->cap_hashed, sizeof *kh->hashed);
	kh->hashed[kh->n_hashed++] = line;
	return true;
}

static void add_name(struct known_hosts *kh, struct view name, const struct known_key *key)
{
	struct named_line *line, *first;
	char *lower = arena_dup_view(kh->arena, name);

	if (name.n == 0)
		return;
	line = arena_alloc(kh->arena, sizeof *line);
	text_lower(lower);
	line->key = key;
	first = table_add(&kh->named, view_of(lower), line);
	if (first != line) {
		line->next = first->next;
		first->next = line;
	}
}

static void add_names(struct known_hosts *kh, struct view names, const struct known_key *key)
{
	struct view name;

	if (view_find_char(names, '*') < 0 && view_find_char(names, '?') < 0 &&
	    view_find_char(names, '!') < 0) {
		while (view_next_part(&names, ',', &name))
			add_name(kh, name, key);
		return;
	}
	kh->patterns = arena_grow(
	    kh->arena, kh->patterns, kh->n_patterns, &kh->cap_patterns, sizeof *kh->patterns);
	kh->patterns[kh->n_patterns++] = (struct pattern_line){arena_view(kh->arena, names), key};
}

static void parse_line(
    struct known_hosts *kh, struct view line, unsigned n, struct diag_list *diags)
{
	struct view rest = view_trim(line), names, type, key, inner, blob;
	struct known_key *entry = arena_alloc(kh->arena, sizeof *entry);

	if (rest.n == 0 || rest.p[0] == '#')
		return;
	if (rest.p[0] == '@') {
		struct view marker;
		view_next_word(&rest, &marker);
		if (view_eq(marker, "@cert-authority")) {
			diag_add(diags, n,
			    "@cert-authority is not used: host certificates are "
			    "not verified");
			return;
		}
		entry->revoked = view_eq(marker, "@revoked");
		if (!entry->revoked) {
			diag_add(diags, n, "unknown marker, expected @revoked or @cert-authority");
			return;
		}
	}
	if (!view_next_word(&rest, &names) || !view_next_word(&rest, &type) ||
	    !view_next_word(&rest, &key)) {
		diag_add(diags, n, "expected HOSTS KEYTYPE KEY");
		return;
	}
	if (!decode(kh->arena, key, &entry->blob)) {
		diag_add(diags, n, "the key is not base64");
		return;
	}
	blob = entry->blob;
	if (!wire_get_string(&blob, &inner) || !view_same(inner, type)) {
		diag_add(diags, n, "the key is not of the type that stands before it");
		return;
	}
	entry->type = arena_view(kh->arena, type);
	if (names.p[0] != '|')
		add_names(kh, names, entry);
	else if (!add_hashed(kh, names, entry))
		diag_add(diags, n, "expected a hashed name |1|SALT|HASH");
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

static struct view lookup_name(const char *host, uint16_t port, char out[NAME_MAX_SIZE])
{
	int n = port == 22 ? snprintf(out, NAME_MAX_SIZE, "%s", host)
			   : snprintf(out, NAME_MAX_SIZE, "[%s]:%u", host, port);

	text_lower(out);
	return n < NAME_MAX_SIZE ? view_of(out) : view_of("");
}

static void take(struct known_keys *keys, struct arena *arena, const struct known_key *key)
{
	keys->v = arena_grow(arena, keys->v, keys->n, &keys->cap, sizeof *keys->v);
	keys->v[keys->n++] = *key;
	keys->named = keys->named || !key->revoked;
}

static void find_hashed(
    const struct known_hosts *kh, struct view name, struct known_keys *keys, struct arena *arena)
{
	unsigned char message[NAME_MAX_SIZE + 2 * BLOCK_SIZE], hash[BLOCK_SIZE];
	size_t blocks;

	memcpy(message, name.p, name.n);
	blocks = pad(message, name.n);
	pad(hash, HASH_SIZE);
	for (size_t i = 0; i < kh->n_hashed; i++) {
		const struct hashed_line *line = &kh->hashed[i];
		struct sha1 sha = line->inner;
		absorb(&sha, message, blocks);
		write_hash(&sha, hash);
		sha = line->outer;
		absorb(&sha, hash, 1);
		write_hash(&sha, hash);
		if (memcmp(hash, line->hash, HASH_SIZE) == 0)
			take(keys, arena, line->key);
	}
}

static void find(const struct known_hosts *kh, const char *host, uint16_t port,
    struct known_keys *keys, struct arena *arena)
{
	char text[NAME_MAX_SIZE];
	struct view name = lookup_name(host, port, text);
	const struct named_line *line = table_get(&kh->named, name);

	for (; line != NULL; line = line->next)
		take(keys, arena, line->key);
	for (size_t i = 0; i < kh->n_patterns; i++) {
		if (match_list(kh->patterns[i].names, name))
			take(keys, arena, kh->patterns[i].key);
	}
	find_hashed(kh, name, keys, arena);
}

struct known_keys known_hosts_find(
    const struct known_hosts *kh, const char *host, uint16_t port, struct arena *arena)
{
	struct known_keys keys = {0};

	find(kh, host, port, &keys, arena);
	if (!keys.named && port != 22) {
		find(kh, host, 22, &keys, arena);
		keys.named = false;
	}
	return keys;
}

bool known_keys_have_type(const struct known_keys *keys, struct view type)
{
	for (size_t i = 0; i < keys->n; i++) {
		if (!keys->v[i].revoked && view_same(keys->v[i].type, type))
			return true;
	}
	return false;
}

enum known_hosts_result known_keys_check(const struct known_keys *keys, struct view blob)
{
	enum known_hosts_result result = KNOWN_HOSTS_UNKNOWN;
	struct view rest = blob, type = {0};

	wire_get_string(&rest, &type);
	if (keys->named)
		result =
		    known_keys_have_type(keys, type) ? KNOWN_HOSTS_CHANGED : KNOWN_HOSTS_OTHER_TYPE;
	for (size_t i = 0; i < keys->n; i++) {
		if (!view_same(keys->v[i].blob, blob))
			continue;
		if (keys->v[i].revoked)
			return KNOWN_HOSTS_REVOKED;
		result = KNOWN_HOSTS_MATCH;
	}
	return result;
}
