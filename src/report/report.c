#include "oddhost/report/report.h"

#include <limits.h>
#include <stdio.h>

#include "oddhost/base/file.h"
#include "oddhost/report/findings.h"
#include "oddhost/report/html.h"
#include "oddhost/report/markdown.h"

const struct report_format report_formats[] = {
    {"html", "report.html", html_write},
    {"md", "report.md", markdown_write},
    {"json", "findings.json", findings_write},
    {NULL, NULL, NULL},
};

bool report_check_formats(const char *formats, struct err *err)
{
	struct view list = view_of(formats), part;

	while (view_next_part(&list, ',', &part)) {
		const struct report_format *format = report_formats;
		part = view_trim(part);
		while (format->name != NULL && !view_eq(part, format->name))
			format++;
		if (format->name == NULL)
			return err_set(err, "'%.*s' is no report format; known are " REPORT_FORMATS,
			    part.n > 40 ? 40 : (int)part.n, part.p);
	}
	return true;
}

bool report_wants(const char *formats, const struct report_format *format)
{
	struct view list = view_of(formats == NULL ? REPORT_FORMATS : formats), part;

	while (view_next_part(&list, ',', &part)) {
		if (view_eq(view_trim(part), format->name))
			return true;
	}
	return false;
}

static bool write_one(const char *dir, const struct diagnosis *diagnosis,
    const struct report_format *format, struct err *err)
{
	char path[PATH_MAX];
	struct buf content = {0};
	int n = snprintf(path, sizeof path, "%s/%s", dir, format->file);

	if (n < 0 || (size_t)n >= sizeof path)
		return err_set(err, "%s: path too long", dir);
	format->write(diagnosis, &content);
	bool ok = content.overflow ? err_set(err, "%s: the report is too large", path)
				   : file_write(path, 0600, buf_view(&content), err);
	buf_free(&content);
	return ok;
}

bool report_write(
    const char *dir, const struct diagnosis *diagnosis, const char *formats, struct err *err)
{
	bool ok = report_check_formats(formats, err);

	for (const struct report_format *format = report_formats; format->name != NULL; format++) {
		struct err one;
		if (!report_wants(formats, format) || write_one(dir, diagnosis, format, &one))
			continue;
		if (ok)
			err_set(err, "%s", one.text);
		ok = false;
	}
	return ok;
}
