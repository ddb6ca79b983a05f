/*
 * The files become one list of blocks in the order of their lines, Include unfolded: a block is a
 * Host or Match line and the options below it. Its lines hold where its condition does and where
 * the block that includes its file does; behind an Include the block goes on under the same
 * condition, which must not be asked again, since Match looks at what was set meanwhile.
 *
 * For a host the list is walked once (twice where Match final stands anywhere). Most Host lines
 * name hosts without wildcards: these are found in a table and marked, so that the walk only looks
 * at the mark.
 */
#include "oddhost/inventory/ssh_blocks.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "oddhost/base/mem.h"
#include "oddhost/base/text.h"
#include "oddhost/inventory/ssh_words.h"
#include "oddhost/net/prefix.h"

/* The blocks whose Host line has a name. */
struct named {
	struct ssh_block **blocks;
	size_t n, cap;
};

void ssh_blocks_free(struct ssh_blocks *blocks)
{
	table_free(&blocks->names);
	free(blocks->v);
	*blocks = (struct ssh_blocks){0};
}

struct ssh_block *ssh_blocks_add(
    struct ssh_blocks *blocks, struct arena *arena, enum ssh_block_kind kind, size_t within)
{
	struct ssh_block *block = arena_alloc(arena, sizeof *block);

	block->kind = kind;
	block->within = within;
	blocks->v = mem_grow(blocks->v, blocks->n, &blocks->cap, sizeof(struct ssh_block *));
	blocks->v[blocks->n++] = block;
	return block;
}

void ssh_blocks_name(
    struct ssh_blocks *blocks, struct arena *arena, struct ssh_block *block, const char *name)
{
	struct named *named = table_get(&blocks->names, view_of(name));

	if (named == NULL) {
		named = arena_alloc(arena, sizeof *named);
		table_add(&blocks->names, view_of(name), named);
	}
	if (named->n > 0 && named->blocks[named->n - 1] == block)
		return;
	named->blocks =
	    arena_grow(arena, named->blocks, named->n, &named->cap, sizeof(struct ssh_block *));
	named->blocks[named->n++] = block;
}

static bool match_patterns(const struct ssh_block *block, struct view host)
{
	bool matched = false;

	for (size_t i = 0; i < block->n_patterns; i++) {
		struct view pattern = view_of(block->patterns[i]);
		bool negated = view_take(&pattern, "!");
		if ((matched && !negated) || !ssh_words_match(pattern, host))
			continue;
		if (negated)
			return false;
		matched = true;
	}
	return matched;
}

/* A walk over the blocks for one host. */
struct walk {
	struct ssh_blocks *blocks;
	const struct ssh_local *local;
	struct arena *arena;
	const char *host, *original;
	struct ssh_options *options;
	bool final;
};

/* As getaddrinfo() reads one: also 0x7f.1 and 1.2.3, which inet_aton(3) knows. */
static bool read_address(const char *name, struct ip *ret)
{
	char text[INET_ADDRSTRLEN];
	struct in_addr old;

	if (ip_parse(view_of(name), ret))
		return true;
	return strpbrk(name, " \t\n\v\f\r") == NULL && inet_aton(name, &old) != 0 &&
	       inet_ntop(AF_INET, &old, text, sizeof text) != NULL && ip_parse(view_of(text), ret);
}

/*
 * Every copy of a host name in the form that ssh connects to: addresses as libc prints them, unless
 * AddressFamily rules them out, when ssh does not see an address in them.
 */
static const char *canonical_name(struct arena *arena, const char *name, const char *family)
{
	char text[IP_TEXT_SIZE];
	struct ip ip;
	bool upper = false;

	if (read_address(name, &ip) &&
	    strcasecmp(family, ip.family == IP_V6 ? "inet" : "inet6") != 0) {
		ip_format(&ip, text);
		return strcmp(text, name) == 0 ? name : arena_dup(arena, text);
	}
	if (strpbrk(name, ":%") != NULL)
		return name;
	for (const char *p = name; *p != '\0'; p++)
		upper |= isupper((unsigned char)*p) != 0;
	if (!upper)
		return name;
	char *copy = arena_dup(arena, name);
	text_lower(copy);
	return copy;
}

/* HostName, with %h for the name that was asked for. */
static const char *host_name(const struct walk *walk)
{
	struct ssh_tokens tokens = {.local = walk->local, .host = walk->host};
	const struct ssh_value *name = walk->options->value[SSH_HOST_NAME];

	if (name == NULL || name->flaw != NULL || walk->final)
		return walk->host;
	return ssh_expand(walk->arena, &tokens, name->words[0], false);
}

static bool match_holds(const struct walk *walk, const struct ssh_match *match)
{
	const char *local = walk->local->user;
	struct ssh_match_facts facts = {
	    .host = view_of(host_name(walk)),
	    .original = view_of(walk->original),
	    .user = view_of(ssh_option_text(walk->options, SSH_USER, local)),
	    .local_user = view_of(local),
	    .final = walk->final,
	};

	return ssh_match_holds(match, &facts);
}

static bool is_active(const struct walk *walk, const struct ssh_block *block)
{
	const struct ssh_blocks *blocks = walk->blocks;

	if (block->within != SSH_NO_BLOCK && !blocks->v[block->within]->active)
		return false;
	switch (block->kind) {
	case SSH_BLOCK_NAMES:
		return block->turn == blocks->turn;
	case SSH_BLOCK_PATTERNS:
		return match_patterns(block, view_of(walk->host));
	case SSH_BLOCK_MATCH:
		return match_holds(walk, &block->match);
	case SSH_BLOCK_NEVER:
		return false;
	default:
		return true;
	}
}

static void walk_blocks(struct walk *walk)
{
	struct ssh_blocks *blocks = walk->blocks;
	const struct named *named = table_get(&blocks->names, view_of(walk->host));

	blocks->turn++;
	for (size_t i = 0; named != NULL && i < named->n; i++)
		named->blocks[i]->turn = blocks->turn;
	for (size_t i = 0; i < blocks->n; i++) {
		struct ssh_block *block = blocks->v[i];
		block->active = is_active(walk, block);
		for (size_t k = 0; block->active && k < block->n_values; k++)
			ssh_option_set(walk->options, walk->arena, block->values[k]);
	}
}

const char *ssh_blocks_apply(struct ssh_blocks *blocks, const struct ssh_local *local,
    struct arena *arena, const char *host, struct ssh_options *options)
{
	struct walk walk = {.blocks = blocks,
	    .local = local,
	    .arena = arena,
	    .host = host,
	    .original = host,
	    .options = options};

	walk_blocks(&walk);
	walk.host = canonical_name(
	    arena, host_name(&walk), ssh_option_text(options, SSH_ADDRESS_FAMILY, "any"));
	if (blocks->final) {
		struct ssh_value *name = options->value[SSH_HOST_NAME];
		walk.final = true;
		walk_blocks(&walk);
		options->value[SSH_HOST_NAME] = name; /* the final pass cannot change it */
	}
	return walk.host;
}
