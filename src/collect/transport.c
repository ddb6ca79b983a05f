#include "oddhost/collect/transport.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "oddhost/base/clock.h"

#define CHUNK 65536
#define BEFORE_BANNER_MAX 8192
#define OUT_MAX ((size_t)4 << 20)

void transport_init(struct transport *transport, int fd)
{
	int on = 1;

	*transport =
	    (struct transport){.fd = fd, .out = {.max = OUT_MAX}, .budget = TRANSPORT_LOGIN_MAX};
	if (fd >= 0)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void transport_free(struct transport *transport)
{
	buf_free(&transport->in);
	buf_free(&transport->out);
}

/* Append a line to a message: printable ASCII only, cut off at its size. */
static void remember(char *message, size_t size, struct view line)
{
	size_t n = strlen(message);

	if (n > 0 && n + 2 < size)
		message[n++] = ' ';
	for (size_t i = 0; i < line.n && n + 1 < size; i++)
		message[n++] = line.p[i] >= ' ' && line.p[i] <= '~' ? line.p[i] : '?';
	message[n] = '\0';
}

static void flood(struct transport *transport)
{
	transport->flooded = transport->closed = true;
	transport->error = ECONNABORTED;
}

/* Take the lines before "SSH-" out of the ring; leaves an unfinished line where it is. */
static void skip_to_banner(struct transport *transport)
{
	for (;;) {
		struct view rest = buf_view(&transport->in), line;
		if (view_find_char(rest, '\n') < 0)
			break;
		bool banner = view_starts(rest, "SSH-");
		view_next_line(&rest, &line);
		if (banner) {
			transport->banner_seen = true;
			transport->banner_size = line.n;
			remember(transport->banner, sizeof transport->banner, line);
			return;
		}
		remember(transport->said, sizeof transport->said, line);
		transport->skipped += transport->in.n - rest.n;
		buf_consume(&transport->in, transport->in.n - rest.n);
		if (transport->skipped > BEFORE_BANNER_MAX)
			break;
	}
	if (transport->skipped + transport->in.n > BEFORE_BANNER_MAX)
		flood(transport);
}

void transport_take(struct transport *transport, struct view bytes)
{
	if (bytes.n > transport->budget) {
		flood(transport);
		return;
	}
	transport->budget -= bytes.n;
	transport->heard = clock_ms();
	transport->arrived = bytes.n;
	buf_consume(&transport->in, transport->in_done);
	transport->in_done = 0;
	buf_add_view(&transport->in, bytes);
	if (!transport->banner_seen)
		skip_to_banner(transport);
}

void transport_close(struct transport *transport, int error)
{
	if (transport->closed)
		return;
	transport->closed = true;
	transport->error = error;
	if (!transport->banner_seen)
		remember(transport->said, sizeof transport->said, buf_view(&transport->in));
}

bool transport_fill(struct transport *transport)
{
	char chunk[CHUNK];

	if (transport->closed)
		return false;
	ssize_t n = recv(transport->fd, chunk, sizeof chunk, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		transport_close(transport, n < 0 ? errno : 0);
		return true;
	}
	transport->unanswered = true;
	transport_take(transport, (struct view){chunk, (size_t)n});
	return true;
}

/*
 * Linux delays an acknowledgement by 40 ms, for an answer that it could go with; sshd's Nagle waits
 * for it with what follows. Where there was no answer, it has to go now.
 */
static void acknowledge(struct transport *transport)
{
	int on = 1;

	if (transport->unanswered)
		setsockopt(transport->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
	transport->unanswered = false;
}

bool transport_flush(struct transport *transport)
{
	while (!transport->closed && transport->out_done < transport->out.n) {
		ssize_t n = send(transport->fd, transport->out.p + transport->out_done,
		    transport->out.n - transport->out_done, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n < 0) {
			transport->closed = true;
			transport->error = errno;
			break;
		}
		transport->out_done += (size_t)n;
		transport->unanswered = false;
	}
	acknowledge(transport);
	transport->out.n = transport->out_done = 0;
	return false;
}

bool transport_pending(const struct transport *transport)
{
	return transport->banner_seen && transport->in.n > transport->in_done;
}

ssize_t transport_recv(struct transport *transport, void *bytes, size_t n)
{
	size_t have = transport->in.n - transport->in_done;

	if (!transport_pending(transport)) {
		if (!transport->closed)
			return -EAGAIN;
		return transport->error ? -transport->error : 0;
	}
	if (n > have)
		n = have;
	memcpy(bytes, transport->in.p + transport->in_done, n);
	transport->in_done += n;
	return (ssize_t)n;
}

ssize_t transport_send(struct transport *transport, const void *bytes, size_t n)
{
	if (transport->closed)
		return -(transport->error ? transport->error : EPIPE);
	buf_add(&transport->out, bytes, n);
	return transport->out.overflow ? -ECONNABORTED : (ssize_t)n;
}
