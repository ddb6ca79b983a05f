#include <stdio.h>
#include <string.h>

#include "oddhost/base/json.h"
#include "oddhost/check/compare.h"
#include "oddhost/check/diagnose.h"
#include "oddhost/check/facts.h"
#include "oddhost/cli/cli.h"
#include "oddhost/cli/models.h"
#include "oddhost/report/escape.h"

/* Where differences go as they are found: text on stdout, or a JSON array printed at the end. */
struct printer {
	const char *a, *b; /* the two sides' names, for text */
	const char *host;  /* of the pair, where two runs are compared; else NULL */
	struct json *list; /* NULL: text */
	size_t n;
};

static void set_text(struct json *object, const char *key, const char *text)
{
	struct buf clean = {0};

	if (text != NULL)
		escape_utf8(&clean, view_of(text));
	json_set_string(object, key, text != NULL ? buf_str(&clean) : NULL);
	buf_free(&clean);
}

static void print_side(const char *sign, const char *name, const char *value, bool unknown)
{
	struct buf out = {0};

	escape_plain(&out, view_of(name));
	buf_puts(&out, ": ");
	if (value != NULL)
		escape_plain(&out, view_of(value));
	else
		buf_puts(&out, unknown ? "(unknown)" : "(absent)");
	printf("  %s %s\n", sign, buf_str(&out));
	buf_free(&out);
}

static void print_key(enum facet facet, const char *key)
{
	struct buf out = {0};

	escape_plain(&out, view_of(key));
	printf("%s %s\n", facet_name(facet), buf_str(&out));
	buf_free(&out);
}

static void print_pair(void *context, const struct pair_difference *d)
{
	struct printer *printer = context;

	printer->n++;
	if (printer->list == NULL) {
		if (printer->host != NULL)
			printf("%s: ", printer->host);
		print_key(d->facet, d->key);
		print_side("-", printer->a, d->a, d->a_unknown);
		print_side("+", printer->b, d->b, d->b_unknown);
		return;
	}
	struct json *item = json_push(printer->list, json_object());
	if (printer->host != NULL)
		set_text(item, "host", printer->host);
	json_set_string(item, "facet", facet_name(d->facet));
	set_text(item, "key", d->key);
	set_text(item, "a", d->a);
	set_text(item, "b", d->b);
}

static void finish(struct printer *printer, const char *nothing)
{
	struct buf text = {0};

	if (printer->list == NULL) {
		if (printer->n == 0)
			puts(nothing);
		return;
	}
	json_print(printer->list, true, &text);
	fputs(buf_str(&text), stdout);
	buf_free(&text);
	json_free(printer->list);
}

static void compare(struct arena *arena, const struct models *from, const struct host *a,
    const struct host *b, struct printer *printer)
{
	const struct run_meta *meta = &from->run->meta;
	struct fact_list x = facts_make(arena, a, meta->targets, meta->n_targets);
	struct fact_list y = facts_make(arena, b, meta->targets, meta->n_targets);

	compare_pair(&x, &y, print_pair, printer);
}

/* Every host against the majority of its group. */
static void diff_group(const struct models *models, struct printer *printer)
{
	struct diagnosis *d = diagnose(models->run, models->hosts, models->run->n_hosts);

	for (size_t h = 0; h < d->n_hosts; h++) {
		const struct host_view *view = &d->hosts[h];
		const char *name = view->host->record->name;
		for (size_t i = 0; i < view->n_differs; i++) {
			const struct difference *diff = &view->differs[i];
			char others[64];
			printer->n++;
			if (printer->list != NULL) {
				struct json *item = json_push(printer->list, json_object());
				set_text(item, "host", name);
				json_set_string(item, "facet", facet_name(diff->facet));
				set_text(item, "key", diff->key);
				set_text(item, "value", diff->value);
				set_text(item, "others", diff->others);
				json_set_number(item, "share", diff->share);
				continue;
			}
			snprintf(others, sizeof others, "%.0f %% of the hosts", diff->share * 100);
			print_key(diff->facet, diff->key);
			print_side("-", others, diff->others, false);
			print_side("+", name, diff->value, false);
		}
	}
	for (size_t i = 0; printer->list == NULL && i < d->n_notes; i++) {
		struct buf out = {0};
		escape_plain(&out, view_of(d->notes[i]));
		printf("note: %s\n", buf_str(&out));
		buf_free(&out);
	}
	diagnosis_free(d);
}

/* One group at two times: each host that is in both against itself. */
static void diff_runs(struct arena *arena, const struct models *before, const struct models *after,
    struct printer *printer)
{
	struct err err;

	for (size_t i = 0; i < after->run->n_hosts; i++) {
		printer->host = after->run->hosts[i]->name;
		const struct host *earlier = models_host(before, printer->host, &err);
		if (earlier != NULL)
			compare(arena, after, earlier, after->hosts[i], printer);
		else
			cli_warn("%s is only in the second run", printer->host);
	}
	for (size_t i = 0; i < before->run->n_hosts; i++) {
		if (models_host(after, before->run->hosts[i]->name, &err) == NULL)
			cli_warn("%s is only in the first run", before->run->hosts[i]->name);
	}
}

int cli_diff(const struct command *command, const struct options *options)
{
	struct arena *arena = arena_new();
	struct printer printer = {.list = options->json ? json_array() : NULL};
	struct models first = {0}, second = {0};
	struct err err;
	int code = EXIT_CLEAN;

	(void)command;
	if (!models_load(options->args[0], &first, &err) ||
	    (options->n_args == 2 && !models_load(options->args[1], &second, &err)))
		goto fail;
	if (options->n_args == 1) {
		diff_group(&first, &printer);
		finish(&printer, "No host differs from the majority of its group.");
	} else if (options->n_args == 2) {
		printer.a = options->args[0];
		printer.b = options->args[1];
		diff_runs(arena, &first, &second, &printer);
		finish(&printer, "Nothing differs between the two runs.");
	} else {
		const struct host *a = models_host(&first, printer.a = options->args[1], &err);
		const struct host *b =
		    a == NULL ? NULL : models_host(&first, printer.b = options->args[2], &err);
		if (b == NULL)
			goto fail;
		compare(arena, &first, a, b, &printer);
		finish(&printer, "Nothing differs between the two hosts.");
	}
	goto out;
fail:
	json_free(printer.list);
	code = cli_fail(&err);
out:
	models_free(&first);
	models_free(&second);
	arena_free(arena);
	return code;
}
