/*
 * Identities: the keys to log in with, from files and from an agent, each loaded once for all
 * sessions, and signing with them (RFC 4252 section 7). Files may be OpenSSH's own format or PEM;
 * of an encrypted one the agent may hold the key, or its passphrase is asked for. Thread-safe.
 * A private key that others can read is used, with a warning; ssh refuses it.
 */
#ifndef ODDHOST_COLLECT_IDENTITY_H
#define ODDHOST_COLLECT_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/diag.h"
#include "oddhost/base/err.h"
#include "oddhost/base/view.h"
#include "oddhost/model/run.h"

struct agent_keys;

struct identity {
	const char *source; /* the file, or "agent: COMMENT" */
	const char *type;   /* "ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256" */
	struct view blob;   /* public key as the server knows it */
	struct view
	    offer; /* the blob as it is offered: an RSA key names rsa-sha2-512 as its type */
	void *key; /* EVP_PKEY of a file's key; NULL: the agent signs */
	struct agent_keys *agent; /* that is asked to */
	bool unusable;
	const char *problem; /* why it is unusable, for people; NULL where that is not known */
};

struct identities;

/*
 * Asks for the passphrase of a key file: writes it with its NUL into `out`, false where there is
 * nobody to ask, or nobody answers. Called three times for a file at most, as long as the
 * passphrase is wrong, from within identities_file() and identities_usual().
 */
typedef bool identities_ask(void *context, const char *file, char *out, size_t size);

/*
 * They are counted, since a thread may still wait for the agent when the run is over: hold adds a
 * user, free takes one away, and the last one wipes the keys. NULL does nothing.
 */
struct identities *identities_new(const char *home, /* for the usual files; may be NULL */
    identities_ask *ask, void *ask_context);        /* may be NULL */
struct identities *identities_hold(struct identities *identities);
void identities_free(struct identities *identities);

/*
 * An agent is named by its socket; NULL is that of SSH_AUTH_SOCK, and "" is none.
 *
 * The key of a file, loaded at the first call and remembered (also where it cannot be used, which
 * is a diagnostic once). Where the file is a public key, or only FILE.pub is there, the agent must
 * hold the private one. Never NULL.
 */
const struct identity *identities_file(
    struct identities *identities, const char *path, const char *agent, struct diag_list *diags);

/*
 * Likewise the usual files of ~/.ssh by number, in the order in which they are offered; NULL behind
 * the last, and at once where the host has named keys or wants none of these. It is no complaint
 * that one is not there. The passphrase of an encrypted one is asked for only where there is no
 * agent with keys, since one of those may do.
 */
const struct identity *identities_usual(
    struct identities *identities, const struct host_spec *spec, size_t i, struct diag_list *diags);

/* The agent's keys, asked once; n is 0 where there is no agent. */
const struct identity *identities_agent(
    struct identities *identities, const char *agent, size_t *ret_n, struct diag_list *diags);

/*
 * Sign `data` (a userauth request: the algorithm asked for is read from it) and append the bare
 * signature, as libssh2's callback wants it. Where the agent signs (key is NULL) this blocks as
 * long as it asks its user, a minute at most.
 */
bool identity_sign(struct identities *identities, const struct identity *identity, struct view data,
    struct buf *signature, struct err *err);

#endif
