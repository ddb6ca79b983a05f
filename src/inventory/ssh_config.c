#include "oddhost/inventory/ssh_config.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oddhost/base/file.h"
#include "oddhost/base/mem.h"
#include "oddhost/base/text.h"
#include "oddhost/inventory/ssh_blocks.h"
#include "oddhost/inventory/ssh_words.h"

#define FILE_MAX ((size_t)16 << 20)
#define MOST_BYTES ((size_t)64 << 20) /* of all files */
#define MOST_FILES 1000
#define DEEPEST_INCLUDE 16 /* as ssh */

struct ssh_config {
	struct inventory *inv;
	struct arena *arena;
	const struct ssh_local *local;
	struct ssh_blocks blocks;
	const char **ignored; /* IgnoreUnknown */
	size_t n_ignored, cap_ignored;
	size_t bytes, files;
};

/* The file that is being read. */
struct reader {
	struct ssh_config *config;
	const char *source;
	unsigned line, depth;
	bool user;     /* not the system's */
	bool includes; /* Include is heeded */
	size_t within; /* the block whose Include led here */
};

struct ssh_config *ssh_config_new(
    struct inventory *inv, struct arena *arena, const struct ssh_local *local)
{
	struct ssh_config *config = mem_alloc(sizeof *config);

	config->inv = inv;
	config->arena = arena;
	config->local = local;
	return config;
}

void ssh_config_free(struct ssh_config *config)
{
	if (config == NULL)
		return;
	ssh_blocks_free(&config->blocks);
	free(config);
}

static struct ssh_block *new_block(struct reader *reader, enum ssh_block_kind kind, size_t within)
{
	return ssh_blocks_add(&reader->config->blocks, reader->config->arena, kind, within);
}

static void fail(struct reader *reader, const char *keyword, const struct err *err)
{
	inventory_error_at(reader->config->inv, reader->source, reader->line, "%.40s: expected %s",
	    keyword, err->text);
}

static bool read_patterns(
    struct reader *reader, struct ssh_block *block, struct view text, struct err *err)
{
	struct arena *arena = reader->config->arena;
	struct buf word = {0};
	bool found, ok;

	while ((ok = ssh_words_next(&text, &word, &found, err)) && found) {
		if (word.n == 0) {
			ok = err_set(err, "no empty pattern");
			break;
		}
		if (memchr(word.p, '*', word.n) || memchr(word.p, '?', word.n) || word.p[0] == '!')
			block->kind = SSH_BLOCK_PATTERNS;
		block->patterns = arena_grow(arena, block->patterns, block->n_patterns,
		    &block->cap_patterns, sizeof *block->patterns);
		block->patterns[block->n_patterns++] = arena_dup_view(arena, buf_view(&word));
	}
	buf_free(&word);
	return ok;
}

static void read_host(struct reader *reader, struct view text)
{
	struct ssh_block *block = new_block(reader, SSH_BLOCK_NAMES, reader->within);
	struct err err;

	if (!read_patterns(reader, block, text, &err)) {
		fail(reader, "Host", &err);
		block->kind = SSH_BLOCK_NEVER;
	}
	for (size_t i = 0; block->kind == SSH_BLOCK_NAMES && i < block->n_patterns; i++)
		ssh_blocks_name(
		    &reader->config->blocks, reader->config->arena, block, block->patterns[i]);
}

static void read_match(struct reader *reader, struct view text)
{
	struct ssh_block *block = new_block(reader, SSH_BLOCK_MATCH, reader->within);
	struct ssh_config *config = reader->config;
	struct err err;

	if (!ssh_match_read(config->arena, text, &block->match, &err)) {
		fail(reader, "Match", &err);
		block->kind = SSH_BLOCK_NEVER;
		return;
	}
	config->blocks.final |= block->match.final;
	if (block->match.unanswered != NULL)
		inventory_warn_at(config->inv, reader->source, reader->line,
		    "Match %s is not evaluated%s: its lines are left out; a file without it may be "
		    "given with -F",
		    block->match.unanswered,
		    strcasecmp(block->match.unanswered, "exec") == 0 ? " (its command is never run)"
								     : "");
}

static void read_file(struct reader *reader, bool must_exist, bool check_owner);

static void include(struct reader *reader, const char *path, size_t within)
{
	struct reader inner = {.config = reader->config,
	    .source = arena_dup(reader->config->arena, path),
	    .depth = reader->depth + 1,
	    .user = reader->user,
	    .includes = true,
	    .within = within};

	if (inner.depth > DEEPEST_INCLUDE)
		inventory_error_at(reader->config->inv, reader->source, reader->line,
		    "Include: expected files that do not include each other more than %d deep",
		    DEEPEST_INCLUDE);
	else
		read_file(&inner, false, true);
}

static void include_glob(struct reader *reader, const char *pattern, size_t within)
{
	struct arena *arena = reader->config->arena;
	struct err err;
	glob_t found;

	if (pattern[0] == '~' && !reader->user) {
		err_set(&err, "no home directory in the system's file");
		fail(reader, "Include", &err);
		return;
	}
	if (pattern[0] == '~')
		pattern = ssh_expand_home(arena, reader->config->local, pattern);
	else if (pattern[0] != '/' && reader->user)
		pattern = arena_printf(arena, "%s/.ssh/%s", reader->config->local->home, pattern);
	else if (pattern[0] != '/')
		pattern = arena_printf(arena, "/etc/ssh/%s", pattern);
	int code = glob(pattern, 0, NULL, &found);
	if (code == GLOB_NOMATCH)
		return;
	if (code != 0) {
		err_set(&err, "a pattern of files that can be read");
		fail(reader, "Include", &err);
		return;
	}
	for (size_t i = 0; i < found.gl_pathc; i++)
		include(reader, found.gl_pathv[i], within);
	globfree(&found);
}

static void read_include(struct reader *reader, struct view text)
{
	size_t within = reader->config->blocks.n - 1;
	struct buf word = {0};
	bool found = true, ok = true;
	struct err err;

	while (reader->includes && (ok = ssh_words_next(&text, &word, &found, &err)) && found) {
		if (word.n > 0)
			include_glob(reader, buf_str(&word), within);
	}
	if (!ok)
		fail(reader, "Include", &err);
	buf_free(&word);
	new_block(reader, SSH_BLOCK_GOES_ON, within);
}

static void read_ignored(struct reader *reader, struct view text)
{
	struct ssh_config *config = reader->config;
	struct buf word = {0};
	struct err err;
	bool found;

	if (ssh_words_next(&text, &word, &found, &err) && found) {
		config->ignored = arena_grow(config->arena, config->ignored, config->n_ignored,
		    &config->cap_ignored, sizeof *config->ignored);
		char *patterns = arena_dup_view(config->arena, buf_view(&word));
		text_lower(patterns);
		config->ignored[config->n_ignored++] = patterns;
	}
	buf_free(&word);
}

static void warn_of_unknown(struct reader *reader, const char *keyword)
{
	struct ssh_config *config = reader->config;
	char *lower = arena_dup(config->arena, keyword);

	text_lower(lower);
	for (size_t i = 0; i < config->n_ignored; i++) {
		if (ssh_words_match_list(view_of(config->ignored[i]), view_of(lower)))
			return;
	}
	inventory_warn_at(config->inv, reader->source, reader->line,
	    "'%.40s' is no option of ssh, and is left out", keyword);
}

static void read_value(
    struct reader *reader, enum ssh_key key, const char *keyword, struct view text)
{
	struct ssh_config *config = reader->config;
	struct ssh_block *block = config->blocks.v[config->blocks.n - 1];
	struct ssh_value *value = arena_alloc(config->arena, sizeof *value);
	struct err err;

	if (!ssh_option_read(config->arena, key, text, value, &err)) {
		fail(reader, keyword, &err);
		return;
	}
	value->source = reader->source;
	value->line = reader->line;
	block->values = arena_grow(config->arena, block->values, block->n_values,
	    &block->cap_values, sizeof(struct ssh_value *));
	block->values[block->n_values++] = value;
}

static void read_keyword(struct reader *reader, const char *keyword, struct view rest)
{
	enum ssh_key key = ssh_option_key(view_of(keyword));

	switch (key) {
	case SSH_HOST:
		read_host(reader, rest);
		break;
	case SSH_MATCH:
		read_match(reader, rest);
		break;
	case SSH_INCLUDE:
		read_include(reader, rest);
		break;
	case SSH_IGNORE_UNKNOWN:
		read_ignored(reader, rest);
		break;
	case SSH_UNKNOWN:
		warn_of_unknown(reader, keyword);
		break;
	case SSH_OTHER:
	case SSH_HARMLESS:
		break;
	default:
		read_value(reader, key, keyword, rest);
	}
}

/* What is printed again, and compared with names, must be text without surprises. */
static bool is_plain(struct view line)
{
	for (size_t i = 0; i < line.n; i++) {
		unsigned char c = (unsigned char)line.p[i];
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return text_is_utf8(line);
}

/* ssh looks at the quotes of every line, also of those that it ignores. */
static bool quotes_close(struct view text, struct err *err)
{
	struct buf word = {0};
	bool found, ok;

	while ((ok = ssh_words_next(&text, &word, &found, err)) && found)
		continue;
	buf_free(&word);
	return ok;
}

static void read_line(struct reader *reader, struct view line)
{
	struct buf word = {0};
	struct err err;

	line = view_trim(line);
	if (line.n == 0 || line.p[0] == '#')
		return;
	if (!is_plain(line)) {
		err_set(&err, "UTF-8 without control characters");
		fail(reader, "line", &err);
		return;
	}
	bool found = ssh_words_delim(&line, &word);
	if (found && word.n == 0)
		found = ssh_words_delim(&line, &word);
	if (found && word.n > 0 && word.p[0] != '#') {
		const char *keyword = buf_str(&word);
		enum ssh_key key = ssh_option_key(view_of(keyword));
		if (line.n == 0 && key < SSH_OTHER) {
			err_set(&err, "a value");
			fail(reader, keyword, &err);
		} else if (!quotes_close(line, &err)) {
			fail(reader, keyword, &err);
		} else {
			read_keyword(reader, keyword, line);
		}
	} else if (!found) {
		err_set(&err, "a keyword, its quotes closed");
		fail(reader, "line", &err);
	}
	buf_free(&word);
}

static void read_text(struct reader *reader, struct view text)
{
	struct view line;

	new_block(reader, SSH_BLOCK_ALWAYS, reader->within);
	while (view_next_line(&text, &line)) {
		reader->line++;
		read_line(reader, line);
	}
}

/* ssh reads a user's file only where nobody else can have written it. */
static bool is_safe(struct reader *reader)
{
	struct stat st;

	if (stat(reader->source, &st) < 0)
		return true;
	if ((st.st_uid != 0 && st.st_uid != reader->config->local->uid) ||
	    (st.st_mode & 022) != 0) {
		inventory_error_at(reader->config->inv, reader->source, 0,
		    "others may write to this file, or own it: it is not read, nor does ssh");
		return false;
	}
	return true;
}

static void read_file(struct reader *reader, bool must_exist, bool check_owner)
{
	struct ssh_config *config = reader->config;
	struct buf text = {.max = FILE_MAX};
	struct err err;
	struct stat st;

	if (!must_exist && access(reader->source, F_OK) != 0 && errno == ENOENT)
		return;
	if (check_owner && !is_safe(reader))
		return;
	if (++config->files > MOST_FILES || config->bytes > MOST_BYTES) {
		if (config->files == MOST_FILES + 1)
			inventory_error_at(config->inv, reader->source, 0,
			    "too many files, or too large ones, are included: the rest is not "
			    "read");
		return;
	}
	if (stat(reader->source, &st) == 0 && S_ISDIR(st.st_mode)) {
		inventory_error_at(config->inv, reader->source, 0, "expected a file");
	} else if (file_read(reader->source, FILE_MAX, &text, &err)) {
		config->bytes += text.n;
		read_text(reader, buf_view(&text));
	} else {
		inventory_error_at(config->inv, NULL, 0, "%s", err.text);
	}
	buf_free(&text);
}

void ssh_config_read(struct ssh_config *config, struct view text, const char *source, bool includes)
{
	struct reader reader = {.config = config,
	    .source = source,
	    .user = true,
	    .includes = includes,
	    .within = SSH_NO_BLOCK};

	read_text(&reader, text);
}

static void load(struct ssh_config *config, const char *path, bool user, bool named)
{
	struct reader reader = {.config = config,
	    .source = arena_dup(config->arena, path),
	    .user = user,
	    .includes = true,
	    .within = SSH_NO_BLOCK};

	read_file(&reader, named, user && !named);
}

void ssh_config_load(struct ssh_config *config, const char *path)
{
	load(config, path, true, true);
}

void ssh_config_load_usual(struct ssh_config *config)
{
	load(config, arena_printf(config->arena, "%s/.ssh/config", config->local->home), true,
	    false);
	load(config, "/etc/ssh/ssh_config", false, false);
}

const char *ssh_config_apply(
    struct ssh_config *config, const char *host, struct ssh_options *options)
{
	return ssh_blocks_apply(&config->blocks, config->local, config->arena, host, options);
}
