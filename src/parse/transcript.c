#include "oddhost/parse/transcript.h"

#include <string.h>

#include "oddhost/base/buf.h"
#include "oddhost/net/prefix.h"
#include "oddhost/parse/command.h"
#include "oddhost/parse/line.h"

struct reader {
	struct run *run;
	struct diag_list *diags;
	struct arena *scratch;    /* words of commands */
	struct host_record *host; /* of the open command; NULL: output of nobody */
	struct view command;
	unsigned line;      /* of the open command */
	struct view output; /* its lines so far, trimmed when it is closed */
	bool any;
};

/* What a terminal writes beside text: ESC [ … letter, ESC ] … BEL, ESC ( B, ESC letter. */
static size_t escape_length(struct view v)
{
	size_t n = 2;

	if (v.n < 2)
		return v.n;
	if (v.p[1] == '[') {
		while (n < v.n && (v.p[n] < '@' || v.p[n] > '~') && v.p[n] != '\n')
			n++;
	} else if (v.p[1] == ']') {
		while (n < v.n && v.p[n] != '\a' && v.p[n] != '\x1b' && v.p[n] != '\n')
			n++;
		if (n + 1 < v.n && v.p[n] == '\x1b' && v.p[n + 1] == '\\')
			n++;
	} else if (strchr("()*+#%", v.p[1]) == NULL) {
		return v.p[1] == '\n' ? 1 : 2;
	}
	return n < v.n && v.p[n] != '\n' ? n + 1 : n;
}

/* The text without escapes, carriage returns and ^C, on the same lines. */
static void clean(struct view text, struct buf *out)
{
	view_take(&text, "\xef\xbb\xbf");
	while (text.n > 0) {
		char c = text.p[0];
		size_t skip = 1;
		if (c == '\x1b')
			skip = escape_length(text);
		else if (view_starts(text, "^C"))
			skip = 2;
		else if (c == '\n' || c == '\t' || (unsigned char)c >= ' ')
			buf_putc(out, c);
		text = view_skip(text, skip);
	}
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

/* `[USER@HOST DIR]# CMD`: the default prompt of Red Hat's. */
static bool take_bracket_prompt(struct view line, struct view *ret_host, struct view *ret_command)
{
	struct view user_host;
	long close = view_find_char(line, ']');

	if (!view_starts(line, "[") || close < 0 || (size_t)close + 1 >= line.n)
		return false;
	struct view inside = view_skip(view_left(line, (size_t)close), 1);
	struct view behind = view_skip(line, (size_t)close + 1);
	if ((behind.p[0] != '#' && behind.p[0] != '$') || view_find_char(inside, '@') <= 0 ||
	    !view_next_word(&inside, &user_host) || view_trim(inside).n == 0)
		return false;
	behind = view_skip(behind, 1);
	if (behind.n > 0 && behind.p[0] != ' ')
		return false;
	*ret_host = without_user(user_host);
	*ret_command = view_trim(behind);
	return is_name(*ret_host);
}

/* `[USER@]HOST:DIR# CMD`, where DIR begins with ~ or /: the default prompt of Debian's. */
static bool take_colon_prompt(struct view line, struct view *ret_host, struct view *ret_command)
{
	struct view word, rest = line;

	if (!view_next_word(&rest, &word) || word.p != line.p || word.n < 4)
		return false;
	long colon = view_find_char(word, ':');
	char last = word.p[word.n - 1];
	if (colon <= 0 || (last != '#' && last != '$') ||
	    (word.p[colon + 1] != '~' && word.p[colon + 1] != '/'))
		return false;
	*ret_host = without_user(view_left(word, (size_t)colon));
	*ret_command = view_trim(rest);
	return is_name(*ret_host);
}

static bool take_prompt(struct view line, struct view *ret_host, struct view *ret_command)
{
	if (view_starts(line, "(")) { /* "(venv) user@host:~$" */
		long close = view_find(line, ") ");
		if (close > 0)
			line = view_trim(view_skip(line, (size_t)close + 2));
	}
	return take_bracket_prompt(line, ret_host, ret_command) ||
	       take_colon_prompt(line, ret_host, ret_command);
}

/*
 * `ssh [options] [USER@]HOST [CMD…]`, perhaps behind a bare "$ " or "# ". The options that have a
 * value are ssh(1)'s. A command that is one quoted word is what stands inside.
 */
static bool take_ssh(
    struct arena *arena, struct view line, struct view *ret_host, struct view *ret_command)
{
	struct view word, rest = line;

	if (!view_take(&rest, "$ "))
		view_take(&rest, "# ");
	if (!view_take(&rest, "ssh "))
		return false;
	while (command_next_word(&rest, arena, &word)) {
		if (!view_starts(word, "-")) {
			*ret_host = without_user(word);
			*ret_command = view_trim(rest);
			struct view whole;
			if (command_next_word(&rest, arena, &whole) && view_trim(rest).n == 0 &&
			    whole.n + 2 == ret_command->n)
				*ret_command = whole;
			return is_name(*ret_host);
		}
		if (word.n == 2 && strchr("bcDEeFIiJLlmOopQRSWwB", word.p[1]) != NULL &&
		    !command_next_word(&rest, arena, &word))
			return false;
	}
	return false;
}

static struct host_record *host_named(struct reader *r, struct view name)
{
	struct run *run = r->run;

	if (r->host != NULL && view_eq(name, r->host->name))
		return r->host;
	for (size_t i = 0; i < run->n_hosts; i++) {
		if (view_eq(name, run->hosts[i]->name))
			return run->hosts[i];
	}
	if (run->n_hosts == TRANSCRIPT_HOSTS_MOST) {
		line_reject(r->diags, r->line, name, "fewer hosts in one run");
		return NULL;
	}
	struct host_record *record = host_record_new(arena_dup_view(r->scratch, name));
	record->status = HOST_OK;
	run_add(run, record);
	return record;
}

/* What the shell or the program says in place of an answer. */
static enum probe_status status_of(struct view output)
{
	static const struct {
		const char *text;
		enum probe_status status;
	} words[] = {
	    {"command not found", PROBE_MISSING_COMMAND},
	    {": not found", PROBE_MISSING_COMMAND},
	    {"' not found, but can be installed", PROBE_MISSING_COMMAND},
	    {"is currently not installed", PROBE_MISSING_COMMAND},
	    {"未找到命令", PROBE_MISSING_COMMAND}, /* bash in Chinese */
	    {"permission denied while trying to connect to the ", PROBE_NO_PERMISSION},
	    {"cat: /etc/docker/daemon.json: Permission denied", PROBE_NO_PERMISSION},
	    {"Cannot connect to the Docker daemon", PROBE_FAILED},
	    {"failed to connect to the docker API", PROBE_FAILED}, /* docker 29 */
	    {"error during connect: ", PROBE_FAILED},
	    {"annot connect to Podman", PROBE_FAILED},
	    {"unable to connect to Podman", PROBE_FAILED},
	    {"is not a docker command", PROBE_FAILED},
	    {"Error response from daemon", PROBE_FAILED},
	};
	struct view first;

	do {
		if (!view_next_line(&output, &first))
			return PROBE_OK;
	} while (line_is_warning(first));
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (view_find(first, words[i].text) >= 0)
			return words[i].status;
	}
	return PROBE_OK;
}

/* The probe of that command, which an earlier paste may have made; or a new one. */
static struct probe_result *probe_for(struct reader *r, const char *name, struct view command)
{
	struct host_record *host = r->host;

	for (size_t i = 0; i < host->n_probes; i++) {
		if (strcmp(host->probes[i].name, name) == 0 &&
		    view_eq(command, host->probes[i].command)) {
			struct probe_result again = host->probes[i]; /* the last one counts */
			memmove(&host->probes[i], &host->probes[i + 1],
			    (host->n_probes - i - 1) * sizeof again);
			host->probes[host->n_probes - 1] = again;
			return &host->probes[host->n_probes - 1];
		}
	}
	if (host->n_probes == TRANSCRIPT_PROBES_MOST) {
		line_reject(r->diags, r->line, command, "fewer commands on one host");
		return NULL;
	}
	struct probe_result *probe = host_record_add_probe(host, name);
	probe->command = arena_dup_view(host->arena, command);
	return probe;
}

/* Blank lines at both ends separate; those inside belong to the output. */
static struct view trim_lines(struct view output)
{
	struct view rest = output, line;

	while (view_next_line(&rest, &line) && view_trim(line).n == 0)
		output = rest;
	while (output.n > 0 && strchr(" \t\n", output.p[output.n - 1]) != NULL)
		output.n--;
	return output;
}

/* The open command's output ends here. */
static void close_command(struct reader *r)
{
	struct view output = trim_lines(r->output);
	bool open = r->host != NULL && r->command.n > 0;

	r->output = view_of("");
	if (!open)
		return;
	const char *name = command_probe_name(r->scratch, r->command);
	if (name == NULL) {
		name = arena_printf(r->scratch, "other:%.*s", VIEW_ARG(view_left(r->command, 200)));
		line_reject(r->diags, r->line, r->command,
		    "a command with a whole answer that is known (kept for reading only)");
	}
	struct probe_result *probe = probe_for(r, name, r->command);
	if (probe == NULL)
		return;
	probe->out = arena_view(r->host->arena, output);
	probe->status = status_of(output);
}

static void open_command(struct reader *r, struct view host, struct view command, unsigned line)
{
	close_command(r);
	r->any = true;
	r->line = line;
	r->command = command;
	if (command.n > 0)
		r->host = host_named(r, host);
}

static void take_line(struct reader *r, struct view line, unsigned number)
{
	struct view host, command, remote, remote_command;

	if (take_ssh(r->scratch, line, &host, &command)) {
		open_command(r, host, command, number);
	} else if (take_prompt(line, &host, &command)) {
		if (take_ssh(r->scratch, command, &remote, &remote_command))
			open_command(r, remote, remote_command, number);
		else
			open_command(r, host, command, number);
	} else if (r->any) {
		if (r->output.n == 0)
			r->output = line;
		r->output.n = (size_t)(line.p + line.n - r->output.p);
	} else if (view_trim(line).n > 0) {
		line_reject(r->diags, number, line, "a prompt or an ssh line first");
	}
}

bool transcript_read(
    struct view text, const char *source, struct run *run, struct diag_list *diags, struct err *err)
{
	struct reader r = {.run = run, .diags = diags, .scratch = arena_new()};
	const char *source_before = diags == NULL ? NULL : diags->source;
	struct buf cleaned = {0};
	struct view line;

	if (diags != NULL)
		diags->source = arena_dup(diags->arena, source);
	clean(text, &cleaned);
	struct view rest = buf_view(&cleaned);
	for (unsigned number = 1; view_next_line(&rest, &line); number++)
		take_line(&r, line, number);
	close_command(&r);
	if (diags != NULL)
		diags->source = source_before;
	buf_free(&cleaned);
	arena_free(r.scratch);
	return r.any || err_set(err,
			    "%s: no prompt and no ssh line, expected a terminal transcript like "
			    "'ssh HOST route -n' or 'user@HOST:~$ route -n'",
			    source);
}

static bool is_host_of(const struct run *run, const char *name)
{
	for (size_t i = 0; i < run->n_hosts; i++) {
		if (strcmp(run->hosts[i]->name, name) == 0 ||
		    strcmp(run->hosts[i]->address, name) == 0)
			return true;
	}
	return false;
}

static bool is_loopback(const char *name)
{
	struct ip ip;

	return strcmp(name, "localhost") == 0 ||
	       (ip_parse(view_of(name), &ip) && ip_is_loopback(&ip));
}

#define TARGETS_MOST 64

size_t transcript_targets(struct run *run, struct target **ret)
{
	struct target *targets = arena_alloc(run->arena, TARGETS_MOST * sizeof *targets);
	size_t n = 0;
	struct err err;

	for (size_t h = 0; h < run->n_hosts; h++) {
		for (size_t i = 0; i < run->hosts[h]->n_probes && n < TARGETS_MOST; i++) {
			struct view name = view_of(run->hosts[h]->probes[i].name);
			bool known = !view_take(&name, "ping:") || is_loopback(name.p);
			for (size_t t = 0; t < n && !known; t++)
				known = view_eq(name, targets[t].text);
			if (!known && !is_host_of(run, name.p) &&
			    target_parse(run->arena, name, &targets[n], &err))
				n++;
		}
	}
	*ret = targets;
	return n;
}
