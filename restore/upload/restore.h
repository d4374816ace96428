/*
 * Restores folders of an archive, as they were at a snapshot, onto an IMAP server.
 *
 * Survey (what goes where, what is already there), consent, then for each folder: create it, upload
 * its messages, compare them, and verify if asked.
 */
#ifndef MAILSTOW_RESTORE_UPLOAD_RESTORE_H
#define MAILSTOW_RESTORE_UPLOAD_RESTORE_H

#include "restore/upload/restore_task.h"

/*
 * Fills in ret_summary even on failure (connection lost for good, local disk, ERR_CANCELLED without
 * consent); messages that were not tried count as skipped. A dry run counts every message that is
 * not yet there as skipped.
 */
bool restore_run(
	const struct restore *restore, struct restore_summary *ret_summary, struct err *err);

#endif
