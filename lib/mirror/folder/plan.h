/* Decides what to do from what the server has and what the archive has. Pure: no I/O, no clock. */
#ifndef MAILSTOW_MIRROR_FOLDER_PLAN_H
#define MAILSTOW_MIRROR_FOLDER_PLAN_H

#include "archive/archive.h"
#include "imap/reply_types.h"
#include "mirror/folder/view.h"

/*
 * May a folder be skipped without selecting it? Only if its HIGHESTMODSEQ equals the mark's or,
 * without CONDSTORE, if its flag scan is not yet due. UIDVALIDITY and the number of messages must
 * be equal in any case, and so must UIDNEXT as far as the server sent it. left_out: the number of
 * messages below the mark's UIDNEXT that are in the ledger; the mark does not count them.
 */
bool plan_skip(const struct imap_counts *counts, const struct archive_mark *mark, uint64_t left_out,
	bool flag_scan_due);

/* Are flags that were compared at `last_ms` due to be compared again, `every_ms` later? Also when
 * the clock was set back. */
bool plan_flag_scan_due(int64_t last_ms, int64_t every_ms, int64_t now_ms);

/* A folder's attributes without \Marked and \Unmarked, which come and go with messages and are not
 * worth recording. The caller frees. */
char *plan_attributes(const char *attributes);

/* What to do about a part of a folder. */
struct part_plan {
	struct rangeset missing; /* on the server and not in the archive */
	struct rangeset fetch;   /* those of them whose bodies to fetch */
	struct rangeset gone;    /* placements to close */
	struct uid_list reflag;  /* new flags of present placements */
};
void part_plan_free(struct part_plan *plan); /* also for CLEANUP() */

/* Both views are of the same UIDVALIDITY. `without`: UIDs not to fetch. ret_plan is empty before.
 */
void plan_part(const struct server_view *server, const struct archive_view *archive,
	const struct rangeset *without, struct part_plan *ret_plan);

/*
 * Checks a delta: messages at the mark, minus those gone, plus those new, must be as many as the
 * server has (exists). False: the delta misses something; compare the whole folder. The views are
 * of the delta, and the mark is the one it was requested since. left_out as for plan_skip();
 * `without`: the UIDs in the ledger and the forgotten ones.
 */
bool plan_delta_adds_up(const struct server_view *server, const struct archive_view *archive,
	const struct rangeset *without, const struct archive_mark *mark, uint64_t left_out,
	uint32_t exists);

#endif
