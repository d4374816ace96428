#include "archive/retention.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "support/check.h"

enum { HOUR_MS = 60 * 60 * 1000, TEXT_MAX = 4096 };

static const int64_t DAY_MS = 24 * (int64_t)HOUR_MS;

static int64_t at(int64_t year, unsigned month, unsigned day, int hour)
{
	return clock_days_from_civil(year, month, day) * DAY_MS + (int64_t)hour * HOUR_MS;
}

/* The generations that are kept, blank-separated. The caller frees. */
static char *staying(const struct keep_rules *rules, keep_offset *offset,
	const struct keep_snapshot *snapshots, size_t count)
{
	CLEANUP(freep) struct keep_snapshot *own = xcalloc(count + 1, sizeof(*own));
	CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);

	memcpy(own, snapshots, count * sizeof(*own));
	keep_decide(rules, offset, own, count);
	for (size_t i = 0; i < count; i++)
		if (own[i].stays)
			CHECK(buf_printf(
				&text, "%s%d", text.len ? " " : "", (int)own[i].generation));
	return xstrdup(buf_str(&text));
}

/* Snapshots every six hours, starting on a Friday with number 1. */
static void fill(struct keep_snapshot *snapshots, size_t count)
{
	for (size_t i = 0; i < count; i++)
		snapshots[i] = (struct keep_snapshot){
			.generation = (int64_t)i + 1,
			.unix_ms = at(2026, 1, 30, 0) + (int64_t)i * 6 * HOUR_MS,
			.complete = true,
		};
}

static void each_rule_keeps_the_newest_of_its_periods(void)
{
	static const struct {
		struct keep_rules rules;
		const char *stay;
	} table[] = {
		{{.all = true}, "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18"},
		{{.last = 3}, "16 17 18"},
		{{.last = 1}, "18"},
		{{.hourly = 2}, "17 18"},
		{{.daily = 1}, "18"},
		{{.daily = 3}, "12 16 18"},
		{{.daily = 5}, "4 8 12 16 18"},
		{{.weekly = 2}, "12 18"},
		{{.monthly = 2}, "8 18"},
		{{.yearly = 1}, "18"},
		{{.within_ms = 12 * HOUR_MS}, "16 17 18"},
		{{.last = 2, .daily = 2}, "16 17 18"},
		{{.last = 1, .monthly = 2, .within_ms = 6 * HOUR_MS}, "8 17 18"},
	};
	struct keep_snapshot snapshots[18];

	fill(snapshots, ARRAY_LEN(snapshots));
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		CLEANUP(freep)
		char *stay = staying(&table[i].rules, NULL, snapshots, ARRAY_LEN(snapshots));

		CHECK_STR(stay, table[i].stay);
	}
}

static void the_oldest_snapshot_stays_until_a_rule_is_satisfied(void)
{
	struct keep_snapshot snapshots[18];
	CLEANUP(freep) char *daily = NULL;
	CLEANUP(freep) char *yearly = NULL;

	fill(snapshots, ARRAY_LEN(snapshots));
	daily = staying(&(struct keep_rules){.daily = 6}, NULL, snapshots, ARRAY_LEN(snapshots));
	CHECK_STR(daily, "1 4 8 12 16 18");
	yearly = staying(&(struct keep_rules){.yearly = 5}, NULL, snapshots, ARRAY_LEN(snapshots));
	CHECK_STR(yearly, "1 18");
}

static void pins_the_newest_state_and_the_newest_complete_snapshot_stay(void)
{
	struct keep_snapshot snapshots[] = {
		{.generation = 1, .unix_ms = 1000, .complete = true},
		{.generation = 2, .unix_ms = 2000, .pinned = true},
		{.generation = 3, .unix_ms = 3000, .complete = true, .pinned = true},
		{.generation = 5, .unix_ms = 5000, .complete = true},
		{.generation = 8, .unix_ms = 8000, .complete = true},
		{.generation = 9, .unix_ms = 9000},
		{.generation = 10, .unix_ms = 9000},
	};
	CLEANUP(freep)
	char *stay = staying(&(struct keep_rules){0}, NULL, snapshots, ARRAY_LEN(snapshots));

	CHECK_STR(stay, "2 3 8 10");
	keep_decide(&(struct keep_rules){.last = 1}, NULL, snapshots, 0);
}

static void incomplete_states_do_not_use_up_a_rule(void)
{
	struct keep_snapshot snapshots[] = {
		{.generation = 1, .unix_ms = at(2026, 5, 1, 10), .complete = true},
		{.generation = 2, .unix_ms = at(2026, 5, 1, 12)},
		{.generation = 3, .unix_ms = at(2026, 5, 2, 10), .complete = true},
		{.generation = 4, .unix_ms = at(2026, 5, 2, 12)},
		{.generation = 5, .unix_ms = at(2026, 5, 3, 10), .complete = true},
	};
	CLEANUP(freep)
	char *daily =
		staying(&(struct keep_rules){.daily = 2}, NULL, snapshots, ARRAY_LEN(snapshots));
	CLEANUP(freep)
	char *within = staying(
		&(struct keep_rules){.within_ms = DAY_MS}, NULL, snapshots, ARRAY_LEN(snapshots));

	CHECK_STR(daily, "3 5");
	CHECK_STR(within, "3 4 5");
}

static int64_t east_two_hours(int64_t unix_s)
{
	(void)unix_s;
	return 2 * 3600;
}

static void days_follow_the_given_calendar(void)
{
	struct keep_snapshot snapshots[] = {
		{.generation = 1, .unix_ms = at(2026, 5, 1, 1), .complete = true},
		{.generation = 2, .unix_ms = at(2026, 5, 1, 23), .complete = true},
		{.generation = 3, .unix_ms = at(2026, 5, 2, 1), .complete = true},
	};
	const struct keep_rules rules = {.daily = 2};
	CLEANUP(freep) char *utc = staying(&rules, NULL, snapshots, ARRAY_LEN(snapshots));
	CLEANUP(freep)
	char *local = staying(&rules, east_two_hours, snapshots, ARRAY_LEN(snapshots));

	CHECK_STR(utc, "2 3");
	CHECK_STR(local, "1 3");
}

static void weeks_and_years_end_where_iso_8601_says(void)
{
	/* 28 December 2025 is a Sunday; 29 December is in week 1 of 2026 */
	struct keep_snapshot snapshots[] = {
		{.generation = 1, .unix_ms = at(2025, 12, 22, 0), .complete = true},
		{.generation = 2, .unix_ms = at(2025, 12, 28, 23), .complete = true},
		{.generation = 3, .unix_ms = at(2025, 12, 29, 0), .complete = true},
		{.generation = 4, .unix_ms = at(2026, 1, 4, 23), .complete = true},
		{.generation = 5, .unix_ms = at(2026, 1, 5, 0), .complete = true},
	};
	CLEANUP(freep)
	char *weekly =
		staying(&(struct keep_rules){.weekly = 3}, NULL, snapshots, ARRAY_LEN(snapshots));

	CHECK_STR(weekly, "2 4 5");
}

static void times_before_1970_have_their_periods_too(void)
{
	struct keep_snapshot snapshots[] = {
		{.generation = 1, .unix_ms = at(1969, 12, 30, 12), .complete = true},
		{.generation = 2, .unix_ms = at(1969, 12, 31, 12), .complete = true},
		{.generation = 3, .unix_ms = at(1970, 1, 1, 12), .complete = true},
	};
	CLEANUP(freep)
	char *stay =
		staying(&(struct keep_rules){.daily = 2}, NULL, snapshots, ARRAY_LEN(snapshots));

	CHECK_STR(stay, "2 3");
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(each_rule_keeps_the_newest_of_its_periods),
		PROMISE(the_oldest_snapshot_stays_until_a_rule_is_satisfied),
		PROMISE(pins_the_newest_state_and_the_newest_complete_snapshot_stay),
		PROMISE(incomplete_states_do_not_use_up_a_rule),
		PROMISE(days_follow_the_given_calendar),
		PROMISE(weeks_and_years_end_where_iso_8601_says),
		PROMISE(times_before_1970_have_their_periods_too),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
