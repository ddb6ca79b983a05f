#include "oddhost/report/html_page.h"

#include <stdlib.h>
#include <string.h>

#include "oddhost/base/mem.h"
#include "oddhost/model/cloud.h"

#define SHOWN_HOSTS 200  /* rows */
#define COLUMNS 16       /* hosts beside each other in the comparison */
#define SHOWN_ROWS 200   /* keys in the comparison */
#define SHOWN_GROUPS 12  /* of a folded list */
#define SHOWN_PROBES 6   /* probes that did not work, of one host */
#define SHOWN_LINKS 12   /* findings of one host */
#define SHOWN_UNREAD 100 /* hosts with lines that were not understood */

static bool is_plain(const struct outline *o, size_t host)
{
	const struct host_view *view = &o->d->hosts[host];

	return view->host->record->status == HOST_OK && view->n_differs == 0 &&
	       view->host->diags.n == 0 && o->findings_start[host] == o->findings_start[host + 1];
}

static void add_status(struct buf *out, const struct host_record *record)
{
	bool reached = host_record_examined(record);
	size_t failed = 0;

	html(out, "<td class=\"%s\"><b>%s</b>",
	    record->status == HOST_OK ? "good"
	    : reached                 ? "warn"
				      : "bad",
	    host_status_name(record->status));
	if (record->error != NULL && *record->error != '\0')
		html(out, "<br><code>%s</code>", record->error);
	if (*host_status_advice(record->status) != '\0')
		html(out, "<br><small>%s</small>", host_status_advice(record->status));
	for (size_t i = 0; i < record->n_probes; i++) {
		const struct probe_result *probe = &record->probes[i];
		if (probe->status == PROBE_OK || ++failed > SHOWN_PROBES)
			continue;
		html(out, "<br><small>%s: %s</small>", probe->name,
		    probe_status_name(probe->status));
	}
	if (failed > SHOWN_PROBES)
		html(out, "<br><small>and %zu more probes</small>", failed - SHOWN_PROBES);
	html(out, "</td>");
}

static void add_links(struct buf *out, const struct outline *o, size_t host)
{
	size_t first = o->findings_start[host], n = o->findings_start[host + 1] - first;

	html(out, "<td class=\"named\">");
	for (size_t i = 0; i < n && i < SHOWN_LINKS; i++) {
		const struct finding *f = &o->d->findings[o->findings_of[first + i]];
		html(out, i > 0 ? "<br>" : "");
		html(out, "<a href=\"#%s\">%s</a> ", f->id, f->id);
		html_add_badge(out, f->severity);
	}
	if (n > SHOWN_LINKS)
		html(out, "<br>and %zu more", n - SHOWN_LINKS);
	if (n == 0)
		html(out, "none");
	html(out, "</td>");
}

static void add_host(struct buf *out, const struct outline *o, size_t host)
{
	const struct host_view *view = &o->d->hosts[host];
	const struct host_record *record = view->host->record;

	html(out, host_record_examined(record) ? "<tr>" : "<tr class=\"unreached\">");
	html(out, "<th scope=\"row\">");
	if (html_has_raw(o, host))
		html(out, "<a href=\"#h%zup\">%s</a>", host, record->name);
	else
		html(out, "%s", record->name);
	if (record->address != NULL && strcmp(record->address, record->name) != 0)
		html(out, "<br><small>%s</small>", record->address);
	if (view->host->cloud.provider != NULL)
		html(out, "<br><small>%s</small>", cloud_text(o->arena, &view->host->cloud));
	html(out, "</th>");
	add_status(out, record);
	if (!host_record_examined(record))
		html(out, "<td class=\"score absent\">not compared</td>");
	else if (view->n_differs == 0)
		html(out, "<td class=\"score\">as the others</td>");
	else
		html(out, "<td class=\"score nowrap\"><b>%.2f</b> <small>in %s</small></td>",
		    view->score, outline_count(o, view->n_differs, "key", "keys"));
	add_links(out, o, host);
	html(out, "</tr>\n");
}

static size_t add_rows(struct buf *out, const struct outline *o)
{
	bool fold = o->d->n_hosts > OUTLINE_SMALL;
	size_t shown = 0;

	for (size_t i = 0; i < o->d->n_hosts; i++) {
		size_t host = o->by_concern[i];
		if ((!fold || !is_plain(o, host)) && shown++ < SHOWN_HOSTS)
			add_host(out, o, host);
	}
	return shown;
}

static void add_plain_hosts(struct buf *out, const struct outline *o)
{
	const char **names = mem_alloc((o->d->n_hosts + 1) * sizeof *names);
	size_t n = 0;

	for (size_t i = 0; i < o->d->n_hosts; i++) {
		if (is_plain(o, i))
			names[n++] = outline_name(o, i);
	}
	if (n > 0)
		html(out,
		    "<tr><th scope=\"row\">%s<br><small>%s</small></th><td "
		    "class=\"good\"><b>ok</b></td>"
		    "<td class=\"score\">as the others</td><td class=\"named\">none</td></tr>\n",
		    outline_count(o, n, "host", "hosts"), outline_fold(o, names, n, SHOWN_GROUPS));
	free(names);
}

void html_add_hosts(struct buf *out, const struct outline *o)
{
	html(out, "<section id=\"hosts\">\n<h2>Hosts</h2>\n");
	if (o->d->n_hosts == 0) {
		html(out, "<p>The run holds no host.</p>\n</section>\n");
		return;
	}
	html(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Hosts\">"
		  "<table class=\"hosts\">\n<thead><tr><th>Host</th><th>Status</th>"
		  "<th>Outlier score</th><th>Findings</th></tr></thead>\n<tbody>\n");
	size_t shown = add_rows(out, o);
	if (o->d->n_hosts > OUTLINE_SMALL)
		add_plain_hosts(out, o);
	html(out, "</tbody>\n</table></div>\n");
	if (shown > SHOWN_HOSTS)
		html(out, "<p class=\"cut\">%zu more hosts stand in findings.json.</p>\n",
		    shown - SHOWN_HOSTS);
	html(out, "</section>\n");
}

static void add_value(struct buf *out, const char *value)
{
	if (value == NULL)
		html(out, "<span class=\"absent\">absent</span>");
	else
		html(out, "<code>%s</code>", value);
}

static void add_key(struct buf *out, const struct matrix_row *row)
{
	html(out, "<tr><th scope=\"row\"><small>%s</small><br><code>%s</code></th><td>",
	    facet_name(row->facet), row->key);
	add_value(out, row->others);
	html(out, "<br><small>%zu of %zu hosts</small></td>", row->agree, row->compared);
}

/* Few hosts: one column each. A host without a cell is as the others, or was not asked. */
static void add_columns(struct buf *out, const struct outline *o, const struct matrix_row *row)
{
	add_key(out, row);
	for (size_t h = 0; h < o->d->n_hosts; h++) {
		size_t values = 0;
		for (size_t i = 0; i < row->n; i++) {
			const struct cell *cell = &o->cells[row->first + i];
			if (cell->host != h)
				continue;
			html(out, values++ == 0 ? "<td class=\"differs\">" : "<br>");
			add_value(out, cell->difference->value);
		}
		if (values > 0)
			html(out, "</td>");
		else if (outline_knows(o->d->hosts[h].host, row->facet))
			html(out, "<td class=\"same\">same</td>");
		else
			html(out, "<td class=\"absent\">not known</td>");
	}
	html(out, "</tr>\n");
}

/* Many hosts: the values that differ, each with those that hold it. */
static void add_groups(struct buf *out, const struct outline *o, const struct matrix_row *row)
{
	add_key(out, row);
	html(out, "<td class=\"differs\"><ul>\n");
	for (size_t i = 0, n; i < row->n; i += n) {
		const struct cell *cell = &o->cells[row->first + i];
		const char *hosts = outline_fold_cells(o, cell, row->n - i, &n, SHOWN_GROUPS);
		html(out, "<li>");
		add_value(out, cell->difference->value);
		html(out, " on %s</li>\n", hosts);
	}
	html(out, "</ul></td></tr>\n");
}

void html_add_matrix(struct buf *out, const struct outline *o)
{
	size_t n = o->n_rows < SHOWN_ROWS ? o->n_rows : SHOWN_ROWS;
	bool columns = o->d->n_hosts <= COLUMNS;

	html(out, "<section id=\"comparison\">\n<h2>Comparison</h2>\n");
	if (n == 0) {
		html(out, "<p>No host differs from a consensus of the others in what is "
			  "known.</p>\n</section>\n");
		return;
	}
	html(out, "<p class=\"note\">Keys in which at least two thirds of the hosts agree and some "
		  "do not. "
		  "Names that differ by nature, such as <code>br-…</code>, are compared by what "
		  "they stand "
		  "for.</p>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
		  "aria-label=\"Comparison\">"
		  "<table class=\"matrix\">\n<thead><tr><th>Key</th><th>Consensus</th>");
	for (size_t h = 0; columns && h < o->d->n_hosts; h++)
		html(out, "<th>%s</th>", outline_name(o, h));
	html(out, "</tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < n; i++) {
		if (columns)
			add_columns(out, o, &o->rows[i]);
		else
			add_groups(out, o, &o->rows[i]);
	}
	html(out, "</tbody>\n</table></div>\n");
	if (n < o->n_rows)
		html(out, "<p class=\"cut\">%zu more keys stand in findings.json.</p>\n",
		    o->n_rows - n);
	html(out, "</section>\n");
}

static size_t add_unreached(struct buf *out, const struct outline *o)
{
	const char **names = mem_alloc((o->d->n_hosts + 1) * sizeof *names);
	size_t n = 0;

	for (size_t i = 0; i < o->d->n_hosts; i++) {
		if (!host_record_examined(o->d->hosts[i].host->record))
			names[n++] = outline_name(o, i);
	}
	if (n > 0)
		html(out,
		    "<li><span class=\"lost\">Not reached: %s.</span> Nothing is known of "
		    "%s.</li>\n",
		    outline_fold(o, names, n, SHOWN_GROUPS), n == 1 ? "it" : "them");
	free(names);
	return n;
}

static size_t add_unread(struct buf *out, const struct outline *o)
{
	size_t hosts = 0;

	for (size_t i = 0; i < o->d->n_hosts; i++) {
		const struct diag_list *diags = &o->d->hosts[i].host->diags;
		if (diags->n == 0 || ++hosts > SHOWN_UNREAD)
			continue;
		const struct diag *first = &diags->items[0];
		html(out, "<li>%s: %s not understood; the first: ", outline_name(o, i),
		    outline_count(o, diags->n, "line was", "lines were"));
		if (first->source != NULL)
			html(out, "%s ", first->source);
		if (first->line > 0)
			html(out, "line %u ", first->line);
		html(out, "<code>%s</code></li>\n", first->text);
	}
	if (hosts > SHOWN_UNREAD)
		html(out, "<li>and such lines on %zu more hosts</li>\n", hosts - SHOWN_UNREAD);
	return hosts;
}

void html_add_unknown(struct buf *out, const struct outline *o)
{
	const struct diagnosis *d = o->d;
	size_t items = d->n_notes;

	html(out, "<section id=\"unknown\">\n<h2>Not known</h2>\n<ul class=\"unknown\">\n");
	for (size_t i = 0; i < d->n_notes; i++) {
		html(out, "<li>");
		html_add_prose(out, view_of(d->notes[i]));
		html(out, "</li>\n");
	}
	items += add_unreached(out, o) + add_unread(out, o);
	if (d->run->diags.n > 0)
		html(out, "<li>%s of the run directory could not be read</li>\n",
		    outline_count(o, d->run->diags.n, "line", "lines"));
	if (d->run->meta.n_hosts > d->n_hosts)
		html(out, "<li>%s asked for %s not in the run: it was ended early</li>\n",
		    outline_count(o, d->run->meta.n_hosts - d->n_hosts, "host", "hosts"),
		    d->run->meta.n_hosts - d->n_hosts == 1 ? "is" : "are");
	if (items == 0 && run_is_complete(d->run))
		html(out, "<li>Nothing that was asked for is missing.</li>\n");
	else if (items == 0 && d->run->diags.n == 0)
		html(out, "<li>Some probes failed: see the hosts above.</li>\n");
	html(out, "</ul>\n</section>\n");
}
