#include "oddhost/parse/prompt.h"

#include <string.h>

#include "oddhost/parse/command.h"

#define MARKS_MOST 4
#define LINE_MOST 1024 /* longer ones are nobody's typing behind a prompt that is not known */

static bool is_mark(char c)
{
	return c != '\0' && strchr("#$%>", c) != NULL;
}

static bool ends_in_mark(struct view v)
{
	return v.n > 0 && is_mark(v.p[v.n - 1]);
}

static bool is_name(struct view v)
{
	static const char allowed[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "-._:";

	if (v.n == 0 || v.n > 253 || v.p[0] == '-' || v.p[0] == ':')
		return false;
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] == '\0' || strchr(allowed, v.p[i]) == NULL)
			return false;
	}
	return true;
}

/* What stands behind "USER@", where there is one. */
static struct view without_user(struct view v)
{
	long at = view_find_char(v, '@');

	return at < 0 ? v : view_skip(v, (size_t)at + 1);
}

static bool is_dir(struct view v)
{
	return view_starts(v, "~") || view_starts(v, "/");
}

/* Where ":DIR" begins in the word, or its length. */
static size_t find_dir(struct view word)
{
	for (size_t i = 1; i + 1 < word.n; i++) {
		if (word.p[i] == ':' && is_dir(view_skip(word, i + 1)))
			return i;
	}
	return word.n;
}

/* `[USER@HOST DIR]# CMD`, `[USER@HOST:DIR]# CMD` */
static bool take_bracket(struct view line, struct prompt *ret)
{
	struct view user_host;
	long close = view_find_char(line, ']');

	if (!view_starts(line, "[") || close < 0 || (size_t)close + 1 >= line.n)
		return false;
	struct view inside = view_skip(view_left(line, (size_t)close), 1);
	struct view behind = view_skip(line, (size_t)close + 1);
	if (!is_mark(behind.p[0]) || view_find_char(inside, '@') <= 0 ||
	    !view_next_word(&inside, &user_host))
		return false;
	size_t end = find_dir(user_host);
	if (end == user_host.n && view_trim(inside).n == 0)
		return false;
	behind = view_skip(behind, 1);
	if (behind.n > 0 && behind.p[0] != ' ')
		return false;
	*ret = (struct prompt){
	    .host = without_user(view_left(user_host, end)), .command = view_trim(behind)};
	return is_name(ret->host);
}

/* "bash-5.1", "sh": what a shell calls itself where it has no prompt of its own. */
static bool is_shell(struct view name)
{
	static const char *const shells[] = {"bash", "dash", "ash", "zsh", "ksh", "sh"};

	for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
		struct view rest = name;
		if (view_take(&rest, shells[i]) && (rest.n == 0 || rest.p[0] == '-'))
			return true;
	}
	return false;
}

/*
 * The words behind the first one, up to the one that ends in a mark: DIR, [DIR], (BRANCH). *ret_dir
 * is set where there was a DIR.
 */
static bool skip_to_mark(struct view *rest, bool *ret_dir)
{
	struct view word;

	for (int n = 0; n < 6 && view_next_word(rest, &word); n++) {
		bool dir = is_dir(word) || view_starts(word, "[");
		if (view_starts(word, "(")) {
			while (
			    view_find_char(word, ')') < 0 && n++ < 6 && view_next_word(rest, &word))
				;
			if (view_find_char(word, ')') < 0)
				return false;
		} else if (!dir && !(word.n == 1 && is_mark(word.p[0]))) {
			return false;
		}
		*ret_dir = *ret_dir || dir;
		if (ends_in_mark(word))
			return true;
	}
	return false;
}

/* All others. */
static bool take_words(struct view line, struct arena *arena, struct prompt *ret)
{
	struct view word, name, rest = line;

	if (!view_next_word(&rest, &word) || word.p != line.p)
		return false;
	bool dir = is_dir(word), user = view_find_char(word, '@') > 0, ended = ends_in_mark(word);
	size_t end = dir ? 0 : find_dir(word);
	if (end == word.n && ended)
		end--;
	else
		dir = dir || end < word.n;
	name = without_user(view_left(word, end));
	if ((end > 0 && !is_name(name)) || (end == 0 && user) ||
	    (!ended && !skip_to_mark(&rest, &dir)))
		return false;
	bool shell = !user && !dir && is_shell(name), sure = user || dir || shell;
	if (shell)
		name = view_of("");
	else if (!sure && end == 0)
		sure = word.p[0] == '$' || word.p[0] == '%';
	*ret = (struct prompt){.host = name, .command = view_trim(rest)};
	if (!sure && name.n > 0)
		ret->text = view_left(line, line.n - rest.n);
	return sure || command_is_usual(arena, ret->command);
}

/* "12:00:00", "[12:00]", "2026-11-26" */
static bool is_time(struct view word)
{
	size_t separators = 0;

	view_take(&word, "[");
	if (view_ends(word, "]"))
		word.n--;
	for (size_t i = 0; i < word.n; i++) {
		if (word.p[i] == ':' || word.p[i] == '-')
			separators++;
		else if (word.p[i] < '0' || word.p[i] > '9')
			return false;
	}
	return separators > 0 && word.n >= 4 && word.p[0] != ':';
}

bool prompt_take(struct view line, struct arena *arena, struct prompt *ret)
{
	struct view word, rest = line;

	for (int n = 0; n < 2 && view_next_word(&rest, &word) && word.p == line.p && is_time(word);
	     n++)
		line = rest = view_trim(rest);
	if (view_starts(line, "(")) { /* "(venv) user@host:~$" */
		long close = view_find(line, ") ");
		if (close > 0)
			line = view_trim(view_skip(line, (size_t)close + 2));
	}
	return take_bracket(line, ret) || take_words(line, arena, ret);
}

/* The options that have a value are ssh(1)'s. */
bool prompt_take_ssh(struct view line, struct arena *arena, struct prompt *ret)
{
	struct view word, whole, rest = line;

	if (!view_take(&rest, "ssh "))
		return false;
	while (command_next_word(&rest, arena, &word)) {
		if (!view_starts(word, "-")) {
			struct view host = without_user(word);
			struct view command = view_trim(rest), dashes = command;
			if (command_next_word(&dashes, arena, &word) && view_eq(word, "--"))
				command = rest = view_trim(dashes);
			if (command_next_word(&rest, arena, &whole) && view_trim(rest).n == 0 &&
			    whole.n + 2 == command.n)
				command = whole;
			*ret = (struct prompt){.host = host, .command = command};
			return is_name(host);
		}
		if (word.n == 2 && strchr("bcDEeFIiJLlmOopQRSWwB", word.p[1]) != NULL &&
		    !command_next_word(&rest, arena, &word))
			return false;
	}
	return false;
}

bool prompt_is_suspect(struct view line, struct arena *arena)
{
	unsigned marks = 0;

	for (size_t i = 0; i + 1 < line.n && line.n <= LINE_MOST && marks < MARKS_MOST; i++) {
		if (!is_mark(line.p[i]) || line.p[i + 1] != ' ')
			continue;
		marks++;
		if (command_probe_name(arena, view_skip(line, i + 1)) != NULL)
			return true;
	}
	return false;
}
