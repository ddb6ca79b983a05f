/* What a host says about itself: uname, os-release, uptime. */
#ifndef ODDHOST_PARSE_SYSTEM_H
#define ODDHOST_PARSE_SYSTEM_H

#include "oddhost/base/arena.h"
#include "oddhost/base/view.h"

/* NULL: not said. */
struct system {
	const char *kernel; /* "Linux 6.1.0-18-amd64 x86_64" */
	const char *os;     /* PRETTY_NAME of os-release(5) */
	const char *uptime; /* the line of uptime(1) */
};

/*
 * Fill in what the text says: a line of `uname -srm`, `uname -a` or `uname -r`, PRETTY_NAME=…, and
 * uptime's line. Other lines are no news: the probe prints more than these.
 */
void parse_system(struct view text, struct arena *arena, struct system *system);

#endif
