/* What stands in an option of ssh for something else: the home directory, %-tokens, ${NAME}. */
#ifndef ODDHOST_INVENTORY_SSH_EXPAND_H
#define ODDHOST_INVENTORY_SSH_EXPAND_H

#include <stdbool.h>

#include "oddhost/base/arena.h"
#include "oddhost/base/err.h"
#include "oddhost/base/view.h"

/* This machine and user, for tokens and Match. */
struct ssh_local {
	const char *user, *home, *host; /* host: as gethostname(2) says */
	unsigned uid;
};

/* Filled once; strings go to the arena. The home is $HOME, else that of the password file. */
void ssh_local_find(struct arena *arena, struct ssh_local *ret);

/* What the tokens of a value stand for. */
struct ssh_tokens {
	const struct ssh_local *local;
	const char *host, *original, *port, *user, *known_as; /* %h %n %p %r %k */
};

/* "~/x" and "~user/x" with the home directory; anything else as it stands. */
const char *ssh_expand_home(struct arena *arena, const struct ssh_local *local, const char *path);

/*
 * %h %n %p %r %k %u %d %i %L %l %% and, with `environment`, ${NAME}, in a text that was read by
 * ssh_option_read. A text without any of them is returned as it is.
 */
const char *ssh_expand(
    struct arena *arena, const struct ssh_tokens *tokens, const char *text, bool environment);

/*
 * Can the text be expanded? `letters` are the tokens that it may have. Fails where one is another
 * or cut off, or a variable of the environment is not set.
 */
bool ssh_expand_check(struct view text, const char *letters, bool environment, struct err *err);

#endif
