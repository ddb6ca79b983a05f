/* What the cloud probe says: "KEY: VALUE" lines. */
#ifndef ODDHOST_PARSE_CLOUD_H
#define ODDHOST_PARSE_CLOUD_H

#include <stdbool.h>

#include "oddhost/base/arena.h"
#include "oddhost/base/diag.h"
#include "oddhost/base/view.h"
#include "oddhost/model/host.h"

#define CLOUD_PREFIXES_MOST 64 /* a VPC has a few blocks */

/*
 * Fill *ret, whose source is the caller's. A prefix is ADDRESS/LENGTH or ADDRESS/NETMASK, several
 * in a line with blanks between them. Returns as line.h says.
 */
bool parse_cloud(struct view text, struct arena *arena, struct cloud *ret, struct diag_list *diags);

#endif
