#include "oddhost/inventory/load.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oddhost/base/file.h"
#include "oddhost/inventory/hostname.h"
#include "oddhost/inventory/ini.h"
#include "oddhost/inventory/json.h"
#include "oddhost/inventory/script.h"
#include "oddhost/inventory/words.h"

#define FILE_MAX ((size_t)256 << 20)
#define DEEPEST_DIRECTORY 8

static void load_path(struct inventory *inv, const char *path, unsigned depth);

/* Ansible's plugin host_list: names and ports, no ranges. */
static void load_host_list(struct inventory *inv, struct view list)
{
	struct view part;

	while (view_next_part(&list, ',', &part)) {
		struct view name = part = words_trim(part);
		unsigned port = 0;
		if (part.n == 0)
			continue;
		if (!hostname_split(part, &name, &port) || hostname_has_range(name)) {
			name = part;
			port = 0;
		}
		if (inventory_host(inv, name) == NULL)
			inventory_add_host(inv, name, inv->ungrouped, port, 0);
	}
}

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void warn_of_vars_beside(struct inventory *inv, const char *path, bool inside)
{
	static const char *const names[] = {"group_vars", "host_vars"};
	const char *slash = strrchr(path, '/');
	int n = inside ? (int)strlen(path) : slash == NULL ? 0 : (int)(slash - path);

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *dir = n == 0 && slash == NULL
				      ? names[i]
				      : arena_printf(inv->arena, "%.*s/%s", n, path, names[i]);
		if (is_directory(dir))
			inventory_warn(inv, 0,
			    "%s is not read: to use its variables, write an inventory with them "
			    "('ansible-inventory -i %s --list --export > FILE.json') and give that",
			    dir, path);
	}
}

/* What Ansible passes over in a directory (INVENTORY_IGNORE_EXTS and its own list). */
static bool is_ignored(const char *name)
{
	static const char *const names[] = {"host_vars", "group_vars", "vars_plugins"};
	static const char *const ends[] = {".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md",
	    ".txt", ".rst", ".orig", ".ini", ".cfg", ".retry"};

	if (name[0] == '.')
		return true;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		if (view_ends(view_of(name), ends[i]))
			return true;
	}
	return false;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void load_directory(struct inventory *inv, const char *path, unsigned depth)
{
	struct dirent **entries;
	int n = depth < DEEPEST_DIRECTORY ? scandir(path, &entries, NULL, by_bytes) : -1;
	size_t read = 0;

	warn_of_vars_beside(inv, path, true);
	if (n < 0) {
		inventory_error(inv, 0, "the directory cannot be read");
		return;
	}
	for (int i = 0; i < n; i++) {
		if (!is_ignored(entries[i]->d_name)) {
			load_path(inv, arena_printf(inv->arena, "%s/%s", path, entries[i]->d_name),
			    depth + 1);
			read++;
		}
		free(entries[i]);
	}
	free(entries);
	if (read == 0)
		inventory_error_at(inv, path, 0,
		    "nothing in this directory is read: as in Ansible, names that end in .ini, "
		    ".cfg, .txt, .md, .bak or ~ are passed over there");
}

/* A "#!" line or a binary. The executable bit alone says little: some file systems set it always.
 */
static bool is_program(struct view text)
{
	return view_starts(text, "#!") || view_starts(text, "\x7f"
							    "ELF");
}

/* The next line with more than a comment on it. */
static bool next_content(struct view *text, struct view *ret_line)
{
	struct view content;

	while (view_next_line(text, ret_line)) {
		content = view_trim(*ret_line);
		if (content.n > 0 && content.p[0] != '#')
			return true;
	}
	return false;
}

/*
 * "---", or "NAME:" with something that is indented or a list's item below it: no INI begins like
 * that, since a name with a colon and no port is an error there.
 */
static bool looks_like_yaml(struct view text)
{
	struct view line, below, name;

	if (!next_content(&text, &line))
		return false;
	if (view_starts(line, "---") || view_starts(line, "%YAML"))
		return true;
	bool word = view_next_word(&line, &name) && view_ends(name, ":");
	line = view_trim(line);
	return word && (line.n == 0 || line.p[0] == '#') && next_content(&text, &below) &&
	       (below.p[0] == ' ' || view_starts(below, "- "));
}

static void load_text(struct inventory *inv, const char *path, struct view text)
{
	struct view body = text;
	bool hostvars;

	view_take(&body, "\xef\xbb\xbf");
	body = view_trim(body);
	if (is_program(text) && strcmp(path, "-") != 0 && access(path, X_OK) == 0) {
		script_read(inv, path);
	} else if (view_starts(body, "{")) {
		inventory_json_read(inv, text, false, &hostvars);
	} else if (view_ends(view_of(path), ".yml") || view_ends(view_of(path), ".yaml") ||
		   looks_like_yaml(body)) {
		inventory_error(inv, 0,
		    "YAML inventories are not read: write it as JSON with "
		    "'ansible-inventory -i %s --list --export > FILE.json', and give that",
		    path);
	} else {
		size_t errors = inv->errors.n;
		ini_read(inv, text);
		if (is_program(text) && inv->errors.n > errors)
			inventory_error(inv, 0,
			    "it begins like a program, but is not executable "
			    "('chmod +x' makes it so)");
	}
}

static void load_file(struct inventory *inv, const char *path)
{
	struct buf text = {.max = FILE_MAX};
	struct err err;

	inv->source_number++;
	if (file_read(path, FILE_MAX, &text, &err)) {
		load_text(inv, path, buf_view(&text));
		if (strcmp(path, "-") != 0)
			warn_of_vars_beside(inv, path, false);
	} else {
		inv->source = NULL; /* the message names it */
		inventory_error(inv, 0, "%s", err.text);
	}
	buf_free(&text);
}

static void load_path(struct inventory *inv, const char *path, unsigned depth)
{
	inv->source = arena_dup(inv->arena, path);
	if (is_directory(path))
		load_directory(inv, path, depth);
	else
		load_file(inv, path);
}

void inventory_load(struct inventory *inv, const char *source)
{
	if (strchr(source, ',') == NULL || access(source, F_OK) == 0) {
		load_path(inv, source, 0);
		return;
	}
	inv->source = "-i";
	inv->source_number++;
	load_host_list(inv, view_of(source));
}
