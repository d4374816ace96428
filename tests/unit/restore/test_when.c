/* Times as people write them, in zones with and without summer time. */
#include "restore/ui/when.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/check.h"

enum { SECOND_MS = 1000, HOUR_MS = 3600 * SECOND_MS };

/* Rules written out, so that no zone files are needed. */
#define UTC     "UTC0"
#define BERLIN  "CET-1CEST,M3.5.0,M10.5.0/3"
#define KOLKATA "IST-5:30"
#define PARA    "<-03>3<-02>,M11.1.0/0,M2.3.0/0" /* midnight is left out, or comes twice */

static void be_in(const char *zone)
{
	CHECK(setenv("TZ", zone, 1) == 0);
	tzset();
}

/* When a UTC clock showed this. */
static int64_t utc(int year, int month, int day, int hour, int minute)
{
	struct tm tm = {.tm_year = year - 1900,
		.tm_mon = month - 1,
		.tm_mday = day,
		.tm_hour = hour,
		.tm_min = minute};

	return (int64_t)timegm(&tm) * SECOND_MS;
}

static int64_t time_of(const char *text)
{
	struct archive_when when = {0};

	if (!when_parse(text, &when))
		check_fail(__FILE__, __LINE__, "%s is refused", text);
	CHECK_INT(when.kind, ARCHIVE_TIME);
	return when.unix_ms;
}

static void a_number_is_a_snapshot(void)
{
	struct archive_when when = {0};

	CHECK(when_parse("17", &when) && when.kind == ARCHIVE_GENERATION);
	CHECK_INT(when.generation, 17);
	CHECK(when_parse("0", &when) && when.generation == 0);
	CHECK(when_parse("20261120", &when) && when.generation == 20261120);
	CHECK(when_parse("9223372036854775807", &when) && when.generation == INT64_MAX);
	CHECK(!when_parse("9223372036854775808", &when));
	CHECK(!when_parse("99999999999999999999999", &when));
}

static void latest_is_latest(void)
{
	struct archive_when when = {.kind = ARCHIVE_TIME};

	CHECK(when_parse("latest", &when) && when.kind == ARCHIVE_LATEST);
	CHECK(!when_parse("LATEST", &when) && !when_parse("latest ", &when));
}

static void a_zone_is_taken_as_written(void)
{
	be_in(BERLIN);
	CHECK_INT(time_of("2026-11-20T10:00Z"), utc(2026, 11, 20, 10, 0));
	CHECK_INT(time_of("2026-11-20T10:00:30Z"), utc(2026, 11, 20, 10, 0) + 30 * SECOND_MS);
	CHECK_INT(time_of("2026-11-20t10:00z"), utc(2026, 11, 20, 10, 0));
	CHECK_INT(time_of("2026-11-20 10:00+01:00"), utc(2026, 11, 20, 9, 0));
	CHECK_INT(time_of("2026-11-20T10:00+0545"), utc(2026, 11, 20, 4, 15));
	CHECK_INT(time_of("2026-11-20T10:00-00:30"), utc(2026, 11, 20, 10, 30));
	CHECK_INT(time_of("2026-01-01T00:00+14:00"), utc(2025, 12, 31, 10, 0));
}

static void parts_of_a_second_count(void)
{
	be_in(UTC);
	CHECK_INT(time_of("2026-11-20T10:00:00.5Z"), utc(2026, 11, 20, 10, 0) + 500);
	CHECK_INT(time_of("2026-11-20T10:00:00.0049Z"), utc(2026, 11, 20, 10, 0) + 4);
	CHECK_INT(time_of("2026-11-20T10:00:00.123456789Z"), utc(2026, 11, 20, 10, 0) + 123);
}

static void without_zone_it_is_local(void)
{
	be_in(UTC);
	CHECK_INT(time_of("2026-11-20T10:00"), utc(2026, 11, 20, 10, 0));
	be_in(KOLKATA);
	CHECK_INT(time_of("2026-11-20T10:00"), utc(2026, 11, 20, 4, 30));
	be_in(BERLIN);
	CHECK_INT(time_of("2026-11-20T10:00"), utc(2026, 11, 20, 9, 0));
	CHECK_INT(time_of("2026-07-20T10:00:00.25"), utc(2026, 7, 20, 8, 0) + 250);
}

static void a_date_is_the_end_of_that_local_day(void)
{
	be_in(UTC);
	CHECK_INT(time_of("2026-11-20"), utc(2026, 11, 21, 0, 0) - 1);
	CHECK_INT(time_of("2026-12-31"), utc(2027, 1, 1, 0, 0) - 1);
	CHECK_INT(time_of("2028-02-29"), utc(2028, 3, 1, 0, 0) - 1);
	be_in(KOLKATA);
	CHECK_INT(time_of("2026-11-20"), utc(2026, 11, 20, 18, 30) - 1);
	be_in(BERLIN);
	CHECK_INT(time_of("2026-03-28"), utc(2026, 3, 28, 23, 0) - 1);
	CHECK_INT(time_of("2026-03-29"), utc(2026, 3, 29, 22, 0) - 1);  /* 23 hours */
	CHECK_INT(time_of("2026-10-25"), utc(2026, 10, 25, 23, 0) - 1); /* 25 hours */
}

/* In some zones clocks change at midnight: the day ends when the next one begins. */
static void a_day_ends_where_midnight_is_left_out(void)
{
	be_in(PARA);
	CHECK_INT(time_of("2018-11-02"), utc(2018, 11, 3, 3, 0) - 1);
	CHECK_INT(time_of("2018-11-03"), utc(2018, 11, 4, 3, 0) - 1);
	CHECK_INT(time_of("2018-11-04"), utc(2018, 11, 5, 2, 0) - 1);
	CHECK_INT(time_of("2018-02-17"), utc(2018, 2, 18, 3, 0) - 1);
}

static void an_hour_left_out_or_doubled_is_near(void)
{
	int64_t skipped, doubled;

	be_in(BERLIN);
	skipped = time_of("2026-03-29T02:30");
	doubled = time_of("2026-10-25T02:30");
	CHECK(skipped == utc(2026, 3, 29, 0, 30) || skipped == utc(2026, 3, 29, 1, 30));
	CHECK(doubled == utc(2026, 10, 25, 0, 30) || doubled == utc(2026, 10, 25, 1, 30));
}

static void rubbish_is_no_moment(void)
{
	static const char *const rubbish[] = {"", " ", "yesterday", "-1", "+1", "1.5", "0x10",
		"17 ", "2026-11", "2026-1-1", "26-11-20", "2026-13-01", "2026-00-10", "2026-11-31",
		"2026-11-00", "2026-02-29", "1969-12-31", "2026-11-20T", "2026-11-20T10",
		"2026-11-20T1:00", "2026-11-20T24:00", "2026-11-20T10:60", "2026-11-20T10:00:61",
		"2026-11-20T10:00:00.", "2026-11-20T10:00.5", "2026-11-20T10:00+",
		"2026-11-20T10:00+1", "2026-11-20T10:00+24:00", "2026-11-20T10:00+01:60",
		"2026-11-20T10:00ZZ", "2026-11-20T10:00 Z", "2026-11-20T10:00Z ", "2026-11-20x",
		"2026/11/20", "\xd9\xa1"};

	be_in(UTC);
	for (size_t i = 0; i < ARRAY_LEN(rubbish); i++) {
		struct archive_when when;

		if (when_parse(rubbish[i], &when))
			check_fail(__FILE__, __LINE__, "\"%s\" is taken", rubbish[i]);
	}
}

struct split {
	const char *text, *name;
	bool given;
	int64_t generation; /* when given */
};

static void only_what_follows_the_last_at_sign_is_when(void)
{
	static const struct split splits[] = {{"a", "a", false, 0}, {"a@17", "a", true, 17},
		{"a@b", "a@b", false, 0}, {"a@b@17", "a@b", true, 17},
		{"a@17@b", "a@17@b", false, 0}, {"a@1@2", "a@1", true, 2}, {"@17", "@17", false, 0},
		{"a@", "a@", false, 0}, {"", "", false, 0}, {"a@@3", "a@", true, 3},
		{"/mail/a@b/@4", "/mail/a@b/", true, 4},
		{"a@2026-13-01", "a@2026-13-01", false, 0}};

	for (size_t i = 0; i < ARRAY_LEN(splits); i++) {
		struct archive_when when = {.kind = ARCHIVE_TIME};
		CLEANUP(freep) char *name = NULL;

		CHECK_INT(when_split(splits[i].text, &name, &when), splits[i].given);
		CHECK_STR(name, splits[i].name);
		CHECK_INT(when.kind, splits[i].given ? ARCHIVE_GENERATION : ARCHIVE_LATEST);
		CHECK_INT(when.generation, splits[i].generation);
	}
}

static void a_selecting_date_is_the_beginning_of_its_day(void)
{
	int64_t ms = 0;

	be_in(BERLIN);
	CHECK(when_parse_date("2026-11-20", &ms) && ms == utc(2026, 11, 19, 23, 0));
	CHECK(when_parse_date("2026-11-20T10:00Z", &ms) && ms == utc(2026, 11, 20, 10, 0));
	CHECK(!when_parse_date("17", &ms) && !when_parse_date("latest", &ms));
	be_in(PARA);
	CHECK(when_parse_date("2018-11-04", &ms) && ms == utc(2018, 11, 4, 3, 0));
}

static void what_is_shown_finds_what_it_was_shown_for(void)
{
	static const char *const zones[] = {UTC, BERLIN, KOLKATA, PARA};
	const int64_t times[] = {utc(2026, 11, 20, 10, 0) + 1, utc(2026, 11, 20, 23, 59) + 59999,
		utc(2026, 7, 1, 0, 0)};

	for (size_t z = 0; z < ARRAY_LEN(zones); z++) {
		be_in(zones[z]);
		for (size_t i = 0; i < ARRAY_LEN(times); i++) {
			char shown[WHEN_TEXT_MAX];
			int64_t found;

			when_format(times[i], true, shown);
			found = time_of(shown);
			CHECK(found >= times[i] && found - times[i] < SECOND_MS);
		}
	}
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(a_number_is_a_snapshot),
		PROMISE(latest_is_latest),
		PROMISE(a_zone_is_taken_as_written),
		PROMISE(parts_of_a_second_count),
		PROMISE(without_zone_it_is_local),
		PROMISE(a_date_is_the_end_of_that_local_day),
		PROMISE(a_day_ends_where_midnight_is_left_out),
		PROMISE(an_hour_left_out_or_doubled_is_near),
		PROMISE(rubbish_is_no_moment),
		PROMISE(only_what_follows_the_last_at_sign_is_when),
		PROMISE(a_selecting_date_is_the_beginning_of_its_day),
		PROMISE(what_is_shown_finds_what_it_was_shown_for),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
