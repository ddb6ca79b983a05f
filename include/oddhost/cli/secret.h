/*
 * Asking for a secret on the terminal, without echo. It goes into memory that the caller wipes; it
 * is never an argument, never in the environment, never in the run directory.
 */
#ifndef ODDHOST_CLI_SECRET_H
#define ODDHOST_CLI_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* False where there is no terminal (/dev/tty), nothing was typed, or it does not fit. */
bool secret_ask(const char *prompt, char *out, size_t size);

/* identities_ask of collect/identity.h; `context` is not used. */
bool secret_ask_passphrase(void *context, const char *file, char *out, size_t size);

#endif
