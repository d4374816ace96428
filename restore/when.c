#include "restore/when.h"

#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/str.h"

struct stamp {
	struct tm tm;
	bool has_clock, has_zone;
	int offset_min;
};

/* "+HH:MM", "+HHMM", "Z" and nothing after it. */
static bool parse_zone(const char *text, struct stamp *stamp)
{
	int sign = text[0] == '-' ? -1 : 1;
	const char *at = text + 1;
	int digits[4], count = 0;

	if (text[0] == 'Z' && text[1] == '\0') {
		stamp->has_zone = true;
		return true;
	}
	if (text[0] != '+' && text[0] != '-')
		return false;
	for (; *at && count < 4; at++) {
		if (*at == ':' && count == 2)
			continue;
		if (*at < '0' || *at > '9')
			return false;
		digits[count++] = *at - '0';
	}
	if (*at || count != 4)
		return false;
	stamp->has_zone = true;
	stamp->offset_min = sign * ((digits[0] * 10 + digits[1]) * 60 + digits[2] * 10 + digits[3]);
	return digits[2] < 6 && digits[0] * 10 + digits[1] < 24;
}

static bool parse_stamp(const char *text, struct stamp *stamp)
{
	struct tm given;
	time_t same;
	const char *rest = strptime(text, "%Y-%m-%d", &stamp->tm);

	if (!rest || rest - text < 8)
		return false;
	given = stamp->tm;
	same = timegm(&given); /* strptime(3) lets the 31st of June pass */
	if (same == (time_t)-1 || given.tm_mday != stamp->tm.tm_mday)
		return false;
	if (*rest == '\0')
		return true;
	if (*rest != 'T' && *rest != ' ')
		return false;
	text = rest + 1;
	rest = strptime(text, "%H:%M:%S", &stamp->tm);
	if (!rest)
		rest = strptime(text, "%H:%M", &stamp->tm);
	stamp->has_clock = rest != NULL;
	return rest && (*rest == '\0' || parse_zone(rest, stamp));
}

static int64_t stamp_seconds(struct stamp *stamp)
{
	if (stamp->has_zone)
		return (int64_t)timegm(&stamp->tm) - stamp->offset_min * 60;
	stamp->tm.tm_isdst = -1;
	return (int64_t)mktime(&stamp->tm);
}

bool when_parse_date(const char *text, int64_t *ret_unix_s)
{
	struct stamp stamp = {0};

	if (!parse_stamp(text, &stamp))
		return false;
	*ret_unix_s = stamp_seconds(&stamp);
	return true;
}

bool when_parse(const char *text, struct archive_when *ret_when)
{
	struct stamp stamp = {0};
	uint64_t number;

	*ret_when = (struct archive_when){.kind = ARCHIVE_LATEST};
	if (strcmp(text, "latest") == 0)
		return true;
	if (str_parse_u64(text, &number) && number <= INT64_MAX) {
		ret_when->kind = ARCHIVE_GENERATION;
		ret_when->generation = (int64_t)number;
		return true;
	}
	if (!parse_stamp(text, &stamp))
		return false;
	ret_when->kind = ARCHIVE_TIME;
	if (!stamp.has_clock) { /* the end of that day: the last moment before the next one */
		stamp.tm.tm_mday++;
		ret_when->unix_ms = stamp_seconds(&stamp) * 1000 - 1;
	} else {
		ret_when->unix_ms = stamp_seconds(&stamp) * 1000 + 999;
	}
	return true;
}

void when_split(
	const char *text, char **ret_account, struct archive_when *ret_when, bool *ret_given)
{
	const char *at = strrchr(text, '@');

	*ret_given = at && at > text && when_parse(at + 1, ret_when);
	if (*ret_given) {
		*ret_account = xstrndup(text, (size_t)(at - text));
		return;
	}
	*ret_when = (struct archive_when){.kind = ARCHIVE_LATEST};
	*ret_account = xstrdup(text);
}
