#include "base/clock.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/str.h"

static const char months[12][4] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

enum { DAY_S = 86400, HOUR_S = 3600, MINUTE_S = 60 };

static int64_t read_ms(clockid_t id)
{
	struct timespec now;
	int failed = clock_gettime(id, &now);

	assert(!failed);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_mono_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

int64_t clock_boot_ms(void)
{
	return read_ms(CLOCK_BOOTTIME);
}

int64_t clock_wall_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}

int64_t clock_wall_s(void)
{
	return clock_wall_ms() / 1000;
}

/* Years counted from March, in eras of 400 years = 146097 days. */
int64_t clock_days_from_civil(int64_t year, unsigned month, unsigned day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - 719468;
}

void clock_civil_from_days(int64_t days, int64_t *ret_year, unsigned *ret_month, unsigned *ret_day)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	*ret_day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
	*ret_month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
	*ret_year = yoe + era * 400 + (*ret_month <= 2);
}

static unsigned days_in_month(int64_t year, unsigned month)
{
	static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

/* Exactly `digits` decimal digits at *at; moves *at past them. */
static bool take_number(const char **at, const char *end, int digits, unsigned *ret_value)
{
	unsigned value = 0;

	if (end - *at < digits)
		return false;
	for (int i = 0; i < digits; i++) {
		char c = (*at)[i];

		if (c < '0' || c > '9')
			return false;
		value = value * 10 + (unsigned)(c - '0');
	}
	*at += digits;
	*ret_value = value;
	return true;
}

static bool take_char(const char **at, const char *end, char wanted)
{
	if (*at == end || **at != wanted)
		return false;
	(*at)++;
	return true;
}

static bool take_month(const char **at, const char *end, unsigned *ret_month)
{
	if (end - *at < 3)
		return false;
	for (unsigned i = 0; i < 12; i++) {
		if (str_starts_case(*at, months[i])) {
			*at += 3;
			*ret_month = i + 1;
			return true;
		}
	}
	return false;
}

static bool take_date(const char **at, const char *end, int64_t *ret_days)
{
	unsigned day, month, year;

	while (*at < end && **at == ' ')
		(*at)++;
	if (!take_number(at, end, 2, &day) && !take_number(at, end, 1, &day))
		return false;
	if (!take_char(at, end, '-') || !take_month(at, end, &month) || !take_char(at, end, '-') ||
		!take_number(at, end, 4, &year))
		return false;
	if (year == 0 || day == 0 || day > days_in_month(year, month))
		return false;
	*ret_days = clock_days_from_civil(year, month, day);
	return true;
}

static bool take_clock(const char **at, const char *end, int64_t *ret_s)
{
	unsigned hour, minute, second;

	if (!take_number(at, end, 2, &hour) || !take_char(at, end, ':') ||
		!take_number(at, end, 2, &minute) || !take_char(at, end, ':') ||
		!take_number(at, end, 2, &second))
		return false;
	if (hour > 23 || minute > 59 || second > 60)
		return false;
	*ret_s = (int64_t)hour * HOUR_S + (int64_t)minute * MINUTE_S + second;
	return true;
}

static bool take_offset(const char **at, const char *end, int *ret_min)
{
	bool negative = *at < end && **at == '-';
	unsigned hours, minutes;

	if (*at == end || (**at != '+' && **at != '-'))
		return false;
	(*at)++;
	if (!take_number(at, end, 2, &hours) || !take_number(at, end, 2, &minutes))
		return false;
	if (hours > 23 || minutes > 59)
		return false;
	*ret_min = (int)(hours * 60 + minutes) * (negative ? -1 : 1);
	return true;
}

bool zoned_time_parse_imap(const char *text, size_t len, struct zoned_time *ret_time)
{
	const char *end = text + len;
	int64_t days, seconds;
	int offset_min;

	if (!take_date(&text, end, &days) || !take_char(&text, end, ' ') ||
		!take_clock(&text, end, &seconds) || !take_char(&text, end, ' ') ||
		!take_offset(&text, end, &offset_min) || text != end)
		return false;
	ret_time->unix_s = days * DAY_S + seconds - (int64_t)offset_min * MINUTE_S;
	ret_time->offset_min = (int16_t)offset_min;
	return true;
}

struct civil {
	int64_t year;
	unsigned month, day, hour, minute, second;
};

static struct civil civil_of(int64_t local_s)
{
	int64_t days = local_s / DAY_S - (local_s % DAY_S < 0);
	unsigned rest = (unsigned)(local_s - days * DAY_S);
	struct civil c = {.hour = rest / HOUR_S,
		.minute = rest % HOUR_S / MINUTE_S,
		.second = rest % MINUTE_S};

	clock_civil_from_days(days, &c.year, &c.month, &c.day);
	return c;
}

void zoned_time_format_imap(struct zoned_time time, char out[ZONED_TIME_TEXT_MAX])
{
	struct civil c = civil_of(time.unix_s + time.offset_min * MINUTE_S);
	int offset = time.offset_min < 0 ? -time.offset_min : time.offset_min;

	(void)snprintf(out, ZONED_TIME_TEXT_MAX, "%2u-%s-%04lld %02u:%02u:%02u %c%02d%02d", c.day,
		months[c.month - 1], (long long)c.year, c.hour, c.minute, c.second,
		time.offset_min < 0 ? '-' : '+', offset / 60, offset % 60);
}

void zoned_time_format_rfc3339(struct zoned_time time, char out[ZONED_TIME_TEXT_MAX])
{
	struct civil c = civil_of(time.unix_s + time.offset_min * MINUTE_S);
	int offset = time.offset_min < 0 ? -time.offset_min : time.offset_min;
	int used = snprintf(out, ZONED_TIME_TEXT_MAX, "%04lld-%02u-%02uT%02u:%02u:%02u",
		(long long)c.year, c.month, c.day, c.hour, c.minute, c.second);
	size_t left = ZONED_TIME_TEXT_MAX - (size_t)used;

	if (time.offset_min == 0)
		(void)snprintf(out + used, left, "Z");
	else
		(void)snprintf(out + used, left, "%c%02d:%02d", time.offset_min < 0 ? '-' : '+',
			offset / 60, offset % 60);
}

void clock_format_ms(int64_t unix_ms, char out[ZONED_TIME_TEXT_MAX])
{
	int64_t seconds = unix_ms / 1000 - (unix_ms % 1000 < 0);
	struct civil c = civil_of(seconds);

	(void)snprintf(out, ZONED_TIME_TEXT_MAX, "%04lld-%02u-%02uT%02u:%02u:%02u.%03uZ",
		(long long)c.year, c.month, c.day, c.hour, c.minute, c.second,
		(unsigned)(unix_ms - seconds * 1000));
}

int64_t clock_local_offset_s(int64_t unix_s)
{
	time_t seconds = (time_t)unix_s;
	struct tm tm;

	return localtime_r(&seconds, &tm) ? tm.tm_gmtoff : 0;
}
