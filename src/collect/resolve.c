#include "oddhost/collect/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "oddhost/base/mem.h"

#define THREADS_MAX 32

/*
 * A request is on the list of those to do, in the hands of a thread, or on the list of those done.
 * A thread may hang in getaddrinfo for ever, so nobody waits for it: requests and the shared state
 * are counted, and the last one out frees.
 */
struct resolve_request {
	struct resolve_request *next;
	char *name, port[8];
	void (*done)(void *context, const struct resolve_answer *answer);
	void *context;
	bool cancelled;
	struct resolve_answer answer;
};

struct shared {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct resolve_request *waiting, **waiting_end;
	struct resolve_request *finished, **finished_end;
	int event;       /* eventfd: something is finished */
	unsigned users;  /* threads, and the resolver */
	unsigned idle;   /* threads that wait for work */
	unsigned queued; /* requests in waiting */
	bool closing;
};

struct resolver {
	struct loop *loop;
	struct watch watch;
	struct shared *shared;
};

static void request_free(struct resolve_request *request)
{
	free(request->name);
	free(request);
}

static void list_free(struct resolve_request *list)
{
	for (struct resolve_request *next; list != NULL; list = next) {
		next = list->next;
		request_free(list);
	}
}

static void shared_release(struct shared *shared) /* with the lock held, which it gives up */
{
	bool last = --shared->users == 0;

	pthread_mutex_unlock(&shared->lock);
	if (!last)
		return;
	list_free(shared->waiting);
	list_free(shared->finished);
	close(shared->event);
	pthread_cond_destroy(&shared->work);
	pthread_mutex_destroy(&shared->lock);
	free(shared);
}

/* getaddrinfo(3) with these flags, into the answer; returns its code. */
static int look_up_as(struct resolve_request *request, int flags)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags}, *list = NULL;
	struct resolve_answer *answer = &request->answer;
	int code = getaddrinfo(request->name, request->port, &hints, &list);

	for (struct addrinfo *a = list; a != NULL && answer->n < RESOLVE_MOST; a = a->ai_next) {
		memcpy(&answer->addresses[answer->n], a->ai_addr, a->ai_addrlen);
		answer->lengths[answer->n++] = a->ai_addrlen;
	}
	if (list != NULL)
		freeaddrinfo(list);
	return code;
}

static void look_up(struct resolve_request *request)
{
	int code = look_up_as(request, AI_ADDRCONFIG);

	if (code != 0)
		request->answer.error = code == EAI_SYSTEM ? "system error" : gai_strerror(code);
}

/* Put it where deliver() looks; with the lock held. */
static void finish(struct shared *shared, struct resolve_request *request)
{
	uint64_t one = 1;

	request->next = NULL;
	*shared->finished_end = request;
	shared->finished_end = &request->next;
	if (write(shared->event, &one, sizeof one) < 0)
		return; /* the counter is full: the loop has been told already */
}

static void *worker(void *argument)
{
	struct shared *shared = argument;

	pthread_mutex_lock(&shared->lock);
	while (!shared->closing) {
		struct resolve_request *request = shared->waiting;
		if (request == NULL) {
			shared->idle++;
			pthread_cond_wait(&shared->work, &shared->lock);
			shared->idle--;
			continue;
		}
		shared->waiting = request->next;
		shared->queued--;
		if (shared->waiting == NULL)
			shared->waiting_end = &shared->waiting;
		pthread_mutex_unlock(&shared->lock);
		look_up(request);
		pthread_mutex_lock(&shared->lock);
		finish(shared, request);
	}
	shared_release(shared);
	return NULL;
}

/*
 * One more thread where none is free: a name whose server does not answer holds one for a long
 * time, and must not hold up other names. With the lock held.
 */
static void add_thread(struct shared *shared)
{
	pthread_t thread;

	if (shared->idle >= shared->queued || shared->users > THREADS_MAX)
		return;
	shared->users++;
	if (pthread_create(&thread, NULL, worker, shared) == 0)
		pthread_detach(thread);
	else
		shared->users--;
}

static void deliver(void *context)
{
	struct resolver *resolver = context;
	struct shared *shared = resolver->shared;
	uint64_t count;

	if (read(shared->event, &count, sizeof count) < 0 && errno != EAGAIN)
		return;
	pthread_mutex_lock(&shared->lock);
	struct resolve_request *list = shared->finished;
	shared->finished = NULL;
	shared->finished_end = &shared->finished;
	pthread_mutex_unlock(&shared->lock);

	for (struct resolve_request *next; list != NULL; list = next) {
		next = list->next;
		if (!list->cancelled)
			list->done(list->context, &list->answer);
		request_free(list);
	}
}

struct resolver *resolver_new(struct loop *loop, struct err *err)
{
	struct resolver *resolver = mem_alloc(sizeof *resolver);
	struct shared *shared = mem_alloc(sizeof *shared);

	resolver->loop = loop;
	resolver->shared = shared;
	pthread_mutex_init(&shared->lock, NULL);
	pthread_cond_init(&shared->work, NULL);
	shared->waiting_end = &shared->waiting;
	shared->finished_end = &shared->finished;
	shared->users = 1;
	shared->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	resolver->watch.fd = -1;
	if (shared->event < 0) {
		err_sys(err, "eventfd");
		goto fail;
	}
	if (!loop_watch(loop, &resolver->watch, shared->event, deliver, resolver, err))
		goto fail;
	return resolver;
fail:
	resolver_free(resolver);
	return NULL;
}

void resolver_free(struct resolver *resolver)
{
	if (resolver == NULL)
		return;
	loop_unwatch(resolver->loop, &resolver->watch);
	pthread_mutex_lock(&resolver->shared->lock);
	resolver->shared->closing = true;
	pthread_cond_broadcast(&resolver->shared->work);
	shared_release(resolver->shared);
	free(resolver);
}

struct resolve_request *resolver_ask(struct resolver *resolver, const char *name, uint16_t port,
    void (*done)(void *context, const struct resolve_answer *answer), void *context)
{
	struct shared *shared = resolver->shared;
	struct resolve_request *request = mem_alloc(sizeof *request);

	request->name = mem_strdup(name);
	snprintf(request->port, sizeof request->port, "%u", port);
	request->done = done;
	request->context = context;
	request->answer.error = "";
	/* Not with AI_ADDRCONFIG, which refuses even ::1 where no interface has IPv6. */
	bool literal = look_up_as(request, AI_NUMERICHOST) == 0;
	pthread_mutex_lock(&shared->lock);
	if (literal) {
		finish(shared, request);
	} else {
		*shared->waiting_end = request;
		shared->waiting_end = &request->next;
		shared->queued++;
		add_thread(shared);
		pthread_cond_signal(&shared->work);
	}
	pthread_mutex_unlock(&shared->lock);
	return request;
}

void resolver_cancel(struct resolver *resolver, struct resolve_request *request)
{
	(void)resolver;
	/* Only the loop's thread, which is ours, reads this flag. */
	request->cancelled = true;
}
