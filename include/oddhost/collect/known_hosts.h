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
	KNOWN_HOSTS_UNKNOWN, /* no line names the host */
	KNOWN_HOSTS_CHANGED, /* lines name it, none with this key */
	KNOWN_HOSTS_REVOKED, /* this key is marked @revoked for it */
};

struct known_hosts *known_hosts_new(void);
void known_hosts_free(struct known_hosts *known_hosts); /* NULL does nothing */

/* Add a file's lines. A file that does not exist is fine; a bad line is a diagnostic. */
bool known_hosts_load(
    struct known_hosts *known_hosts, const char *path, struct diag_list *diags, struct err *err);
void known_hosts_add(struct known_hosts *known_hosts, struct view text, struct diag_list *diags);

/*
 * `host` as ssh would look it up (lower case, name or address), port 22 without brackets; `key` is
 * the public key blob (RFC 4253 section 6.6). As ssh does, a key that is known for the name on port
 * 22 also serves another port that no line names.
 */
enum known_hosts_result known_hosts_check(
    const struct known_hosts *known_hosts, const char *host, uint16_t port, struct view key);

/*
 * The key types known for the host, in the order of the file, comma separated, for the key
 * exchange to prefer; "" where none is. Where no line names the port, those for port 22. The
 * string belongs to the arena.
 */
const char *known_hosts_types(
    const struct known_hosts *known_hosts, const char *host, uint16_t port, struct arena *arena);

#endif
