#include "oddhost/collect/hmac.h"

#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>

typedef int init_fn(HMAC_CTX *ctx, const void *key, int n, const EVP_MD *md, ENGINE *engine);

static pthread_once_t once = PTHREAD_ONCE_INIT;
static init_fn *libcrypto_init;
static const EVP_MD *sha256; /* NULL: not fetched; kept until the program ends */

static void find(void)
{
	*(void **)&libcrypto_init = dlsym(RTLD_NEXT, "HMAC_Init_ex");
}

void hmac_fetch(void)
{
	if (sha256 == NULL)
		sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
}

int HMAC_Init_ex(HMAC_CTX *ctx, const void *key, int n, const EVP_MD *md, ENGINE *engine)
{
	pthread_once(&once, find);
	if (libcrypto_init == NULL)
		return 0;
	if (sha256 != NULL && md != NULL && md == EVP_sha256())
		md = sha256;
	return libcrypto_init(ctx, key, n, md, engine);
}
