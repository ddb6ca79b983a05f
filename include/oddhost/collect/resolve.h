/*
 * Names to addresses off the loop: getaddrinfo(3) in threads (offload.h), so that nsswitch.conf
 * holds and a slow name server does not hold up other names. Addresses need none.
 */
#ifndef ODDHOST_COLLECT_RESOLVE_H
#define ODDHOST_COLLECT_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "oddhost/collect/offload.h"

#define RESOLVE_MOST 8 /* addresses of one name that are tried */

struct resolve_answer {
	struct sockaddr_storage addresses[RESOLVE_MOST];
	socklen_t lengths[RESOLVE_MOST];
	size_t n;          /* 0: failed */
	const char *error; /* why, as getaddrinfo says; "" otherwise */
};

struct resolve_request;

/*
 * Ask; `done` is called once from the loop, never from within this call, and before it `begun`, as
 * soon as a thread takes the name up: it may have to wait for one. An address has no `begun`. The
 * request is gone when done returns, or with resolve_cancel(), after which done is not called.
 */
struct resolve_request *resolve_ask(struct offload *offload, const char *name, uint16_t port,
    void (*begun)(void *context), void (*done)(void *context, const struct resolve_answer *answer),
    void *context);
void resolve_cancel(struct resolve_request *request);

#endif
