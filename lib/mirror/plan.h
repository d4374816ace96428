/*
 * Decide, then do: pure functions from what the server has and what the archive has to what must be
 * done. No I/O, no clock.
 */
#ifndef MAILSTOW_MIRROR_PLAN_H
#define MAILSTOW_MIRROR_PLAN_H

#include "archive/archive.h"
#include "imap/parse/reply.h"
#include "mirror/view.h"

/*
 * May a folder be skipped unselected? Only when its HIGHESTMODSEQ is equal, or, without CONDSTORE,
 * when its STATUS is unchanged and its flag scan is not yet due. UIDVALIDITY, UIDNEXT and the
 * number of messages must be equal in any case, as far as the server gave them. left_out: those
 * that the ledger has below the mark's UIDNEXT, which the mark does not count.
 */
bool plan_skip(const struct imap_counts *counts, const struct archive_mark *mark, uint64_t left_out,
	bool flag_scan_due);

/* Flags compared last at `last_ms`, every `every_ms`: is it time, now? */
bool plan_flag_scan_due(int64_t last_ms, int64_t every_ms, int64_t now_ms);

/*
 * A folder's attributes without those that tell of a moment, not of the folder (\Marked,
 * \Unmarked): their coming and going is no change to remember. The caller frees.
 */
char *plan_attributes(const char *attributes);

/* What must be done about a part of a folder. */
struct part_plan {
	struct rangeset missing; /* there, and not in the archive */
	struct rangeset fetch;   /* of those, bodies to fetch */
	struct rangeset gone;    /* placements to close */
	struct uid_list reflag;  /* new flags of present placements */
};
void part_plan_free(struct part_plan *plan); /* also for CLEANUP() */

/*
 * Both views are of the same UIDVALIDITY. `without` are uids not to fetch (skipped for good).
 * ret_plan is empty before.
 */
void plan_part(const struct server_view *server, const struct archive_view *archive,
	const struct rangeset *without, struct part_plan *ret_plan);

/*
 * A delta can be checked: those that the folder had at the mark, without those that went and with
 * those that came, must be as many as the server has. False: something was missed, compare the
 * whole folder. The views are of the delta; the mark is the one it was asked since, and does not
 * count the left_out ones of the ledger; `without` are these and what was forgotten.
 */
bool plan_delta_adds_up(const struct server_view *server, const struct archive_view *archive,
	const struct rangeset *without, const struct archive_mark *mark, uint64_t left_out,
	uint32_t exists);

#endif
