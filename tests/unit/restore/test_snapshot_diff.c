#include "restore/snapshot_diff.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "support/check.h"

enum { TEXT_MAX = 2000 };

struct row {
	const char *folder;
	uint32_t uid;
	int64_t message;
	const char *flags;
};

static void fill(struct mail_state *state, const struct row *rows)
{
	for (; rows->folder; rows++)
		mail_state_add(state, rows->folder, 7, rows->uid, rows->message, rows->flags);
}

/* "removed a 1; moved b 2 from a 3; ..." */
static const char *told(const struct row *before_rows, const struct row *after_rows)
{
	static char text[TEXT_MAX];
	CLEANUP(mail_state_free) struct mail_state before = {0}, after = {0};
	CLEANUP(snapshot_difference_free) struct snapshot_difference difference = {0};
	size_t used = 0;

	fill(&before, before_rows);
	fill(&after, after_rows);
	snapshot_difference_find(&before, &after, &difference);
	*text = '\0';
	for (size_t i = 0; i < before.count; i++)
		if (difference.before[i] != CHANGE_NONE)
			used += (size_t)snprintf(text + used, TEXT_MAX - used, "%s %s %u; ",
				change_name(difference.before[i]), before.items[i].folder,
				before.items[i].uid);
	for (size_t i = 0; i < after.count; i++) {
		const struct mail_place *now = &after.items[i];

		if (difference.after[i] == CHANGE_NONE)
			continue;
		used += (size_t)snprintf(text + used, TEXT_MAX - used, "%s %s %u",
			change_name(difference.after[i]), now->folder, now->uid);
		if (difference.after[i] == CHANGE_MOVED)
			used += (size_t)snprintf(text + used, TEXT_MAX - used, " from %s %u",
				before.items[difference.from[i]].folder,
				before.items[difference.from[i]].uid);
		used += (size_t)snprintf(text + used, TEXT_MAX - used, "; ");
	}
	return text;
}

#define ROWS(...) ((const struct row[]){__VA_ARGS__, {0}})

static void equal_states_differ_in_nothing(void)
{
	CHECK_STR(told(ROWS({0}), ROWS({0})), "");
	CHECK_STR(told(ROWS({"a", 1, 1, "x"}), ROWS({"a", 1, 1, "x"})), "");
}

static void additions_removals_and_flag_changes_are_found(void)
{
	CHECK_STR(told(ROWS({"a", 1, 1, ""}, {"a", 2, 2, ""}),
			  ROWS({"a", 2, 2, "\\Seen"}, {"b", 1, 3, ""})),
		"removed a 1; flags a 2; added b 1; ");
}

static void equal_bytes_elsewhere_have_moved(void)
{
	CHECK_STR(told(ROWS({"a", 1, 1, ""}), ROWS({"b", 9, 1, "\\Seen"})), "moved b 9 from a 1; ");
}

static void each_going_and_coming_counts_once(void)
{
	CHECK_STR(told(ROWS({"a", 1, 1, ""}), ROWS({"b", 8, 1, ""}, {"b", 9, 1, ""})),
		"moved b 8 from a 1; added b 9; ");
	CHECK_STR(told(ROWS({"a", 1, 1, ""}, {"a", 2, 1, ""}), ROWS({"b", 8, 1, ""})),
		"removed a 2; moved b 8 from a 1; ");
}

static void mail_of_renamed_folders_keeps_its_uid(void)
{
	CHECK_STR(told(ROWS({"a", 1, 1, ""}, {"b", 2, 1, ""}),
			  ROWS({"a", 2, 1, ""}, {"b", 1, 1, ""})),
		"moved a 2 from b 2; moved b 1 from a 1; ");
}

static void a_copy_is_no_move(void)
{
	CHECK_STR(
		told(ROWS({"a", 1, 1, ""}), ROWS({"a", 1, 1, ""}, {"b", 9, 1, ""})), "added b 9; ");
}

static void another_message_in_the_same_place_is_another(void)
{
	CHECK_STR(told(ROWS({"a", 1, 1, ""}), ROWS({"a", 1, 2, ""})), "removed a 1; added a 1; ");
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(equal_states_differ_in_nothing),
		PROMISE(additions_removals_and_flag_changes_are_found),
		PROMISE(equal_bytes_elsewhere_have_moved),
		PROMISE(each_going_and_coming_counts_once),
		PROMISE(mail_of_renamed_folders_keeps_its_uid),
		PROMISE(a_copy_is_no_move),
		PROMISE(another_message_in_the_same_place_is_another),
	};
	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
