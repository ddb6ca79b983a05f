/*
 * Preloaded into the benchmark's sshd: every IPv4 socket that it listens on is bound to the
 * loopback device, so that one socket serves all of 127.0.0.0/8 (sshd takes 16 ListenAddress lines)
 * and nothing else, and its queue is long enough for a thousand clients at once.
 */
#include <dlfcn.h>
#include <stddef.h>
#include <sys/socket.h>

int bind(int fd, const struct sockaddr *address, socklen_t size)
{
	int (*next)(int, const struct sockaddr *, socklen_t) = NULL;

	*(void **)&next = dlsym(RTLD_NEXT, "bind");
	if (next == NULL || (address->sa_family == AF_INET &&
				setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", sizeof "lo") < 0))
		return -1; /* rather deaf than open to the network */
	return next(fd, address, size);
}

int listen(int fd, int backlog)
{
	int (*next)(int, int) = NULL;

	(void)backlog;
	*(void **)&next = dlsym(RTLD_NEXT, "listen");
	return next == NULL ? -1 : next(fd, 4096);
}
