/* State that the parts of a pass share. */
#ifndef MAILSTOW_MIRROR_FOLDER_PASS_STATE_H
#define MAILSTOW_MIRROR_FOLDER_PASS_STATE_H

#include "archive/archive.h"
#include "base/rangeset.h"
#include "mirror/job.h"
#include "mirror/ledger.h"

/* Messages of a folder that are gone, and the mark that moves only together with them: applied at
 * the end of the pass. */
struct closure {
	int64_t folder_id;
	uint32_t uidvalidity;
	struct rangeset uids;
	struct archive_mark mark;
	bool folder_gone; /* the whole folder; the rest is unused */
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

/* One folder while it is compared. */
struct folder_job {
	struct pass *pass;
	const struct imap_folder *server;
	int64_t id;           /* in the archive */
	uint32_t uidvalidity; /* the archive's, then the server's */
	bool has_mark;
	struct archive_mark mark;
	uint32_t window_messages;
	uint64_t since;            /* ask for flags changed since this mod-sequence; 0: all flags */
	struct rangeset forgotten; /* UIDs erased by `forget`: never fetched again */
	struct rangeset without;   /* UIDs not to fetch: forgotten, or in the ledger and not due */
	struct rangeset placed;    /* UIDs fetched in the part under comparison */
	struct rangeset lacking;   /* UIDs the server listed that the archive still lacks */
	struct rangeset gone;      /* UIDs the server no longer lists */
	bool flags_refused;        /* the server did not send all flags that were asked for */
	bool unfinished;           /* something is missing: the mark must not move */
};

/* Records in result.detail why the pass is not complete. The first reason stays. */
void pass_note(struct pass *pass, const char *folder, const char *why);

/* How many messages below the mark's UIDNEXT are in the ledger. The mark counts only what the
 * archive has: the ledger may be lost, and then those messages must be asked for again. */
uint64_t folder_left_out(const struct folder_job *job, const struct archive_mark *mark);

#endif
