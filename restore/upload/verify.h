/*
 * After a folder was restored: every message that is said to be there is looked at once more, and
 * the folder's messages are counted.
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
	const struct survey_source *sources; /* that the items' source refers to */
	const struct restore_watcher *watcher;
};

/*
 * Adds to summary->verified, and takes summary->sound away when a message said to be exact is not,
 * or one said to be there is missing. Errors as the session's.
 */
bool verify_folder(const struct verify_ask *ask, struct items *items,
	struct restore_summary *summary, struct err *err);

#endif
