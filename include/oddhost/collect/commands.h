/*
 * Probes that are more than a line of shell: POSIX sh, read-only, bounded in time, no files. They
 * say what they found in lines of our own, so that one parser reads them whatever tool answered.
 * "%T" stands for a target's name and "%P" for its port, each as one quoted word.
 */
#ifndef ODDHOST_COLLECT_COMMANDS_H
#define ODDHOST_COLLECT_COMMANDS_H

#include <stdint.h>

#include "oddhost/base/arena.h"

/*
 * Connect to the first three addresses of %T and close at once: "ADDRESS port %P: RESULT (TOOL)",
 * where RESULT is open, refused, timeout or unreachable. Of the tools that can connect (bash, nc,
 * python3, curl, busybox) the first whose outcome is clear decides; where none is, "unknown". Exit
 * status 2: the name has no address; 127: no tool could tell anything.
 */
extern const char command_tcp[];

/*
 * "URL: RESULT (TOOL)" for the URL %T, where RESULT is the HTTP status, refused, timeout or
 * unknown. Exit status 127: neither curl nor wget.
 */
extern const char command_http[];

/*
 * "cloud: NAME", where the DMI strings that a known cloud's firmware carries name it, and then
 * "KEY: VALUE" lines from its metadata service: instance-id, instance-type, region, zone, vpc-id,
 * vpc-cidr, subnet-id, subnet-cidr. Nothing else is asked for, least of all credentials. A machine
 * that is not on one of these clouds sends nothing: "cloud: none", or "cloud: unknown" where it
 * shows no DMI. Exit status 1: the service did not answer; 127: neither curl nor wget.
 *
 * Sources: the DMI strings that cloud-init's ds-identify(8) looks for, and each cloud's manual for
 * the items; a session token comes first where the cloud has them (AWS IMDSv2, Alibaba Cloud).
 */
extern const char command_cloud[];

/*
 * uname, os-release and uptime as they print, "clock: TIME" in UTC, and the last three package
 * upgrades that dpkg's or rpm's records show, "upgraded: DAY PACKAGE" or "upgraded: @SECONDS
 * PACKAGE"; of dpkg's log no more than the last 5000 lines are looked at.
 */
extern const char command_host[];

/* `text` with %T and %P filled in; `word` is quoted on the way. */
const char *command_fill(struct arena *arena, const char *text, const char *word, uint16_t port);

#endif
