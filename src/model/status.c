#include "oddhost/model/status.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *name, *advice;
} host_texts[HOST_STATUS_COUNT] = {
    [HOST_OK] = {"ok", ""},
    [HOST_PARTIAL] = {"partial",
	"Part of the probes did not run: see the host's error, then run again."},
    [HOST_RESOLVE_FAILED] = {"resolve-failed", "The name does not resolve on this machine: check "
					       "its spelling or set ansible_host to an address."},
    [HOST_CONNECT_TIMEOUT] = {"connect-timeout",
	"Nothing answered: the host may be down, a firewall may drop packets, or its route back to "
	"this machine may be gone. Try its console."},
    [HOST_CONNECT_REFUSED] = {"connect-refused", "The host answers but nothing listens on the "
						 "port: is sshd running, is ansible_port right?"},
    [HOST_UNREACHABLE] = {"unreachable", "There is no way to the host: check its address and the "
					 "routes of this machine, or of its jump host."},
    [HOST_BANNER_TIMEOUT] = {"banner-timeout", "Something accepted the connection but did not "
					       "speak SSH in time: the host may be overloaded, or "
					       "the port is not sshd's."},
    [HOST_PROTOCOL_ERROR] = {"protocol-error", "What answers on the port did not complete an SSH "
					       "key exchange: is it an SSH server, and does it "
					       "share an algorithm with us?"},
    [HOST_HOSTKEY_UNKNOWN] = {"hostkey-unknown",
	"No known_hosts file has the key that this host offers: connect once with ssh and verify the "
	"fingerprint, or pass --known-hosts."},
    [HOST_HOSTKEY_CHANGED] = {"hostkey-changed", "The host key is not the one in known_hosts: was "
						 "the host rebuilt, or does somebody stand in "
						 "between? Nothing was sent to it."},
    [HOST_HOSTKEY_REVOKED] = {"hostkey-revoked", "known_hosts marks this host key as revoked: do "
						 "not use the host until its key is replaced."},
    [HOST_AUTH_FAILED] = {"auth-failed",
	"No login worked: check the "
	"user name, --private-key and the agent (ssh-add -l); -k asks "
	"for a password."},
    [HOST_CHANNEL_FAILED] = {"channel-failed", "Login worked, but no command could be started: is "
					       "there a forced command, MaxSessions 0, a nologin "
					       "shell, or a jump host that forbids forwarding?"},
    [HOST_DISCONNECTED] = {"disconnected",
	"The connection broke while probes ran; what had arrived was kept. Run again."},
    [HOST_DEADLINE] = {"deadline", "The time limit ended this host's collection; what had arrived "
				   "was kept. Raise -T where it was logging in, or --host-timeout "
				   "or --deadline."},
    [HOST_INTERRUPTED] = {"interrupted", "The run was interrupted; what had arrived was kept."},
    [HOST_SUDO_FAILED] = {"sudo-failed",
	"sudo -n was refused: allow it without a password for this user, or run without --become."},
};

static const char *const probe_names[PROBE_STATUS_COUNT] = {
    [PROBE_OK] = "ok",
    [PROBE_FAILED] = "failed",
    [PROBE_MISSING_COMMAND] = "missing-command",
    [PROBE_NO_PERMISSION] = "no-permission",
    [PROBE_TIMEOUT] = "timeout",
    [PROBE_TRUNCATED] = "truncated",
    [PROBE_SKIPPED] = "skipped",
};

const char *host_status_name(enum host_status status)
{
	return host_texts[status].name;
}

const char *host_status_advice(enum host_status status)
{
	return host_texts[status].advice;
}

const char *probe_status_name(enum probe_status status)
{
	return probe_names[status];
}

bool host_status_from_name(const char *name, enum host_status *ret)
{
	for (unsigned i = 0; name != NULL && i < HOST_STATUS_COUNT; i++) {
		if (strcmp(name, host_texts[i].name) == 0) {
			*ret = (enum host_status)i;
			return true;
		}
	}
	return false;
}

bool probe_status_from_name(const char *name, enum probe_status *ret)
{
	for (unsigned i = 0; name != NULL && i < PROBE_STATUS_COUNT; i++) {
		if (strcmp(name, probe_names[i]) == 0) {
			*ret = (enum probe_status)i;
			return true;
		}
	}
	return false;
}

bool host_status_reached(enum host_status status)
{
	switch (status) {
	case HOST_OK:
	case HOST_PARTIAL:
	case HOST_DISCONNECTED:
	case HOST_DEADLINE:
	case HOST_INTERRUPTED:
	case HOST_SUDO_FAILED:
		return true;
	default:
		return false;
	}
}
