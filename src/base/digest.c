#include "oddhost/base/digest.h"

#include <stdio.h>

#include <openssl/evp.h>

const char *digest_sha256(struct view bytes, char out[DIGEST_TEXT_SIZE])
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	EVP_Digest(bytes.p, bytes.n, hash, &n, EVP_sha256(), NULL);
	for (unsigned i = 0; i < 32; i++)
		snprintf(out + 2 * (size_t)i, 3, "%02x", i < n ? hash[i] : 0);
	return out;
}
