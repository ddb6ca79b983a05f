#include "oddhost/parse/system.h"

#include <limits.h>

#include "oddhost/base/clock.h"
#include "oddhost/parse/line.h"

#define DAY 10 /* of "2026-10-01" */

/* uname -srm has three words; -a has the host's name second and the machine further behind. */
static const char *take_uname(struct view line, struct arena *arena)
{
	struct view word[24], rest = line;
	size_t n = 0;

	while (n < 24 && view_next_word(&rest, &word[n]))
		n++;
	if (n <= 3)
		return arena_dup_view(arena, view_trim(line));
	struct view machine = word[n - 1];
	for (size_t i = n; i-- > 3;) { /* "… x86_64 GNU/Linux", "… aarch64 Linux" */
		if (!view_eq(word[i], "GNU/Linux") && !view_eq(word[i], "Linux")) {
			machine = word[i];
			break;
		}
	}
	return arena_printf(arena, "Linux %.*s %.*s", VIEW_ARG(word[2]), VIEW_ARG(machine));
}

static bool is_release(struct view line)
{
	return line.n > 2 && line.p[0] >= '1' && line.p[0] <= '9' &&
	       view_find_char(line, '.') > 0 && view_find_char(line, ' ') < 0 &&
	       view_find_char(line, '-') > 0;
}

/* "2026-10-01 libc6:amd64", "@1696320000 bash": the later day stays. */
static void take_upgrade(struct view rest, struct arena *arena, struct system *system)
{
	char day[CLOCK_UTC_SIZE];
	struct view word;
	uint64_t seconds;

	if (!view_next_word(&rest, &word))
		return;
	if (view_take(&word, "@")) {
		if (!view_uint(word, 1, UINT32_MAX, &seconds))
			return;
		clock_format_utc((time_t)seconds, day);
		word = view_left(view_of(day), DAY);
	}
	if (word.n != DAY || word.p[4] != '-' || word.p[7] != '-')
		return;
	if (system->upgraded == NULL || view_cmp(word, view_of(system->upgraded)) > 0)
		system->upgraded = arena_dup_view(arena, word);
}

bool parse_system(
    struct view text, struct arena *arena, struct system *system, struct diag_list *diags)
{
	struct line_reader lines = {.rest = text};
	struct view line;
	bool any = false;

	while (line_next(&lines, &line)) {
		struct view rest = view_trim(line);
		bool known = true;
		if (view_starts(rest, "Linux ")) {
			system->kernel = take_uname(rest, arena);
		} else if (view_take(&rest, "PRETTY_NAME=")) {
			if (rest.n >= 2 && (rest.p[0] == '"' || rest.p[0] == '\'') &&
			    rest.p[rest.n - 1] == rest.p[0])
				rest = view_left(view_skip(rest, 1), rest.n - 2);
			system->os = arena_dup_view(arena, rest);
		} else if (view_take(&rest, "clock: ")) {
			clock_parse(rest, &system->clock_ns);
		} else if (view_take(&rest, "upgraded: ")) {
			take_upgrade(rest, arena, system);
		} else if (view_find(rest, " load average") > 0 && view_find(rest, "up ") >= 0) {
			system->uptime = arena_dup_view(arena, rest);
		} else if (system->kernel == NULL && is_release(rest)) {
			system->kernel = arena_dup_view(arena, rest);
		} else {
			known = view_eq(rest, "Linux"); /* of uname without options */
		}
		any = any || known;
	}
	if (any || view_trim(text).n == 0)
		return true;
	line_reject(diags, 1, view_trim(text), "what uname, os-release or uptime print");
	return false;
}

/* The value of the sysctl that the model has under this name; NULL where it has none. */
static int *sysctl_named(struct sysctls *s, struct view name)
{
	static const char *const names[] = {"net.ipv4.ip_forward", "net.ipv4.conf.all.rp_filter",
	    "net.ipv4.conf.default.rp_filter"};
	int *const values[] = {&s->ip_forward, &s->rp_filter_all, &s->rp_filter_default};

	view_take(&name, "/proc/sys/");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct view wanted = view_of(names[i]);
		size_t k = 0;
		while (k < name.n && k < wanted.n &&
		       (name.p[k] == wanted.p[k] || (name.p[k] == '/' && wanted.p[k] == '.')))
			k++;
		if (k == name.n && k == wanted.n)
			return values[i];
	}
	return NULL;
}

bool parse_sysctls(struct view text, struct sysctls *ret, struct diag_list *diags)
{
	struct line_reader lines = {.rest = text};
	struct view line;
	bool any = false;

	*ret = (struct sysctls){.ip_forward = -1, .rp_filter_all = -1, .rp_filter_default = -1};
	while (line_next(&lines, &line)) {
		struct view rest = line, name;
		char sep = view_find_char(line, '=') > 0 ? '=' : ':';
		uint64_t number;
		if (view_find_char(line, sep) <= 0 || !view_next_part(&rest, sep, &name)) {
			line_reject(diags, lines.number, line, "NAME = VALUE as sysctl prints it");
			continue;
		}
		any = true;
		int *value = sysctl_named(ret, view_trim(name));
		if (value == NULL)
			continue;
		if (!view_uint(view_trim(rest), 0, INT_MAX, &number)) {
			line_reject(diags, lines.number, line, "a number");
			continue;
		}
		*value = (int)number;
		ret->known = true;
	}
	return any || view_trim(text).n == 0;
}
