/*
 * The lines of a pasted terminal on which somebody typed: prompts of shells, and `ssh HOST CMD`.
 * Views of the line, or words in the arena that was passed in.
 */
#ifndef ODDHOST_PARSE_PROMPT_H
#define ODDHOST_PARSE_PROMPT_H

#include <stdbool.h>

#include "oddhost/base/arena.h"
#include "oddhost/base/view.h"

struct prompt {
	struct view host;    /* whose shell it is; empty where the prompt does not say it */
	struct view command; /* what was typed; empty: nothing */
	struct view text;    /* the prompt itself, where only its command tells that it is one: what
				else begins like that is a prompt as well; else empty */
};

/*
 * A prompt, perhaps behind a time or "(venv)":
 *   [USER@HOST DIR]# CMD                       Red Hat's
 *   USER@HOST:DIR$ CMD, HOST:DIR # CMD         Debian's, SUSE's
 *   USER@HOST DIR % CMD, USER@HOST [DIR]# CMD  Gentoo's, zsh's
 *   HOST# CMD                                  where CMD is one that a transcript usually has
 *   bash-5.1# CMD, / # CMD, $ CMD, # CMD       no host; "#" and ">" alone as with HOST
 * Marks are # $ % and >, perhaps behind a part in parentheses (git's branch); a blank or the line's
 * end follows. DIR begins with ~ or /. False where the line is none of these.
 */
bool prompt_take(struct view line, struct arena *arena, struct prompt *ret);

/* `ssh [options] [USER@]HOST [--] [CMD…]`. A command that is one quoted word is what is inside. */
bool prompt_take_ssh(struct view line, struct arena *arena, struct prompt *ret);

/* No prompt as above, but a question behind a mark: somebody else's line, for all that is known. */
bool prompt_is_suspect(struct view line, struct arena *arena);

#endif
