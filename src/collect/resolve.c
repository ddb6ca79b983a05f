#include "oddhost/collect/resolve.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oddhost/base/mem.h"

struct resolve_request {
	struct offload_call *call;
	char *name, port[8];
	void (*begun)(void *context);
	void (*done)(void *context, const struct resolve_answer *answer);
	void *context;
	struct resolve_answer answer;
};

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

static void look_up(void *work)
{
	struct resolve_request *request = work;
	int code = look_up_as(request, AI_ADDRCONFIG);

	if (code != 0)
		request->answer.error = code == EAI_SYSTEM ? "system error" : gai_strerror(code);
}

static void begun(void *work)
{
	struct resolve_request *request = work;

	request->begun(request->context);
}

static void answered(void *work)
{
	struct resolve_request *request = work;

	request->done(request->context, &request->answer);
}

static void request_free(void *work)
{
	struct resolve_request *request = work;

	free(request->name);
	free(request);
}

static const struct offload_kind resolving = {look_up, begun, answered, request_free};

struct resolve_request *resolve_ask(struct offload *offload, const char *name, uint16_t port,
    void (*begun_now)(void *context),
    void (*done)(void *context, const struct resolve_answer *answer), void *context)
{
	struct resolve_request *request = mem_alloc(sizeof *request);

	request->name = mem_strdup(name);
	snprintf(request->port, sizeof request->port, "%u", port);
	request->begun = begun_now;
	request->done = done;
	request->context = context;
	request->answer.error = "";
	/* Not with AI_ADDRCONFIG, which refuses even ::1 where no interface has IPv6. */
	bool literal = look_up_as(request, AI_NUMERICHOST) == 0;
	request->call = literal ? NULL : offload_run(offload, &resolving, request);
	if (!literal && request->call == NULL)
		request->answer.error = "no thread can be started to look the name up (ulimit -u)";
	if (request->call == NULL)
		request->call = offload_done(offload, &resolving, request);
	return request;
}

void resolve_cancel(struct resolve_request *request)
{
	offload_cancel(request->call);
}
