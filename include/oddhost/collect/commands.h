/*
 * Probes that are more than a line of shell: POSIX sh, read-only, bounded in time, no files. They
 * say what they found in lines of our own, so that one parser reads them whatever tool answered.
 * "%T" stands for a target's name and "%P" for its port, each as one quoted word.
 */
#ifndef ODDHOST_COLLECT_COMMANDS_H
#define ODDHOST_COLLECT_COMMANDS_H

/*
 * Connect to the first three addresses of %T and close at once: "ADDRESS port %P: RESULT (TOOL)",
 * where RESULT is open, refused, timeout or unreachable. Of the tools that can connect (bash, nc,
 * python3, curl, busybox) the first whose outcome is clear decides; where none is, "unknown". Exit
 * status 2: the name has no address; 127: no tool could tell anything.
 */
extern const char command_tcp[];

#endif
