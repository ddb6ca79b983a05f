#include "oddhost/report/markdown.h"

#include <string.h>

#include "oddhost/model/cloud.h"
#include "oddhost/report/escape.h"
#include "oddhost/report/outline.h"

/* A ticket has limits (GitHub: 65,536 characters): the long forms stand in the other reports. */
#define SHOWN_FINDINGS 20
#define INDEXED 40        /* findings in the list of all */
#define SHOWN_EVIDENCE 16 /* lines under one finding */
#define SHOWN_CLAIM 4     /* lines under what was ruled out */
#define SHOWN_SUSPECTS 5
#define SHOWN_ROWS 20
#define SHOWN_HOSTS 40
#define SHOWN_NOTES 20
#define GROUPS 8
#define LINE_BYTES 500

#define md(out, ...) escape_printf(out, escape_markdown, __VA_ARGS__)

/* Text of ours with names in it: what stands between two backticks stays code. */
static void add_prose(struct buf *out, struct view rest)
{
	long from, to;

	while ((from = view_find_char(rest, '`')) >= 0 &&
	       (to = view_find_char(view_skip(rest, (size_t)from + 1), '`')) > 0) {
		escape_markdown(out, view_left(rest, (size_t)from));
		buf_putc(out, '`');
		escape_plain(out, view_left(view_skip(rest, (size_t)from + 1), (size_t)to));
		buf_putc(out, '`');
		rest = view_skip(rest, (size_t)from + (size_t)to + 2);
	}
	escape_markdown(out, rest);
}

/* A fenced block, each line behind `indent`; the fence is longer than any run of backticks inside.
 */
static void add_fence(struct buf *out, const char *indent, struct view text)
{
	struct buf clean = {0};
	struct view rest, line;
	size_t fence = escape_longest_run(text, '`') + 1;

	escape_lines(&clean, text);
	rest = buf_view(&clean);
	fence = fence < 3 ? 3 : fence;
	buf_puts(out, indent);
	for (size_t i = 0; i < fence; i++)
		buf_putc(out, '`');
	buf_puts(out, "text\n");
	while (view_next_line(&rest, &line)) {
		buf_puts(out, indent);
		buf_add_view(out, line);
		buf_putc(out, '\n');
	}
	buf_puts(out, indent);
	for (size_t i = 0; i < fence; i++)
		buf_putc(out, '`');
	buf_puts(out, "\n");
	buf_free(&clean);
}

static bool same_output(const struct evidence *a, const struct evidence *b)
{
	return a->host != NULL && b->host != NULL && a->probe != NULL && b->probe != NULL &&
	       strcmp(a->host, b->host) == 0 && strcmp(a->probe, b->probe) == 0;
}

static size_t add_quote(struct buf *out, const struct evidence *v, size_t n)
{
	struct buf text = {0};
	size_t k = 0;

	md(out, "- **%s** %s", v->host == NULL ? "" : v->host,
	    v->probe == NULL ? "collector" : v->probe);
	for (; k < n && (k == 0 || same_output(&v[0], &v[k])); k++) {
		if (v[k].line > 0)
			md(out, "%s%u", k == 0 ? ", line " : ", ", v[k].line);
		buf_add_view(&text, view_left(view_of(v[k].text), LINE_BYTES));
		buf_putc(&text, '\n');
	}
	buf_putc(out, '\n');
	add_fence(out, "  ", buf_view(&text));
	buf_free(&text);
	return k;
}

static void add_evidence(struct buf *out, const struct evidence *v, size_t n, size_t most)
{
	size_t shown = n < most ? n : most;

	for (size_t i = 0; i < shown;)
		i += add_quote(out, v + i, shown - i);
	if (shown < n)
		md(out, "- and %zu more lines in findings.json\n", n - shown);
}

static void add_steps(struct buf *out, const char *const *fix, size_t n)
{
	unsigned number = 0;

	for (size_t i = 0; i < n; i++) {
		struct view text = view_of(fix[i]), line = {NULL, 0};
		struct buf block = {0};
		bool command = view_take(&text, "$ ");
		if (command && number == 0)
			md(out, "%u. Run:\n", ++number);
		if (!command && view_next_line(&text, &line)) {
			md(out, "%u. ", ++number);
			add_prose(out, line);
			buf_putc(out, '\n');
		}
		buf_add_view(&block, view_trim(text));
		while (command && i + 1 < n && strncmp(fix[i + 1], "$ ", 2) == 0) {
			buf_putc(&block, '\n');
			buf_puts(&block, fix[++i] + 2);
		}
		if (block.n > 0)
			add_fence(out, "   ", buf_view(&block));
		buf_free(&block);
	}
}

static void add_finding(struct buf *out, const struct outline *o, const struct finding *f)
{
	md(out, "\n## %s %s: %s\n\n", f->id, severity_name(f->severity), f->summary);
	if (f->n_hosts > 0)
		md(out, "%s **%s**, ", f->n_hosts == 1 ? "Host" : "Hosts",
		    outline_fold(o, f->hosts, f->n_hosts, GROUPS));
	md(out, "rule %s, %s confidence", f->rule, confidence_name(f->confidence));
	if (f->state != FINDING_UNCOMPARED)
		md(out, ", %s", finding_state_name(f->state));
	if (f->target != NULL)
		md(out, ", target %s", f->target);
	if (f->address != NULL)
		md(out, ", address %s", f->address);
	if (f->prefix != NULL)
		md(out, ", prefix %s", f->prefix);
	buf_puts(out, ".\n");
	if (f->why != NULL && *f->why != '\0') {
		buf_putc(out, '\n');
		add_prose(out, view_of(f->why));
		buf_putc(out, '\n');
	}
	if (f->n_evidence > 0) {
		buf_puts(out, "\n**Evidence**\n\n");
		add_evidence(out, f->evidence, f->n_evidence, SHOWN_EVIDENCE);
	}
	if (f->n_fix > 0) {
		buf_puts(out, "\n**Fix**\n\n");
		add_steps(out, f->fix, f->n_fix);
	}
}

static void add_index(struct buf *out, const struct outline *o)
{
	md(out, "\n%s: %s.\n\n", outline_count(o, o->d->n_findings, "finding", "findings"),
	    outline_counts(o));
	for (size_t i = 0; i < o->d->n_findings && i < INDEXED; i++) {
		const struct finding *f = &o->d->findings[i];
		md(out, "- %s %s: %s\n", f->id, severity_name(f->severity), f->summary);
	}
	if (o->d->n_findings > INDEXED)
		md(out, "- and %zu more\n", o->d->n_findings - INDEXED);
}

static void add_baseline(struct buf *out, const struct outline *o)
{
	const struct diagnosis *d = o->d;

	if (d->baseline == NULL)
		return;
	md(out, "\n## Since the run of %s\n\n%s.\n", d->baseline->run->meta.started,
	    outline_states(o));
	for (size_t i = 0; i < d->n_gone && i < SHOWN_FINDINGS; i++)
		md(out, "%s- %s: %s, %s\n", i == 0 ? "\n" : "", outline_gone(o, &d->gone[i]),
		    severity_name(d->gone[i].finding->severity), d->gone[i].finding->summary);
	if (d->n_gone > SHOWN_FINDINGS)
		md(out, "- and %zu more in findings.json\n", d->n_gone - SHOWN_FINDINGS);
}

static void add_ruled_out(struct buf *out, const struct diagnosis *d)
{
	if (d->n_ruled_out == 0)
		return;
	buf_puts(out, "\n## Ruled out\n");
	for (size_t i = 0; i < d->n_ruled_out; i++) {
		md(out, "\n**%s**\n\n", d->ruled_out[i].text);
		add_evidence(
		    out, d->ruled_out[i].evidence, d->ruled_out[i].n_evidence, SHOWN_CLAIM);
	}
}

static void add_suspects(struct buf *out, const struct outline *o)
{
	size_t n = o->d->n_suspects < SHOWN_SUSPECTS ? o->d->n_suspects : SHOWN_SUSPECTS;

	if (n == 0)
		return;
	buf_puts(out,
	    "\n## Suspects\n\nOchiai's score: 1.00 is on all failing hosts and on no other.\n\n"
	    "| Score | Facet | Key | Value | On failing hosts | On others |\n"
	    "| ---: | --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < n; i++) {
		const struct suspect *s = &o->d->suspects[i];
		md(out, "| %.2f | %s | %s | %s | %s | %s |\n", s->score, facet_name(s->facet),
		    s->key, s->value == NULL ? "absent" : s->value,
		    s->n_failing > 0 ? outline_fold(o, s->failing, s->n_failing, GROUPS) : "none",
		    s->n_passing > 0 ? outline_fold(o, s->passing, s->n_passing, GROUPS) : "none");
	}
}

/* Those that were not reached or have a finding or a difference; the rest in one line. */
static void add_hosts(struct buf *out, const struct outline *o)
{
	size_t shown = 0, rest = 0;

	if (o->d->n_hosts == 0)
		return;
	buf_puts(out,
	    "\n## Hosts\n\n| Host | Status | Differs in | Findings |\n| --- | --- | --- | --- |\n");
	for (size_t i = 0; i < o->d->n_hosts; i++) {
		size_t h = o->by_concern[i];
		const struct host_view *view = &o->d->hosts[h];
		const struct host_record *record = view->host->record;
		size_t first = o->findings_start[h], n = o->findings_start[h + 1] - first;
		if (o->d->n_hosts > SHOWN_HOSTS &&
		    ((record->status == HOST_OK && n == 0 && view->n_differs == 0) ||
			shown == SHOWN_HOSTS)) {
			rest++;
			continue;
		}
		shown++;
		md(out, "| %s%s%s | %s", record->name,
		    view->host->cloud.provider == NULL ? "" : ": ",
		    cloud_text(o->arena, &view->host->cloud), host_status_name(record->status));
		if (record->error != NULL && *record->error != '\0')
			md(out, ": %s", record->error);
		if (host_record_examined(record))
			md(out, " | %s |", outline_count(o, view->n_differs, "key", "keys"));
		else
			buf_puts(out, " | not compared |");
		for (size_t k = 0; k < n && k < GROUPS; k++) {
			const struct finding *f = &o->d->findings[o->findings_of[first + k]];
			md(out, "%s %s %s", k == 0 ? "" : ",", f->id, severity_name(f->severity));
		}
		if (n > GROUPS)
			md(out, " and %zu more", n - GROUPS);
		buf_puts(out, n == 0 ? " none |\n" : " |\n");
	}
	if (rest > 0)
		md(out, "\nThe table leaves out %s; report.html and findings.json have all.\n",
		    outline_count(o, rest, "host", "hosts"));
}

static void add_matrix(struct buf *out, const struct outline *o)
{
	size_t n = o->n_rows < SHOWN_ROWS ? o->n_rows : SHOWN_ROWS;

	if (n == 0)
		return;
	buf_puts(out, "\n## Comparison\n\n| Facet | Key | Consensus | Different |\n| --- | --- | "
		      "--- | --- |\n");
	for (size_t i = 0; i < n; i++) {
		const struct matrix_row *row = &o->rows[i];
		md(out, "| %s | %s | %s (%zu of %zu hosts) |", facet_name(row->facet), row->key,
		    row->others == NULL ? "absent" : row->others, row->agree, row->compared);
		for (size_t k = 0, same; k < row->n; k += same) {
			const struct cell *cell = &o->cells[row->first + k];
			const char *hosts = outline_fold_cells(o, cell, row->n - k, &same, GROUPS);
			md(out, "%s %s: %s", k == 0 ? "" : "<br>", hosts,
			    cell->difference->value == NULL ? "absent" : cell->difference->value);
		}
		buf_puts(out, " |\n");
	}
	if (n < o->n_rows)
		md(out, "\n%zu more keys stand in findings.json.\n", o->n_rows - n);
}

static void add_notes(struct buf *out, const struct diagnosis *d)
{
	if (d->n_notes == 0)
		return;
	buf_puts(out, "\n## Not known\n\n");
	for (size_t i = 0; i < d->n_notes && i < SHOWN_NOTES; i++) {
		buf_puts(out, "- ");
		add_prose(out, view_of(d->notes[i]));
		buf_putc(out, '\n');
	}
	if (d->n_notes > SHOWN_NOTES)
		md(out, "- and %zu more in findings.json\n", d->n_notes - SHOWN_NOTES);
}

void markdown_write(const struct diagnosis *d, struct buf *out)
{
	struct outline *o = outline_new(d);
	size_t n = d->n_findings < SHOWN_FINDINGS ? d->n_findings : SHOWN_FINDINGS;

	md(out, "# %s: %s\n\n",
	    d->severity == SEVERITY_NONE ? "no findings" : severity_name(d->severity), d->summary);
	md(out, "Group **%s**, %zu of %s answered, collected %s, oddhost %s.\n", d->run->meta.group,
	    o->n_reached, outline_count(o, outline_asked(o), "host", "hosts"), d->run->meta.started,
	    d->run->meta.version);
	if (d->n_findings >= OUTLINE_MANY)
		add_index(out, o);
	for (size_t i = 0; i < n; i++)
		add_finding(out, o, &d->findings[i]);
	if (n < d->n_findings)
		md(out, "\n%s in findings.json.\n",
		    outline_count(
			o, d->n_findings - n, "more finding stands", "more findings stand"));
	add_baseline(out, o);
	add_ruled_out(out, d);
	add_suspects(out, o);
	add_hosts(out, o);
	add_matrix(out, o);
	add_notes(out, d);
	outline_free(o);
}
