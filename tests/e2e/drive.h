/*
 * Drives the program from outside: runs it, reads the reports that it wrote. run.sh sets $ODDHOST,
 * the program, and $ODDHOST_TEST_DIR, a directory for all that a test writes, which also holds
 * demo.ini and the keys of the recorded hosts. What is missing fails the test that needs it.
 */
#ifndef DRIVE_H
#define DRIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/json.h"

/*
 * Run a shell command in which `%O` stands for the program and `%D` for the directory; its stdout
 * and stderr go to %D/stdout and %D/stderr. Returns the exit status, 128 and more for a signal.
 */
int drive(const char *command);

/* The same path in `text` with %D replaced; valid until the next call of its kind. */
const char *drive_path(const char *text);

/* A file's content; the caller frees it with buf_free. */
struct buf drive_read(const char *path);

/* findings.json of the run %D/RUN; the caller frees it. */
struct json *drive_findings(const char *run);

/* The first finding of that rule that names that host, or NULL. */
const struct json *finding_of(const struct json *findings, const char *rule, const char *host);

/* How many findings there are of that severity. */
size_t findings_count(const struct json *findings, const char *severity);

/* Does the array of strings hold exactly this one, or this one among others? */
bool strings_are(const struct json *array, const char *only);
bool strings_hold(const struct json *array, const char *s);

/* Does a piece of the finding's evidence come from this probe and hold this text? */
bool evidence_holds(
    const struct json *finding, const char *host, const char *probe, const char *text);

/* The status of a host in findings.json, or NULL. */
const char *host_status_of(const struct json *findings, const char *host);

#endif
