/* Interface addresses as ifconfig(8) prints them: net-tools, busybox, BSD and macOS. */
#ifndef ODDHOST_PARSE_IFCONFIG_H
#define ODDHOST_PARSE_IFCONFIG_H

#include <stdbool.h>

#include "oddhost/base/diag.h"
#include "oddhost/base/view.h"
#include "oddhost/parse/addresses.h"

/* Does the text begin as ifconfig's output does: "eth0: flags=…" or "eth0  Link encap:…"? */
bool ifconfig_is(struct view text);

/*
 * Lines of an interface other than its addresses are no news. The length of a point-to-point link
 * is that of its netmask. Returns as line.h says.
 */
bool ifconfig_parse(struct view text, struct address_list *list, struct diag_list *diags);

#endif
