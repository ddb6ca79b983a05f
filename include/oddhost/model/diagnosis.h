/*
 * What the checks concluded from a run: plain data that every report prints and findings.json
 * holds (schema "oddhost.findings/1"). All strings live in the diagnosis's arena or in the run it
 * was made from, which must outlive it.
 */
#ifndef ODDHOST_MODEL_DIAGNOSIS_H
#define ODDHOST_MODEL_DIAGNOSIS_H

#include <stdbool.h>
#include <stddef.h>

#include "oddhost/base/arena.h"
#include "oddhost/model/fact.h"
#include "oddhost/model/host.h"
#include "oddhost/model/run.h"

enum severity {
	SEVERITY_NONE,
	SEVERITY_INFO,
	SEVERITY_LOW,
	SEVERITY_MEDIUM,
	SEVERITY_HIGH,
	SEVERITY_CRITICAL
};
enum confidence { CONFIDENCE_POSSIBLE, CONFIDENCE_LIKELY, CONFIDENCE_CERTAIN };

/* Against the baseline, an earlier run. */
enum finding_state { FINDING_UNCOMPARED, FINDING_NEW, FINDING_PERSISTING };

/* A quotation: `text` is line `line` of the probe's output on that host, word for word. */
struct evidence {
	const char *host;
	const char *probe; /* NULL: said by the collector, not by a probe */
	unsigned line;     /* 0: the output as a whole */
	const char *text;
};

struct finding {
	const char *id;   /* "F1", by severity */
	const char *rule; /* "target-shadowed" */
	enum severity severity;
	enum confidence confidence;
	const char **hosts;
	size_t *places; /* beside hosts[]: their places in diagnosis->hosts */
	size_t n_hosts, cap_hosts;
	const char *target, *address, *prefix; /* NULL where they do not apply */
	const char *summary;                   /* one line */
	const char *why;                       /* a few sentences: the causal chain */
	struct evidence *evidence;
	size_t n_evidence, cap_evidence;
	const char **fix; /* steps in order; a step that starts with "$ " is a command to type; what
			     follows a line break in another is a file's content */
	size_t n_fix, cap_fix;
	const char *fingerprint; /* the same for the same fault on the same hosts in another run */
	enum finding_state state;
};

struct difference {
	enum facet facet;
	const char *key;
	const char *value;      /* NULL: absent on this host */
	const char *others;     /* the consensus value; NULL: absent on the others */
	size_t agree, compared; /* hosts that hold the consensus, of those that were compared */
	struct source source;   /* of value; probe NULL where absent */
};

struct host_view {
	const struct host *host;
	double score; /* the largest z of its differences (check/compare.h); 0: like the others */
	struct difference *differs;
	size_t n_differs, cap_differs;
	enum severity worst; /* of the findings that name it */
};

struct suspect {
	enum facet facet;
	const char *key;
	const char *value;               /* NULL: suspicious by absence */
	double score;                    /* Ochiai, 0 to 1 */
	const char *target;              /* the symptom it was scored against */
	const char **failing, **passing; /* hosts that hold the fact */
	size_t n_failing, cap_failing, n_passing, cap_passing;
};

struct claim { /* what it is not, and how that is known */
	const char *text;
	struct evidence *evidence;
	size_t n_evidence, cap_evidence;
};

struct gone { /* a finding of the baseline that this run does not have */
	const struct finding *finding;
	const struct finding *now; /* what it has become; or NULL */
	bool resolved; /* what showed it was read again; else it may still be there, unseen */
};

struct diagnosis {
	struct arena *arena;
	const struct run *run;
	enum severity severity;   /* of the worst finding */
	const char *summary;      /* the verdict in one or two sentences */
	struct finding *findings; /* worst first */
	size_t n_findings, cap_findings;
	struct host_view *hosts; /* in the run's order */
	size_t n_hosts;
	struct suspect *suspects; /* best first */
	size_t n_suspects, cap_suspects;
	struct claim *ruled_out;
	size_t n_ruled_out, cap_ruled_out;
	const struct diagnosis *baseline; /* of an earlier run; NULL: not compared with one */
	struct gone *gone;
	size_t n_gone, cap_gone;
	const char **notes; /* what is not known: missing probes, ties, lines not understood */
	size_t n_notes, cap_notes;
};

const char *severity_name(enum severity severity); /* "critical"; "none" */
bool severity_from_name(const char *name, enum severity *ret);
const char *finding_state_name(enum finding_state state); /* "new"; NULL: not compared */
const char *confidence_name(enum confidence confidence);

/*
 * Did the host answer, and every probe that a host without docker or ip(8) can answer? And did all
 * hosts of the run? Decides between exit status 0 and 3.
 */
bool host_is_complete(const struct host_record *host);
bool run_is_complete(const struct run *run);

#endif
