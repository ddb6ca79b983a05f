/* Time: a monotonic clock for limits, and UTC for what people read. */
#ifndef ODDHOST_BASE_CLOCK_H
#define ODDHOST_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "oddhost/base/view.h"

#define CLOCK_UTC_SIZE 24

/* Milliseconds on CLOCK_MONOTONIC: a clock that is set meanwhile does not count. */
int64_t clock_ms(void);

/* "2020-12-04T03:00:00Z" (RFC 3339). */
void clock_format_utc(time_t when, char out[CLOCK_UTC_SIZE]);

/* "20201204T030000Z": the same without characters that a file name is better off without. */
void clock_format_stamp(time_t when, char out[CLOCK_UTC_SIZE]);

/*
 * "2020-05-05T16:42:08.517320944+08:00" (RFC 3339), or as Go's time.Time prints itself,
 * "2020-05-05 16:42:08.517320944 +0800 CST": nanoseconds since 1970. Fails on anything else, and
 * on a time before 1970 or after 2199: Go's zero time stands for none.
 */
bool clock_parse(struct view text, int64_t *ret_ns);

#endif
