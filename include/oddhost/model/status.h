/*
 * How a host and a probe ended. A remote failure is data, not an error of the program: each way of
 * failing has a name that scripts can rely on, and a sentence that says what to do about it.
 */
#ifndef ODDHOST_MODEL_STATUS_H
#define ODDHOST_MODEL_STATUS_H

#include <stdbool.h>

enum host_status {
	HOST_OK,
	HOST_PARTIAL, /* reached, but not every lane ran to its end */
	HOST_RESOLVE_FAILED,
	HOST_CONNECT_TIMEOUT,
	HOST_CONNECT_REFUSED,
	HOST_UNREACHABLE,
	HOST_BANNER_TIMEOUT,
	HOST_PROTOCOL_ERROR,
	HOST_HOSTKEY_UNKNOWN,
	HOST_HOSTKEY_CHANGED,
	HOST_HOSTKEY_REVOKED,
	HOST_AUTH_FAILED,
	HOST_CHANNEL_FAILED,
	HOST_DISCONNECTED,
	HOST_DEADLINE,
	HOST_INTERRUPTED,
	HOST_SUDO_FAILED,
	HOST_STATUS_COUNT
};

enum probe_status {
	PROBE_OK,
	PROBE_FAILED,
	PROBE_MISSING_COMMAND,
	PROBE_NO_PERMISSION,
	PROBE_TIMEOUT,
	PROBE_TRUNCATED,
	PROBE_SKIPPED,
	PROBE_STATUS_COUNT
};

/* "connect-refused"; and back, false for a name that is none. */
const char *host_status_name(enum host_status status);
bool host_status_from_name(const char *name, enum host_status *ret);
const char *probe_status_name(enum probe_status status);
bool probe_status_from_name(const char *name, enum probe_status *ret);

/* What to do about it, one sentence; "" for HOST_OK. */
const char *host_status_advice(enum host_status status);

/* Did the host let us in, so that there may be probes? */
bool host_status_reached(enum host_status status);

#endif
