#include "oddhost/base/parallel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define BATCH 32 /* things taken at once: fewer are not worth another thread */
#define THREADS_MAX 16

struct work {
	size_t n;
	void (*each)(void *context, size_t index);
	void *context;
	atomic_size_t next;
};

static void *take_batches(void *arg)
{
	struct work *work = arg;
	size_t from;

	while ((from = atomic_fetch_add(&work->next, BATCH)) < work->n) {
		for (size_t i = from; i < from + BATCH && i < work->n; i++)
			work->each(work->context, i);
	}
	return NULL;
}

void parallel_each(size_t n, void (*each)(void *context, size_t index), void *context)
{
	struct work work = {.n = n, .each = each, .context = context};
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t threads[THREADS_MAX];
	size_t started = 0;

	while (started < THREADS_MAX && (long)started + 1 < processors &&
	       (started + 1) * BATCH < n &&
	       pthread_create(&threads[started], NULL, take_batches, &work) == 0)
		started++;
	take_batches(&work);
	while (started > 0)
		pthread_join(threads[--started], NULL);
}
