/*
 * Pasted terminal transcripts: `ssh HOST CMD` lines and prompts with a command, each followed by
 * its output up to the next such line, become hosts with probes.
 */
#ifndef ODDHOST_PARSE_TRANSCRIPT_H
#define ODDHOST_PARSE_TRANSCRIPT_H

#include <stdbool.h>

#include "oddhost/base/diag.h"
#include "oddhost/base/err.h"
#include "oddhost/base/view.h"
#include "oddhost/model/run.h"

/* Bounds for what is pasted: more than these are a diagnostic, and not taken. */
#define TRANSCRIPT_HOSTS_MOST 1024
#define TRANSCRIPT_PROBES_MOST 1024 /* of one host */

/*
 * Add what the text shows to the run's hosts (in the order in which they first occur; the caller
 * sorts). `source` names the text in diagnostics. A host that the run has already gets more probes;
 * the same command again replaces its earlier output. Prompts and ssh lines are those of prompt.h.
 * Escape sequences, ^C and carriage returns are dropped.
 *
 * A prompt without a host is one of the last host whose shell it can be: that of a prompt before it
 * or of a login by ssh, as long as only questions and `sudo -i` and the like came between. That is
 * said in a diagnostic. What stands behind any other such prompt, behind a line that may be a
 * prompt of a form that is not known, or from a second title of `route` on, is nobody's, with a
 * diagnostic: no answer goes to a host that may not have given it.
 *
 * A probe has the name that the collector gives the same question: ping:X, routes, routes6, rules,
 * addrs, dns:X, egress:X, docker_networks, docker_inspect, docker_ps, docker_daemon, host. Other
 * commands, and those whose output is only a part (a pipe, a selection), are kept as "other:CMD"
 * for people to read, with a diagnostic. The status is ok unless the output is the shell's or the
 * program's word that it did not run; no exit status is known.
 *
 * Fails where no prompt and no ssh line names a host; text before the first one is a diagnostic.
 */
bool transcript_read(struct view text, const char *source, struct run *run, struct diag_list *diags,
    struct err *err);

/*
 * The targets that the run's pings suggest, in the order in which they are seen: what was pinged
 * and is neither a host of the run nor a loopback address. *ret is an array in the run's arena.
 */
size_t transcript_targets(struct run *run, struct target **ret);

#endif
