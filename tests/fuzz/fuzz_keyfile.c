/*
 * Any bytes as a private key file; and, for a fuzzer does not find base64, as the decoded body of
 * one in OpenSSH's format. A key that is read must sign or refuse to.
 */
#include <stdint.h>
#include <stdlib.h>

#include "oddhost/base/text.h"
#include "oddhost/collect/keyfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try(struct view text)
{
	static const char *const algorithms[] = {
	    "ssh-ed25519", "rsa-sha2-512", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp521"};
	struct buf blob = {0}, signature = {0};
	struct err err;
	void *key = NULL;

	if (keyfile_read(text, &key, &blob, &err)) {
		if (key == NULL || blob.n == 0)
			abort();
		for (size_t i = 0; blob.n < 300 && i < sizeof algorithms / sizeof *algorithms; i++)
			keyfile_sign(
			    key, view_of(algorithms[i]), view_of("data"), &signature, &err);
		keyfile_free(key);
	} else if (key != NULL || blob.n != 0) {
		abort();
	}
	buf_free(&blob);
	buf_free(&signature);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view bytes = {(const char *)data, size};
	struct buf text = {0};

	try(bytes);
	buf_puts(&text, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
	text_base64_encode(bytes, &text);
	buf_puts(&text, "\n-----END OPENSSH PRIVATE KEY-----\n");
	try(buf_view(&text));
	buf_free(&text);
	return 0;
}
