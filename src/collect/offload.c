#include "oddhost/collect/offload.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "oddhost/base/mem.h"

/*
 * A call is on the list of those to do, in the hands of a thread, or on the list of those done. A
 * thread may hang for ever, so nobody waits for it: the shared state counts its users, and the last
 * one out frees.
 */
enum call_state { WAITING, RUNNING, FINISHED };

struct offload_call {
	struct offload_call *next;
	struct offload_call *next_begun; /* deliver() takes it from there before it is freed */
	struct shared *shared;
	const struct offload_kind *kind;
	void *work;
	enum call_state state;
	bool cancelled; /* the loop's thread writes it, with the lock held */
};

struct queue {
	struct offload_call *first, **end;
};

struct shared {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct queue waiting, finished;
	struct offload_call *begun; /* in a thread's hands, and the loop does not know yet */
	int event;                  /* eventfd: something has begun or is finished */
	unsigned users;             /* threads, and the offload */
	unsigned most, spare, lost; /* lost: threads that run what was cancelled */
	unsigned idle, queued;      /* threads that wait for work, calls in waiting */
	bool closing;
};

struct offload {
	struct loop *loop;
	struct watch watch;
	struct shared *shared;
};

static void put(struct queue *queue, struct offload_call *call)
{
	call->next = NULL;
	*queue->end = call;
	queue->end = &call->next;
}

static struct offload_call *take_all(struct queue *queue)
{
	struct offload_call *first = queue->first;

	*queue = (struct queue){.end = &queue->first};
	return first;
}

static struct offload_call *take_one(struct queue *queue)
{
	struct offload_call *first = queue->first;

	queue->first = first->next;
	if (queue->first == NULL)
		queue->end = &queue->first;
	return first;
}

static void take_out(struct queue *queue, const struct offload_call *call)
{
	struct offload_call **at = &queue->first;

	while (*at != call)
		at = &(*at)->next;
	*at = call->next;
	if (*at == NULL)
		queue->end = at;
}

static void call_free(struct offload_call *call)
{
	call->kind->drop(call->work);
	free(call);
}

static void list_free(struct offload_call *list)
{
	for (struct offload_call *next; list != NULL; list = next) {
		next = list->next;
		call_free(list);
	}
}

static void shared_release(struct shared *shared) /* with the lock held, which it gives up */
{
	bool last = --shared->users == 0;

	pthread_mutex_unlock(&shared->lock);
	if (!last)
		return;
	list_free(take_all(&shared->waiting));
	list_free(take_all(&shared->finished));
	close(shared->event);
	pthread_cond_destroy(&shared->work);
	pthread_mutex_destroy(&shared->lock);
	free(shared);
}

static void tell_loop(struct shared *shared)
{
	uint64_t one = 1;

	if (write(shared->event, &one, sizeof one) < 0)
		return; /* the counter is full: the loop has been told already */
}

/* The next call, for a thread; with the lock held. */
static struct offload_call *begin(struct shared *shared)
{
	struct offload_call *call = take_one(&shared->waiting);

	shared->queued--;
	call->state = RUNNING;
	if (call->kind->begun != NULL) {
		call->next_begun = shared->begun;
		shared->begun = call;
		tell_loop(shared);
	}
	return call;
}

/* Put it where deliver() looks; with the lock held. */
static void finish(struct shared *shared, struct offload_call *call)
{
	call->state = FINISHED;
	put(&shared->finished, call);
	tell_loop(shared);
}

static void *worker(void *argument)
{
	struct shared *shared = argument;

	pthread_mutex_lock(&shared->lock);
	while (!shared->closing) {
		if (shared->waiting.first == NULL) {
			shared->idle++;
			pthread_cond_wait(&shared->work, &shared->lock);
			shared->idle--;
			continue;
		}
		struct offload_call *call = begin(shared);
		pthread_mutex_unlock(&shared->lock);
		call->kind->run(call->work);
		pthread_mutex_lock(&shared->lock);
		shared->lost -= call->cancelled;
		finish(shared, call);
	}
	shared_release(shared);
	return NULL;
}

/* One more thread where none is free; with the lock held. False: there is none at all. */
static bool add_thread(struct shared *shared)
{
	unsigned threads = shared->users - 1, lost = shared->lost;
	pthread_t thread;

	if (lost > shared->spare)
		lost = shared->spare;
	if (shared->idle >= shared->queued || threads >= shared->most + lost)
		return true;
	shared->users++;
	if (pthread_create(&thread, NULL, worker, shared) == 0)
		pthread_detach(thread);
	else
		shared->users--;
	return shared->users > 1;
}

static void deliver(void *context)
{
	struct offload *offload = context;
	struct shared *shared = offload->shared;
	uint64_t count;

	if (read(shared->event, &count, sizeof count) < 0 && errno != EAGAIN)
		return;
	pthread_mutex_lock(&shared->lock);
	struct offload_call *list = take_all(&shared->finished), *begun = shared->begun;
	shared->begun = NULL;
	pthread_mutex_unlock(&shared->lock);

	for (; begun != NULL; begun = begun->next_begun) {
		if (!begun->cancelled)
			begun->kind->begun(begun->work);
	}
	for (struct offload_call *next; list != NULL; list = next) {
		next = list->next;
		if (!list->cancelled)
			list->kind->done(list->work);
		call_free(list);
	}
}

struct offload *offload_new(struct loop *loop, unsigned most, unsigned spare, struct err *err)
{
	struct offload *offload = mem_alloc(sizeof *offload);
	struct shared *shared = mem_alloc(sizeof *shared);

	offload->loop = loop;
	offload->shared = shared;
	pthread_mutex_init(&shared->lock, NULL);
	pthread_cond_init(&shared->work, NULL);
	shared->waiting.end = &shared->waiting.first;
	shared->finished.end = &shared->finished.first;
	shared->users = 1;
	shared->most = most;
	shared->spare = spare;
	shared->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	offload->watch.fd = -1;
	if (shared->event < 0) {
		err_sys(err, "eventfd");
		goto fail;
	}
	if (!loop_watch(loop, &offload->watch, shared->event, deliver, offload, err))
		goto fail;
	return offload;
fail:
	offload_free(offload);
	return NULL;
}

void offload_free(struct offload *offload)
{
	if (offload == NULL)
		return;
	loop_unwatch(offload->loop, &offload->watch);
	pthread_mutex_lock(&offload->shared->lock);
	offload->shared->closing = true;
	pthread_cond_broadcast(&offload->shared->work);
	shared_release(offload->shared);
	free(offload);
}

static struct offload_call *new_call(
    struct shared *shared, const struct offload_kind *kind, void *work)
{
	struct offload_call *call = mem_alloc(sizeof *call);

	call->shared = shared;
	call->kind = kind;
	call->work = work;
	return call;
}

struct offload_call *offload_run(
    struct offload *offload, const struct offload_kind *kind, void *work)
{
	struct shared *shared = offload->shared;
	struct offload_call *call = new_call(shared, kind, work);

	pthread_mutex_lock(&shared->lock);
	put(&shared->waiting, call);
	shared->queued++;
	bool taken = add_thread(shared);
	if (!taken) {
		take_out(&shared->waiting, call);
		shared->queued--;
	}
	pthread_cond_signal(&shared->work);
	pthread_mutex_unlock(&shared->lock);
	if (taken)
		return call;
	free(call);
	return NULL;
}

struct offload_call *offload_done(
    struct offload *offload, const struct offload_kind *kind, void *work)
{
	struct offload_call *call = new_call(offload->shared, kind, work);

	pthread_mutex_lock(&offload->shared->lock);
	finish(offload->shared, call);
	pthread_mutex_unlock(&offload->shared->lock);
	return call;
}

void offload_cancel(struct offload_call *call)
{
	struct shared *shared = call->shared;

	pthread_mutex_lock(&shared->lock);
	bool waiting = call->state == WAITING;
	call->cancelled = true;
	if (waiting) {
		take_out(&shared->waiting, call);
		shared->queued--;
	} else if (call->state == RUNNING) {
		shared->lost++;
		add_thread(shared);
	}
	pthread_mutex_unlock(&shared->lock);
	if (waiting)
		call_free(call);
}
