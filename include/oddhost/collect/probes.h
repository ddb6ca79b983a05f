/*
 * What runs on a host. The probes are a const table; a plan is that table for the targets of a run,
 * spread over lanes. A lane is one exec channel: a POSIX sh script on the stdin of `sh -s`, in
 * which every probe is framed by lines with a random nonce of this run, on stderr where it says
 * anything there. All probes are read-only; nothing is written on the host and nothing is left
 * running.
 *
 * A script may also travel inside the command itself (RFC 4254 section 6.5): sshd gives a channel's
 * stdin no window before the command runs, so that a script behind it costs one more round trip.
 */
#ifndef ODDHOST_COLLECT_PROBES_H
#define ODDHOST_COLLECT_PROBES_H

#include <stdbool.h>
#include <stddef.h>

#include "oddhost/base/arena.h"
#include "oddhost/base/buf.h"
#include "oddhost/base/err.h"
#include "oddhost/model/run.h"

#define PLAN_NONCE_SIZE 33
#define PLAN_LANES_MAX 5 /* sshd's MaxSessions is 10 by default; leave room for others */

struct probe {
	const char *name;    /* "ping:db.example" */
	const char *command; /* word for word, given to `sh -c` */
	unsigned seconds;    /* `timeout` ends it after that, where the host has timeout(1) */
	int answer_exit;     /* exit statuses up to this one are an answer, not a failure */
	bool may_be_absent;  /* "No such file or directory" is an answer */
	unsigned lane;
};

struct probe_plan {
	struct probe *probes; /* in the order in which a lane runs them */
	size_t n, cap;
	unsigned lanes; /* lane 0 holds the quick ones */
	char nonce[PLAN_NONCE_SIZE];
	struct view scripts[PLAN_LANES_MAX];  /* what is sent, one a lane */
	const char *commands[PLAN_LANES_MAX]; /* the same as one command; NULL: it cannot be one */
};

/* The plan for these targets, in the arena. Fails where no random bytes can be had. */
bool probe_plan_make(struct probe_plan *plan, struct arena *arena, const struct target *targets,
    size_t n_targets, struct err *err);

/*
 * The plan for one host: the common one where nothing more is asked of it, else a copy in the arena
 * with its own services (local:PORT, local:URL), commands (own:NAME) and peers (mesh) in a lane
 * beside the quick ones. The common plan must outlive it.
 */
const struct probe_plan *probe_plan_for(
    const struct probe_plan *common, const struct host_spec *spec, struct arena *arena);

/* Write the plan's scripts and commands from its probes, lanes and nonce. */
void probe_plan_script(struct probe_plan *plan, struct arena *arena);

/* The command that starts a lane whose script comes on stdin. */
#define PLAN_COMMAND "sh -s"

/* How a probe ended, from its exit status and what it said on stderr. */
enum probe_status probe_classify(const struct probe *probe, const struct probe_result *result);

#endif
