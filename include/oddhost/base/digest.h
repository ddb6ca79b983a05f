/* SHA-256 in hexadecimal, for fingerprints and sums. */
#ifndef ODDHOST_BASE_DIGEST_H
#define ODDHOST_BASE_DIGEST_H

#include "oddhost/base/view.h"

#define DIGEST_TEXT_SIZE 65

const char *digest_sha256(struct view bytes, char out[DIGEST_TEXT_SIZE]); /* returns out */

#endif
