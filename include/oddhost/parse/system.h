/* What a host says about itself: uname, os-release, uptime, sysctl. */
#ifndef ODDHOST_PARSE_SYSTEM_H
#define ODDHOST_PARSE_SYSTEM_H

#include <stdbool.h>

#include "oddhost/base/arena.h"
#include "oddhost/base/diag.h"
#include "oddhost/base/view.h"
#include "oddhost/model/host.h"

/* NULL: not said. */
struct system {
	const char *kernel;   /* "Linux 6.1.0-18-amd64 x86_64" */
	const char *os;       /* PRETTY_NAME of os-release(5) */
	const char *uptime;   /* the line of uptime(1) */
	int64_t clock_ns;     /* its clock, nanoseconds since 1970; 0: not said */
	const char *upgraded; /* the day of the last package upgrade, "2026-10-01" */
};

/*
 * Fill in what the text says: a line of `uname -srm`, `uname -a` or `uname -r`, PRETTY_NAME=…,
 * uptime's line, "clock: TIME" and "upgraded: DAY …". Other lines are no news: the probe prints
 * more than these. Returns as line.h says.
 */
bool parse_system(
    struct view text, struct arena *arena, struct system *system, struct diag_list *diags);

/*
 * `sysctl NAME…` ("net.ipv4.ip_forward = 1"), or the files under /proc/sys as grep prints them
 * ("/proc/sys/net/ipv4/ip_forward:1"). Other names than the model has are no news. *ret is set in
 * any case, and known where one of its values is. Returns as line.h says.
 */
bool parse_sysctls(struct view text, struct sysctls *ret, struct diag_list *diags);

#endif
