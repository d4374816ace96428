/*
 * One mirror pass: compares every folder of an account with its archive and brings the archive up
 * to date, holding the writer lock throughout. The server is never changed.
 *
 * Its order makes an interruption at any point lose nothing:
 *
 *  - The archive may commit only after the tagged OK of a range of bodies.
 *  - A folder's mark is recorded after everything it promises, so no commit holds the mark alone.
 *  - Messages that are gone are closed at the end of the pass. A message moved to a folder not yet
 *    compared is thus present in every commit, in one folder or both.
 *  - The last commit is a complete snapshot if every folder was compared and the ledger owes
 * nothing.
 *  - The ledger in the state file drops entries only after that commit.
 */
#ifndef MAILSTOW_MIRROR_PASS_H
#define MAILSTOW_MIRROR_PASS_H

#include "mirror/job.h"

/*
 * Opens the account's archive for writing, creating it if there is none. Waits for the writer lock
 * as long as ARCHIVE_LOCK_TIMEOUT_MS; ERR_BUSY names the holder. cancel (may be NULL) ends the
 * wait.
 */
bool mirror_open_archive(const struct config_account *account, struct archive_keys *keys,
	const struct cancel *cancel, struct archive_writer **ret_writer, struct err *err);

/*
 * False: the session or the archive failed. What was committed stays; the next pass continues from
 * there and needs a newly opened writer.
 */
bool mirror_pass(const struct mirror_job *job, struct mirror_result *ret_result, struct err *err);

#endif
