/*
 * A configuration of ssh in memory: its Host and Match lines in order, each with the options below
 * it. Made by the reader of the files (ssh_config.c). All memory but the array is the arena's.
 */
#ifndef ODDHOST_INVENTORY_SSH_BLOCKS_H
#define ODDHOST_INVENTORY_SSH_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "oddhost/base/arena.h"
#include "oddhost/base/table.h"
#include "oddhost/inventory/ssh_expand.h"
#include "oddhost/inventory/ssh_match.h"
#include "oddhost/inventory/ssh_option.h"

#define SSH_NO_BLOCK SIZE_MAX

enum ssh_block_kind {
	SSH_BLOCK_ALWAYS,   /* before the first Host or Match of a file */
	SSH_BLOCK_GOES_ON,  /* behind an Include */
	SSH_BLOCK_NAMES,    /* Host, without wildcards: known by ssh_blocks_name */
	SSH_BLOCK_PATTERNS, /* Host */
	SSH_BLOCK_MATCH,
	SSH_BLOCK_NEVER, /* its line was not understood */
};

struct ssh_block {
	enum ssh_block_kind kind;
	size_t within; /* the block whose Include led here, or that goes on; SSH_NO_BLOCK: none */
	const char **patterns;
	size_t n_patterns, cap_patterns;
	struct ssh_match match;
	struct ssh_value **values;
	size_t n_values, cap_values;
	bool active;   /* in the last walk */
	unsigned turn; /* of the last walk for a host that it names */
};

struct ssh_blocks {
	struct ssh_block **v;
	size_t n, cap;
	struct table names;
	bool final;    /* some Match asks for the final pass */
	unsigned turn; /* number of the last walk */
};

void ssh_blocks_free(struct ssh_blocks *blocks); /* leaves it empty */

/* A new block at the end. */
struct ssh_block *ssh_blocks_add(
    struct ssh_blocks *blocks, struct arena *arena, enum ssh_block_kind kind, size_t within);

/* A host that a block of names is about. */
void ssh_blocks_name(
    struct ssh_blocks *blocks, struct arena *arena, struct ssh_block *block, const char *name);

/* As ssh_config_apply; `arena` is for the result. */
const char *ssh_blocks_apply(struct ssh_blocks *blocks, const struct ssh_local *local,
    struct arena *arena, const char *host, struct ssh_options *options);

#endif
