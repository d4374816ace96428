#include "mime/date.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

enum { TOKENS_MAX = 12, TOKEN_BYTES_MAX = 32, MINUTE_S = 60, HOUR_S = 3600, DAY_S = 86400 };

static const char *const months[] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct tokens {
	char items[TOKENS_MAX][TOKEN_BYTES_MAX];
	size_t count;
};

/* Words between blanks and commas, without comments, which may nest. */
static bool split_words(const char *text, struct tokens *ret_tokens)
{
	int depth = 0;
	size_t len = 0;

	ret_tokens->count = 0;
	for (;; text++) {
		bool between = strchr(" \t\r\n,()", *text) != NULL; /* also the NUL */

		if (depth == 0 && !between) {
			if (ret_tokens->count == TOKENS_MAX || len + 1 == TOKEN_BYTES_MAX)
				return false;
			ret_tokens->items[ret_tokens->count][len++] = *text;
		} else if (len > 0) {
			ret_tokens->items[ret_tokens->count++][len] = '\0';
			len = 0;
		}
		depth += (*text == '(') - (*text == ')' && depth > 0);
		if (*text == '\0')
			return true;
	}
}

static bool number(const char *text, size_t digits_min, size_t digits_max, uint64_t *ret_value)
{
	size_t len = strlen(text);

	return len >= digits_min && len <= digits_max && str_parse_u64(text, ret_value);
}

static bool parse_month(const char *text, unsigned *ret_month)
{
	for (unsigned i = 0; i < ARRAY_LEN(months); i++) {
		if (str_starts_case(text, months[i])) {
			*ret_month = i + 1;
			return true;
		}
	}
	return false;
}

/* Two digits are 2000-2049 or 1950-1999, three are years since 1900 (RFC 5322 section 4.3). */
static bool parse_year(const char *text, int64_t *ret_year)
{
	uint64_t year;

	if (!number(text, 2, 4, &year))
		return false;
	if (strlen(text) == 2)
		year += year < 50 ? 2000 : 1900;
	else if (strlen(text) == 3)
		year += 1900;
	*ret_year = (int64_t)year;
	return year >= 1;
}

static bool parse_day(struct tokens *tokens, size_t *at, int64_t *ret_days)
{
	int64_t year, back_year;
	unsigned month, back_month, back_day;
	uint64_t day;

	if (*at + 3 > tokens->count || !number(tokens->items[*at], 1, 2, &day) ||
		!parse_month(tokens->items[*at + 1], &month) ||
		!parse_year(tokens->items[*at + 2], &year))
		return false;
	*ret_days = clock_days_from_civil(year, month, (unsigned)day);
	clock_civil_from_days(*ret_days, &back_year, &back_month, &back_day);
	*at += 3;
	return back_month == month && back_day == day; /* 31 Feb is another day */
}

/* "09:55:06", "9:55" */
static bool parse_clock(const char *text, int64_t *ret_s)
{
	uint64_t parts[3] = {0};
	size_t count = 0;

	for (;;) {
		size_t len = strcspn(text, ":");
		char part[3] = "";

		if (count == ARRAY_LEN(parts) || len < 1 || len > 2)
			return false;
		memcpy(part, text, len);
		if (!str_parse_u64(part, &parts[count++]))
			return false;
		if (text[len] == '\0')
			break;
		text += len + 1;
	}
	*ret_s = (int64_t)(parts[0] * HOUR_S + parts[1] * MINUTE_S + parts[2]);
	return count >= 2 && parts[0] <= 23 && parts[1] <= 59 && parts[2] <= 60;
}

/* "+0100" or a name. An unknown name means UTC (RFC 5322 section 4.3). */
static bool parse_zone(const char *text, int16_t *ret_offset_min)
{
	static const struct {
		const char *name;
		int hours;
	} zones[] = {{"EST", -5}, {"EDT", -4}, {"CST", -6}, {"CDT", -5}, {"MST", -7}, {"MDT", -6},
		{"PST", -8}, {"PDT", -7}, {"CET", 1}, {"CEST", 2}};
	int sign = text[0] == '-' ? -1 : 1;
	uint64_t value;

	*ret_offset_min = 0;
	if (text[0] == '+' || text[0] == '-') {
		if (!number(text + 1, 4, 4, &value) || value % 100 > 59 || value / 100 > 23)
			return false;
		*ret_offset_min = (int16_t)(sign * (int)(value / 100 * 60 + value % 100));
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(zones); i++)
		if (str_equal_case(text, zones[i].name))
			*ret_offset_min = (int16_t)(zones[i].hours * 60);
	return true;
}

bool mime_date_parse(const char *text, struct zoned_time *ret_time)
{
	struct tokens tokens;
	struct zoned_time time = {0};
	int64_t days, seconds;
	size_t at = 0;

	if (!split_words(text, &tokens) || tokens.count == 0)
		return false;
	if (tokens.items[0][0] < '0' || tokens.items[0][0] > '9')
		at++; /* the day of the week */
	if (!parse_day(&tokens, &at, &days) || at == tokens.count ||
		!parse_clock(tokens.items[at++], &seconds))
		return false;
	if (at < tokens.count && !parse_zone(tokens.items[at], &time.offset_min))
		return false;
	time.unix_s = days * DAY_S + seconds - (int64_t)time.offset_min * MINUTE_S;
	*ret_time = time;
	return true;
}

void mime_date_format(struct zoned_time time, bool short_day, char out[MIME_DATE_TEXT_MAX])
{
	static const char *const weekdays[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
	enum { WEEK = ARRAY_LEN(weekdays) };
	int64_t local_s = time.unix_s + time.offset_min * MINUTE_S;
	int64_t days = local_s / DAY_S - (local_s % DAY_S < 0);
	int second = (int)(local_s - days * DAY_S);
	int minutes = abs(time.offset_min);
	unsigned month, day;
	int64_t year;

	clock_civil_from_days(days, &year, &month, &day);
	(void)snprintf(out, MIME_DATE_TEXT_MAX,
		"%s, %0*u %s %04" PRId64 " %02d:%02d:%02d %c%02d%02d",
		weekdays[(days % WEEK + WEEK) % WEEK], short_day ? 1 : 2, day, months[month - 1],
		year, second / HOUR_S, second % HOUR_S / MINUTE_S, second % MINUTE_S,
		time.offset_min < 0 ? '-' : '+', minutes / 60, minutes % 60);
}
