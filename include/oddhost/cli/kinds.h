/* The kinds of output that `oddhost parse` reads: each is a parser and the JSON of its result. */
#ifndef ODDHOST_CLI_KINDS_H
#define ODDHOST_CLI_KINDS_H

#include <stdbool.h>
#include <stdio.h>

#include "oddhost/base/arena.h"
#include "oddhost/base/diag.h"
#include "oddhost/base/err.h"
#include "oddhost/base/json.h"
#include "oddhost/base/view.h"

struct kind_input {
	struct view text;
	const char *source;  /* names the text in what a transcript says */
	struct arena *arena; /* holds what is read */
	struct diag_list *diags;
	struct err *err;
	bool nothing; /* set where the text says something and none of it was understood */
};

struct kind {
	const char *name; /* "docker-ps" */
	struct json *(*read)(
	    struct kind_input *in); /* the caller's; NULL with *err set: no such thing there */
	const char *what;           /* for people */
};

const struct kind *kind_named(const char *name); /* NULL: there is none */
const struct kind *kind_all(size_t *ret_n);
void kind_list(FILE *out); /* a line each */

#endif
