/*
 * Verifies a folder after it was restored: compares every message reported as there once more, and
 * counts the folder's messages.
 */
#ifndef MAILSTOW_RESTORE_UPLOAD_VERIFY_H
#define MAILSTOW_RESTORE_UPLOAD_VERIFY_H

#include "restore/upload/compare.h"
#include "restore/upload/restore_task.h"

struct survey_source;

struct verify_ask {
	struct target *target;
	struct archive *archive;
	const char *wire_name;
	enum compare_bytes bytes;
	const struct survey_source *sources; /* indexed by the items' source */
	const struct restore_watcher *watcher;
};

/*
 * Adds to summary->verified. Clears summary->sound if a message reported as exact differs or one
 * reported as there is missing. Errors as the session's.
 */
bool verify_folder(const struct verify_ask *ask, struct items *items,
	struct restore_summary *summary, struct err *err);

#endif
