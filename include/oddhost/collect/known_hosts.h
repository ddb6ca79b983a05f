/*
 * known_hosts (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT): a matcher of our own, since libssh2's ignores
 * revocation, wildcards and negation, and drops the rest of a file behind one bad line. Plain and
 * hashed names, patterns with '*', '?' and '!', [host]:port, @revoked. Lines marked @cert-authority
 * are not used: host certificates are not verified. Read-only; safe to share once loaded.
 */
#ifndef ODDHOST_COLLECT_KNOWN_HOSTS_H
#define ODDHOST_COLLECT_KNOWN_HOSTS_H

#include <stdbool.h>
#include <stdint.h>

#include "oddhost/base/arena.h"
#include "oddhost/base/diag.h"
#include "oddhost/base/err.h"
#include "oddhost/base/view.h"

struct known_hosts;

enum known_hosts_result {
	KNOWN_HOSTS_MATCH,
	KNOWN_HOSTS_UNKNOWN,    /* no line names the host */
	KNOWN_HOSTS_CHANGED,    /* lines name it with other keys of this type */
	KNOWN_HOSTS_OTHER_TYPE, /* lines name it, with keys of other types alone */
	KNOWN_HOSTS_REVOKED,    /* this key is marked @revoked for it */
};

struct known_key {
	struct view type, blob;
	bool revoked;
};

struct known_keys {
	struct known_key *v;
	size_t n, cap;
	bool named; /* a line that is not a revocation names the host and its port */
};

struct known_hosts *known_hosts_new(void);
void known_hosts_free(struct known_hosts *known_hosts); /* NULL does nothing */

/* Add a file's lines. A file that does not exist is fine; a bad line is a diagnostic. */
bool known_hosts_load(
    struct known_hosts *known_hosts, const char *path, struct diag_list *diags, struct err *err);
void known_hosts_add(struct known_hosts *known_hosts, struct view text, struct diag_list *diags);

/*
 * The keys of all lines that name a host, `host` as ssh would look it up (name or address), port 22
 * without brackets. As ssh does, where no line names the host's port those for port 22 are taken:
 * a key of theirs is known, but none of theirs is missed. The list belongs to the arena, what it
 * points at to known_hosts.
 */
struct known_keys known_hosts_find(
    const struct known_hosts *known_hosts, const char *host, uint16_t port, struct arena *arena);

/*
 * `blob` is a public key blob (RFC 4253 section 6.6). Another type than all that are known is an
 * alarm too where one of those would have been agreed on first: whether it was asked for, the
 * caller knows.
 */
enum known_hosts_result known_keys_check(const struct known_keys *keys, struct view blob);

/* Is a key of that type ("ssh-ed25519") known, so that the key exchange should prefer it? */
bool known_keys_have_type(const struct known_keys *keys, struct view type);

#endif
