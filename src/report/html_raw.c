#include "oddhost/report/html_page.h"

#define SHOWN_LINES 200  /* of one output; lines that evidence quotes come on top */
#define SHOWN_BYTES 2000 /* of one line */

static void add_raw_line(
    struct buf *out, size_t host, size_t probe, unsigned number, struct view line, bool cited)
{
	if (cited)
		html(out, "<span class=\"line hit\" id=\"h%zup%zul%u\"><i>%u</i><mark>", host,
		    probe, number, number);
	else
		html(out, "<span class=\"line\"><i>%u</i>", number);
	escape_html(out, view_left(line, SHOWN_BYTES));
	if (line.n > SHOWN_BYTES)
		html(out, "<b class=\"cut\"> (%zu more bytes)</b>", line.n - SHOWN_BYTES);
	html(out, cited ? "</mark></span>\n" : "</span>\n");
}

static void add_output(struct buf *out, const struct outline *o, size_t host, size_t index)
{
	const struct probe_result *probe = &o->d->hosts[host].host->record->probes[index];
	struct view rest = probe->out, line;
	size_t cut = 0;

	html(out, "<pre tabindex=\"0\">");
	for (unsigned n = 1; view_next_line(&rest, &line); n++) {
		bool cited = outline_is_cited(o, host, index, n);
		if (n <= SHOWN_LINES || cited)
			add_raw_line(out, host, index, n, line, cited);
		else
			cut++;
	}
	html(out, "</pre>\n");
	if (cut > 0)
		html(out, "<p class=\"cut\">%zu more lines stand in hosts.jsonl.</p>\n", cut);
}

static void add_probe(struct buf *out, const struct outline *o, size_t host, size_t index)
{
	const struct probe_result *probe = &o->d->hosts[host].host->record->probes[index];

	html(out, "<h4");
	if (outline_is_cited(o, host, index, 0))
		html(out, " id=\"h%zup%zul0\"", host, index);
	html(out, ">%s", probe->name);
	if (probe->status != PROBE_OK)
		html(out, " <span class=\"failed\">%s</span>", probe_status_name(probe->status));
	if (probe->exit > 0)
		html(out, " <small>exit status %d</small>", probe->exit);
	if (probe->truncated)
		html(out, " <small>cut at the byte limit</small>");
	html(out, "</h4>\n");
	if (probe->command != NULL && *probe->command != '\0')
		html(out, "<pre class=\"ran\" tabindex=\"0\">%s</pre>\n", probe->command);
	if (probe->out.n > 0)
		add_output(out, o, host, index);
	if (view_trim(probe->err).n > 0) {
		struct view err = view_left(view_trim(probe->err), SHOWN_BYTES);
		html(out, "<pre class=\"stderr\" tabindex=\"0\">");
		escape_html(out, err);
		html(out, "</pre>\n");
	}
	if (probe->out.n == 0 && view_trim(probe->err).n == 0)
		html(out, "<p class=\"absent\">no output</p>\n");
}

static void add_host(struct buf *out, const struct outline *o, size_t host)
{
	const struct host_record *record = o->d->hosts[host].host->record;

	html(out, "<details id=\"h%zup\">\n<summary><b>%s</b> <small>%s</small></summary>\n", host,
	    record->name, outline_count(o, record->n_probes, "output", "outputs"));
	if (record->started != NULL)
		html(out, "<p class=\"note\">Asked at %s", record->started);
	if (record->started != NULL && record->hostkey != NULL)
		html(out, ", host key <code>%s</code>", record->hostkey);
	if (record->started != NULL)
		html(out, "</p>\n");
	for (size_t i = 0; i < record->n_probes; i++)
		add_probe(out, o, host, i);
	html(out, "</details>\n");
}

void html_add_raw(struct buf *out, const struct outline *o)
{
	size_t left = 0;

	if (o->d->n_hosts == 0)
		return;
	html(out, "<section id=\"raw\">\n<h2>Raw outputs</h2>\n"
		  "<p class=\"note\">What the hosts said, word for word; control and invisible "
		  "characters "
		  "are written out. Marked lines are quoted above.</p>\n");
	for (size_t i = 0; i < o->d->n_hosts; i++) {
		if (o->d->hosts[i].host->record->n_probes == 0)
			continue;
		if (html_has_raw(o, i))
			add_host(out, o, i);
		else
			left++;
	}
	if (left > 0)
		html(out, "<p class=\"cut\">The outputs of %s more stand in hosts.jsonl.</p>\n",
		    outline_count(o, left, "host", "hosts"));
	html(out, "</section>\n");
}
