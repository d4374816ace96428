/* Fetches bodies into the archive. */
#ifndef MAILSTOW_MIRROR_FOLDER_FOLDER_FETCH_H
#define MAILSTOW_MIRROR_FOLDER_FOLDER_FETCH_H

#include "mirror/folder/pass_state.h"

/* Fetches and places these UIDs. Each message the server lists but does not deliver goes into the
 * ledger and is asked for again later. False: the session or the archive failed. */
bool folder_fetch(struct folder_job *job, const struct rangeset *uids, struct err *err);

#endif
