/* A sealed volume under another key (internal to rekey). */
#ifndef MAILSTOW_ARCHIVE_COMPACT_REWRITE_REKEY_H
#define MAILSTOW_ARCHIVE_COMPACT_REWRITE_REKEY_H

#include "archive/compact/rewrite_repack.h"

/*
 * Copies frame by frame, with the same ids and compressed bytes; only the encryption changes, so
 * items keep their locations. Otherwise like rewrite_repack().
 */
bool rewrite_rekey(const struct archive_ref *archive, const struct rewrite_plan *plan,
	const struct rewrite_watch *watch, struct volume *ret_made, struct directory *ret_directory,
	struct err *err);

#endif
