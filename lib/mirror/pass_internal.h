/* What the parts of a pass share. */
#ifndef MAILSTOW_MIRROR_PASS_INTERNAL_H
#define MAILSTOW_MIRROR_PASS_INTERNAL_H

#include "archive/archive.h"
#include "mirror/ledger.h"
#include "mirror/pass.h"
#include "mirror/plan.h"

/* Mail that is gone, and the mark that may move only with it: applied when the pass ends. */
struct closure {
	int64_t folder_id;
	uint32_t uidvalidity;
	struct rangeset uids;
	struct archive_mark mark;
	bool folder_gone;
	bool has_mark;
};

struct pass {
	const struct mirror_job *job;
	struct archive_writer *writer;
	struct mirror_result result;
	struct ledger ledger;
	struct closure *closures;
	size_t closures_count, closures_cap;
	int64_t now_ms; /* wall time at which the pass began */
};

/* One folder under comparison. */
struct folder_job {
	struct pass *pass;
	const struct imap_folder *server;
	int64_t id;           /* in the archive */
	uint32_t uidvalidity; /* the archive's, then the server's */
	bool has_mark;
	struct archive_mark mark;
	uint32_t window_messages;
	uint64_t since;            /* mod-sequence that flags are asked since; 0: all flags */
	struct rangeset forgotten; /* uids */
	struct rangeset without;   /* those, and uids in the ledger that are not due */
	struct rangeset placed;    /* uids fetched now, of the part under comparison */
	struct rangeset lacking;   /* the server listed them, and the archive has them not */
	struct rangeset gone;      /* the server lists them no more */
	bool flags_refused;        /* the server did not tell all flags that it was asked for */
	bool unfinished;           /* something is missing: the mark must not move */
};

/* Of those below the mark's UIDNEXT, how many the ledger has: the mark counts what the archive
 * knows of, as the ledger may be lost, and then they are to be asked for. */
uint64_t folder_left_out(const struct folder_job *job, const struct archive_mark *mark);

/* Compare and bring up to date one selectable folder (folder.c). */
bool folder_mirror(struct folder_job *job, struct err *err);

/*
 * One part of a folder after the other (compare.c): flags are set, bodies fetched, the ledger is
 * settled; what is gone and what is lacking is noted in the job.
 */

/* What the server told since the mark, and no look at anything else in the archive. *ret_adds_up
 * false: nothing was done, it is not all that happened. */
bool compare_delta(struct folder_job *job, struct delta *delta, uint32_t exists, bool *ret_adds_up,
	struct err *err);

/* All of it: uids are those the server listed, which are used up. In windows of window_messages:
 * what is held of each message is held of so many. */
bool compare_windows(struct folder_job *job, struct rangeset *uids, struct err *err);

/* Fetch and place the bodies of these uids (fetch.c). What could not be had is in the ledger and
 * is asked for again another time. */
bool folder_fetch(struct folder_job *job, const struct rangeset *uids, struct err *err);

/* Note in result.detail, once, why the pass is not complete. */
void pass_note(struct pass *pass, const char *folder, const char *why);

#endif
