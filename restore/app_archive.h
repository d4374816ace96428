/* Archives opened for commands: unlocked first, caught up, at the state @WHEN names. */
#ifndef MAILSTOW_RESTORE_APP_ARCHIVE_H
#define MAILSTOW_RESTORE_APP_ARCHIVE_H

#include "restore/account_ref.h"

/*
 * Opens an archive to read, in its newest state. If a crash kept commits out of the catalogue, they
 * are entered first; where the catalogue cannot be written, warns that the newest mail may be
 * missing. ERR_NOT_FOUND: the account has no archive yet.
 */
bool app_open_newest(
	const struct account_ref *place, struct archive **ret_archive, struct err *err);

/* The same for an archive that needs no unlocking any more, without warnings (for `status`). */
bool app_open_quietly(
	const struct account_ref *place, struct archive **ret_archive, struct err *err);

/*
 * Opens an archive to read and resolves @WHEN. Warns if the state is the newest one and not a
 * complete snapshot. ERR_NOT_FOUND: no archive, or no such snapshot.
 */
bool app_open(const struct account_ref *place, struct archive **ret_archive,
	struct archive_snapshot *ret_snapshot, struct err *err);

/*
 * Enters into the catalogue of an unlocked archive what a crash kept out of it; warns where that
 * is impossible. Commands that write need no call: opening the archive to write does it.
 */
void app_catch_up(const struct account_ref *place);

/* A folder's id by its path at a snapshot; INBOX in any case. ERR_NOT_FOUND. */
bool app_folder(struct archive *archive, int64_t generation, const char *path, int64_t *ret_id,
	struct err *err);

/*
 * Notes for `status`, which names archives without a recent copy, that `place` now holds a copy of
 * the whole archive. Only warns on failure: the copy is good without the note.
 */
void app_remember_copy(const char *archive_path, const char *place);

#endif
