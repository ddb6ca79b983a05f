#include "oddhost/report/html.h"

#include "oddhost/report/html_page.h"

#include <string.h>

#define LEAD_STEPS 4 /* of the fix, on the first screen */

static void add_head(struct buf *out, const struct diagnosis *d)
{
	html(out,
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	    "style-src 'unsafe-inline'\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	    "<meta name=\"color-scheme\" content=\"light dark\">\n"
	    "<meta name=\"referrer\" content=\"no-referrer\">\n"
	    "<title>%s: %s</title>\n<style>\n",
	    html_severity_word(d->severity), d->run->meta.group);
	buf_puts(out, html_stylesheet);
	buf_puts(out, "</style>\n</head>\n<body>\n");
}

/* One definition of the line below the summary: who, when, how many. */
static void add_facts(struct buf *out, const struct outline *o)
{
	const struct run_meta *meta = &o->d->run->meta;
	size_t lost = outline_asked(o) - o->n_reached;

	html(out, "<ul class=\"facts\">\n<li>group <b>%s</b></li>\n", meta->group);
	html(out, "<li><b>%zu</b> of %s answered</li>\n", o->n_reached,
	    outline_count(o, outline_asked(o), "host", "hosts"));
	if (lost > 0)
		html(out, "<li><a class=\"lost\" href=\"#hosts\">%zu not reached</a></li>\n", lost);
	if (o->d->n_findings >= OUTLINE_MANY)
		html(out, "<li><a href=\"#findings\">%s: %s</a></li>\n",
		    outline_count(o, o->d->n_findings, "finding", "findings"), outline_counts(o));
	html(out, "<li>collected <b>%s</b></li>\n", meta->started);
	if (meta->finished == NULL)
		html(out, "<li class=\"lost\">the run did not end: this is what there was</li>\n");
	for (size_t i = 0; i < meta->n_targets && i < 6; i++)
		html(out, "<li>target <code>%s</code></li>\n", meta->targets[i].text);
	html(out, "</ul>\n");
}

static bool is_sentence_end(struct view text, size_t i)
{
	static const char marks[] = ".!?";

	return strchr(marks, text.p[i]) != NULL && text.p[i] != '\0' && i + 2 < text.n &&
	       text.p[i + 1] == ' ' && text.p[i + 2] >= 'A' && text.p[i + 2] <= 'Z';
}

/* A causal chain reads best one link a line: its sentences, where there are several. */
static void add_chain(struct buf *out, const char *why)
{
	struct view rest = view_of(why);

	html(out, "<ol class=\"chain\">\n");
	while (rest.n > 0) {
		size_t n = 0;
		while (n < rest.n && rest.p[n] != '\n' && !is_sentence_end(rest, n))
			n++;
		n = n < rest.n && rest.p[n] != '\n' ? n + 1 : n;
		struct view link = view_trim(view_left(rest, n));
		rest = view_trim(view_skip(rest, n));
		if (link.n == 0)
			continue;
		html(out, "<li>");
		html_add_prose(out, link);
		html(out, "</li>\n");
	}
	html(out, "</ol>\n");
}

/*
 * The first finding again, short: where the packets go, what to do now, and why. Side by side where
 * there is room; on a phone the steps come before the reasons.
 */
static void add_lead(struct buf *out, const struct outline *o, const struct finding *f)
{
	html(out, "<div class=\"lead\">\n");
	if (outline_egress(o, f) != NULL) {
		html(out,
		    "<section class=\"where-to\" aria-labelledby=\"path\">\n"
		    "<h2 id=\"path\">Where packets for %s go</h2>\n",
		    f->address == NULL ? f->target : f->address);
		html_add_egress(out, o, f);
		html(out, "</section>\n");
	}
	html(out, "<section class=\"do\" aria-labelledby=\"do\">\n<h2 id=\"do\">What to do</h2>\n");
	html_add_steps(out, f->fix, f->n_fix, LEAD_STEPS);
	if (f->n_fix == 0)
		html(out, "<p>No step is known.</p>\n");
	else
		html(out, "<p class=\"more\"><a href=\"#%s-fix\">All steps of the fix</a></p>\n",
		    f->id);
	html(out, "</section>\n<section class=\"why-so\" aria-labelledby=\"why\">\n"
		  "<h2 id=\"why\">Why</h2>\n");
	if (f->why != NULL && *f->why != '\0')
		add_chain(out, f->why);
	html(out,
	    "<p class=\"more\"><a href=\"#%s\">Evidence for %s</a>, %s confidence</p>\n"
	    "</section>\n</div>\n",
	    f->id, f->id, confidence_name(f->confidence));
}

static void add_verdict(struct buf *out, const struct outline *o)
{
	const struct diagnosis *d = o->d;

	html(out, "<header class=\"verdict %s\">\n<p>", severity_name(d->severity));
	html_add_badge(out, d->severity);
	html(out, "</p>\n<h1>%s</h1>\n", d->summary);
	add_facts(out, o);
	html(out, "</header>\n");
	if (d->n_findings > 0)
		add_lead(out, o, &d->findings[0]);
}

static void add_navigation(struct buf *out, const struct outline *o, bool map)
{
	const struct {
		const char *id, *title;
		size_t n;
	} sections[] = {
	    {"findings", "Findings", o->d->n_findings},
	    {"baseline", "Resolved", o->d->n_gone},
	    {"ruled-out", "Ruled out", o->d->n_ruled_out},
	    {"suspects", "Suspects", o->d->n_suspects},
	    {"hosts", "Hosts", o->d->n_hosts},
	};

	html(out, "<nav aria-label=\"Sections\">\n");
	for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
		if (sections[i].n > 0)
			html(out, "<a href=\"#%s\">%s <small>%zu</small></a>\n", sections[i].id,
			    sections[i].title, sections[i].n);
	}
	html(out, map ? "<a href=\"#map\">Address map</a>\n" : "");
	html(out, "<a href=\"#comparison\">Comparison</a>\n<a href=\"#unknown\">Not known</a>\n");
	if (o->d->n_hosts > 0)
		html(out, "<a href=\"#raw\">Raw outputs</a>\n");
	html(out, "</nav>\n");
}

void html_write(const struct diagnosis *d, struct buf *out)
{
	struct outline *o = outline_new(d);
	struct buf map = {0};

	html_add_map(&map, o);
	add_head(out, d);
	html(out, "<main>\n");
	add_verdict(out, o);
	add_navigation(out, o, map.n > 0);
	html_add_findings(out, o);
	html_add_baseline(out, o);
	buf_add_view(out, buf_view(&map));
	html_add_ruled_out(out, o);
	html_add_suspects(out, o);
	html_add_hosts(out, o);
	html_add_matrix(out, o);
	html_add_unknown(out, o);
	html_add_raw(out, o);
	html(out,
	    "<footer>\n<p>oddhost %s. Every conclusion here follows from the raw outputs above; "
	    "nothing on the hosts was changed to get "
	    "them.</p>\n</footer>\n</main>\n</body>\n</html>\n",
	    d->run->meta.version);
	buf_free(&map);
	outline_free(o);
}
