/* A sealed volume under another key (internal to rekey). */
#ifndef MAILSTOW_ARCHIVE_REKEY_VOLUME_H
#define MAILSTOW_ARCHIVE_REKEY_VOLUME_H

#include "archive/seal_volume.h"

/*
 * Frame by frame, each under its id, its bytes before encryption as they were: nothing is pressed
 * anew, and items lie where they lay. As seal_make() in all else.
 */
bool rekey_make(const char *archive_path, const struct seal_plan *plan,
	const struct seal_watch *watch, struct volume *ret_made, struct directory *ret_directory,
	struct err *err);

#endif
