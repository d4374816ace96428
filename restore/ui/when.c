#include "restore/ui/when.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/str.h"

enum {
	YEAR_MIN = 1970,
	YEAR_MAX = 9999,
	MINUTE_S = 60,
	SECOND_MS = 1000,
	OFFSET_MIN_MAX = 24 * 60
};

/* Reads exactly `digits` decimal digits and advances *at. */
static bool take_number(const char **at, int digits, int *ret_value)
{
	int value = 0;

	for (int i = 0; i < digits; i++) {
		char c = (*at)[i];

		if (c < '0' || c > '9')
			return false;
		value = value * 10 + (c - '0');
	}
	*at += digits;
	*ret_value = value;
	return true;
}

static bool take_char(const char **at, char wanted)
{
	if (**at != wanted)
		return false;
	(*at)++;
	return true;
}

static int days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

static bool take_date(const char **at, struct tm *tm)
{
	int year, month, day;

	if (!take_number(at, 4, &year) || !take_char(at, '-') || !take_number(at, 2, &month) ||
		!take_char(at, '-') || !take_number(at, 2, &day))
		return false;
	if (year < YEAR_MIN || year > YEAR_MAX || month < 1 || month > 12 || day < 1 ||
		day > days_in_month(year, month))
		return false;
	*tm = (struct tm){.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
	return true;
}

/* ".123456": digits beyond milliseconds are ignored. */
static bool take_fraction(const char **at, int *ret_ms)
{
	int digits = 0;

	*ret_ms = 0;
	if (!take_char(at, '.'))
		return true;
	for (; **at >= '0' && **at <= '9'; (*at)++, digits++)
		if (digits < 3)
			*ret_ms = *ret_ms * 10 + (**at - '0');
	for (int i = digits; i < 3; i++)
		*ret_ms *= 10;
	return digits > 0;
}

static bool take_clock(const char **at, struct tm *tm, int *ret_ms)
{
	*ret_ms = 0;
	if (!take_number(at, 2, &tm->tm_hour) || !take_char(at, ':') ||
		!take_number(at, 2, &tm->tm_min))
		return false;
	if (take_char(at, ':') && (!take_number(at, 2, &tm->tm_sec) || !take_fraction(at, ret_ms)))
		return false;
	return tm->tm_hour <= 23 && tm->tm_min <= 59 && tm->tm_sec <= 60;
}

/* "Z" or an offset. End of text: local time. */
static bool take_zone(const char **at, bool *ret_local, int *ret_offset_min)
{
	int sign = **at == '-' ? -1 : 1;
	int hours, minutes;

	*ret_local = **at == '\0';
	*ret_offset_min = 0;
	if (*ret_local || take_char(at, 'Z') || take_char(at, 'z'))
		return true;
	if (!take_char(at, '+') && !take_char(at, '-'))
		return false;
	if (!take_number(at, 2, &hours))
		return false;
	(void)take_char(at, ':');
	if (!take_number(at, 2, &minutes) || minutes > 59)
		return false;
	*ret_offset_min = sign * (hours * 60 + minutes);
	return *ret_offset_min > -OFFSET_MIN_MAX && *ret_offset_min < OFFSET_MIN_MAX;
}

static int64_t local_ms(struct tm tm)
{
	tm.tm_isdst = -1;
	return (int64_t)mktime(&tm) * SECOND_MS;
}

static bool parse_time(const char *at, int64_t *ret_unix_ms)
{
	struct tm tm;
	int ms, offset_min;
	bool local;

	if (!take_date(&at, &tm) ||
		(!take_char(&at, 'T') && !take_char(&at, 't') && !take_char(&at, ' ')))
		return false;
	if (!take_clock(&at, &tm, &ms) || !take_zone(&at, &local, &offset_min) || *at != '\0')
		return false;
	if (local)
		*ret_unix_ms = local_ms(tm) + ms;
	else
		*ret_unix_ms =
			((int64_t)timegm(&tm) - (int64_t)offset_min * MINUTE_S) * SECOND_MS + ms;
	return true;
}

static bool parse_day(const char *at, struct tm *tm)
{
	return take_date(&at, tm) && *at == '\0';
}

bool when_parse_date(const char *text, int64_t *ret_unix_ms)
{
	struct tm tm;

	if (!parse_day(text, &tm))
		return parse_time(text, ret_unix_ms);
	*ret_unix_ms = local_ms(tm);
	return true;
}

bool when_parse(const char *text, struct archive_when *ret_when)
{
	struct archive_when when = {.kind = ARCHIVE_LATEST};
	struct tm tm;
	uint64_t number;

	if (str_parse_u64(text, &number) && number <= INT64_MAX) {
		when.kind = ARCHIVE_GENERATION;
		when.generation = (int64_t)number;
	} else if (parse_day(text, &tm)) {
		when.kind = ARCHIVE_TIME;
		tm.tm_mday++; /* not 24 hours later: a local day may have 23 or 25 */
		when.unix_ms = local_ms(tm) - 1;
	} else if (parse_time(text, &when.unix_ms)) {
		when.kind = ARCHIVE_TIME;
	} else if (strcmp(text, "latest") != 0) {
		return false;
	}
	*ret_when = when;
	return true;
}

bool when_split(const char *text, char **ret_name, struct archive_when *ret_when)
{
	const char *at = strrchr(text, '@');

	if (at && at > text && when_parse(at + 1, ret_when)) {
		*ret_name = xstrndup(text, (size_t)(at - text));
		return true;
	}
	*ret_name = xstrdup(text);
	*ret_when = (struct archive_when){.kind = ARCHIVE_LATEST};
	return false;
}

void when_format(int64_t unix_ms, bool with_seconds, char out[WHEN_TEXT_MAX])
{
	time_t seconds = (time_t)((unix_ms + (with_seconds ? SECOND_MS - 1 : 0)) / SECOND_MS);
	struct tm tm;

	if (!localtime_r(&seconds, &tm))
		tm = (struct tm){0};
	if (strftime(out, WHEN_TEXT_MAX, with_seconds ? "%Y-%m-%d %H:%M:%S" : "%Y-%m-%d %H:%M",
		    &tm) == 0)
		out[0] = '\0';
}
