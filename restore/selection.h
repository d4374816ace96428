/*
 * The selection options that ls, restore and forget share: --folder, --since, --before, --from,
 * --subject, --message-id, --deleted-only. Pure.
 */
#ifndef MAILSTOW_RESTORE_SELECTION_H
#define MAILSTOW_RESTORE_SELECTION_H

#include "archive/archive.h"
#include "base/str.h"
#include "restore/options.h"

enum { SELECT_FOLDERS_MAX = 1000 };

/* Option ids; those of the command itself begin at SELECT_OPTIONS_END. */
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

/* Entries for a command's table of options. */
#define SELECT_OPTION_SPECS                                                                        \
	{"folder", OPTION_VALUE, SELECT_FOLDER}, {"since", OPTION_VALUE, SELECT_SINCE},            \
		{"before", OPTION_VALUE, SELECT_BEFORE}, {"from", OPTION_VALUE, SELECT_FROM},      \
		{"subject", OPTION_VALUE, SELECT_SUBJECT},                                         \
		{"message-id", OPTION_VALUE, SELECT_MESSAGE_ID},                                   \
	{                                                                                          \
		"deleted-only", OPTION_PLAIN, SELECT_DELETED_ONLY                                  \
	}

/* Lines for a command's help. */
#define SELECT_HELP                                                                                \
	"  --folder GLOB         only these folders; * matches any text, !GLOB excludes;\n"        \
	"                        may be given several times\n"                                     \
	"  --since DATE          received at or after (a date or a time)\n"                        \
	"  --before DATE         received before\n"                                                \
	"  --from TEXT           the sender contains TEXT\n"                                       \
	"  --subject TEXT        the subject contains TEXT\n"                                      \
	"  --message-id ID       the Message-ID is ID\n"                                           \
	"  --deleted-only        only messages that are gone from the server\n"

struct selection {
	struct str_list folders; /* globs, '!' excludes */
	bool has_since, has_before;
	int64_t since_ms, before_ms;
	const char *from, *subject, *message_id; /* NULL: any. Not owned. */
	bool deleted_only;
};

/* Applies one option. ERR_USAGE names what is expected. */
bool selection_set(
	struct selection *selection, enum select_option option, const char *value, struct err *err);
void selection_free(struct selection *selection); /* also for CLEANUP() */

bool selection_wants_folder(const struct selection *selection, const char *path);

/*
 * Whether folder, date (INTERNALDATE, else the time it was added), sender, subject and Message-ID
 * match. Ignores deleted_only, which archive_each_entry() applies.
 */
bool selection_wants_entry(const struct selection *selection, const struct archive_entry *entry);

/* A folder named without wildcards that is not in `seen`, a list of paths; NULL: none. */
const char *selection_missing_folder(
	const struct selection *selection, const struct str_list *seen);

#endif
