/* What a command line asks a host: the name of the probe whose answer its output is. */
#ifndef ODDHOST_PARSE_COMMAND_H
#define ODDHOST_PARSE_COMMAND_H

#include "oddhost/base/arena.h"
#include "oddhost/base/view.h"

/*
 * "routes" for `sudo route -n`, "ping:db.example" for `ping -c 3 db.example`, and so on; NULL where
 * it is no question that a parser knows, or where its output is only a part of the answer (a pipe,
 * one table, one interface). The string is the arena's.
 */
const char *command_probe_name(struct arena *arena, struct view command);

/*
 * Is it a question as above, or does it come to a shell or leave one: what tells a prompt from text
 * that looks like one?
 */
bool command_is_usual(struct arena *arena, struct view command);

/* Does it give a shell on the same host: `sudo -i`, `su -`, `bash`? */
bool command_is_shell(struct arena *arena, struct view command);

/*
 * The next word of a shell command, with its quotes taken away, in the arena; false at the end.
 * Only blanks and quotes are special.
 */
bool command_next_word(struct view *cursor, struct arena *arena, struct view *ret_word);

#endif
