#include "oddhost/collect/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "oddhost/base/clock.h"
#include "oddhost/base/mem.h"

#define BATCH 256
#define ROUNDS_MAX 64 /* so many batches, before timers have their turn */
#define LOOK_AT_STOP_MS 200
#define STOOD_STILL_MS 1000 /* no callback takes so long */
#define PATIENCE_EACH_MS 8  /* for each patient watch, so that one look finds several ready */
#define PATIENCE_LEAST_MS 25
#define PATIENCE_MOST_MS 200

struct loop {
	int epoll, patient; /* the watches that are looked at at once, and now and then */
	size_t n_patient;
	int64_t patient_at; /* when they are looked at next */
	bool stopped;
	struct timer **heap; /* a binary min-heap by `at` */
	size_t n, cap;
	struct epoll_event batch[BATCH];
	int n_batch;
	int64_t looked; /* at the clock, last */
};

struct loop *loop_new(struct err *err)
{
	struct loop *loop = mem_alloc(sizeof *loop);

	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	loop->patient = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll >= 0 && loop->patient >= 0)
		return loop;
	err_sys(err, "epoll_create1");
	loop_free(loop);
	return NULL;
}

void loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	if (loop->epoll >= 0)
		close(loop->epoll);
	if (loop->patient >= 0)
		close(loop->patient);
	free(loop->heap);
	free(loop);
}

static int epoll_of(const struct loop *loop, const struct watch *watch)
{
	return watch->patient ? loop->patient : loop->epoll;
}

static struct epoll_event event_of(struct watch *watch)
{
	uint32_t events = EPOLLIN | EPOLLRDHUP | (watch->writable ? EPOLLOUT : 0);

	return (struct epoll_event){.events = events, .data.ptr = watch};
}

bool loop_watch(struct loop *loop, struct watch *watch, int fd, void (*ready)(void *),
    void *context, struct err *err)
{
	*watch = (struct watch){.fd = fd, .ready = ready, .context = context};
	struct epoll_event event = event_of(watch);
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) == 0)
		return true;
	watch->fd = -1;
	return err_sys(err, "epoll_ctl");
}

void loop_want_write(struct loop *loop, struct watch *watch, bool writable)
{
	if (watch->fd < 0 || watch->writable == writable)
		return;
	watch->writable = writable;
	struct epoll_event event = event_of(watch);
	epoll_ctl(epoll_of(loop, watch), EPOLL_CTL_MOD, watch->fd, &event);
}

static int64_t patience(const struct loop *loop)
{
	int64_t ms = (int64_t)loop->n_patient * PATIENCE_EACH_MS;

	return ms < PATIENCE_LEAST_MS  ? PATIENCE_LEAST_MS
	       : ms > PATIENCE_MOST_MS ? PATIENCE_MOST_MS
				       : ms;
}

void loop_be_patient(struct loop *loop, struct watch *watch, bool patient)
{
	if (watch->fd < 0 || watch->patient == patient)
		return;
	struct epoll_event event = event_of(watch);
	if (epoll_ctl(patient ? loop->patient : loop->epoll, EPOLL_CTL_ADD, watch->fd, &event) < 0)
		return; /* it stays where it is, and works as well there */
	epoll_ctl(epoll_of(loop, watch), EPOLL_CTL_DEL, watch->fd, NULL);
	watch->patient = patient;
	if (!patient)
		loop->n_patient--;
	else if (loop->n_patient++ == 0)
		loop->patient_at = clock_ms() + patience(loop);
}

void loop_unwatch(struct loop *loop, struct watch *watch)
{
	if (watch->fd < 0)
		return;
	epoll_ctl(epoll_of(loop, watch), EPOLL_CTL_DEL, watch->fd, NULL);
	loop->n_patient -= watch->patient;
	watch->patient = false;
	watch->fd = -1;
	/* An event of it that is still in this batch must not be delivered: its owner may be gone.
	 */
	for (int i = 0; i < loop->n_batch; i++) {
		if (loop->batch[i].data.ptr == watch)
			loop->batch[i].data.ptr = NULL;
	}
}

static void heap_put(struct loop *loop, size_t i, struct timer *timer)
{
	loop->heap[i] = timer;
	timer->slot = i + 1;
}

static void heap_up(struct loop *loop, size_t i)
{
	struct timer *timer = loop->heap[i];

	for (; i > 0 && loop->heap[(i - 1) / 2]->at > timer->at; i = (i - 1) / 2)
		heap_put(loop, i, loop->heap[(i - 1) / 2]);
	heap_put(loop, i, timer);
}

static void heap_down(struct loop *loop, size_t i)
{
	struct timer *timer = loop->heap[i];

	for (size_t child; (child = 2 * i + 1) < loop->n; i = child) {
		if (child + 1 < loop->n && loop->heap[child + 1]->at < loop->heap[child]->at)
			child++;
		if (loop->heap[child]->at >= timer->at)
			break;
		heap_put(loop, i, loop->heap[child]);
	}
	heap_put(loop, i, timer);
}

void loop_cancel(struct loop *loop, struct timer *timer)
{
	if (timer->slot == 0)
		return;

	size_t i = timer->slot - 1;
	struct timer *last = loop->heap[--loop->n];
	timer->slot = 0;
	if (last == timer)
		return;
	heap_put(loop, i, last);
	heap_up(loop, i);
	heap_down(loop, last->slot - 1);
}

void loop_timer(
    struct loop *loop, struct timer *timer, int64_t ms, void (*fire)(void *), void *context)
{
	loop_cancel(loop, timer);
	timer->at = clock_ms() + ms;
	timer->fire = fire;
	timer->context = context;
	loop->heap = mem_grow(loop->heap, loop->n, &loop->cap, sizeof(struct timer *));
	heap_put(loop, loop->n, timer);
	heap_up(loop, loop->n++);
}

/*
 * Look at the clock. Where more time has passed than was waited for, the process was stopped, or
 * got no CPU: no peer is to blame for it, and the timers are put off. Firm ones stay where they
 * are, and so the heap is made anew.
 */
static int64_t look(struct loop *loop, int64_t waited)
{
	int64_t now = clock_ms(), lost = now - loop->looked - waited;

	for (size_t i = 0; lost > STOOD_STILL_MS && i < loop->n; i++) {
		loop->heap[i]->at += loop->heap[i]->firm ? 0 : lost;
		heap_up(loop, i);
	}
	loop->looked = now;
	return now;
}

static void fire_timers(struct loop *loop, int64_t now)
{
	while (!loop->stopped && loop->n > 0 && loop->heap[0]->at <= now) {
		struct timer *timer = loop->heap[0];
		loop_cancel(loop, timer);
		timer->fire(timer->context);
		look(loop, 0);
	}
}

/* When a timer is due, or the patient ones are. */
static int64_t due_at(const struct loop *loop)
{
	int64_t at = loop->n > 0 ? loop->heap[0]->at : INT64_MAX;

	return loop->n_patient > 0 && loop->patient_at < at ? loop->patient_at : at;
}

static int wait_ms(const struct loop *loop)
{
	int64_t ms = due_at(loop) - clock_ms();

	return ms < 0 ? 0 : ms > LOOK_AT_STOP_MS ? LOOK_AT_STOP_MS : (int)ms;
}

/* Wait for the first events and deliver them; false: there may be more. */
static bool deliver(struct loop *loop, int epoll, int ms)
{
	loop->n_batch = epoll_wait(epoll, loop->batch, BATCH, ms);
	look(loop, ms);
	bool all = loop->n_batch < BATCH;
	for (int i = 0; i < loop->n_batch && !loop->stopped; i++) {
		struct watch *watch = loop->batch[i].data.ptr;
		if (watch == NULL)
			continue;
		watch->ready(watch->context);
		look(loop, 0);
	}
	loop->n_batch = 0;
	return all;
}

static void deliver_all(struct loop *loop, int epoll, int ms)
{
	bool all = deliver(loop, epoll, ms);

	for (int i = 1; i < ROUNDS_MAX && !all && !loop->stopped; i++)
		all = deliver(loop, epoll, 0);
}

/* Only timers that were due before the last poll fire: what had come by then goes before them. */
void loop_run(struct loop *loop, const atomic_int *stop)
{
	loop->stopped = false;
	loop->looked = clock_ms();
	while (!loop->stopped && (stop == NULL || atomic_load(stop) == 0)) {
		int64_t now = look(loop, 0);
		deliver_all(loop, loop->epoll, wait_ms(loop));
		if (loop->n_patient > 0 && due_at(loop) <= loop->looked) {
			loop->patient_at = loop->looked + patience(loop);
			deliver_all(loop, loop->patient, 0);
		}
		fire_timers(loop, now);
	}
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}
