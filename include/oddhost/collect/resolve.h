/*
 * Names to addresses off the loop: getaddrinfo(3) in threads, as many as there are names that wait
 * (up to 32), so that nsswitch.conf holds and a slow name server does not hold up other names.
 * Addresses are answered at once. Answers are delivered on the loop's thread.
 */
#ifndef ODDHOST_COLLECT_RESOLVE_H
#define ODDHOST_COLLECT_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "oddhost/base/err.h"
#include "oddhost/collect/loop.h"

#define RESOLVE_MOST 8 /* addresses of one name that are tried */

struct resolve_answer {
	struct sockaddr_storage addresses[RESOLVE_MOST];
	socklen_t lengths[RESOLVE_MOST];
	size_t n;          /* 0: failed */
	const char *error; /* why, as getaddrinfo says; "" otherwise */
};

struct resolver;
struct resolve_request;

struct resolver *resolver_new(struct loop *loop, struct err *err);

/* Requests still open are dropped; a thread that hangs in getaddrinfo is left to the exit. */
void resolver_free(struct resolver *resolver);

/*
 * Ask; `done` is called once from the loop, never from within this call. The request is gone when
 * done returns, or with resolver_cancel(), after which done is not called.
 */
struct resolve_request *resolver_ask(struct resolver *resolver, const char *name, uint16_t port,
    void (*done)(void *context, const struct resolve_answer *answer), void *context);
void resolver_cancel(struct resolver *resolver, struct resolve_request *request);

#endif
