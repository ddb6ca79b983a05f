#include "oddhost/report/terminal.h"

#include <string.h>

#include "oddhost/report/escape.h"
#include "oddhost/report/outline.h"

#define SHOWN_FINDINGS 8
#define SHOWN_HOSTS 6 /* groups of a folded list */
#define SHOWN_NOTES 4
#define SHOWN_ERRORS 10 /* hosts not reached */

#define put(out, ...) escape_printf(out, escape_plain, __VA_ARGS__)

/* SGR codes: a colour is always beside the word that says the same. */
static const char *severity_sgr(enum severity severity)
{
	switch (severity) {
	case SEVERITY_CRITICAL:
		return "1;31";
	case SEVERITY_HIGH:
		return "31";
	case SEVERITY_MEDIUM:
		return "33";
	case SEVERITY_LOW:
		return "36";
	case SEVERITY_INFO:
		return "2";
	case SEVERITY_NONE:
		break;
	}
	return "32";
}

static void sgr(struct buf *out, bool color, const char *code)
{
	if (color)
		buf_printf(out, "\033[%sm", code);
}

static void put_word(struct buf *out, bool color, enum severity severity, const char *word)
{
	sgr(out, color, severity_sgr(severity));
	put(out, "%s", word);
	sgr(out, color, "0");
}

/* The evidence to show where there is room for one: the first that is the finding's own host's. */
static const struct evidence *key_evidence(const struct finding *f)
{
	for (size_t i = 0; i < f->n_evidence; i++) {
		const struct evidence *e = &f->evidence[i];
		if (f->n_hosts > 0 && e->host != NULL && strcmp(e->host, f->hosts[0]) == 0 &&
		    e->probe != NULL)
			return e;
	}
	return NULL;
}

/* The first step, with its command; where there are more, it only says how it begins. */
static void put_fix(struct buf *out, const struct finding *f)
{
	for (size_t i = 0; i < f->n_fix; i++) {
		struct view step = view_of(f->fix[i]), line;
		if (view_starts(step, "$ ") || !view_next_line(&step, &line))
			continue;
		bool command = step.n == 0 && view_ends(line, ":") && i + 1 < f->n_fix &&
			       view_starts(view_of(f->fix[i + 1]), "$ ");
		bool more = f->n_fix > i + 1 + command;
		if (more && !command && view_ends(line, ":"))
			line.n--;
		buf_puts(out, "   fix    ");
		escape_plain(out, line);
		if (command)
			put(out, " %s", f->fix[i + 1] + 2);
		buf_puts(out, more ? " … (all steps in the report)\n" : "\n");
		return;
	}
}

static void put_finding(
    const struct outline *o, const struct finding *f, bool color, struct buf *out)
{
	const struct evidence *e = key_evidence(f);

	put(out, "\n%s ", f->id);
	put_word(out, color, f->severity, severity_name(f->severity));
	if (f->state != FINDING_UNCOMPARED)
		put(out, " (%s)", finding_state_name(f->state));
	/* The verdict's summary is often the worst finding's: said once is enough. */
	put(out, "  %s\n", view_starts(view_of(o->d->summary), f->summary) ? f->rule : f->summary);
	put(out, "   on     %s\n",
	    f->n_hosts == 0 ? "the group" : outline_fold(o, f->hosts, f->n_hosts, SHOWN_HOSTS));
	if (e != NULL && e->line > 0)
		put(out, "   proof  %s %s:%u  %s\n", e->host, e->probe, e->line, e->text);
	else if (e != NULL)
		put(out, "   proof  %s %s  %s\n", e->host, e->probe, e->text);
	put_fix(out, f);
}

/* Findings that say no more than that a host was not reached: those hosts are listed at the end. */
static bool is_unreached(const struct outline *o, const struct finding *f)
{
	for (size_t i = 0; i < f->n_hosts; i++) {
		size_t host = outline_host(o, f->hosts[i]);
		if (host == o->d->n_hosts || host_record_examined(o->d->hosts[host].host->record))
			return false;
	}
	return f->n_hosts > 0 && strcmp(f->rule, "host-unreachable") == 0;
}

static void put_unreached(const struct outline *o, bool color, struct buf *out)
{
	size_t left = o->d->n_hosts - o->n_reached, shown = 0;

	if (left == 0)
		return;
	buf_putc(out, '\n');
	put_word(out, color, SEVERITY_HIGH, "not reached");
	put(out, ": %zu of %zu\n", left, o->d->n_hosts);
	for (size_t i = 0; i < o->d->n_hosts && shown < SHOWN_ERRORS; i++) {
		const struct host_record *record = o->d->hosts[i].host->record;
		if (host_record_examined(record))
			continue;
		put(out, "   %s  %s", record->name, host_status_name(record->status));
		if (record->error != NULL && *record->error != '\0')
			put(out, ": %s", record->error);
		put(out, "\n      %s\n", host_status_advice(record->status));
		shown++;
	}
	if (shown < left)
		put(out, "   and %zu more in the report\n", left - shown);
	for (size_t i = 0; i < o->d->n_findings; i++) {
		if (is_unreached(o, &o->d->findings[i]))
			put(out, "   %s  %s\n", o->d->findings[i].id, o->d->findings[i].why);
	}
}

/* Hosts that answered, but of which something is missing by the way they were asked. */
static void put_incomplete(const struct outline *o, bool color, struct buf *out)
{
	size_t n = 0;

	for (size_t i = 0; i < o->d->n_hosts; i++) {
		const struct host_record *record = o->d->hosts[i].host->record;
		if (!host_record_examined(record) || record->status == HOST_OK)
			continue;
		if (n++ == 0) {
			buf_putc(out, '\n');
			put_word(out, color, SEVERITY_MEDIUM, "incomplete");
			buf_puts(out, ":\n");
		}
		if (n <= SHOWN_ERRORS)
			put(out, "   %s  %s: %s\n      %s\n", record->name,
			    host_status_name(record->status), record->error,
			    host_status_advice(record->status));
	}
	if (n > SHOWN_ERRORS)
		put(out, "   and %zu more in the report\n", n - SHOWN_ERRORS);
}

static void put_baseline(const struct outline *o, bool color, struct buf *out)
{
	const struct diagnosis *d = o->d;

	if (d->baseline == NULL)
		return;
	put(out, "\nagainst the run of %s: %s\n", d->baseline->run->meta.started,
	    outline_states(o));
	for (size_t i = 0; i < d->n_gone && i < SHOWN_FINDINGS; i++) {
		const struct finding *f = d->gone[i].finding;
		buf_puts(out, "   ");
		sgr(out, color, d->gone[i].resolved ? "32" : "33");
		put(out, "%s", outline_gone(o, &d->gone[i]));
		sgr(out, color, "0");
		put(out, "  %s: %s\n", severity_name(f->severity), f->summary);
	}
	if (d->n_gone > SHOWN_FINDINGS)
		put(out, "   and %zu more in the report\n", d->n_gone - SHOWN_FINDINGS);
}

static void put_notes(const struct diagnosis *d, bool color, struct buf *out)
{
	if (d->n_notes == 0)
		return;
	buf_putc(out, '\n');
	put_word(out, color, SEVERITY_MEDIUM, "not known");
	buf_putc(out, '\n');
	for (size_t i = 0; i < d->n_notes && i < SHOWN_NOTES; i++)
		put(out, "   %s\n", d->notes[i]);
	if (d->n_notes > SHOWN_NOTES)
		put(out, "   and %zu more in the report\n", d->n_notes - SHOWN_NOTES);
}

void terminal_write_verdict(const struct diagnosis *d, bool color, struct buf *out)
{
	struct outline *o = outline_new(d);
	size_t shown = 0;

	put_word(out, color, d->severity,
	    d->severity == SEVERITY_NONE ? "no findings" : severity_name(d->severity));
	put(out, ": %s\n", d->summary);
	put(out, "group %s: %zu of %s answered\n", d->run->meta.group, o->n_reached,
	    outline_count(o, outline_asked(o), "host", "hosts"));
	if (d->n_findings >= OUTLINE_MANY)
		put(out, "findings: %s\n", outline_counts(o));
	for (size_t i = 0; i < d->n_findings; i++) {
		if (is_unreached(o, &d->findings[i]))
			continue;
		if (shown++ < SHOWN_FINDINGS)
			put_finding(o, &d->findings[i], color, out);
	}
	if (shown > SHOWN_FINDINGS)
		put(out, "\nand %s in the report\n",
		    outline_count(o, shown - SHOWN_FINDINGS, "more finding", "more findings"));
	put_baseline(o, color, out);
	put_incomplete(o, color, out);
	put_unreached(o, color, out);
	put_notes(d, color, out);
	outline_free(o);
}

static void put_value(struct buf *out, const char *value)
{
	if (value == NULL)
		buf_puts(out, "(absent)");
	else
		put(out, "%s", value);
}

void terminal_write_pair(
    const char *a, const char *b, const struct difference *v, size_t n, bool color, struct buf *out)
{
	size_t width = strlen(a) > strlen(b) ? strlen(a) : strlen(b);

	if (n == 0)
		put(out, "%s and %s do not differ in what is known of both\n", a, b);
	for (size_t i = 0; i < n; i++) {
		buf_puts(out, i == 0 ? "" : "\n");
		put(out, "%s %s\n", facet_name(v[i].facet), v[i].key);
		for (int side = 0; side < 2; side++) {
			const char *name = side == 0 ? a : b;
			sgr(out, color, side == 0 ? "31" : "32");
			put(out, "  %s", name);
			for (size_t k = strlen(name); k < width + 2; k++)
				buf_putc(out, ' ');
			put_value(out, side == 0 ? v[i].value : v[i].others);
			sgr(out, color, "0");
			buf_putc(out, '\n');
		}
	}
}

void terminal_write_unknown(const char *name, const bool facets[FACET_COUNT], struct buf *out)
{
	const char *before = ": ";

	for (int f = 0; f < FACET_COUNT; f++) {
		if (!facets[f])
			continue;
		if (*before == ':')
			put(out, "\nnot known, or not all of it, of %s", name);
		put(out, "%s%s", before, facet_name((enum facet)f));
		before = ", ";
	}
	if (*before == ',')
		buf_putc(out, '\n');
}

void terminal_write_matrix(const struct diagnosis *d, bool color, struct buf *out)
{
	struct outline *o = outline_new(d);

	if (o->n_rows == 0)
		buf_puts(out, "no host differs from the others in what is known\n");
	for (size_t i = 0; i < o->n_rows; i++) {
		const struct matrix_row *row = &o->rows[i];
		buf_puts(out, i == 0 ? "" : "\n");
		put(out, "%s %s\n", facet_name(row->facet), row->key);
		put(out, "  %zu of %zu hosts  ", row->agree, row->compared);
		put_value(out, row->others);
		buf_putc(out, '\n');
		for (size_t k = 0, n; k < row->n; k += n) {
			const struct cell *cell = &o->cells[row->first + k];
			const char *hosts = outline_fold_cells(o, cell, row->n - k, &n, 0);
			sgr(out, color, "33");
			put(out, "  %s  ", hosts);
			put_value(out, cell->difference->value);
			sgr(out, color, "0");
			buf_putc(out, '\n');
		}
	}
	outline_free(o);
}
