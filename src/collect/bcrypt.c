#include "oddhost/collect/bcrypt.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "oddhost/base/mem.h"

#define P_WORDS 18
#define S_WORDS 1024
#define WORDS (P_WORDS + S_WORDS)
#define HASH_SIZE 32
#define SHA_SIZE 64
#define GUARD_BITS 64

/* Blowfish (Schneier, 1993): subkeys and S-boxes, one behind the other. */
struct blowfish {
	uint32_t w[WORDS];
};

/* Add sign * factor * atan(1/x), in fixed point with `bits` behind the point, to the sum. */
static bool add_atan(BIGNUM *sum, unsigned factor, unsigned x, int bits, bool negative)
{
	BIGNUM *power = BN_new(), *term = BN_new();
	bool ok = power != NULL && term != NULL && BN_set_word(power, factor) &&
		  BN_lshift(power, power, bits) && BN_div_word(power, x) != (BN_ULONG)-1;

	for (unsigned k = 0; ok && !BN_is_zero(power); k++) {
		ok = BN_copy(term, power) != NULL && BN_div_word(term, 2 * k + 1) != (BN_ULONG)-1 &&
		     ((k % 2 == 1) != negative ? BN_sub(sum, sum, term) : BN_add(sum, sum, term)) &&
		     BN_div_word(power, (BN_ULONG)x * x) != (BN_ULONG)-1;
	}
	BN_free(power);
	BN_free(term);
	return ok;
}

/*
 * Blowfish begins with the fraction of pi, 33,344 bits of it. They are computed (Machin: pi =
 * 16 atan(1/5) - 4 atan(1/239)) instead of being written down: 1,042 numbers that nobody could
 * review.
 */
static bool begin_with_pi(struct blowfish *b)
{
	const int bits = WORDS * 32 + GUARD_BITS;
	unsigned char bytes[WORDS * 4 + GUARD_BITS / 8];
	BIGNUM *pi = BN_new();
	bool ok = pi != NULL && add_atan(pi, 16, 5, bits, false) &&
		  add_atan(pi, 4, 239, bits, true) && BN_mask_bits(pi, bits) &&
		  BN_bn2binpad(pi, bytes, sizeof bytes) > 0;

	BN_free(pi);
	for (size_t i = 0; ok && i < WORDS; i++)
		b->w[i] = (uint32_t)bytes[4 * i] << 24 | (uint32_t)bytes[4 * i + 1] << 16 |
			  (uint32_t)bytes[4 * i + 2] << 8 | bytes[4 * i + 3];
	return ok;
}

static uint32_t mix(const struct blowfish *b, uint32_t x)
{
	const uint32_t *s = b->w + P_WORDS;

	return ((s[x >> 24] + s[256 + (x >> 16 & 0xff)]) ^ s[512 + (x >> 8 & 0xff)]) +
	       s[768 + (x & 0xff)];
}

static void encipher(const struct blowfish *b, uint32_t *left, uint32_t *right)
{
	uint32_t l = *left ^ b->w[0], r = *right;

	for (int i = 1; i <= 16; i += 2) {
		r ^= mix(b, l) ^ b->w[i];
		l ^= mix(b, r) ^ b->w[i + 1];
	}
	*left = r ^ b->w[17];
	*right = l;
}

/* The next big-endian word of 64 bytes that are read round and round. */
static uint32_t next_word(const unsigned char data[SHA_SIZE], size_t *at)
{
	uint32_t word = 0;

	for (int i = 0; i < 4; i++)
		word = word << 8 | data[(*at)++ % SHA_SIZE];
	return word;
}

/* bcrypt's key schedule; `salt` may be NULL. */
static void expand(struct blowfish *b, const unsigned char *salt, const unsigned char *key)
{
	uint32_t left = 0, right = 0;
	size_t at = 0, salt_at = 0;

	for (int i = 0; i < P_WORDS; i++)
		b->w[i] ^= next_word(key, &at);
	for (int i = 0; i < WORDS; i += 2) {
		if (salt != NULL) {
			left ^= next_word(salt, &salt_at);
			right ^= next_word(salt, &salt_at);
		}
		encipher(b, &left, &right);
		b->w[i] = left;
		b->w[i + 1] = right;
	}
}

static void hash(const struct blowfish *pi, const unsigned char *key, const unsigned char *salt,
    unsigned char out[HASH_SIZE])
{
	static const unsigned char text[] = "OxychromaticBlowfishSwatDynamite";
	struct blowfish b = *pi;
	uint32_t block[8] = {0};

	expand(&b, salt, key);
	for (int i = 0; i < 64; i++) {
		expand(&b, NULL, salt);
		expand(&b, NULL, key);
	}
	for (int i = 0; i < HASH_SIZE; i++)
		block[i / 4] = block[i / 4] << 8 | text[i];
	for (int i = 0; i < 64; i++) {
		for (int k = 0; k < 8; k += 2)
			encipher(&b, &block[k], &block[k + 1]);
	}
	for (int i = 0; i < HASH_SIZE; i++) /* in little-endian order */
		out[i] = (unsigned char)(block[i / 4] >> 8 * (i % 4));
	OPENSSL_cleanse(&b, sizeof b);
}

static void sha512(const void *bytes, size_t n, unsigned char out[SHA_SIZE])
{
	EVP_Digest(bytes, n, out, NULL, EVP_sha512(), NULL);
}

/* Block number `count`: the hashes of all rounds, combined. */
static void derive(const struct blowfish *pi, const unsigned char *key, struct view salt,
    uint32_t count, uint32_t rounds, unsigned char out[HASH_SIZE])
{
	unsigned char *first = mem_alloc(salt.n + 4), hashed[SHA_SIZE], last[HASH_SIZE];

	memcpy(first, salt.p, salt.n);
	for (int i = 0; i < 4; i++)
		first[salt.n + (size_t)i] = (unsigned char)(count >> (24 - 8 * i));
	sha512(first, salt.n + 4, hashed);
	free(first);
	hash(pi, key, hashed, last);
	memcpy(out, last, HASH_SIZE);
	for (uint32_t round = 1; round < rounds; round++) {
		sha512(last, HASH_SIZE, hashed);
		hash(pi, key, hashed, last);
		for (int i = 0; i < HASH_SIZE; i++)
			out[i] ^= last[i];
	}
	OPENSSL_cleanse(last, sizeof last);
}

bool bcrypt_pbkdf(
    struct view passphrase, struct view salt, uint32_t rounds, unsigned char *out, size_t n)
{
	size_t blocks = (n + HASH_SIZE - 1) / HASH_SIZE;
	unsigned char key[SHA_SIZE], block[HASH_SIZE];
	struct blowfish pi;

	if (passphrase.n == 0 || salt.n == 0 || salt.n > 1024 || n == 0 || n > 1024 ||
	    rounds == 0 || rounds > BCRYPT_ROUNDS_MAX || !begin_with_pi(&pi))
		return false;
	sha512(passphrase.p, passphrase.n, key);
	for (size_t count = 0; count < blocks; count++) {
		derive(&pi, key, salt, (uint32_t)count + 1, rounds, block);
		/* The blocks are not laid one behind the other but dealt out like cards. */
		for (size_t i = 0; i * blocks + count < n; i++)
			out[i * blocks + count] = block[i];
	}
	OPENSSL_cleanse(key, sizeof key);
	OPENSSL_cleanse(block, sizeof block);
	return true;
}
