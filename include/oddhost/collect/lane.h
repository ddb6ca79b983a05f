/*
 * What a lane has sent so far, taken apart into probes: bytes of stdout and stderr go in as they
 * arrive, in pieces of any size; each probe's own output comes out, without the frame. A host may
 * send anything at all: of what is not inside a frame (greetings of start-up files, or the refusal
 * of a forced command) only the beginning is kept, and every probe has a byte limit behind which
 * output is counted as truncated.
 */
#ifndef ODDHOST_COLLECT_LANE_H
#define ODDHOST_COLLECT_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "oddhost/base/buf.h"
#include "oddhost/collect/probes.h"

#define LANE_GREETING_MAX 2000
#define LANE_PROBE_MAX ((size_t)1 << 20) /* bytes a probe and stream */

/* One probe while it is being received. */
struct reception {
	struct buf out, err;        /* max LANE_PROBE_MAX each */
	int exit;                   /* -1: not ended */
	bool begun, ended;          /* on stdout */
	int64_t begun_at, ended_at; /* clock_ms() of the arrival */
};

struct lane_stream {
	struct buf pending; /* bytes that may be the start of a frame line */
	long current;       /* probe that the stream is inside of, or -1 */
};

struct lane {
	const struct probe_plan *plan;
	unsigned number;
	struct reception *receptions;  /* plan->n of them, shared by all lanes of a host */
	struct lane_stream streams[2]; /* stdout, stderr */
	bool err_ended;                /* nothing more will be said on stderr */
	struct buf greeting;           /* the beginning of what stood outside of frames */
};

struct reception *receptions_new(const struct probe_plan *plan);
void receptions_free(struct reception *receptions, const struct probe_plan *plan);

void lane_init(struct lane *lane, const struct probe_plan *plan, unsigned number,
    struct reception *receptions);
void lane_free(struct lane *lane);

/* `stream`: 0 stdout, 1 stderr. `now` is clock_ms(). */
void lane_receive(struct lane *lane, int stream, struct view bytes, int64_t now);

/* No more will come: what is pending belongs to the probe that is being received. */
void lane_finish(struct lane *lane);

/* Has every probe of the lane ended? */
bool lane_complete(const struct lane *lane);

/*
 * Has all been said, on stderr too? Then nobody need wait for the end of the stream, which does not
 * come while something on the host holds it open.
 */
bool lane_is_quiet(const struct lane *lane);

/*
 * Write the results of all probes into the record, in the plan's order: what did not begin is
 * `skipped`, what began and did not end is `timeout`.
 */
void receptions_record(
    const struct reception *receptions, const struct probe_plan *plan, struct host_record *record);

#endif
