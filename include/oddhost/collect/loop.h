/*
 * The event loop: descriptors and timers, nothing else. One loop belongs to one thread. A callback
 * may add, change and remove watches and timers, its own among them. What can be read is delivered
 * before a timer that is due as long. Time in which the process did not run, since it was stopped
 * or the machine slept, does not count: timers are put off by it, but for firm ones.
 */
#ifndef ODDHOST_COLLECT_LOOP_H
#define ODDHOST_COLLECT_LOOP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "oddhost/base/err.h"

struct loop;

/* Owned by the caller, embedded in what it watches for; fields are set by the loop. */
struct watch {
	int fd; /* -1: not watched */
	bool writable, patient;
	void (*ready)(void *context);
	void *context;
};

struct timer {
	int64_t at;    /* clock_ms() */
	uint64_t slot; /* place in the heap plus 1; 0: not set */
	bool firm;     /* set by the caller: never put off, as the run's deadline */
	void (*fire)(void *context);
	void *context;
};

struct loop *loop_new(struct err *err); /* NULL: no epoll descriptor could be had */
void loop_free(struct loop *loop);

/* Call `ready` whenever fd can be read, has failed, or (if asked for) can be written. */
bool loop_watch(struct loop *loop, struct watch *watch, int fd, void (*ready)(void *),
    void *context, struct err *err);
void loop_want_write(struct loop *loop, struct watch *watch, bool writable);
/*
 * One that is patient is looked at after 25 to 200 ms, the more there are the later, with all the
 * others, and before a timer fires: many small pieces that nobody answers cost one wake-up instead
 * of one each.
 */
void loop_be_patient(struct loop *loop, struct watch *watch, bool patient);
void loop_unwatch(struct loop *loop, struct watch *watch); /* does not close the descriptor */

/* Set or move a timer to `ms` milliseconds from now; it fires once. */
void loop_timer(
    struct loop *loop, struct timer *timer, int64_t ms, void (*fire)(void *), void *context);
void loop_cancel(struct loop *loop, struct timer *timer); /* one that is not set is fine */

/* Run until loop_stop(), or until *stop is not 0 (looked at several times a second). */
void loop_run(struct loop *loop, const atomic_int *stop);
void loop_stop(struct loop *loop);

#endif
