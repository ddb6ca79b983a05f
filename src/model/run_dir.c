/* The run directory: run.json and hosts.jsonl, written and read. */
#include "oddhost/model/run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oddhost/base/file.h"
#include "oddhost/base/json.h"
#include "oddhost/base/json_line.h"
#include "oddhost/base/mem.h"
#include "oddhost/base/parallel.h"
#include "oddhost/base/text.h"

#define SCHEMA "oddhost.run/1"
#define RUN_JSON_MAX ((size_t)16 << 20)
#define HOSTS_MAX ((size_t)4 << 30)
#define COMMANDS_MOST 256
#define LINES_AT_ONCE 256

static bool path_in(const char *dir, const char *name, char out[PATH_MAX], struct err *err)
{
	int n = snprintf(out, PATH_MAX, "%s/%s", dir, name);

	return (n > 0 && n < PATH_MAX) || err_set(err, "%s: path too long", dir);
}

static struct json *vars_json(const struct var *vars, size_t n)
{
	struct json *object = json_object();

	for (size_t i = 0; i < n; i++)
		json_set_string(object, vars[i].name, vars[i].value);
	return object;
}

static struct json *meta_json(const struct run_meta *meta)
{
	struct json *root = json_object();
	char text[PREFIX_TEXT_SIZE];

	json_set_string(root, "schema", SCHEMA);
	json_set_string(root, "version", meta->version);
	json_set_string(root, "group", meta->group);
	json_set_string(root, "limit", meta->limit);
	json_set_string(root, "started", meta->started);
	json_set_string(root, "finished", meta->finished);
	json_set_string(root, "bastion", meta->bastion);
	struct json *targets = json_set(root, "targets", json_array());
	for (size_t i = 0; i < meta->n_targets; i++)
		json_push(targets, json_new_string(meta->targets[i].text));
	struct json *reserved = json_set(root, "reserved", json_array());
	for (size_t i = 0; i < meta->n_reserved; i++) {
		struct json *item = json_push(reserved, json_object());
		json_set_string(item, "prefix", prefix_format(&meta->reserved[i].prefix, text));
		json_set_string(item, "name", meta->reserved[i].name);
	}
	json_set_number(root, "hosts", (double)meta->n_hosts);
	json_set(root, "options", vars_json(meta->options, meta->n_options));
	return root;
}

bool run_finish(const char *dir, const struct run_meta *meta, struct err *err)
{
	struct json *root = meta_json(meta);
	struct buf text = {0};
	char path[PATH_MAX];

	json_print(root, true, &text);
	json_free(root);
	bool ok =
	    path_in(dir, "run.json", path, err) && file_write(path, 0600, buf_view(&text), err);
	buf_free(&text);
	return ok;
}

/* As long as the descriptor is open nobody else appends: every host would be asked twice. */
static bool lock(int fd, const char *dir, struct err *err)
{
	return flock(fd, LOCK_EX | LOCK_NB) == 0 ||
	       (errno == EWOULDBLOCK ? err_set(err, "%s: another oddhost is writing to it", dir)
				     : err_sys(err, "%s", dir));
}

bool run_create(const char *dir, const struct run_meta *meta, int *ret_fd, struct err *err)
{
	char path[PATH_MAX];

	if (!path_in(dir, "run.json", path, err))
		return false;
	if (access(path, F_OK) == 0)
		return err_set(err, "%s: holds a run already; choose another -o", dir);
	if (!file_make_dir(dir, 0700, err) || !path_in(dir, "hosts.jsonl", path, err))
		return false;

	/* run.json comes last: a directory that has one can be read. */
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(err, "%s", path);
	if (!lock(fd, dir, err) || !run_finish(dir, meta, err)) {
		close(fd);
		unlink(path);
		return false;
	}
	*ret_fd = fd;
	return true;
}

bool run_reopen(const char *dir, int *ret_fd, struct err *err)
{
	struct buf text = {.max = HOSTS_MAX};
	char path[PATH_MAX];
	bool ok = false;

	if (!path_in(dir, "hosts.jsonl", path, err))
		return false;
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "%s", path);
	if (!lock(fd, dir, err) || !file_read(path, HOSTS_MAX, &text, err))
		goto out;
	size_t whole = text.n;
	while (whole > 0 && text.p[whole - 1] != '\n')
		whole--;
	ok = ftruncate(fd, (off_t)whole) == 0 || err_sys(err, "%s", path);
out:
	buf_free(&text);
	if (ok)
		*ret_fd = fd;
	else
		close(fd);
	return ok;
}

static void say_probe(struct json_line *line, const struct probe_result *probe)
{
	json_line_object(line, NULL);
	json_line_string(line, "name", probe->name);
	json_line_string(line, "command", probe->command);
	json_line_string(line, "status", probe_status_name(probe->status));
	if (probe->exit < 0)
		json_line_null(line, "exit");
	else
		json_line_number(line, "exit", probe->exit);
	json_line_number(line, "elapsed_ms", probe->elapsed_ms);
	json_line_bytes(line, "stdout", probe->out);
	json_line_bytes(line, "stderr", probe->err);
	json_line_bool(line, "truncated", probe->truncated);
	json_line_end_object(line);
}

static void say_host(struct json_line *line, const struct host_record *record)
{
	json_line_object(line, NULL);
	json_line_string(line, "host", record->name);
	json_line_string(line, "address", record->address);
	json_line_number(line, "port", record->port);
	json_line_string(line, "user", record->user);
	json_line_string(line, "status", host_status_name(record->status));
	json_line_string(line, "error", record->error);
	json_line_string(line, "started", record->started);
	json_line_number(line, "elapsed_ms", record->elapsed_ms);
	json_line_object(line, "ssh");
	json_line_string(line, "hostkey", record->hostkey);
	json_line_string(line, "kex", record->kex);
	json_line_end_object(line);
	json_line_object(line, "vars");
	for (size_t i = 0; i < record->n_vars; i++)
		json_line_string(line, record->vars[i].name, record->vars[i].value);
	json_line_end_object(line);
	json_line_array(line, "probes");
	for (size_t i = 0; i < record->n_probes; i++)
		say_probe(line, &record->probes[i]);
	json_line_end_array(line);
	json_line_end_object(line);
}

/* A full disk takes the beginning of a line: take it back, or the next one would be lost too. */
static bool append_whole(int fd, struct view line)
{
	struct stat before;

	if (fstat(fd, &before) < 0)
		return false;
	if (file_write_all(fd, line))
		return true;
	int error = errno;
	if (ftruncate(fd, before.st_size) == 0)
		errno = error;
	return false;
}

bool run_append(int fd, const struct host_record *record, struct err *err)
{
	struct buf text = {0};
	struct json_line line = {.out = &text};

	say_host(&line, record);
	buf_putc(&text, '\n');
	bool ok = text.overflow ? err_set(err, "hosts.jsonl: %s's line is too long", record->name)
				: append_whole(fd, buf_view(&text)) || err_sys(err, "hosts.jsonl");
	buf_free(&text);
	return ok;
}

/* False where they cannot be read: then they are unknown, not empty. */
static bool get_bytes(
    const struct json *object, const char *key, struct arena *arena, struct view *ret)
{
	const char *plain = json_get_string(object, key, NULL);
	struct buf decoded = {0};
	char name[32];

	if (plain != NULL) {
		*ret = arena_view(arena, view_of(plain));
		return true;
	}
	snprintf(name, sizeof name, "%s_b64", key);
	const char *encoded = json_get_string(object, name, NULL);
	bool ok = encoded != NULL && text_base64_decode(view_of(encoded), &decoded);
	*ret = arena_view(arena, buf_view(&decoded));
	buf_free(&decoded);
	return ok;
}

static struct var *get_vars(const struct json *object, struct arena *arena, size_t *ret_n)
{
	struct var *vars = NULL;
	size_t n = 0, cap = 0;

	for (const struct json *item = json_first(object); item != NULL; item = json_next(item)) {
		if (json_key(item) == NULL)
			continue;
		vars = arena_grow(arena, vars, n, &cap, sizeof *vars);
		vars[n++] = (struct var){
		    arena_dup(arena, json_key(item)), arena_dup(arena, json_string(item, ""))};
	}
	*ret_n = n;
	return vars;
}

static unsigned get_count(const struct json *object, const char *key, unsigned max)
{
	double number = json_get_number(object, key, 0);

	return number < 0 ? 0 : number > max ? max : (unsigned)number;
}

/* The commands of probes, which all hosts have alike and in the same order, kept once. */
struct commands {
	struct arena *arena; /* the run's */
	const char *v[COMMANDS_MOST];
	size_t n, next; /* where the last one was found, and one more */
};

static const char *share_command(struct commands *commands, const char *text, struct arena *own)
{
	for (size_t i = 0; i < commands->n; i++) {
		size_t at = (commands->next + i) % commands->n;
		if (strcmp(commands->v[at], text) == 0) {
			commands->next = at + 1;
			return commands->v[at];
		}
	}
	if (commands->n == COMMANDS_MOST)
		return arena_dup(own, text);
	return commands->v[commands->n++] = arena_dup(commands->arena, text);
}

static void get_probe(
    const struct json *item, struct host_record *record, struct commands *commands)
{
	struct arena *arena = record->arena;
	struct probe_result *probe =
	    host_record_add_probe(record, json_get_string(item, "name", "unnamed"));
	double code = json_get_number(item, "exit", -1);

	probe->command = share_command(commands, json_get_string(item, "command", ""), arena);
	if (!probe_status_from_name(json_get_string(item, "status", NULL), &probe->status))
		probe->status = PROBE_FAILED;
	probe->exit = code >= 0 && code <= 255 ? (int)code : -1;
	probe->elapsed_ms = get_count(item, "elapsed_ms", UINT_MAX);
	if (!get_bytes(item, "stdout", arena, &probe->out) && probe->status == PROBE_OK)
		probe->status = PROBE_FAILED;
	get_bytes(item, "stderr", arena, &probe->err);
	probe->truncated = json_bool(json_get(item, "truncated"), false);
}

/* NULL where the object is not a host's. */
static struct host_record *get_host(const struct json *root, struct commands *commands)
{
	const char *name = json_get_string(root, "host", NULL);
	enum host_status status;

	if (name == NULL || !host_status_from_name(json_get_string(root, "status", NULL), &status))
		return NULL;

	struct host_record *record = host_record_new(name);
	struct arena *arena = record->arena;
	const struct json *ssh = json_get(root, "ssh");
	record->address = arena_dup(arena, json_get_string(root, "address", name));
	record->port = (uint16_t)get_count(root, "port", 65535);
	record->user = arena_dup(arena, json_get_string(root, "user", NULL));
	record->status = status;
	record->error = arena_dup(arena, json_get_string(root, "error", ""));
	record->started = arena_dup(arena, json_get_string(root, "started", NULL));
	record->elapsed_ms = get_count(root, "elapsed_ms", UINT_MAX);
	record->hostkey = arena_dup(arena, json_get_string(ssh, "hostkey", NULL));
	record->kex = arena_dup(arena, json_get_string(ssh, "kex", NULL));
	record->vars = get_vars(json_get(root, "vars"), arena, &record->n_vars);
	const struct json *probes = json_get(root, "probes");
	record->cap_probes = json_size(probes);
	record->probes = arena_alloc(arena, record->cap_probes * sizeof *record->probes);
	for (const struct json *item = json_first(probes); item != NULL; item = json_next(item))
		get_probe(item, record, commands);
	return record;
}

static bool get_targets(const struct json *list, struct run *run, struct err *err)
{
	struct run_meta *meta = &run->meta;

	meta->targets = arena_alloc(run->arena, json_size(list) * sizeof *meta->targets);
	for (const struct json *item = json_first(list); item != NULL; item = json_next(item)) {
		if (!target_parse(run->arena, view_of(json_string(item, "")),
			&meta->targets[meta->n_targets], err))
			return false;
		meta->n_targets++;
	}
	return true;
}

static bool get_reserved(const struct json *list, struct run *run, struct err *err)
{
	struct run_meta *meta = &run->meta;

	meta->reserved = arena_alloc(run->arena, json_size(list) * sizeof *meta->reserved);
	for (const struct json *item = json_first(list); item != NULL; item = json_next(item)) {
		struct reserved *r = &meta->reserved[meta->n_reserved];
		const char *text = json_get_string(item, "prefix", "");
		if (!prefix_parse(view_of(text), &r->prefix))
			return err_set(
			    err, "reserved prefix '%.100s': expected ADDRESS/LENGTH", text);
		r->name = arena_dup(run->arena, json_get_string(item, "name", ""));
		meta->n_reserved++;
	}
	return true;
}

static bool get_meta(const struct json *root, struct run *run, struct err *err)
{
	struct run_meta *meta = &run->meta;
	struct arena *arena = run->arena;
	const char *schema = json_get_string(root, "schema", "none");

	if (strcmp(schema, SCHEMA) != 0)
		return err_set(err, "schema '%.100s', expected '%s'", schema, SCHEMA);
	meta->version = arena_dup(arena, json_get_string(root, "version", ""));
	meta->group = arena_dup(arena, json_get_string(root, "group", "all"));
	meta->limit = arena_dup(arena, json_get_string(root, "limit", NULL));
	meta->started = arena_dup(arena, json_get_string(root, "started", ""));
	meta->finished = arena_dup(arena, json_get_string(root, "finished", NULL));
	meta->bastion = arena_dup(arena, json_get_string(root, "bastion", NULL));
	meta->n_hosts = get_count(root, "hosts", 100000000);
	meta->options = get_vars(json_get(root, "options"), arena, &meta->n_options);
	return get_targets(json_get(root, "targets"), run, err) &&
	       get_reserved(json_get(root, "reserved"), run, err);
}

static bool read_meta(const char *dir, struct run *run, struct err *err)
{
	struct buf text = {0};
	char path[PATH_MAX];
	bool ok = false;

	if (!path_in(dir, "run.json", path, err))
		return false;
	if (access(path, F_OK) != 0 && errno == ENOENT)
		return err_set(err, "%s: not a run directory, it has no run.json", dir);
	if (file_read(path, RUN_JSON_MAX, &text, err)) {
		struct json *root = json_parse(buf_view(&text), err);
		ok = root != NULL && get_meta(root, run, err);
		if (!ok)
			err_wrap(err, "%s", path);
		json_free(root);
	}
	buf_free(&text);
	return ok;
}

/* Some lines of hosts.jsonl: most of the work on them is to parse them, which all processors do. */
struct line_batch {
	struct host_line {
		struct view text;
		unsigned number;
		struct json *root; /* NULL: not JSON */
	} v[LINES_AT_ONCE];
	size_t n;
};

static void parse_line(void *context, size_t index)
{
	struct host_line *line = &((struct line_batch *)context)->v[index];
	struct err err;

	line->root = json_parse(line->text, &err);
}

static void take_line(struct host_line *line, bool last, struct commands *commands, struct run *run)
{
	struct host_record *record = get_host(line->root, commands);

	if (record != NULL)
		run_add(run, record);
	else if (last && line->root == NULL)
		diag_add(&run->diags, line->number,
		    "the last line is torn: that host's collection was cut off");
	else
		diag_add(&run->diags, line->number, "expected one host's JSON object");
	json_free(line->root);
}

static void read_hosts(struct view text, struct run *run)
{
	struct commands commands = {.arena = run->arena};
	struct line_batch *batch = mem_alloc(sizeof *batch);
	unsigned number = 0;
	struct view line;

	while (text.n > 0) {
		batch->n = 0;
		while (batch->n < LINES_AT_ONCE && view_next_line(&text, &line)) {
			number++;
			if (view_trim(line).n > 0)
				batch->v[batch->n++] = (struct host_line){line, number, NULL};
		}
		parallel_each(batch->n, parse_line, batch);
		for (size_t i = 0; i < batch->n; i++)
			take_line(&batch->v[i], text.n == 0 && i + 1 == batch->n, &commands, run);
	}
	free(batch);
}

struct run *run_load(const char *dir, struct err *err)
{
	struct run *run = run_new();
	struct buf text = {.max = HOSTS_MAX};
	char path[PATH_MAX];

	run->diags.source = "hosts.jsonl";
	if (!read_meta(dir, run, err) || !path_in(dir, "hosts.jsonl", path, err) ||
	    !file_read(path, HOSTS_MAX, &text, err)) {
		run_free(run);
		run = NULL;
	} else {
		read_hosts(buf_view(&text), run);
		run_sort(run);
	}
	buf_free(&text);
	return run;
}
