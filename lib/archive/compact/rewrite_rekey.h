/* A sealed volume under another key (internal to rekey). */
#ifndef MAILSTOW_ARCHIVE_COMPACT_REWRITE_REKEY_H
#define MAILSTOW_ARCHIVE_COMPACT_REWRITE_REKEY_H

#include "archive/compact/rewrite_repack.h"

/*
 * Frame by frame, each under its id, its bytes before encryption as they were: nothing is pressed
 * anew, and items lie where they lay. As rewrite_repack() in all else.
 */
bool rekey_make(const struct archive_ref *archive, const struct rewrite_plan *plan,
	const struct rewrite_watch *watch, struct volume *ret_made, struct directory *ret_directory,
	struct err *err);

#endif
