#include "oddhost/parse/transcript.h"

#include <string.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/text.h"
#include "oddhost/net/prefix.h"
#include "oddhost/parse/command.h"
#include "oddhost/parse/line.h"
#include "oddhost/parse/prompt.h"

struct reader {
	struct run *run;
	struct diag_list *diags;
	struct arena *scratch;    /* words of commands */
	struct host_record *host; /* of the open command; NULL: output of nobody */
	struct view here;   /* the host that a prompt without one belongs to; empty: not known */
	struct view prompt; /* struct prompt's text of the last that had one, and its host */
	struct view prompt_host;
	struct view command;
	unsigned number;    /* of the line that is read */
	unsigned line;      /* of the open command */
	struct view output; /* its lines so far, trimmed when it is closed */
	bool any;
};

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

/* What the shell's `time` says behind the answer is no part of it. */
static struct view without_times(struct view output)
{
	static const char *const starts[] = {"\nsys\t", "\nuser\t", "\nreal\t"};

	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
		size_t n = output.n;
		while (n > 0 && output.p[n - 1] != '\n')
			n--;
		if (n == 0 || !view_starts(view_skip(output, n - 1), starts[i]))
			return output;
		output.n = n - 1;
	}
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
	if (view_starts(r->command, "time "))
		output = trim_lines(without_times(output));
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

/* A command at a shell of that host; of nobody's where the name is empty. */
static void open_command(struct reader *r, struct view host, struct view command, unsigned line)
{
	close_command(r);
	r->any = r->any || host.n > 0;
	r->line = line;
	r->command = command;
	r->host = command.n > 0 && host.n > 0 ? host_named(r, host) : NULL;
}

static const char without_host[] = "a prompt that names its host";

/* What was typed behind a prompt; and whose shell it leaves one at. */
static void take_prompt(struct reader *r, const struct prompt *prompt, struct view line)
{
	struct view host = prompt->host.n > 0 ? prompt->host : r->here, command = prompt->command;
	struct prompt remote;

	r->here = host;
	if (prompt_take_ssh(command, r->scratch, &remote)) {
		open_command(r, remote.host, remote.command, r->number);
		if (remote.command.n == 0)
			r->here = remote.host;
		return;
	}
	bool leaves = view_eq(command, "exit") || view_eq(command, "logout");
	open_command(r, host, leaves ? view_of("") : command, r->number);
	if (command.n > 0 && prompt->host.n == 0)
		line_reject(r->diags, r->number, line,
		    host.n == 0 ? without_host
				: arena_printf(r->scratch, "%s (taken for one of %.*s)",
				      without_host, VIEW_ARG(host)));
	/* Of any other command it is not known where it leads: into a container, perhaps. */
	if (command.n > 0 && command_probe_name(r->scratch, command) == NULL &&
	    !command_is_shell(r->scratch, command))
		r->here = view_of("");
}

/* A prompt of a form that is known, or one that begins as the last one did. */
static bool find_prompt(struct reader *r, struct view line, struct prompt *ret)
{
	struct view rest;

	if (r->prompt.n > 0 && view_same(view_left(line, r->prompt.n), r->prompt)) {
		rest = view_skip(line, r->prompt.n);
		*ret = (struct prompt){.host = r->prompt_host, .command = view_trim(rest)};
		return rest.n == 0 || rest.p[0] == ' ';
	}
	if (!prompt_take(line, r->scratch, ret))
		return false;
	if (ret->text.n > 0) {
		r->prompt = ret->text;
		r->prompt_host = ret->host;
	}
	return true;
}

/* The title of `route`, which the answer to one question has once. */
static bool is_second_table(const struct reader *r, struct view line)
{
	static const char title[] = "Kernel IP routing table";

	return r->host != NULL && view_starts(line, title) && view_find(r->output, title) >= 0 &&
	       command_probe_name(r->scratch, r->command) != NULL;
}

static void take_line(struct reader *r, struct view line)
{
	struct prompt prompt;

	if (prompt_take_ssh(line, r->scratch, &prompt)) {
		open_command(r, prompt.host, prompt.command, r->number);
		if (prompt.command.n == 0)
			r->here = prompt.host;
	} else if (find_prompt(r, line, &prompt)) {
		take_prompt(r, &prompt, line);
	} else if (prompt_is_suspect(line, r->scratch) || is_second_table(r, line)) {
		line_reject(r->diags, r->number, line, without_host);
		open_command(r, view_of(""), view_of(""), r->number);
		r->here = view_of("");
	} else if (r->any) {
		if (r->output.n == 0)
			r->output = line;
		r->output.n = (size_t)(line.p + line.n - r->output.p);
	} else if (view_trim(line).n > 0) {
		line_reject(r->diags, r->number, line, "a prompt or an ssh line first");
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
	text_without_terminal(text, &cleaned);
	struct view rest = buf_view(&cleaned);
	while (view_next_line(&rest, &line)) {
		r.number++;
		take_line(&r, line);
	}
	close_command(&r);
	if (diags != NULL)
		diags->source = source_before;
	buf_free(&cleaned);
	arena_free(r.scratch);
	return r.any ||
	       err_set(err,
		   "%s: no prompt with a host and no ssh line, expected a terminal transcript like "
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
