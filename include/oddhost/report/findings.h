/* findings.json: the diagnosis for programs, schema "oddhost.findings/1". */
#ifndef ODDHOST_REPORT_FINDINGS_H
#define ODDHOST_REPORT_FINDINGS_H

#include "oddhost/base/buf.h"
#include "oddhost/model/diagnosis.h"

/*
 * Pretty-printed JSON. What is not known or does not apply is null. Bytes of a host that are not
 * UTF-8 are written out as \xff in the strings that quote them.
 */
void findings_write(const struct diagnosis *diagnosis, struct buf *out);

#endif
