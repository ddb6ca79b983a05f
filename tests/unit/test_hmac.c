/* HMAC_Init_ex() of our own: the same answers, of an implementation that was looked up once. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "unit.h"

#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "oddhost/collect/hmac.h"

/* RFC 4231 section 4.3, and RFC 2202 section 3, test case 2 of both. */
static const char key[] = "Jefe", data[] = "what do ya want for nothing?";
static const char sha256_answer[] =
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
static const char sha1_answer[] = "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79";

/* Twice, the second time with the key that it has; true: the digest was fetched. */
static bool check(const EVP_MD *md, const char *answer)
{
	HMAC_CTX *ctx = HMAC_CTX_new();
	bool fetched = false;

	assert_int_equal(HMAC_Init_ex(ctx, key, (int)strlen(key), md, NULL), 1);
	for (int round = 0; round < 2; round++) {
		unsigned char hash[EVP_MAX_MD_SIZE];
		char hex[2 * EVP_MAX_MD_SIZE + 1];
		unsigned n;
		assert_int_equal(HMAC_Update(ctx, (const unsigned char *)data, strlen(data)), 1);
		assert_int_equal(HMAC_Final(ctx, hash, &n), 1);
		for (unsigned i = 0; i < n; i++)
			snprintf(hex + (size_t)2 * i, 3, "%02x", hash[i]);
		assert_string_equal(hex, answer);
		fetched = EVP_MD_get0_provider(HMAC_CTX_get_md(ctx)) != NULL;
		assert_int_equal(HMAC_Init_ex(ctx, NULL, 0, NULL, NULL), 1);
	}
	HMAC_CTX_free(ctx);
	return fetched;
}

static void test_answers(void **state)
{
	(void)state;
	assert_false(check(EVP_sha256(), sha256_answer));
	assert_false(check(EVP_sha1(), sha1_answer));
	hmac_fetch();
	hmac_fetch();
	assert_true(check(EVP_sha256(), sha256_answer));
	assert_false(check(EVP_sha1(), sha1_answer));
}

/* Libraries find ours first: one that was built otherwise would never call it. */
static void test_found_first(void **state)
{
	void *found = dlsym(RTLD_DEFAULT, "HMAC_Init_ex"), *next = dlsym(RTLD_NEXT, "HMAC_Init_ex");
	int (*ours)(HMAC_CTX *, const void *, int, const EVP_MD *, ENGINE *) = HMAC_Init_ex;

	(void)state;
	assert_memory_equal(&found, &ours, sizeof found);
	assert_non_null(next);
	assert_ptr_not_equal(found, next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_answers),
	    cmocka_unit_test(test_found_first),
	};

	return cmocka_run_group_tests_name("hmac", tests, NULL, NULL);
}
