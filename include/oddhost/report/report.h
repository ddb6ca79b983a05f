/*
 * Reports: pure functions of a diagnosis. The same diagnosis gives the same bytes, on any machine
 * and at any time: no clock, no locale, no path. What hosts said is escaped everywhere (escape.h).
 */
#ifndef ODDHOST_REPORT_REPORT_H
#define ODDHOST_REPORT_REPORT_H

#include <stdbool.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/err.h"
#include "oddhost/model/diagnosis.h"

struct report_format {
	const char *name; /* "html", as --format takes it */
	const char *file; /* "report.html", in the run directory */
	void (*write)(const struct diagnosis *diagnosis, struct buf *out);
};

/* The default of --format: all formats. */
#define REPORT_FORMATS "html,md,json"

/* The formats in the order of REPORT_FORMATS; the row behind the last has name NULL. */
extern const struct report_format report_formats[];

/* Is `formats` a comma separated list of known names? The error names the one that is not. */
bool report_check_formats(const char *formats, struct err *err);

/* Is the format in the list? */
bool report_wants(const char *formats, const struct report_format *format);

/*
 * Write the formats of the list (NULL: all) into the directory, mode 0600, each under a temporary
 * name first. One that fails does not stop the others; the error is the first one's.
 */
bool report_write(
    const char *dir, const struct diagnosis *diagnosis, const char *formats, struct err *err);

#endif
