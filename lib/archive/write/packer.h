/*
 * The packer: what happens on the packer's thread. It owns the connections that write. Messages
 * become frames of the open volume, records go into the journal and, at the same time, into an open
 * catalogue transaction; a commit makes first the volume's, then the catalogue's durable.
 *
 * After a failure nothing but packer_close() may be called: both transactions are given up.
 */
#ifndef MAILSTOW_ARCHIVE_WRITE_PACKER_H
#define MAILSTOW_ARCHIVE_WRITE_PACKER_H

#include <stdatomic.h>

#include "archive/catalogue/apply.h"
#include "archive/catalogue/catalogue.h"
#include "archive/format/packed_date.h"
#include "archive/volume/volume.h"
#include "archive/write/compressor.h"
#include "archive/write/incoming.h"

enum {
	PACKER_BLOCKS = 2 + COMPRESSOR_BLOCKS_MAX, /* an open pack, an open item */
	PACKER_COMPRESSOR_BYTES_MAX =
		4 * 1024 * 1024,                   /* raw, at the press, if more than one block */
	PACKER_BLOCK_BYTES_KEPT = 2 * 1024 * 1024, /* larger buffers are given back when empty */
	PACKER_SLICE_BYTES_MAX = 128 * 1024, /* of base64 at a time, decoded and written again */
	PACKER_LITTLE_BYTES = 256 * 1024,    /* of a job, pressed harder than its flow */
	PACKER_WAL_BYTES_MAX = 16 * 1024 * 1024, /* then a checkpoint, even in a job */
	PACKER_WAL_BYTES_TIDY =
		1024 * 1024, /* -wal files over this are emptied when nobody waits */
};

struct packer {
	struct archive_ref archive; /* with a path of its own */
	struct db *catalogue;
	struct volume volume;
	struct compressor *compressor;
	uint64_t volume_bytes_max;
	int64_t owner_epoch;           /* of volumes that are begun: as of the open one */
	const atomic_bool *view_peeks; /* a view reads without locks: no checkpoint; NULL: none */

	struct block blocks[PACKER_BLOCKS];
	struct block *pack; /* small items of one folder; its frame id is given when opened */
	struct block *item; /* bytes of an item under way */
	struct block *spare[COMPRESSOR_BLOCKS_MAX]; /* the others, but those at the press */
	size_t spare_count;
	int64_t pack_folder;
	struct incoming incoming;
	struct buf decoded; /* a slice of base64, */
	struct buf again;   /* and the same written again */

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
	uint64_t job_bytes; /* raw, given to the press since somebody waited for a commit */
	int64_t *tickets;   /* message ids, of tickets first_ticket, ... */
	size_t tickets_count;
	size_t tickets_cap;
	int64_t first_ticket;

	char date[MIME_DATE_TEXT_MAX]; /* of the message a checkpoint is at */
	struct archive_snapshot last;
	struct archive_writer_figures figures;
};

/* Opens for writing, brings the catalogue up to date, starts the press. The open volume is of the
 * present master key afterwards: nothing is added to one of before. ERR_BUSY: readers are in the
 * way of that. */
bool packer_open(struct packer *packer, const struct archive_ref *archive,
	uint64_t volume_bytes_max, const atomic_bool *view_peeks, struct err *err);
void packer_close(struct packer *packer);

/* --- messages (intake.c) --- */

void packer_message_begin(struct packer *packer, int64_t folder);
bool packer_message_data(struct packer *packer, const uint8_t *data, size_t len, struct err *err);
bool packer_message_end(struct packer *packer, const uint8_t sha256[SHA256_BYTES], struct err *err);
bool packer_message_abort(struct packer *packer, struct err *err);

/* The item block is full: hand it over as the next piece of an item. */
bool packer_put_piece(struct packer *packer, struct pieces *pieces, struct err *err);

/* An item ends with what the item block holds: behind others in a pack if it is small, else as its
 * last piece. Fills in where it lies. */
bool packer_put_item(
	struct packer *packer, struct pieces *pieces, struct record_item *item, struct err *err);

/* Hand the open pack to the press, if it holds anything. */
bool packer_flush_pack(struct packer *packer, struct err *err);

/* --- taking apart (leaves.c) --- */

/* As much of the window as is sure; with `final` all of it. */
bool packer_take_apart(struct packer *packer, bool final, struct err *err);

/* Take back what leaves of the arriving message were handed over, and forget them. */
bool packer_drop_leaves(struct packer *packer, struct err *err);

/* --- frames (frames.c) --- */

/* An empty block. There is one unless COMPRESSOR_BLOCKS_MAX are at the press. */
struct block *packer_spare(struct packer *packer);

/* Hand a block to the press as frame_id. */
bool packer_submit(struct packer *packer, struct block *block, enum frame_kind kind,
	int64_t frame_id, struct err *err);

/* The same; *role becomes an empty block. */
bool packer_submit_role(struct packer *packer, struct block **role, enum frame_kind kind,
	int64_t frame_id, struct err *err);

/* Wait for the press and write all it made. */
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
/* All that waits in -wal files goes into the files, as far as readers let it. Between commits. */
bool packer_checkpoint_wal(struct packer *packer, struct err *err);

/* Begin a new volume when this one is full. Between commits only. */
bool packer_roll(struct packer *packer, struct err *err);
bool packer_is_full(const struct packer *packer);
/* Whether it is full or not; also within a transaction of the catalogue. *ret_rolled false: readers
 * are in the way. */
bool packer_roll_now(struct packer *packer, bool *ret_rolled, struct err *err);
/* The same, waiting for readers. ERR_BUSY. */
bool packer_roll_surely(struct packer *packer, struct err *err);

#endif
