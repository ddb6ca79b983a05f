#include <stdio.h>
#include <string.h>

#include "oddhost/base/json.h"
#include "oddhost/check/compare.h"
#include "oddhost/check/diagnose.h"
#include "oddhost/check/facts.h"
#include "oddhost/cli/cli.h"
#include "oddhost/cli/models.h"
#include "oddhost/cli/names.h"
#include "oddhost/report/escape.h"
#include "oddhost/report/terminal.h"

/* Differences as they are found: a list for text, or JSON. */
struct printer {
	struct arena *arena;
	const char *host;  /* of the pair, where two runs are compared; else NULL */
	struct json *json; /* NULL: text */
	struct difference *v;
	size_t n, cap;
	bool unknown[2][FACET_COUNT]; /* of a and b: what the other has may be there, too */
	bool incomplete;              /* of some pair something, or all, is not known */
};

static void print(struct buf *text)
{
	fputs(buf_str(text), stdout);
	buf_free(text);
}

static void set_text(struct json *object, const char *key, const char *text)
{
	struct buf clean = {0};

	if (text != NULL)
		escape_utf8(&clean, view_of(text));
	json_set_string(object, key, text != NULL ? buf_str(&clean) : NULL);
	buf_free(&clean);
}

static void take(void *context, const struct pair_difference *d)
{
	struct printer *p = context;

	p->unknown[0][d->facet] |= d->a_unknown;
	p->unknown[1][d->facet] |= d->b_unknown;
	if (d->a_unknown || d->b_unknown) {
		p->incomplete = true; /* unknown is not absent */
		return;
	}
	if (p->json == NULL) {
		p->v = arena_grow(p->arena, p->v, p->n, &p->cap, sizeof *p->v);
		p->v[p->n++] = (struct difference){
		    .facet = d->facet, .key = d->key, .value = d->a, .others = d->b};
		return;
	}
	struct json *item = json_push(p->json, json_object());
	if (p->host != NULL)
		set_text(item, "host", p->host);
	json_set_string(item, "facet", facet_name(d->facet));
	set_text(item, "key", d->key);
	set_text(item, "a", d->a);
	set_text(item, "b", d->b);
}

/* One pair; both sides' facts are made for the targets of the run that `from` is. */
static void compare(
    struct printer *p, const struct run *from, const struct host *a, const struct host *b)
{
	struct fact_list x = facts_make(p->arena, a, from->meta.targets, from->meta.n_targets);
	struct fact_list y = facts_make(p->arena, b, from->meta.targets, from->meta.n_targets);

	p->n = 0;
	for (int f = 0; f < FACET_COUNT; f++) {
		p->unknown[0][f] = y.whole[f] && !x.whole[f];
		p->unknown[1][f] = x.whole[f] && !y.whole[f];
		p->incomplete |= x.whole[f] != y.whole[f];
	}
	compare_pair(&x, &y, take, p);
}

static void write_pair(
    const struct printer *p, const char *a, const char *b, bool color, struct buf *text)
{
	if (p->n > 0 || p->host == NULL)
		terminal_write_pair(a, b, p->v, p->n, color, text);
	terminal_write_unknown(a, p->unknown[0], text);
	terminal_write_unknown(b, p->unknown[1], text);
}

/* Hosts that could not be compared, and why not: beside the differences, or beside the JSON. */
static void write_left_out(
    struct printer *p, const struct names *names, const char *why, struct buf *text)
{
	if (names->n == 0)
		return;
	p->incomplete = true;
	if (p->json != NULL) {
		names_warn(names, why);
		return;
	}
	buf_puts(text, text->n > 0 ? "\n" : "");
	escape_plain(text, view_of(names_fold(names)));
	buf_printf(text, ": %s\n", why);
}

static void diff_hosts(struct printer *p, const struct run *run, const struct host *a,
    const struct host *b, bool color)
{
	struct names blind = {.arena = p->arena};
	struct buf text = {0};

	if (!host_record_examined(a->record))
		names_add(&blind, a->record->name);
	if (!host_record_examined(b->record))
		names_add(&blind, b->record->name);
	if (blind.n == 0) {
		compare(p, run, a, b);
		if (p->json == NULL)
			write_pair(p, a->record->name, b->record->name, color, &text);
	}
	write_left_out(p, &blind, "not compared: nothing is known of it", &text);
	print(&text);
}

/* Every host against the majority of its group. */
static void diff_group(struct printer *p, const struct models *models, bool color)
{
	struct diagnosis *d = diagnose(models->run, models->hosts, models->run->n_hosts);
	struct buf text = {0};

	if (p->json == NULL)
		terminal_write_matrix(d, color, &text);
	for (size_t h = 0; p->json != NULL && h < d->n_hosts; h++) {
		for (size_t i = 0; i < d->hosts[h].n_differs; i++) {
			const struct difference *diff = &d->hosts[h].differs[i];
			struct json *item = json_push(p->json, json_object());
			set_text(item, "host", d->hosts[h].host->record->name);
			json_set_string(item, "facet", facet_name(diff->facet));
			set_text(item, "key", diff->key);
			set_text(item, "value", diff->value);
			set_text(item, "others", diff->others);
			json_set_number(item, "agree", (double)diff->agree);
			json_set_number(item, "compared", (double)diff->compared);
		}
	}
	print(&text);
	diagnosis_free(d);
}

/* Returns whether anything was to be said. */
static bool diff_over_time(struct printer *p, const struct run *run, const struct host *before,
    const struct host *after, bool color, struct buf *text)
{
	static const bool none[2][FACET_COUNT];

	compare(p, run, before, after);
	if (p->n == 0 && memcmp(p->unknown, none, sizeof none) == 0)
		return false;
	if (p->json == NULL)
		write_pair(p, arena_printf(p->arena, "%s before", p->host),
		    arena_printf(p->arena, "%s after", p->host), color, text);
	return true;
}

/* One group at two times: each host that is in both against itself. */
static void diff_runs(
    struct printer *p, const struct models *before, const struct models *after, bool color)
{
	struct names first = {.arena = p->arena}, second = first, blind = first;
	size_t compared = 0, said = 0;
	struct buf text = {0};
	struct err err;

	for (size_t i = 0; i < after->run->n_hosts; i++) {
		p->host = after->run->hosts[i]->name;
		const struct host *earlier = models_host(before, p->host, &err);
		if (earlier == NULL) {
			names_add(&second, p->host);
		} else if (!host_record_examined(earlier->record) ||
			   !host_record_examined(after->run->hosts[i])) {
			names_add(&blind, p->host);
		} else {
			compared++;
			said +=
			    diff_over_time(p, after->run, earlier, after->hosts[i], color, &text);
		}
	}
	for (size_t i = 0; i < before->run->n_hosts; i++) {
		if (models_host(after, before->run->hosts[i]->name, &err) == NULL)
			names_add(&first, before->run->hosts[i]->name);
	}
	if (p->json == NULL && compared > 0 && said == 0)
		buf_printf(&text,
		    "Nothing differs between the two runs on the %zu host%s that "
		    "could be compared.\n",
		    compared, compared == 1 ? "" : "s");
	write_left_out(p, &first, "not compared: only in the first run", &text);
	write_left_out(p, &second, "not compared: only in the second run", &text);
	write_left_out(p, &blind, "not compared: not examined in one of the runs", &text);
	print(&text);
}

int cli_diff(const struct command *command, const struct options *options)
{
	struct printer p = {.arena = arena_new(), .json = options->json ? json_array() : NULL};
	struct models first = {0}, second = {0};
	struct buf text = {0};
	struct err err;
	int code = EXIT_TROUBLE;

	(void)command;
	if (!models_load(options->args[0], &first, &err) ||
	    (options->n_args == 2 && !models_load(options->args[1], &second, &err)))
		goto out;
	if (options->n_args == 1) {
		diff_group(&p, &first, options->color);
	} else if (options->n_args == 2) {
		diff_runs(&p, &first, &second, options->color);
	} else {
		const struct host *a = models_host(&first, options->args[1], &err);
		const struct host *b = a ? models_host(&first, options->args[2], &err) : NULL;
		if (b == NULL)
			goto out;
		diff_hosts(&p, first.run, a, b, options->color);
	}
	if (p.json != NULL)
		json_print(p.json, true, &text);
	print(&text);
	code = p.incomplete ? EXIT_INCOMPLETE : EXIT_CLEAN;
out:
	if (code == EXIT_TROUBLE)
		cli_fail(&err);
	json_free(p.json);
	models_free(&first);
	models_free(&second);
	arena_free(p.arena);
	return code;
}
