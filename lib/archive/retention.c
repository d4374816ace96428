#include "archive/retention.h"

#include <assert.h>

#include "base/clock.h"
#include "base/str.h"

enum { HOUR_S = 3600, DAY_S = 24 * HOUR_S, WEEK_DAYS = 7, EPOCH_IS_THURSDAY = 3, MONTHS = 12 };

static int64_t floor_div(int64_t value, int64_t by)
{
	return value / by - (value % by < 0);
}

/* Numbers of an instant's hour, day, ... in its own calendar; equal ones are the same. */
static int64_t hour_of(int64_t local_s)
{
	return floor_div(local_s, HOUR_S);
}

static int64_t day_of(int64_t local_s)
{
	return floor_div(local_s, DAY_S);
}

/* From Monday to Sunday. */
static int64_t week_of(int64_t local_s)
{
	return floor_div(day_of(local_s) + EPOCH_IS_THURSDAY, WEEK_DAYS);
}

static int64_t month_of(int64_t local_s)
{
	int64_t year;
	unsigned month, day;

	clock_civil_from_days(day_of(local_s), &year, &month, &day);
	return year * MONTHS + month;
}

static int64_t year_of(int64_t local_s)
{
	int64_t year;
	unsigned month, day;

	clock_civil_from_days(day_of(local_s), &year, &month, &day);
	return year;
}

static int64_t itself(int64_t local_s)
{
	return local_s;
}

static int64_t local_s(keep_offset *offset, int64_t unix_ms)
{
	int64_t unix_s = floor_div(unix_ms, 1000);

	return unix_s + (offset ? offset(unix_s) : 0);
}

static bool is_oldest(const struct keep_snapshot *snapshots, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (snapshots[i].complete)
			return false;
	return true;
}

/* From the newest to the oldest: the first of each period, as long as there is room. */
static void keep_periods(struct keep_snapshot *snapshots, size_t count, keep_offset *offset,
	unsigned room, int64_t (*period_of)(int64_t local_s), bool each)
{
	bool any = false;
	int64_t before = 0;

	for (size_t i = count; i > 0 && room > 0; i--) {
		struct keep_snapshot *snapshot = &snapshots[i - 1];
		int64_t period;

		if (!snapshot->complete)
			continue;
		period = period_of(local_s(offset, snapshot->unix_ms));
		if (any && !each && period == before && !is_oldest(snapshots, i - 1))
			continue;
		any = true;
		before = period;
		snapshot->stays = true;
		room--;
	}
}

static void keep_within(struct keep_snapshot *snapshots, size_t count, int64_t within_ms)
{
	int64_t newest_ms = snapshots[count - 1].unix_ms;

	for (size_t i = 0; i < count; i++)
		if (newest_ms - snapshots[i].unix_ms <= within_ms)
			snapshots[i].stays = true;
}

static void keep_always(struct keep_snapshot *snapshots, size_t count)
{
	bool complete = false;

	snapshots[count - 1].stays = true;
	for (size_t i = count; i > 0; i--) {
		struct keep_snapshot *snapshot = &snapshots[i - 1];

		if (snapshot->pinned || (snapshot->complete && !complete))
			snapshot->stays = true;
		complete = complete || snapshot->complete;
	}
}

void keep_decide(const struct keep_rules *rules, keep_offset *offset,
	struct keep_snapshot *snapshots, size_t count)
{
	const struct {
		unsigned room;
		int64_t (*period_of)(int64_t local_s);
	} periods[] = {
		{rules->hourly, hour_of},
		{rules->daily, day_of},
		{rules->weekly, week_of},
		{rules->monthly, month_of},
		{rules->yearly, year_of},
	};

	for (size_t i = 0; i < count; i++)
		snapshots[i].stays = rules->all;
	if (count == 0 || rules->all)
		return;
	keep_periods(snapshots, count, offset, rules->last, itself, true);
	for (size_t i = 0; i < ARRAY_LEN(periods); i++)
		keep_periods(
			snapshots, count, offset, periods[i].room, periods[i].period_of, false);
	if (rules->within_ms > 0)
		keep_within(snapshots, count, rules->within_ms);
	keep_always(snapshots, count);
	assert(snapshots[count - 1].stays); /* invariant 3: mail present now always stays */
}
