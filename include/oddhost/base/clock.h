/* Time: a monotonic clock for limits, and UTC for what people read. */
#ifndef ODDHOST_BASE_CLOCK_H
#define ODDHOST_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_UTC_SIZE 24

/* Milliseconds on CLOCK_MONOTONIC: a clock that is set meanwhile does not count. */
int64_t clock_ms(void);

/* "2020-12-04T03:00:00Z" (RFC 3339). */
void clock_format_utc(time_t when, char out[CLOCK_UTC_SIZE]);

/* "20201204T030000Z": the same without characters that a file name is better off without. */
void clock_format_stamp(time_t when, char out[CLOCK_UTC_SIZE]);

#endif
