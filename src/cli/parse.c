#include <stdio.h>
#include <string.h>

#include "oddhost/base/file.h"
#include "oddhost/base/text.h"
#include "oddhost/cli/cli.h"
#include "oddhost/cli/kinds.h"

#define INPUT_MAX ((size_t)64 << 20)

static int run_kind(const struct kind *kind, const char *path)
{
	struct arena *arena = arena_new();
	struct diag_list diags = {
	    .arena = arena, .source = strcmp(path, "-") == 0 ? "stdin" : path};
	struct buf raw = {.max = INPUT_MAX}, text = {0}, out = {0};
	struct err err;
	struct json *root = NULL;
	int code = EXIT_CLEAN;

	struct kind_input in = {
	    .source = diags.source, .arena = arena, .diags = &diags, .err = &err};
	if (file_read(path, INPUT_MAX, &raw, &err)) {
		text_without_terminal(buf_view(&raw), &text);
		in.text = buf_view(&text);
		root = kind->read(&in);
	}
	cli_print_diags(&diags);
	if (root == NULL) {
		code = cli_fail(&err);
	} else {
		json_print(root, true, &out);
		fwrite(out.p, 1, out.n, stdout);
		if (in.nothing)
			code = EXIT_INCOMPLETE;
	}
	json_free(root);
	buf_free(&out);
	buf_free(&text);
	buf_free(&raw);
	arena_free(arena);
	return code;
}

int cli_parse(const struct command *command, const struct options *options)
{
	const struct kind *kind = kind_named(options->args[0]);

	(void)command;
	if (kind != NULL)
		return run_kind(kind, options->n_args > 1 ? options->args[1] : "-");
	cli_warn("'%s' is not a KIND; there are:", options->args[0]);
	kind_list(stderr);
	return EXIT_TROUBLE;
}
