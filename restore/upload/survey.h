/*
 * What a restore would do: the folders of the archive with the number of selected messages, where
 * each goes, and how many of its messages the target already holds.
 */
#ifndef MAILSTOW_RESTORE_UPLOAD_SURVEY_H
#define MAILSTOW_RESTORE_UPLOAD_SURVEY_H

#include "base/str.h"
#include "restore/upload/restore_task.h"

/* A folder of the archive. */
struct survey_source {
	int64_t folder_id;
	char *path;
	char *special_use; /* NULL: none */
	bool selectable;
	bool subscribed;
	bool wanted; /* the selection includes the folder */
	uint64_t messages, bytes;
	uint64_t there, there_bytes;
};

struct survey {
	const struct restore *restore;
	struct survey_source *sources;
	size_t count, cap;
	struct imap_folders folders; /* of the target */
	struct map_target *targets;  /* the same, for the map */
	struct map map;
	struct str_list problems; /* folders the target cannot have, with the reason */
};

/* Reads the archive, then the target. */
bool survey_make(const struct restore *restore, struct survey *ret_survey, struct err *err);
void survey_free(struct survey *survey); /* also for CLEANUP() */

/* Does any folder map to this place? */
bool survey_wants_place(const struct survey *survey, size_t place);

/* The selected messages of all folders that go to this place; MAP_NONE: of those that go nowhere.
 */
bool survey_load(
	const struct survey *survey, size_t place, struct items *ret_items, struct err *err);

#endif
