/*
 * Which folders and messages are meant: --folder, --since, --before, --from, --subject,
 * --message-id, --deleted, --deleted-only. For ls, restore, forget and others. Pure.
 */
#ifndef MAILSTOW_RESTORE_SELECTION_H
#define MAILSTOW_RESTORE_SELECTION_H

#include "archive/archive.h"
#include "base/str.h"
#include "restore/options.h"

enum { SELECT_FOLDERS_MAX = 1000 };

/* Ids of options; a command's own begin at SELECT_OPTIONS_END. */
enum select_option {
	SELECT_FOLDER,
	SELECT_SINCE,
	SELECT_BEFORE,
	SELECT_FROM,
	SELECT_SUBJECT,
	SELECT_MESSAGE_ID,
	SELECT_DELETED_ONLY,
	SELECT_OPTIONS_END,
};

/* To stand in a command's table of options. */
#define SELECT_OPTION_SPECS                                                                        \
	{"folder", OPTION_VALUE, SELECT_FOLDER}, {"since", OPTION_VALUE, SELECT_SINCE},            \
		{"before", OPTION_VALUE, SELECT_BEFORE}, {"from", OPTION_VALUE, SELECT_FROM},      \
		{"subject", OPTION_VALUE, SELECT_SUBJECT},                                         \
		{"message-id", OPTION_VALUE, SELECT_MESSAGE_ID},                                   \
	{                                                                                          \
		"deleted-only", OPTION_PLAIN, SELECT_DELETED_ONLY                                  \
	}

/* Their lines of help. */
#define SELECT_HELP                                                                                \
	"  --folder GLOB         only these folders; * is any text, !GLOB leaves out;\n"           \
	"                        may be given several times\n"                                     \
	"  --since DATE          received at or after (a date or a time)\n"                        \
	"  --before DATE         received before\n"                                                \
	"  --from TEXT           TEXT in the sender\n"                                             \
	"  --subject TEXT        TEXT in the subject\n"                                            \
	"  --message-id ID       with this Message-ID\n"                                           \
	"  --deleted-only        only what is gone from the server\n"

struct selection {
	struct str_list folders; /* globs, '!' excludes */
	bool has_since, has_before;
	int64_t since_ms, before_ms;
	const char *from, *subject, *message_id; /* NULL: any; not owned */
	bool deleted_only;
};

/* One option. ERR_USAGE names what would be accepted. */
bool selection_set(
	struct selection *selection, enum select_option option, const char *value, struct err *err);
void selection_free(struct selection *selection); /* also for CLEANUP() */

bool selection_wants_folder(const struct selection *selection, const char *path);

/*
 * Folder, date (INTERNALDATE, else when it was added), sender, subject and Message-ID fit?
 * deleted_only is not looked at: it is archive_list's.
 */
bool selection_wants_entry(const struct selection *selection, const struct archive_entry *entry);

/*
 * A folder that was named without wildcards and is not among what was seen; NULL: none. `seen`
 * holds folder paths.
 */
const char *selection_missing_folder(
	const struct selection *selection, const struct str_list *seen);

#endif
