#include "oddhost/base/clock.h"

int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void clock_format_utc(time_t when, char out[CLOCK_UTC_SIZE])
{
	struct tm tm;

	if (gmtime_r(&when, &tm) == NULL ||
	    strftime(out, CLOCK_UTC_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		out[0] = '\0';
}

void clock_format_stamp(time_t when, char out[CLOCK_UTC_SIZE])
{
	struct tm tm;

	if (gmtime_r(&when, &tm) == NULL ||
	    strftime(out, CLOCK_UTC_SIZE, "%Y%m%dT%H%M%SZ", &tm) == 0)
		out[0] = '\0';
}

/* Days since 1970 of the proleptic Gregorian calendar: years are counted from March, so that the
 * leap day is their last. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t shifted = month > 2 ? month - 3 : month + 9;

	year -= month <= 2;
	return 365 * year + year / 4 - year / 100 + year / 400 + (153 * shifted + 2) / 5 + day - 1 -
	       719468;
}

/* The next `digits` digits as a number within [min, max]. */
static bool take_digits(
    struct view *cursor, size_t digits, uint64_t min, uint64_t max, int64_t *ret)
{
	uint64_t number;

	if (cursor->n < digits || !view_uint(view_left(*cursor, digits), min, max, &number))
		return false;
	*cursor = view_skip(*cursor, digits);
	*ret = (int64_t)number;
	return true;
}

static int64_t take_fraction(struct view *cursor)
{
	int64_t ns = 0, unit = 1000000000;

	if (!view_take(cursor, "."))
		return 0;
	while (cursor->n > 0 && cursor->p[0] >= '0' && cursor->p[0] <= '9') {
		unit /= 10;
		ns += unit * (cursor->p[0] - '0');
		*cursor = view_skip(*cursor, 1);
	}
	return ns;
}

/* "Z", "+08:00", "+0800 CST": seconds east of Greenwich. A zone's name may follow a blank. */
static bool take_zone(struct view *cursor, int64_t *ret)
{
	int64_t hours, minutes;
	bool west;

	view_take(cursor, " ");
	if (view_take(cursor, "Z")) {
		*ret = 0;
		return cursor->n == 0;
	}
	west = view_take(cursor, "-");
	if ((!west && !view_take(cursor, "+")) || !take_digits(cursor, 2, 0, 23, &hours))
		return false;
	view_take(cursor, ":");
	if (!take_digits(cursor, 2, 0, 59, &minutes) || (cursor->n > 0 && cursor->p[0] != ' '))
		return false;
	*ret = (west ? -1 : 1) * (hours * 3600 + minutes * 60);
	return true;
}

bool clock_parse(struct view text, int64_t *ret_ns)
{
	int64_t year, month, day, hour, minute, second, zone;

	if (!take_digits(&text, 4, 1970, 2199, &year) || !view_take(&text, "-") ||
	    !take_digits(&text, 2, 1, 12, &month) || !view_take(&text, "-") ||
	    !take_digits(&text, 2, 1, 31, &day) ||
	    (!view_take(&text, "T") && !view_take(&text, " ")) ||
	    !take_digits(&text, 2, 0, 23, &hour) || !view_take(&text, ":") ||
	    !take_digits(&text, 2, 0, 59, &minute) || !view_take(&text, ":") ||
	    !take_digits(&text, 2, 0, 60, &second))
		return false;
	int64_t ns = take_fraction(&text);
	if (!take_zone(&text, &zone))
		return false;
	second += days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 - zone;
	if (second < 0)
		return false;
	*ret_ns = second * 1000000000 + ns;
	return true;
}
