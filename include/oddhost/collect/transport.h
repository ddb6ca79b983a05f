/*
 * Bytes between a socket and libssh2. libssh2 never touches the socket: its SEND callback appends
 * here and always takes everything, its RECV callback serves what has arrived or says EAGAIN. That
 * keeps it away from partial sends, which wedge its sessions for good, and from reading the banner
 * byte by byte. Lines that a server sends before its banner (RFC 4253 section 4.2) are taken out
 * here, within a budget, and kept for the error message.
 */
#ifndef ODDHOST_COLLECT_TRANSPORT_H
#define ODDHOST_COLLECT_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "oddhost/base/buf.h"

#define TRANSPORT_LOGIN_MAX ((size_t)1 << 20) /* from the start to the end of authentication */
#define TRANSPORT_JUMP_MAX                                                                         \
	((size_t)16 << 20)                    /* of a jump host: what nobody behind it has taken   \
					       */
#define TRANSPORT_HOST_MAX ((size_t)64 << 20) /* from there on: all probes' output */

struct transport {
	int fd; /* non-blocking; owned by the session; -1: bytes come and go by a jump host's
		   channel */
	struct buf in, out;
	size_t in_done, out_done; /* consumed at the front */
	size_t skipped;           /* bytes taken out before the banner */
	bool banner_seen;         /* the line that begins with "SSH-" has arrived whole */
	size_t banner_size;       /* its length without the line break */
	size_t budget;   /* bytes that may still come: libssh2 keeps what it does not ask for */
	size_t arrived;  /* bytes at the last time that some came */
	int64_t heard;   /* clock_ms() when bytes came last */
	bool unanswered; /* bytes have come, and none have gone since: see transport_flush() */
	bool flooded;    /* more came than that, or before the banner than any server sends */
	bool closed;     /* the peer has closed, or the connection has failed */
	int error;       /* errno of that failure; 0 for an orderly close */
	char banner[64]; /* its beginning */
	char said[128];  /* what was said before it, or instead of it; "" for nothing */
};

/* The budget is TRANSPORT_LOGIN_MAX; whoever logs in raises it. */
void transport_init(struct transport *transport, int fd);
void transport_free(struct transport *transport); /* does not close the descriptor */

/* Bytes that arrived otherwise than by the socket, and the end of them. */
void transport_take(struct transport *transport, struct view bytes);
void transport_close(struct transport *transport, int error);

/* Read what the socket has, at most 64 KiB; true where bytes came or the end was reached. */
bool transport_fill(struct transport *transport);

/* Write what is waiting, or acknowledge what has come; true where something is left for later. */
bool transport_flush(struct transport *transport);

/* For libssh2's callbacks: bytes, or -errno as libssh2 wants it; 0 for the end of the stream. */
ssize_t transport_recv(struct transport *transport, void *bytes, size_t n);
ssize_t transport_send(struct transport *transport, const void *bytes, size_t n);

/* Bytes that have arrived and were not yet taken. */
bool transport_pending(const struct transport *transport);

#endif
