/*
 * Compares a folder part by part: sets flags, fetches bodies and resolves ledger entries at once;
 * collects in the job what is gone and what is lacking.
 */
#ifndef MAILSTOW_MIRROR_FOLDER_FOLDER_COMPARE_H
#define MAILSTOW_MIRROR_FOLDER_FOLDER_COMPARE_H

#include "mirror/folder/pass_state.h"
#include "mirror/folder/view.h"

/* Applies what the server reported since the mark, without looking at the rest of the folder.
 * *ret_adds_up false: the report is not everything that happened, and nothing was done. */
bool compare_delta(struct folder_job *job, struct delta *delta, uint32_t exists, bool *ret_adds_up,
	struct err *err);

/* Compares the whole folder in windows of window_messages, so that memory for each message is
 * needed for one window only. uids are all that the server listed; they are used up. */
bool compare_windows(struct folder_job *job, struct rangeset *uids, struct err *err);

#endif
