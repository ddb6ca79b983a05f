#include "oddhost/collect/hmac.h"

#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdatomic.h>
#include <string.h>

typedef int init_fn(HMAC_CTX *ctx, const void *key, int n, const EVP_MD *md, ENGINE *engine);

static const EVP_MD *sha256; /* NULL: not fetched; kept until the program ends */

void hmac_fetch(void)
{
	if (sha256 == NULL)
		sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
}

/* Threads that look at the same time find the same. */
static init_fn *libcrypto_init(void)
{
	static void *_Atomic found;
	void *symbol = atomic_load(&found);
	init_fn *init;

	if (symbol == NULL)
		atomic_store(&found, symbol = dlsym(RTLD_NEXT, "HMAC_Init_ex"));
	memcpy(&init, &symbol, sizeof init);
	return init;
}

int HMAC_Init_ex(HMAC_CTX *ctx, const void *key, int n, const EVP_MD *md, ENGINE *engine)
{
	init_fn *init = libcrypto_init();

	if (init == NULL)
		return 0; /* not found: no packet will have the right MAC, and sshd drops us */
	if (sha256 != NULL && md != NULL && md == EVP_sha256())
		md = sha256;
	return init(ctx, key, n, md, engine);
}
