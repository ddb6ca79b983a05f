#include "oddhost/report/html_page.h"

#include <string.h>

#define SHOWN_FINDINGS 200
#define SHOWN_QUOTES 24 /* outputs quoted under one finding or claim */
#define SHOWN_SUSPECTS 20
#define SHOWN_HOSTS 12  /* groups of a folded list */
#define WHOLE_OUTPUT 12 /* lines: an output this short is quoted as a whole */
#define CONTEXT 2       /* lines round a quoted one otherwise */
#define LINE_BYTES 1000

/* The lines of one output that a run of evidence (same host and probe) quotes. */
struct quote {
	const struct evidence *evidence;
	size_t n;
	bool context; /* show what stands round the quoted lines */
};

static bool same_output(const struct evidence *a, const struct evidence *b)
{
	return a->host != NULL && b->host != NULL && a->probe != NULL && b->probe != NULL &&
	       strcmp(a->host, b->host) == 0 && strcmp(a->probe, b->probe) == 0;
}

static bool quotes_line(const struct quote *q, unsigned line)
{
	for (size_t i = 0; i < q->n; i++) {
		if (q->evidence[i].line == line)
			return true;
	}
	return false;
}

static bool near_line(const struct quote *q, unsigned line)
{
	for (size_t i = 0; i < q->n; i++) {
		unsigned at = q->evidence[i].line;
		if (at != 0 && line + CONTEXT >= at && line <= at + CONTEXT)
			return true;
	}
	return false;
}

static void add_line(struct buf *out, unsigned number, struct view text, bool hit)
{
	html(out, "<span class=\"%s\"><i>%u</i>", hit ? "line hit" : "line", number);
	if (hit)
		html(out, "<mark>");
	escape_html(out, view_left(text, LINE_BYTES));
	html(out, text.n > LINE_BYTES ? "…" : "");
	html(out, hit ? "</mark></span>\n" : "</span>\n");
}

static unsigned count_lines(struct view text)
{
	struct view line;
	unsigned n = 0;

	while (view_next_line(&text, &line))
		n++;
	return n;
}

/* From the raw output, so that the quoted lines stand among their neighbours. */
static void add_excerpt(struct buf *out, const struct probe_result *probe, const struct quote *q)
{
	struct view rest = probe->out, line;
	bool whole = count_lines(probe->out) <= WHOLE_OUTPUT && q->context, gap = false;

	for (unsigned n = 1; view_next_line(&rest, &line); n++) {
		bool hit = quotes_line(q, n);
		if (hit || whole || (q->context && near_line(q, n))) {
			if (gap)
				html(out, "<span class=\"line gap\">…</span>\n");
			add_line(out, n, line, hit);
			gap = false;
		} else {
			gap = n > 1 && q->context;
		}
	}
}

static bool same_text(const struct probe_result *probe, const struct quote *q)
{
	for (size_t i = 0; i < q->n; i++) {
		if (q->evidence[i].line == 0 || q->evidence[i].text == NULL ||
		    !view_eq(probe_line(probe, q->evidence[i].line), q->evidence[i].text))
			return false;
	}
	return true;
}

static void add_quote(struct buf *out, const struct outline *o, const struct quote *q)
{
	const struct evidence *e = q->evidence;
	const struct probe_result *probe = NULL;
	struct citation at;

	html(out, q->context ? "<figure class=\"quote\">\n" : "<figure class=\"quote short\">\n");
	html(out, "<figcaption><b>%s</b> ", e->host == NULL ? "" : e->host);
	if (outline_cite(o, e, &at)) {
		probe = &o->d->hosts[at.host].host->record->probes[at.probe];
		if (html_has_raw(o, at.host))
			html(out, "<a href=\"#h%zup%zul%u\">", at.host, at.probe, at.line);
		html(out, "%s", e->probe);
		if (e->line > 0)
			html(out, ", line %u", e->line);
		for (size_t i = 1; i < q->n; i++)
			html(out, ", %u", e[i].line);
		if (html_has_raw(o, at.host))
			html(out, "</a>");
	} else {
		html(out, "%s", e->probe == NULL ? "collector" : e->probe);
	}
	html(out, "</figcaption>\n<pre tabindex=\"0\">");
	if (probe != NULL && same_text(probe, q)) {
		add_excerpt(out, probe, q);
	} else {
		for (size_t i = 0; i < q->n; i++)
			html(out, "<span class=\"line hit\"><mark>%s</mark></span>\n", e[i].text);
	}
	html(out, "</pre>\n</figure>\n");
}

static bool is_own(const struct evidence *e, const char *const *hosts, size_t n_hosts)
{
	return n_hosts > 0 && e->host != NULL && strcmp(e->host, hosts[0]) == 0;
}

/* `hosts`: those that the finding is about, whose outputs are shown with context. */
static void add_evidence(struct buf *out, const struct outline *o, const struct evidence *v,
    size_t n, const char *const *hosts, size_t n_hosts)
{
	size_t quotes = 0;

	html(out, "<div class=\"evidence\">\n");
	for (size_t i = 0; i < n && quotes < SHOWN_QUOTES; quotes++) {
		struct quote q = {v + i, 1, is_own(&v[i], hosts, n_hosts)};
		while (i + q.n < n && q.n < 32 && same_output(&v[i], &v[i + q.n]))
			q.n++;
		add_quote(out, o, &q);
		i += q.n;
		if (quotes + 1 == SHOWN_QUOTES && i < n)
			html(out,
			    "<p class=\"cut\">%zu more lines of evidence stand in "
			    "findings.json.</p>\n",
			    n - i);
	}
	html(out, "</div>\n");
}

static void add_paragraph(struct buf *out, const char *text)
{
	html(out, "<p class=\"why\">");
	html_add_prose(out, view_of(text));
	html(out, "</p>\n");
}

static void add_finding(struct buf *out, const struct outline *o, const struct finding *f)
{
	html(out, "<article class=\"finding %s\" id=\"%s\">\n<p class=\"kind\">",
	    severity_name(f->severity), f->id);
	html_add_badge(out, f->severity);
	html(out, " <a href=\"#%s\">%s</a> <span>%s</span> <span>%s confidence</span>", f->id,
	    f->id, f->rule, confidence_name(f->confidence));
	if (f->state != FINDING_UNCOMPARED)
		html(out, " <span>%s</span>", finding_state_name(f->state));
	html(out, "</p>\n<h3>%s</h3>\n", f->summary);
	html(out, "<dl class=\"where\">\n");
	if (f->n_hosts > 0)
		html(out, "<div><dt>%s</dt><dd>%s</dd></div>\n", f->n_hosts == 1 ? "Host" : "Hosts",
		    outline_fold(o, f->hosts, f->n_hosts, SHOWN_HOSTS));
	if (f->target != NULL)
		html(out, "<div><dt>Target</dt><dd>%s</dd></div>\n", f->target);
	if (f->address != NULL)
		html(out, "<div><dt>Address</dt><dd>%s</dd></div>\n", f->address);
	if (f->prefix != NULL)
		html(out, "<div><dt>Prefix</dt><dd>%s</dd></div>\n", f->prefix);
	html(out, "</dl>\n");
	if (f->why != NULL && *f->why != '\0')
		add_paragraph(out, f->why);
	if (outline_egress(o, f) != NULL)
		html(out, "<h4>Where packets for %s go</h4>\n",
		    f->address == NULL ? f->target : f->address);
	html_add_egress(out, o, f);
	if (f->n_evidence > 0) {
		html(out, "<h4>Evidence</h4>\n");
		add_evidence(out, o, f->evidence, f->n_evidence, f->hosts, f->n_hosts);
	}
	if (f->n_fix > 0) {
		html(out, "<h4 id=\"%s-fix\">Fix</h4>\n", f->id);
		html_add_steps(out, f->fix, f->n_fix, 0);
	}
	if (f->fingerprint != NULL)
		html(out, "<p class=\"print\">fingerprint %s</p>\n", f->fingerprint);
	html(out, "</article>\n");
}

/* Where they are many: what there is, before the first one goes into detail. */
static void add_index(struct buf *out, const struct outline *o, size_t n)
{
	html(out, "<p>%s.</p>\n<ul class=\"index\">\n", outline_counts(o));
	for (size_t i = 0; i < n; i++) {
		const struct finding *f = &o->d->findings[i];
		html(out, "<li>");
		html_add_badge(out, f->severity);
		html(out, " <a href=\"#%s\">%s</a> %s</li>\n", f->id, f->id, f->summary);
	}
	html(out, "</ul>\n");
}

void html_add_findings(struct buf *out, const struct outline *o)
{
	size_t n = o->d->n_findings < SHOWN_FINDINGS ? o->d->n_findings : SHOWN_FINDINGS;

	html(out, "<section id=\"findings\">\n<h2>Findings</h2>\n");
	if (n == 0)
		html(out, "<p>None.</p>\n");
	if (n >= OUTLINE_MANY)
		add_index(out, o, n);
	for (size_t i = 0; i < n; i++)
		add_finding(out, o, &o->d->findings[i]);
	if (n < o->d->n_findings)
		html(out, "<p class=\"cut\">%zu more findings stand in findings.json.</p>\n",
		    o->d->n_findings - n);
	html(out, "</section>\n");
}

void html_add_baseline(struct buf *out, const struct outline *o)
{
	const struct diagnosis *d = o->d;

	if (d->baseline == NULL)
		return;
	html(out, "<section id=\"baseline\">\n<h2>Since the run of %s</h2>\n<p>%s.</p>\n",
	    d->baseline->run->meta.started, outline_states(o));
	html(out, d->n_gone > 0 ? "<ul>\n" : "");
	for (size_t i = 0; i < d->n_gone && i < SHOWN_FINDINGS; i++) {
		const struct finding *f = d->gone[i].finding;
		html(out, "<li><b>%s</b> ", outline_gone(o, &d->gone[i]));
		html_add_badge(out, f->severity);
		html(out, " %s</li>\n", f->summary);
	}
	html(out, d->n_gone > 0 ? "</ul>\n" : "");
	if (d->n_gone > SHOWN_FINDINGS)
		html(out, "<p class=\"cut\">%zu more stand in findings.json.</p>\n",
		    d->n_gone - SHOWN_FINDINGS);
	html(out, "</section>\n");
}

void html_add_ruled_out(struct buf *out, const struct outline *o)
{
	if (o->d->n_ruled_out == 0)
		return;
	html(out, "<section id=\"ruled-out\">\n<h2>Ruled out</h2>\n");
	for (size_t i = 0; i < o->d->n_ruled_out; i++) {
		const struct claim *claim = &o->d->ruled_out[i];
		html(out, "<article class=\"claim\">\n<h3>%s</h3>\n", claim->text);
		if (claim->n_evidence > 0)
			add_evidence(out, o, claim->evidence, claim->n_evidence, NULL, 0);
		html(out, "</article>\n");
	}
	html(out, "</section>\n");
}

static void add_suspect(struct buf *out, const struct outline *o, const struct suspect *s)
{
	html(out, "<tr><td class=\"number\">%.2f</td><td>%s</td><td><code>%s</code></td>", s->score,
	    facet_name(s->facet), s->key);
	if (s->value == NULL)
		html(out, "<td class=\"absent\">absent</td>");
	else
		html(out, "<td><code>%s</code></td>", s->value);
	html(out, "<td>%s</td><td>%s</td></tr>\n",
	    s->n_failing > 0 ? outline_fold(o, s->failing, s->n_failing, SHOWN_HOSTS) : "none",
	    s->n_passing > 0 ? outline_fold(o, s->passing, s->n_passing, SHOWN_HOSTS) : "none");
}

void html_add_suspects(struct buf *out, const struct outline *o)
{
	size_t n = o->d->n_suspects < SHOWN_SUSPECTS ? o->d->n_suspects : SHOWN_SUSPECTS;

	if (n == 0)
		return;
	html(out,
	    "<section id=\"suspects\">\n<h2>Suspects</h2>\n"
	    "<p class=\"note\">What the failing hosts have in common that the others lack. 1.00: "
	    "on all "
	    "failing hosts and on no other (Ochiai’s score).</p>\n"
	    "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Suspects\"><table>\n"
	    "<thead><tr><th>Score</th><th>Facet</th><th>Key</th><th>Value</th><th>On failing "
	    "hosts</th>"
	    "<th>On others</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < n; i++)
		add_suspect(out, o, &o->d->suspects[i]);
	html(out, "</tbody>\n</table></div>\n");
	if (n < o->d->n_suspects)
		html(out, "<p class=\"cut\">%zu more stand in findings.json.</p>\n",
		    o->d->n_suspects - n);
	html(out, "</section>\n");
}
