#include "drive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "oddhost/base/file.h"

#define FILE_MAX (64u << 20)

static const char *setting(const char *name)
{
	const char *value = getenv(name);

	if (value == NULL)
		fail_msg("$%s is not set: tests/e2e/run.sh sets it", name);
	return value;
}

static void expand(const char *text, struct buf *out)
{
	for (; *text; text++) {
		if (text[0] == '%' && text[1] == 'O') {
			buf_puts(out, setting("ODDHOST"));
			text++;
		} else if (text[0] == '%' && text[1] == 'D') {
			buf_puts(out, setting("ODDHOST_TEST_DIR"));
			text++;
		} else {
			buf_putc(out, *text);
		}
	}
}

int drive(const char *command)
{
	struct buf line = {.max = 0};

	buf_puts(&line, "{ ");
	expand(command, &line);
	expand("; } >%D/stdout 2>%D/stderr </dev/null", &line);
	int status = system(buf_str(&line));
	buf_free(&line);
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	return WEXITSTATUS(status);
}

const char *drive_path(const char *text)
{
	static struct buf path;

	path.n = 0;
	expand(text, &path);
	return buf_str(&path);
}

struct buf drive_read(const char *path)
{
	struct buf content = {.max = FILE_MAX};
	struct err err;

	if (!file_read(path, FILE_MAX, &content, &err))
		fail_msg("%s", err.text);
	return content;
}

struct json *drive_findings(const char *run)
{
	struct buf path = {.max = 0};
	struct err err;

	expand("%D/", &path);
	buf_puts(&path, run);
	buf_puts(&path, "/findings.json");
	struct buf content = drive_read(buf_str(&path));
	struct json *root = json_parse(buf_view(&content), &err);
	if (root == NULL)
		fail_msg("%s: %s", buf_str(&path), err.text);
	buf_free(&content);
	buf_free(&path);
	assert_string_equal(json_get_string(root, "schema", ""), "oddhost.findings/1");
	return root;
}

bool strings_hold(const struct json *array, const char *s)
{
	for (const struct json *item = json_first(array); item != NULL; item = json_next(item)) {
		if (strcmp(json_string(item, ""), s) == 0)
			return true;
	}
	return false;
}

bool strings_are(const struct json *array, const char *only)
{
	return json_size(array) == 1 && strings_hold(array, only);
}

const struct json *finding_of(const struct json *findings, const char *rule, const char *host)
{
	const struct json *f = json_first(json_get(findings, "findings"));

	for (; f != NULL; f = json_next(f)) {
		if (strcmp(json_get_string(f, "rule", ""), rule) == 0 &&
		    strings_hold(json_get(f, "hosts"), host))
			return f;
	}
	return NULL;
}

size_t findings_count(const struct json *findings, const char *severity)
{
	const struct json *f = json_first(json_get(findings, "findings"));
	size_t n = 0;

	for (; f != NULL; f = json_next(f))
		n += strcmp(json_get_string(f, "severity", ""), severity) == 0;
	return n;
}

bool evidence_holds(
    const struct json *finding, const char *host, const char *probe, const char *text)
{
	const struct json *e = json_first(json_get(finding, "evidence"));

	for (; e != NULL; e = json_next(e)) {
		if (strcmp(json_get_string(e, "host", ""), host) == 0 &&
		    strcmp(json_get_string(e, "probe", ""), probe) == 0 &&
		    strstr(json_get_string(e, "text", ""), text) != NULL)
			return true;
	}
	return false;
}

const char *host_status_of(const struct json *findings, const char *host)
{
	const struct json *h = json_first(json_get(findings, "hosts"));

	for (; h != NULL; h = json_next(h)) {
		if (strcmp(json_get_string(h, "host", ""), host) == 0)
			return json_get_string(h, "status", NULL);
	}
	return NULL;
}
