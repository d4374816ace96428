/*
 * Time: monotonic for waits, wall time for records.
 */
#ifndef MAILSTOW_BASE_CLOCK_H
#define MAILSTOW_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Milliseconds of CLOCK_MONOTONIC: only differences mean anything. */
int64_t clock_mono_ms(void);

/* Milliseconds of CLOCK_BOOTTIME, which also counts while the machine sleeps. */
int64_t clock_boot_ms(void);

/* Seconds since 1970-01-01T00:00:00Z. */
int64_t clock_wall_s(void);

/* Milliseconds since 1970-01-01T00:00:00Z. */
int64_t clock_wall_ms(void);

/*
 * A time with its zone offset, as in INTERNALDATE (RFC 9051, date-time).
 * Seconds since 1970 (negative before), offset east of Greenwich in minutes, |offset| < 24 h.
 */
struct zoned_time {
	int64_t unix_s;
	int16_t offset_min;
};

enum { ZONED_TIME_TEXT_MAX = 40 };

/* "17-Jul-1996 02:44:25 -0700"; the day may have one digit or a leading blank. False: no date. */
bool zoned_time_parse_imap(const char *text, size_t len, struct zoned_time *ret_time);

/* The same form, with the day padded by a blank as in RFC 9051: 26 characters. */
void zoned_time_format_imap(struct zoned_time time, char out[ZONED_TIME_TEXT_MAX]);

/* "1996-07-17T02:44:25-07:00", "Z" for offset 0. */
void zoned_time_format_rfc3339(struct zoned_time time, char out[ZONED_TIME_TEXT_MAX]);

/* Offset of this machine's time zone at that time, in seconds east of Greenwich. */
int64_t clock_local_offset_s(int64_t unix_s);

/* UTC milliseconds as "2026-11-20T10:00:00.123Z". */
void clock_format_ms(int64_t unix_ms, char out[ZONED_TIME_TEXT_MAX]);

/* Days since 1970-01-01 of a date in the proleptic Gregorian calendar, and back. */
int64_t clock_days_from_civil(int64_t year, unsigned month, unsigned day);
void clock_civil_from_days(int64_t days, int64_t *ret_year, unsigned *ret_month, unsigned *ret_day);

#endif
