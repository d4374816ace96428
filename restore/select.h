/* Which messages are meant: --folder --since --before --from --subject --message-id --deleted-only.
 */
#ifndef MAILSTOW_RESTORE_SELECT_H
#define MAILSTOW_RESTORE_SELECT_H

#include <getopt.h>

#include "archive/archive.h"
#include "base/str.h"

struct selection {
	struct str_list folders; /* globs, '!' excludes */
	bool has_since, has_before;
	int64_t since_s, before_s;
	const char *from, *subject, *message_id; /* NULL: any */
	bool deleted_only;
};

/* Values of getopt_long() for the options below. */
enum {
	SELECT_FOLDER = 1000,
	SELECT_SINCE,
	SELECT_BEFORE,
	SELECT_FROM,
	SELECT_SUBJECT,
	SELECT_MESSAGE_ID,
	SELECT_DELETED_ONLY,
};
/* clang-format off */
#define SELECT_OPTIONS                                                                             \
	{ "folder", required_argument, NULL, SELECT_FOLDER },                                      \
	{ "since", required_argument, NULL, SELECT_SINCE },                                        \
	{ "before", required_argument, NULL, SELECT_BEFORE },                                      \
	{ "from", required_argument, NULL, SELECT_FROM },                                          \
	{ "subject", required_argument, NULL, SELECT_SUBJECT },                                    \
	{ "message-id", required_argument, NULL, SELECT_MESSAGE_ID },                              \
	{ "deleted-only", no_argument, NULL, SELECT_DELETED_ONLY }
/* clang-format on */

#define SELECT_HELP                                                                                \
	"Selection:\n"                                                                             \
	"  --folder GLOB       folders that match; repeatable; '!GLOB' excludes\n"                 \
	"  --since DATE        received at or after\n"                                             \
	"  --before DATE       received before\n"                                                  \
	"  --from TEXT         From: holds this text\n"                                            \
	"  --subject TEXT      Subject: holds this text\n"                                         \
	"  --message-id ID     this Message-ID\n"                                                  \
	"  --deleted-only      only mail that is gone from the server\n"

/* Take one option. False: ERR_USAGE, or *ret_ours false when it is none of these. */
bool select_option(struct selection *selection, int option, const char *value, bool *ret_ours,
	struct err *err);
bool select_folder(const struct selection *selection, const char *path);
bool select_entry(const struct selection *selection, const struct archive_entry *entry);
void select_free(struct selection *selection); /* also for CLEANUP() */

#endif
