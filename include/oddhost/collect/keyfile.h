/*
 * Private key files: OpenSSH's format (PROTOCOL.key of OpenSSH) and PEM, of types
 * ed25519, ecdsa and RSA. libssl's header stays behind a void pointer to an EVP_PKEY.
 */
#ifndef ODDHOST_COLLECT_KEYFILE_H
#define ODDHOST_COLLECT_KEYFILE_H

#include <stdbool.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/err.h"
#include "oddhost/base/view.h"

/*
 * Read a private key: *ret_key is an EVP_PKEY that the caller frees with keyfile_free(); the public
 * key blob is appended to `blob`. An encrypted key fails with a message that names the agent.
 */
bool keyfile_read(struct view text, void **ret_key, struct buf *blob, struct err *err);

/* The same for an encrypted one. It takes about 100 ms, by intention of the format. */
bool keyfile_unlock(
    struct view text, struct view passphrase, void **ret_key, struct buf *blob, struct err *err);

/* Is it encrypted? Then its public key blob is appended where it stands in clear (not in PEM). */
bool keyfile_is_encrypted(struct view text, struct buf *blob);

/* Of an encrypted one: can its cipher be undone here? It is to be known before anybody is asked. */
bool keyfile_can_unlock(struct view text, struct err *err);

void keyfile_free(void *key); /* NULL does nothing */

/* Append the bare signature of `data` for an algorithm of RFC 4253, 5656, 8332 or 8709. */
bool keyfile_sign(
    void *key, struct view algorithm, struct view data, struct buf *signature, struct err *err);

#endif
