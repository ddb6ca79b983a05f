/*
 * Calls that may block, off the loop: each runs in a thread, and what comes of it is delivered on
 * the loop's thread. There are as many threads as calls that wait, up to a limit; a thread whose
 * call was cancelled does not count against it, so that calls that hang do not hold up the others.
 * Calls are made, cancelled and delivered on one thread.
 */
#ifndef ODDHOST_COLLECT_OFFLOAD_H
#define ODDHOST_COLLECT_OFFLOAD_H

#include "oddhost/base/err.h"
#include "oddhost/collect/loop.h"

struct offload;
struct offload_call;

/* What is done with a piece of work, which belongs to the call until it is dropped. */
struct offload_kind {
	void (*run)(void *work);   /* in a thread; must not touch what others do */
	void (*begun)(void *work); /* on the loop, before done: a thread has it. NULL: not asked */
	void (*done)(void *work);  /* on the loop, unless it was cancelled */
	void (*drop)(void *work);  /* frees it: behind done, or instead of it, in any thread */
};

/* At most so many threads, and `spare` more while as many hang in calls that were cancelled. */
struct offload *offload_new(struct loop *loop, unsigned most, unsigned spare, struct err *err);

/* Work still open is dropped; a thread that hangs in a call is left to the exit. NULL does nothing.
 */
void offload_free(struct offload *offload);

/*
 * Run it; done is never called from within this call. NULL: no thread could be had, and the work is
 * still the caller's. With offload_done there is nothing to run.
 */
struct offload_call *offload_run(
    struct offload *offload, const struct offload_kind *kind, void *work);
struct offload_call *offload_done(
    struct offload *offload, const struct offload_kind *kind, void *work);

/*
 * Neither begun nor done will be called; nor run, where no thread has it yet. The call is gone with
 * this, or when done returns. Not from within begun.
 */
void offload_cancel(struct offload_call *call);

#endif
