#include "oddhost/collect/keyfile.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "oddhost/base/mem.h"
#include "oddhost/base/text.h"
#include "oddhost/collect/bcrypt.h"
#include "oddhost/collect/wire.h"

#define ENCRYPTED "is encrypted: add it to an agent (ssh-add)"
#define WRONG_PASSPHRASE "cannot be decrypted: the passphrase is wrong"

static const struct curve {
	const char *type, *name; /* SSH's and OpenSSL's */
	const char *group;
} curves[] = {
    {"ecdsa-sha2-nistp256", "nistp256", "prime256v1"},
    {"ecdsa-sha2-nistp384", "nistp384", "secp384r1"},
    {"ecdsa-sha2-nistp521", "nistp521", "secp521r1"},
};

static const struct curve *curve_of(struct view type, const char *group)
{
	for (size_t i = 0; i < sizeof curves / sizeof *curves; i++) {
		if (group != NULL ? strcmp(group, curves[i].group) == 0
				  : view_eq(type, curves[i].type))
			return &curves[i];
	}
	return NULL;
}

void keyfile_free(void *key)
{
	EVP_PKEY_free(key);
}

static EVP_PKEY *from_params(const char *type, OSSL_PARAM_BLD *build)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (params == NULL || context == NULL || EVP_PKEY_fromdata_init(context) <= 0 ||
	    EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) <= 0)
		key = NULL;
	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_free(params);
	return key;
}

static EVP_PKEY *read_ed25519(struct view *cursor)
{
	struct view public_key, both;

	if (!wire_get_string(cursor, &public_key) || !wire_get_string(cursor, &both) ||
	    both.n != 64)
		return NULL;
	return EVP_PKEY_new_raw_private_key(
	    EVP_PKEY_ED25519, NULL, (const unsigned char *)both.p, 32);
}

static EVP_PKEY *read_ecdsa(struct view *cursor, const struct curve *curve)
{
	struct view name, point, secret;

	if (!wire_get_string(cursor, &name) || !view_eq(name, curve->name) ||
	    !wire_get_string(cursor, &point) || !wire_get_string(cursor, &secret))
		return NULL;

	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	BIGNUM *number = BN_bin2bn((const unsigned char *)secret.p, (int)secret.n, NULL);
	EVP_PKEY *key = NULL;
	if (build != NULL && number != NULL &&
	    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, curve->group, 0) &&
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point.p, point.n) &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, number))
		key = from_params("EC", build);
	BN_clear_free(number);
	OSSL_PARAM_BLD_free(build);
	return key;
}

/* In the file: n, e, d, iqmp, p, q. OpenSSL computes what is left out. */
static EVP_PKEY *read_rsa(struct view *cursor)
{
	static const char *const names[] = {OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E,
	    OSSL_PKEY_PARAM_RSA_D, OSSL_PKEY_PARAM_RSA_COEFFICIENT1, OSSL_PKEY_PARAM_RSA_FACTOR1,
	    OSSL_PKEY_PARAM_RSA_FACTOR2};
	enum { N, E, D, IQMP, P, Q, COUNT };
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	BIGNUM *number[COUNT + 2] = {0};
	BN_CTX *scratch = BN_CTX_new();
	EVP_PKEY *key = NULL;
	bool ok = build != NULL && scratch != NULL;

	for (int i = 0; ok && i < COUNT; i++) {
		struct view text;
		ok = wire_get_string(cursor, &text) && text.n <= 4096 &&
		     (number[i] = BN_bin2bn((const unsigned char *)text.p, (int)text.n, NULL)) !=
			 NULL &&
		     OSSL_PARAM_BLD_push_BN(build, names[i], number[i]);
	}
	/* With its prime factors a key signs four times as fast, but then both exponents must be
	 * given. */
	for (int i = 0; ok && i < 2; i++) {
		BIGNUM *less = BN_dup(number[P + i]);
		number[COUNT + i] = BN_new();
		ok = less != NULL && number[COUNT + i] != NULL && BN_sub_word(less, 1) &&
		     !BN_is_zero(less) && BN_mod(number[COUNT + i], number[D], less, scratch) &&
		     OSSL_PARAM_BLD_push_BN(build,
			 i == 0 ? OSSL_PKEY_PARAM_RSA_EXPONENT1 : OSSL_PKEY_PARAM_RSA_EXPONENT2,
			 number[COUNT + i]);
		BN_clear_free(less);
	}
	if (ok)
		key = from_params("RSA", build);
	for (int i = 0; i < COUNT + 2; i++)
		BN_clear_free(number[i]);
	BN_CTX_free(scratch);
	OSSL_PARAM_BLD_free(build);
	return key;
}

static void put_number(struct buf *blob, EVP_PKEY *key, const char *name)
{
	BIGNUM *number = NULL;

	if (!EVP_PKEY_get_bn_param(key, name, &number))
		return;
	unsigned char *bytes = mem_alloc((size_t)BN_num_bytes(number));
	int n = BN_bn2bin(number, bytes);
	wire_put_mpint(blob, (struct view){(char *)bytes, n < 0 ? 0 : (size_t)n});
	free(bytes);
	BN_free(number);
}

/* The public blob of a key that OpenSSL has read. */
static bool make_blob(EVP_PKEY *key, struct buf *blob, struct err *err)
{
	unsigned char point[256];
	char group[64];
	size_t n = sizeof point;
	const struct curve *curve;

	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_ED25519:
		if (!EVP_PKEY_get_raw_public_key(key, point, &n))
			break;
		wire_put_string(blob, view_of("ssh-ed25519"));
		wire_put_string(blob, (struct view){(char *)point, n});
		return true;
	case EVP_PKEY_RSA:
		wire_put_string(blob, view_of("ssh-rsa"));
		put_number(blob, key, OSSL_PKEY_PARAM_RSA_E);
		put_number(blob, key, OSSL_PKEY_PARAM_RSA_N);
		return true;
	case EVP_PKEY_EC:
		if (!EVP_PKEY_get_group_name(key, group, sizeof group, NULL) ||
		    (curve = curve_of(view_of(""), group)) == NULL ||
		    !EVP_PKEY_get_octet_string_param(
			key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &n))
			break;
		wire_put_string(blob, view_of(curve->type));
		wire_put_string(blob, view_of(curve->name));
		wire_put_string(blob, (struct view){(char *)point, n});
		return true;
	default:
		break;
	}
	return err_set(err, "is of a type that is not supported");
}

/* An OpenSSH key file, taken apart; all views are of its decoded body. */
struct container {
	struct view cipher, kdf, options, public_blob, secret;
};

static bool open_container(struct view body, struct container *ret, struct err *err)
{
	uint32_t keys;

	if (!view_take(&body, "openssh-key-v1") || body.n == 0 || body.p[0] != '\0')
		return err_set(err, "is not an OpenSSH private key");
	body = view_skip(body, 1);
	if (!wire_get_string(&body, &ret->cipher) || !wire_get_string(&body, &ret->kdf) ||
	    !wire_get_string(&body, &ret->options) || !wire_get_u32(&body, &keys) || keys != 1 ||
	    !wire_get_string(&body, &ret->public_blob) || !wire_get_string(&body, &ret->secret))
		return err_set(err, "is cut off");
	return true;
}

/* ssh-keygen -Z takes any of ssh's ciphers; these are the ones without a tag of their own. */
static const EVP_CIPHER *cipher_of(struct view name)
{
	static const struct {
		const char *name;
		const EVP_CIPHER *(*cipher)(void);
	} table[] = {
	    {"aes256-ctr", EVP_aes_256_ctr},
	    {"aes192-ctr", EVP_aes_192_ctr},
	    {"aes128-ctr", EVP_aes_128_ctr},
	    {"aes256-cbc", EVP_aes_256_cbc},
	    {"aes128-cbc", EVP_aes_128_cbc},
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		if (view_eq(name, table[i].name))
			return table[i].cipher();
	}
	return NULL;
}

static bool is_supported(const struct container *c, struct err *err)
{
	if (cipher_of(c->cipher) != NULL && view_eq(c->kdf, "bcrypt"))
		return true;
	return err_set(err, "is encrypted with '%.*s', which is not supported: use an agent",
	    VIEW_ARG(view_left(c->cipher, 60)));
}

/* The secret part in clear, appended to `out`. A wrong passphrase shows only in what comes out. */
static bool decrypt(
    const struct container *c, struct view passphrase, struct buf *out, struct err *err)
{
	const EVP_CIPHER *cipher = cipher_of(c->cipher);
	struct view options = c->options, salt;
	unsigned char derived[EVP_MAX_KEY_LENGTH + EVP_MAX_IV_LENGTH];
	uint32_t rounds;
	int n = 0;

	if (!is_supported(c, err))
		return false;
	size_t key_size = (size_t)EVP_CIPHER_get_key_length(cipher);
	size_t iv_size = (size_t)EVP_CIPHER_get_iv_length(cipher);
	if (!wire_get_string(&options, &salt) || !wire_get_u32(&options, &rounds) ||
	    !bcrypt_pbkdf(passphrase, salt, rounds, derived, key_size + iv_size))
		return err_set(err, "is damaged");

	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	unsigned char *clear = mem_alloc(c->secret.n + EVP_MAX_BLOCK_LENGTH);
	bool ok = context != NULL &&
		  EVP_DecryptInit_ex(context, cipher, NULL, derived, derived + key_size) > 0 &&
		  EVP_CIPHER_CTX_set_padding(context, 0) > 0 &&
		  EVP_DecryptUpdate(
		      context, clear, &n, (const unsigned char *)c->secret.p, (int)c->secret.n) > 0;
	EVP_CIPHER_CTX_free(context);
	if (ok)
		buf_add(out, clear, (size_t)n);
	OPENSSL_cleanse(clear, c->secret.n);
	OPENSSL_cleanse(derived, sizeof derived);
	free(clear);
	return ok || err_set(err, "cannot be decrypted");
}

/* The secret part: two equal numbers, so that a wrong passphrase is seen, then the key. */
static bool read_secret(struct view secret, struct view public_blob, const char *unequal,
    EVP_PKEY **ret_key, struct err *err)
{
	struct view type;
	const struct curve *curve;
	uint32_t check1, check2;
	struct buf own = {0};
	EVP_PKEY *key = NULL;

	if (!wire_get_u32(&secret, &check1) || !wire_get_u32(&secret, &check2) || check1 != check2)
		return err_set(err, "%s", unequal);
	if (!wire_get_string(&secret, &type))
		return err_set(err, "is damaged");
	if (view_eq(type, "ssh-ed25519"))
		key = read_ed25519(&secret);
	else if (view_eq(type, "ssh-rsa"))
		key = read_rsa(&secret);
	else if ((curve = curve_of(type, NULL)) != NULL)
		key = read_ecdsa(&secret, curve);
	else
		return err_set(err, "is of type '%.*s', which is not supported",
		    VIEW_ARG(view_left(type, 60)));
	if (key == NULL)
		return err_set(err, "is damaged");
	if (!make_blob(key, &own, err) || !view_same(buf_view(&own), public_blob)) {
		EVP_PKEY_free(key);
		buf_free(&own);
		return err_set(err, "is damaged: its public part is another key's");
	}
	buf_free(&own);
	*ret_key = key;
	return true;
}

static bool read_openssh(
    struct view body, struct view passphrase, EVP_PKEY **ret_key, struct buf *blob, struct err *err)
{
	struct container c = {0};
	struct buf clear = {.secret = true};
	bool ok;

	if (!open_container(body, &c, err))
		return false;
	if (view_eq(c.cipher, "none")) {
		ok = read_secret(c.secret, c.public_blob, "is damaged", ret_key, err);
	} else if (passphrase.n == 0) {
		ok = err_set(err, ENCRYPTED);
	} else {
		ok = decrypt(&c, passphrase, &clear, err) &&
		     read_secret(buf_view(&clear), c.public_blob, WRONG_PASSPHRASE, ret_key, err);
		buf_free(&clear);
	}
	if (ok)
		buf_add_view(blob, c.public_blob);
	return ok;
}

struct pem_passphrase {
	struct view text;
	bool asked;
};

/* Called by OpenSSL where the file is encrypted. Never asks on the terminal itself. */
static int give_passphrase(char *out, int size, int writing, void *context)
{
	struct pem_passphrase *p = context;

	(void)writing;
	p->asked = true;
	if (p->text.n == 0 || p->text.n > (size_t)size)
		return -1;
	memcpy(out, p->text.p, p->text.n);
	return (int)p->text.n;
}

static bool read_pem(
    struct view text, struct view passphrase, EVP_PKEY **ret_key, struct buf *blob, struct err *err)
{
	struct pem_passphrase p = {.text = passphrase};
	BIO *bio = BIO_new_mem_buf(text.p, (int)text.n);
	EVP_PKEY *key =
	    bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, &p);

	BIO_free(bio);
	if (key == NULL)
		return err_set(err, "%s",
		    !p.asked            ? "is not a private key in PEM"
		    : passphrase.n == 0 ? ENCRYPTED
					: WRONG_PASSPHRASE);
	if (!make_blob(key, blob, err)) {
		EVP_PKEY_free(key);
		return false;
	}
	*ret_key = key;
	return true;
}

/* The decoded body of an OpenSSH key file, appended; false where it is none. */
static bool decode_openssh(struct view text, struct buf *body)
{
	static const char begin[] = "-----BEGIN OPENSSH PRIVATE KEY-----";
	struct buf joined = {.secret = true};
	struct view line, rest;

	long at = view_find(text, begin);
	if (at < 0)
		return false;
	rest = view_skip(text, (size_t)at + sizeof begin - 1);
	while (view_next_line(&rest, &line) && !view_starts(line, "-----END"))
		buf_add_view(&joined, view_trim(line));
	if (!text_base64_decode(buf_view(&joined), body))
		body->n = 0; /* whose reader then says what is wrong */
	buf_free(&joined);
	return true;
}

bool keyfile_unlock(
    struct view text, struct view passphrase, void **ret_key, struct buf *blob, struct err *err)
{
	struct buf body = {.secret = true};
	EVP_PKEY *key = NULL;
	bool ok;

	if (decode_openssh(text, &body)) {
		ok = read_openssh(buf_view(&body), passphrase, &key, blob, err);
		buf_free(&body);
	} else {
		ok = read_pem(text, passphrase, &key, blob, err);
	}
	if (ok)
		*ret_key = key;
	return ok;
}

bool keyfile_read(struct view text, void **ret_key, struct buf *blob, struct err *err)
{
	return keyfile_unlock(text, view_of(""), ret_key, blob, err);
}

bool keyfile_is_encrypted(struct view text, struct buf *blob)
{
	struct buf body = {.secret = true};
	struct container c = {0};
	struct err err;
	bool encrypted = view_find(text, "ENCRYPTED") >= 0; /* PEM says so in clear */

	if (decode_openssh(text, &body)) {
		encrypted = open_container(buf_view(&body), &c, &err) && !view_eq(c.cipher, "none");
		if (encrypted)
			buf_add_view(blob, c.public_blob);
		buf_free(&body);
	}
	return encrypted;
}

bool keyfile_can_unlock(struct view text, struct err *err)
{
	struct buf body = {.secret = true};
	struct container c = {0};
	bool ok = true;

	if (decode_openssh(text, &body)) {
		ok = open_container(buf_view(&body), &c, err) && is_supported(&c, err);
		buf_free(&body);
	}
	return ok;
}

/* ECDSA: OpenSSL's DER sequence becomes mpint r, mpint s (RFC 5656 section 3.1.2). */
static bool put_ecdsa(struct view der, struct buf *signature)
{
	const unsigned char *p = (const unsigned char *)der.p;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)der.n);
	const BIGNUM *part[2];
	unsigned char bytes[128];

	if (sig == NULL)
		return false;
	ECDSA_SIG_get0(sig, &part[0], &part[1]);
	for (int i = 0; i < 2; i++) {
		int n = BN_bn2bin(part[i], bytes);
		wire_put_mpint(signature, (struct view){(char *)bytes, (size_t)n});
	}
	ECDSA_SIG_free(sig);
	return true;
}

static const EVP_MD *digest_of(struct view algorithm)
{
	static const struct {
		const char *name;
		const EVP_MD *(*digest)(void);
	} table[] = {
	    {"rsa-sha2-512", EVP_sha512},
	    {"rsa-sha2-256", EVP_sha256},
	    {"ssh-rsa", EVP_sha1},
	    {"ecdsa-sha2-nistp256", EVP_sha256},
	    {"ecdsa-sha2-nistp384", EVP_sha384},
	    {"ecdsa-sha2-nistp521", EVP_sha512},
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		if (view_eq(algorithm, table[i].name))
			return table[i].digest();
	}
	return NULL; /* ed25519 has its own */
}

bool keyfile_sign(
    void *key, struct view algorithm, struct view data, struct buf *signature, struct err *err)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char bytes[1024];
	size_t n = sizeof bytes;
	bool ok = context != NULL &&
		  EVP_DigestSignInit(context, NULL, digest_of(algorithm), NULL, key) > 0 &&
		  EVP_DigestSign(context, bytes, &n, (const unsigned char *)data.p, data.n) > 0;

	EVP_MD_CTX_free(context);
	if (ok && view_starts(algorithm, "ecdsa-"))
		ok = put_ecdsa((struct view){(char *)bytes, n}, signature);
	else if (ok)
		buf_add(signature, bytes, n);
	return ok || err_set(err, "signing with %.*s failed", VIEW_ARG(view_left(algorithm, 40)));
}
