/*
 * The packer: what happens on the packer's thread. It owns the connections that write. Messages
 * become frames of the open volume, records go into the journal and, at the same time, into an open
 * catalogue transaction; a commit makes first the volume's, then the catalogue's durable.
 *
 * After a failure nothing but packer_close() may be called: both transactions are given up.
 */
#ifndef MAILSTOW_ARCHIVE_PACKER_H
#define MAILSTOW_ARCHIVE_PACKER_H

#include <stdatomic.h>

#include "archive/apply.h"
#include "archive/catalogue.h"
#include "archive/press.h"
#include "archive/volume.h"
#include "mime/summary.h"

enum {
	PACKER_BLOCKS = 3, /* one open pack, one open item, one at the press */
	PACKER_WAL_BYTES_MAX = 16 * 1024 * 1024, /* then a checkpoint, even in a job */
	PACKER_WAL_BYTES_TIDY =
		1024 * 1024, /* -wal files over this are emptied when nobody waits */
};

/* The message that arrives. Its last bytes are in packer->item. */
struct arrival {
	bool open;
	int64_t folder;
	uint64_t size;
	int64_t first_frame; /* pieces already handed over: first_frame ... last_frame; 0: none */
	int64_t last_frame;
	struct sha256 *digest;
	bool summarised;
	struct mime_summary summary;
};

struct packer {
	char *path;
	struct db *catalogue;
	struct volume volume;
	struct press *press;
	uint64_t volume_bytes_max;
	const atomic_bool *view_peeks; /* somebody reads without locks: no checkpoint */

	struct block blocks[PACKER_BLOCKS];
	struct block *pack;  /* small items of one folder; its frame id is given when opened */
	struct block *item;  /* bytes of the arriving message */
	struct block *spare; /* NULL while one is at the press */
	struct block *pressed;
	int64_t pack_folder;
	struct arrival arrival;

	int64_t next_frame; /* in the open volume */
	int64_t next_item;
	int64_t next_message;
	int64_t litter_after; /* frames from this id on are a stopped writer's; 0: none */

	/* the commit under way */
	bool dirty; /* there are records; the catalogue is in a transaction */
	struct apply apply;
	struct buf journal;
	struct catalogue_state state; /* as after the last payload written */
	uint64_t transaction_bytes;   /* stored in the volume's transaction */
	uint64_t pending_bytes;       /* stored since the last commit */
	int64_t *tickets;             /* message ids, of tickets first_ticket, ... */
	size_t tickets_count;
	size_t tickets_cap;
	int64_t first_ticket;

	struct archive_snapshot last;
	struct archive_writer_figures figures;
};

/* Opens for writing, brings the catalogue up to date, starts the press. */
bool packer_open(struct packer *packer, const char *archive_path, uint64_t volume_bytes_max,
	const atomic_bool *view_peeks, struct err *err);
void packer_close(struct packer *packer);

/* --- messages (intake.c) --- */

void packer_message_begin(struct packer *packer, int64_t folder);
bool packer_message_data(struct packer *packer, const uint8_t *data, size_t len, struct err *err);
bool packer_message_end(struct packer *packer, struct err *err);
bool packer_message_abort(struct packer *packer, struct err *err);

/* Hand the open pack to the press, if it holds anything. */
bool packer_flush_pack(struct packer *packer, struct err *err);

/* --- frames (frames.c) --- */

/* Hand *role to the press as frame_id; *role becomes an empty block. */
bool packer_submit(struct packer *packer, struct block **role, enum frame_kind kind,
	int64_t frame_id, struct err *err);

/* Wait for the press and write what it made. */
bool packer_drain(struct packer *packer, struct err *err);

/* Take back frames no journal frame names. */
bool packer_remove_frames(struct packer *packer, int64_t first, int64_t last, struct err *err);

/* --- records and commits (packer.c) --- */

/* Into journal and catalogue, if it is a change. A placement's message is a ticket. */
bool packer_change(struct packer *packer, const struct record *record, struct err *err);
bool packer_record(struct packer *packer, const struct record *record, struct err *err);
/* Write the payload in packer->journal as a frame and be chained to it. */
bool packer_write_payload(
	struct packer *packer, enum frame_kind kind, int64_t *ret_frame_id, struct err *err);
bool packer_may_commit(struct packer *packer, struct err *err);
bool packer_commit(struct packer *packer, bool complete, int64_t *ret_generation, struct err *err);

/* --- care (care.c) --- */

/* Checkpoint what has too much in its WAL for a job to go on. */
bool packer_checkpoint(struct packer *packer, struct err *err);
/* Empty -wal files that would make the next opening slow. Between commits. */
bool packer_tidy(struct packer *packer, struct err *err);

/* Begin a new volume when this one is full. Between commits only. */
bool packer_roll(struct packer *packer, struct err *err);
bool packer_is_full(const struct packer *packer);
/* Whether it is full or not; also within a transaction of the catalogue. *ret_rolled false: readers
 * are in the way. */
bool packer_roll_now(struct packer *packer, bool *ret_rolled, struct err *err);

#endif
