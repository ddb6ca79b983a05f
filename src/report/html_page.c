#include "oddhost/report/html_page.h"

#include <string.h>

const char *html_severity_word(enum severity severity)
{
	return severity == SEVERITY_NONE ? "no findings" : severity_name(severity);
}

void html_add_badge(struct buf *out, enum severity severity)
{
	html(out, "<span class=\"badge %s\">%s</span>", severity_name(severity),
	    html_severity_word(severity));
}

void html_add_prose(struct buf *out, struct view rest)
{
	long from, to;

	while ((from = view_find_char(rest, '`')) >= 0 &&
	       (to = view_find_char(view_skip(rest, (size_t)from + 1), '`')) >= 0) {
		escape_html(out, view_left(rest, (size_t)from));
		html(out, "<code>");
		escape_html(out, view_left(view_skip(rest, (size_t)from + 1), (size_t)to));
		html(out, "</code>");
		rest = view_skip(rest, (size_t)from + (size_t)to + 2);
	}
	escape_html(out, rest);
}

/* Steps: prose is numbered, the commands that follow it stand below in one block to copy. */
void html_add_steps(struct buf *out, const char *const *fix, size_t n, size_t most)
{
	bool item = false;
	size_t steps = 0;

	if (n == 0)
		return;
	html(out, "<ol class=\"steps\">\n");
	for (size_t i = 0; i < n; i++) {
		bool command = strncmp(fix[i], "$ ", 2) == 0;
		struct view text = view_of(command ? fix[i] + 2 : fix[i]), line;
		if (!command || !item) {
			if (most > 0 && steps == most)
				break;
			html(out, item ? "</li>\n<li>" : "<li>");
			item = true;
			steps++;
		}
		if (!command && view_next_line(&text, &line)) {
			html_add_prose(out, line);
			text = view_trim(text);
		}
		if (text.n == 0)
			continue;
		html(out, "\n<pre class=\"%s\" tabindex=\"0\">", command ? "command" : "text");
		escape_html(out, text);
		while (command && i + 1 < n && strncmp(fix[i + 1], "$ ", 2) == 0)
			html(out, "\n%s", fix[++i] + 2);
		html(out, "</pre>\n");
	}
	html(out, "</li>\n</ol>\n");
}

void html_add_egress(struct buf *out, const struct outline *o, const struct finding *f)
{
	const struct difference *d = outline_egress(o, f);

	if (d == NULL)
		return;
	html(out, "<dl class=\"versus\">\n<div class=\"odd\"><dt>%s</dt><dd>%s</dd></div>\n",
	    outline_fold(o, f->hosts, f->n_hosts, 3), d->value);
	html(out, "<div><dt>%zu of %zu hosts</dt><dd>%s</dd></div>\n</dl>\n", d->agree, d->compared,
	    d->others);
}

bool html_has_raw(const struct outline *o, size_t host)
{
	return o->raw[host] && o->d->hosts[host].host->record->n_probes > 0;
}
