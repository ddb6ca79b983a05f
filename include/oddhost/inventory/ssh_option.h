/*
 * The options of ssh_config(5) that say how a host is reached and how to log in: their names, what
 * their values may be, and the set of those that hold for one host. A value knows where it was
 * written. Nothing here prints, reads files or connects.
 */
#ifndef ODDHOST_INVENTORY_SSH_OPTION_H
#define ODDHOST_INVENTORY_SSH_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "oddhost/base/arena.h"
#include "oddhost/base/err.h"
#include "oddhost/base/view.h"

enum ssh_key {
	SSH_HOST_NAME,
	SSH_PORT,
	SSH_USER,
	SSH_IDENTITY_FILE,
	SSH_USER_KNOWN_HOSTS,
	SSH_GLOBAL_KNOWN_HOSTS,
	SSH_HOST_KEY_ALIAS,
	SSH_HOST_KEY_CHECKING,
	SSH_PROXY_JUMP,
	SSH_PROXY_COMMAND,
	SSH_CANONICALIZE,
	SSH_IDENTITIES_ONLY,
	SSH_IDENTITY_AGENT,
	SSH_CONNECT_TIMEOUT,
	SSH_ADDRESS_FAMILY,
	SSH_BIND_ADDRESS,
	SSH_ALIVE_INTERVAL,
	SSH_FIRST_UNUSED, /* from here on: read, shown, and not acted on */
	SSH_CERTIFICATE_FILE = SSH_FIRST_UNUSED,
	SSH_REVOKED_KEYS,
	/* No options of ssh: what else a connection is made of. */
	SSH_DESTINATION, /* what stands on ssh's command line */
	SSH_LOCAL,
	SSH_BECOME,
	SSH_BECOME_USER,
	SSH_KEYS,

	SSH_HOST = SSH_KEYS, /* the keywords that give the file its shape */
	SSH_MATCH,
	SSH_INCLUDE,
	SSH_IGNORE_UNKNOWN,
	SSH_OTHER,    /* ssh knows it, and it changes how it logs in */
	SSH_HARMLESS, /* ssh knows it, and it is nothing to us */
	SSH_UNKNOWN,
};

struct ssh_value {
	enum ssh_key key;
	bool reported;      /* something about it was said: once is enough for all hosts */
	const char *flaw;   /* its tokens cannot be expanded: what was expected; or NULL */
	const char **words; /* one, but for files of known_hosts */
	size_t n;
	const char *source; /* a file, or what was given in its place */
	unsigned line;      /* 0: none */
};

/* The first value of a key wins; identities add up. */
struct ssh_options {
	struct ssh_value *value[SSH_KEYS]; /* NULL: not set; of identities, the first one */
	struct ssh_value **identities;
	size_t n_identities, cap_identities;
};

/* The key of a keyword, whatever its case. */
enum ssh_key ssh_option_key(struct view keyword);

/* The keyword as ssh_config(5) writes it; of the others, the name in this program. */
const char *ssh_option_name(enum ssh_key key);

/*
 * Read the arguments of a keyword below SSH_KEYS; memory is the arena's, ret->source and line are
 * the caller's. Fails with what was expected where ssh would refuse the line. Tokens are an error
 * only where the value is used: ret->flaw.
 */
bool ssh_option_read(struct arena *arena, enum ssh_key key, struct view arguments,
    struct ssh_value *ret, struct err *err);

/* A value of one word that needs no reading. */
struct ssh_value *ssh_option_make(
    struct arena *arena, enum ssh_key key, const char *word, const char *source, unsigned line);

/* Take a value: not where one stands already, and an identity not twice. */
void ssh_option_set(struct ssh_options *options, struct arena *arena, struct ssh_value *value);

/* The only word of a value, or `otherwise` where there is none. */
const char *ssh_option_text(
    const struct ssh_options *options, enum ssh_key key, const char *otherwise);

/* A time such as "90" or "1m30s" in seconds; 0 for none of them, and at most UINT_MAX. */
unsigned ssh_option_seconds(const char *text);

/* Is it a word that switches something on? */
bool ssh_option_is_yes(const char *word);

/*
 * The jump hosts that a ProxyCommand stands for, as a ProxyJump: `ssh [-q] [-p PORT] [-l USER]
 * -W %h:%p [USER@]HOST`, the way of before there was one. NULL where it is another command.
 */
const char *ssh_option_proxy_jump(struct arena *arena, const char *command);

/* A port's number from 1 to 65535 or a service's name; 0 for anything else. */
uint16_t ssh_option_port(struct view text);

/* One hop of ProxyJump: [user@]host[:port] or ssh://[user@]host[:port]; port 0: none. */
bool ssh_hop_read(
    struct view text, struct view *ret_user, struct view *ret_host, uint16_t *ret_port);

#endif
