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
#include "oddhost/collect/wire.h"

#define ENCRYPTED "is encrypted: add it to an agent (ssh-add)"

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

/* The decoded body of an OpenSSH key file. */
static bool read_openssh(struct view body, EVP_PKEY **ret_key, struct buf *blob, struct err *err)
{
	struct view cipher, kdf, options, public_blob, secret, type;
	const struct curve *curve;
	uint32_t keys, check1, check2;
	struct buf own = {0};
	EVP_PKEY *key = NULL;

	if (!view_take(&body, "openssh-key-v1") || body.n == 0 || body.p[0] != '\0')
		return err_set(err, "is not an OpenSSH private key");
	body = view_skip(body, 1);
	if (!wire_get_string(&body, &cipher) || !wire_get_string(&body, &kdf) ||
	    !wire_get_string(&body, &options) || !wire_get_u32(&body, &keys) || keys != 1 ||
	    !wire_get_string(&body, &public_blob) || !wire_get_string(&body, &secret))
		return err_set(err, "is cut off");
	if (!view_eq(cipher, "none"))
		return err_set(err, ENCRYPTED);
	if (!wire_get_u32(&secret, &check1) || !wire_get_u32(&secret, &check2) ||
	    check1 != check2 || !wire_get_string(&secret, &type))
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
	buf_add_view(blob, public_blob);
	*ret_key = key;
	return true;
}

/* Never asks on the terminal: an encrypted key is somebody else's to unlock. */
static int refuse_passphrase(char *out, int size, int writing, void *asked)
{
	(void)out, (void)size, (void)writing;
	*(bool *)asked = true;
	return -1;
}

static bool read_pem(struct view text, EVP_PKEY **ret_key, struct buf *blob, struct err *err)
{
	BIO *bio = BIO_new_mem_buf(text.p, (int)text.n);
	bool asked = false;
	EVP_PKEY *key =
	    bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, refuse_passphrase, &asked);

	BIO_free(bio);
	if (key == NULL)
		return err_set(err, "%s", asked ? ENCRYPTED : "is not a private key in PEM");
	if (!make_blob(key, blob, err)) {
		EVP_PKEY_free(key);
		return false;
	}
	*ret_key = key;
	return true;
}

bool keyfile_read(struct view text, void **ret_key, struct buf *blob, struct err *err)
{
	static const char begin[] = "-----BEGIN OPENSSH PRIVATE KEY-----";
	struct buf joined = {0}, body = {0};
	struct view line, rest = text;
	EVP_PKEY *key = NULL;
	bool ok;

	long at = view_find(text, begin);
	if (at < 0) {
		ok = read_pem(text, &key, blob, err);
	} else {
		rest = view_skip(text, (size_t)at + sizeof begin - 1);
		while (view_next_line(&rest, &line) && !view_starts(line, "-----END"))
			buf_add_view(&joined, view_trim(line));
		ok = text_base64_decode(buf_view(&joined), &body)
			 ? read_openssh(buf_view(&body), &key, blob, err)
			 : err_set(err, "is damaged: not base64");
		OPENSSL_cleanse(joined.p, joined.n);
		OPENSSL_cleanse(body.p, body.n);
		buf_free(&joined);
		buf_free(&body);
	}
	if (ok)
		*ret_key = key;
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
