#include "oddhost/collect/agent.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "oddhost/base/clock.h"
#include "oddhost/base/mem.h"
#include "oddhost/collect/wire.h"

#define ANSWER_MAX ((size_t)256 * 1024) /* OpenSSH's own limit for a message */
#define KEYS_MAX 256
#define LIMIT_MS 2000
#define SIGN_MS 60000 /* the agent may ask its user (ssh-add -c), or a token */

enum { /* message numbers */
	FAILURE = 5,
	REQUEST_IDENTITIES = 11,
	IDENTITIES_ANSWER = 12,
	SIGN_REQUEST = 13,
	SIGN_RESPONSE = 14,
};

struct agent {
	int fd;
	bool broken; /* an answer that comes late would be taken for the next request's */
	struct buf answer;
};

struct agent *agent_connect(const char *path, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = LIMIT_MS / 1000};
	size_t n = strlen(path);

	if (n >= sizeof address.sun_path) {
		err_set(err, "%s: path too long for a socket", path);
		return NULL;
	}
	memcpy(address.sun_path, path, n);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		err_sys(err, "socket");
		return NULL;
	}
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit); /* connect's too */
	if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
		err_sys(err, "%s", path);
		close(fd);
		return NULL;
	}
	struct agent *agent = mem_alloc(sizeof *agent);
	agent->fd = fd;
	return agent;
}

void agent_free(struct agent *agent)
{
	if (agent == NULL)
		return;
	close(agent->fd);
	buf_free(&agent->answer);
	free(agent);
}

static bool wait_for(const struct agent *agent, short events, int64_t until, struct err *err)
{
	struct pollfd descriptor = {.fd = agent->fd, .events = events};
	int n;

	do {
		int64_t left = until - clock_ms();
		n = poll(&descriptor, 1, left < 0 ? 0 : (int)left);
	} while (n < 0 && errno == EINTR);
	return n > 0 || err_set(err, "the agent does not answer");
}

static bool transmit(struct agent *agent, struct view bytes, int64_t until, struct err *err)
{
	while (bytes.n > 0) {
		if (!wait_for(agent, POLLOUT, until, err))
			return false;
		ssize_t n = send(agent->fd, bytes.p, bytes.n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return err_sys(err, "agent");
		bytes = view_skip(bytes, n < 0 ? 0 : (size_t)n);
	}
	return true;
}

static bool receive(struct agent *agent, size_t n, int64_t until, struct err *err)
{
	char chunk[4096];

	agent->answer.n = 0;
	while (agent->answer.n < n) {
		size_t want = n - agent->answer.n;
		if (!wait_for(agent, POLLIN, until, err))
			return false;
		ssize_t got =
		    recv(agent->fd, chunk, want < sizeof chunk ? want : sizeof chunk, MSG_DONTWAIT);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (got <= 0)
			return err_set(err, "the agent hung up");
		buf_add(&agent->answer, chunk, (size_t)got);
	}
	return true;
}

static bool exchange(struct agent *agent, struct view framed, int limit_ms, struct err *err)
{
	int64_t until = clock_ms() + limit_ms;
	uint32_t n;

	if (!transmit(agent, framed, until, err) || !receive(agent, 4, until, err))
		return false;
	struct view header = buf_view(&agent->answer);
	wire_get_u32(&header, &n);
	if (n == 0 || n > ANSWER_MAX)
		return err_set(err, "the agent's answer is no answer");
	return receive(agent, n, until, err);
}

/* Send one message and read its answer, whose first byte must be `expected`. */
static bool ask(struct agent *agent, struct view message, uint8_t expected, struct view *ret_body,
    struct err *err)
{
	struct buf framed = {0};

	if (agent->broken)
		return err_set(err, "the agent has failed before");
	wire_put_string(&framed, message);
	agent->broken = !exchange(
	    agent, buf_view(&framed), expected == SIGN_RESPONSE ? SIGN_MS : LIMIT_MS, err);
	buf_free(&framed);
	if (agent->broken)
		return false;
	if ((uint8_t)agent->answer.p[0] != expected)
		return err_set(err, "the agent refused");
	*ret_body = view_skip(buf_view(&agent->answer), 1);
	return true;
}

bool agent_list(struct agent *agent,
    void (*each)(void *context, struct view blob, struct view comment), void *context,
    struct err *err)
{
	char request = REQUEST_IDENTITIES;
	struct view body, blob, comment;
	uint32_t n;

	if (!ask(agent, (struct view){&request, 1}, IDENTITIES_ANSWER, &body, err))
		return false;
	if (!wire_get_u32(&body, &n))
		return err_set(err, "the agent's list is cut off");
	for (uint32_t i = 0; i < n && i < KEYS_MAX; i++) {
		if (!wire_get_string(&body, &blob) || !wire_get_string(&body, &comment))
			return err_set(err, "the agent's list is cut off");
		each(context, blob, comment);
	}
	return true;
}

bool agent_sign(struct agent *agent, struct view blob, struct view data, uint32_t flags,
    struct buf *signature, struct err *err)
{
	struct buf request = {0};
	struct view body, blob_out;

	buf_putc(&request, SIGN_REQUEST);
	wire_put_string(&request, blob);
	wire_put_string(&request, data);
	wire_put_u32(&request, flags);
	bool ok = ask(agent, buf_view(&request), SIGN_RESPONSE, &body, err);
	buf_free(&request);
	if (!ok)
		return false;
	if (!wire_get_string(&body, &blob_out))
		return err_set(err, "the agent's signature is cut off");
	buf_add_view(signature, blob_out);
	return true;
}
