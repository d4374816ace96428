#include "restore/snapshot_diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void mail_state_add(struct mail_state *state, const char *folder, uint32_t uidvalidity,
	uint32_t uid, int64_t message, const char *flags)
{
	ARRAY_GROW(state->items, state->count, state->cap);
	state->items[state->count++] =
		(struct mail_place){xstrdup(folder), uidvalidity, uid, message, xstrdup(flags)};
}

void mail_state_free(struct mail_state *state)
{
	for (size_t i = 0; i < state->count; i++) {
		free(state->items[i].folder);
		free(state->items[i].flags);
	}
	free(state->items);
	*state = (struct mail_state){0};
}

const char *change_name(enum change change)
{
	static const char *const names[] = {[CHANGE_NONE] = "none",
		[CHANGE_ADDED] = "added",
		[CHANGE_REMOVED] = "removed",
		[CHANGE_FLAGS] = "flags",
		[CHANGE_MOVED] = "moved"};

	return names[change];
}

typedef int compare_mail(const struct mail_place *a, const struct mail_place *b);

static int by_place(const struct mail_place *a, const struct mail_place *b)
{
	int folders = strcmp(a->folder, b->folder);

	if (folders != 0)
		return folders;
	if (a->uidvalidity != b->uidvalidity)
		return a->uidvalidity < b->uidvalidity ? -1 : 1;
	return (a->uid > b->uid) - (a->uid < b->uid);
}

static int by_message(const struct mail_place *a, const struct mail_place *b)
{
	return (a->message > b->message) - (a->message < b->message);
}

/* Message and UID: pairs the messages of a renamed folder, copy for copy. */
static int by_message_and_uid(const struct mail_place *a, const struct mail_place *b)
{
	int messages = by_message(a, b);

	if (messages != 0)
		return messages;
	if (a->uidvalidity != b->uidvalidity)
		return a->uidvalidity < b->uidvalidity ? -1 : 1;
	return (a->uid > b->uid) - (a->uid < b->uid);
}

struct sorting {
	const struct mail_state *state;
	compare_mail *order;
};

static int compare_indexes(const void *a, const void *b, void *context)
{
	const struct sorting *sorting = context;
	size_t left = *(const size_t *)a, right = *(const size_t *)b;
	int compared = sorting->order(&sorting->state->items[left], &sorting->state->items[right]);

	return compared ? compared : (left > right) - (left < right);
}

/* The indexes of the places marked `wanted`, sorted by `order`. */
static size_t *sorted_by(const struct mail_state *state, const enum change *changes,
	enum change wanted, compare_mail *order, size_t *ret_count)
{
	struct sorting sorting = {state, order};
	size_t *indexes = xcalloc(state->count + 1, sizeof(*indexes));
	size_t count = 0;

	for (size_t i = 0; i < state->count; i++)
		if (changes[i] == wanted)
			indexes[count++] = i;
	qsort_r(indexes, count, sizeof(*indexes), compare_indexes, &sorting);
	*ret_count = count;
	return indexes;
}

/* Calls pair() for equal places, one of each side; each place is paired at most once. */
static void pair_equal(const struct mail_state *before, const struct mail_state *after,
	compare_mail *order, enum change wanted_before, enum change wanted_after,
	struct snapshot_difference *difference,
	void (*pair)(const struct mail_state *before, const struct mail_state *after, size_t old,
		size_t now, struct snapshot_difference *difference))
{
	size_t old_count, now_count;
	size_t *old = sorted_by(before, difference->before, wanted_before, order, &old_count);
	size_t *now = sorted_by(after, difference->after, wanted_after, order, &now_count);

	for (size_t i = 0, k = 0; i < old_count && k < now_count;) {
		int compared = order(&before->items[old[i]], &after->items[now[k]]);

		if (compared == 0)
			pair(before, after, old[i], now[k], difference);
		i += compared <= 0;
		k += compared >= 0;
	}
	free(old);
	free(now);
}

static void note_stayed(const struct mail_state *before, const struct mail_state *after, size_t old,
	size_t now, struct snapshot_difference *difference)
{
	if (before->items[old].message != after->items[now].message)
		return;
	difference->before[old] = CHANGE_NONE;
	difference->after[now] = strcmp(before->items[old].flags, after->items[now].flags) == 0
					 ? CHANGE_NONE
					 : CHANGE_FLAGS;
}

static void note_moved(const struct mail_state *before, const struct mail_state *after, size_t old,
	size_t now, struct snapshot_difference *difference)
{
	(void)before;
	(void)after;
	difference->before[old] = CHANGE_NONE;
	difference->after[now] = CHANGE_MOVED;
	difference->from[now] = old;
}

void snapshot_difference_find(const struct mail_state *before, const struct mail_state *after,
	struct snapshot_difference *ret_difference)
{
	struct snapshot_difference difference = {
		.before = xcalloc(before->count + 1, sizeof(enum change)),
		.after = xcalloc(after->count + 1, sizeof(enum change)),
		.from = xcalloc(after->count + 1, sizeof(size_t)),
	};

	for (size_t i = 0; i < before->count; i++)
		difference.before[i] = CHANGE_REMOVED;
	for (size_t i = 0; i < after->count; i++)
		difference.after[i] = CHANGE_ADDED;
	pair_equal(before, after, by_place, CHANGE_REMOVED, CHANGE_ADDED, &difference, note_stayed);
	pair_equal(before, after, by_message_and_uid, CHANGE_REMOVED, CHANGE_ADDED, &difference,
		note_moved);
	pair_equal(
		before, after, by_message, CHANGE_REMOVED, CHANGE_ADDED, &difference, note_moved);
	*ret_difference = difference;
}

void snapshot_difference_free(struct snapshot_difference *difference)
{
	free(difference->before);
	free(difference->after);
	free(difference->from);
	*difference = (struct snapshot_difference){0};
}
