/*
 * bcrypt_pbkdf, with which OpenSSH derives the key of an encrypted private key file (PROTOCOL.key
 * of OpenSSH; bcrypt_pbkdf(3) of OpenBSD). No library in Debian has it for C.
 */
#ifndef ODDHOST_COLLECT_BCRYPT_H
#define ODDHOST_COLLECT_BCRYPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "oddhost/base/view.h"

#define BCRYPT_ROUNDS_MAX 1000 /* ssh-keygen's default is 16 or 24; more would only stall us */

/* Fill out[0..n); false for an empty passphrase or salt, or rounds out of range. */
bool bcrypt_pbkdf(
    struct view passphrase, struct view salt, uint32_t rounds, unsigned char *out, size_t n);

#endif
