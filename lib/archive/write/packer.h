/*
 * The packer: everything that happens on the packer thread. It owns the connections that write.
 * Messages become frames of the open volume. Records go into the journal and at once into an open
 * catalogue transaction. A commit makes the volume durable first, then the catalogue.
 *
 * After a failure only packer_close() may be called: both transactions are rolled back.
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

	/* raw, at the compressor, unless a single block is larger */
	PACKER_COMPRESSOR_BYTES_MAX = 4 * 1024 * 1024,

	PACKER_BLOCK_BYTES_KEPT = 2 * 1024 * 1024, /* larger buffers are freed when empty */
	PACKER_SLICE_BYTES_MAX = 128 * 1024, /* of base64, decoded and encoded again at a time */
	PACKER_LITTLE_BYTES = 256 * 1024,    /* start of a job: compressed harder than the rest */
	PACKER_WAL_BYTES_MAX = 16 * 1024 * 1024, /* then a WAL checkpoint, even during a job */
	PACKER_WAL_BYTES_TIDY = 1024 * 1024,     /* -wal files over this are emptied when idle */
};

struct packer {
	struct archive_ref archive; /* with a path of its own */
	struct db *catalogue;
	struct volume volume; /* the open one */
	struct compressor *compressor;
	uint64_t volume_bytes_max;
	int64_t owner_epoch; /* of new volumes: the open volume's */
	const atomic_bool
		*view_peeks; /* a view reads without locks: no WAL checkpoint; may be NULL */

	struct block blocks[PACKER_BLOCKS];
	struct block *pack; /* small items of one folder; gets its frame id when it is begun */
	struct block *item; /* bytes of the item under way */
	struct block *spare[COMPRESSOR_BLOCKS_MAX]; /* blocks without a role or work */
	size_t spare_count;
	int64_t pack_folder;
	struct incoming incoming;
	struct buf decoded; /* a slice of base64, */
	struct buf again;   /* and its bytes encoded again */

	int64_t next_frame; /* in the open volume */
	int64_t next_item;
	int64_t next_message;
	int64_t litter_after;    /* frames from this id on are an interrupted writer's; 0: none */
	int64_t committed_frame; /* frames up to this id may be named: never removed here */

	/* the commit under way */
	bool dirty; /* there are records; the catalogue is in a transaction */
	struct apply apply;
	struct buf journal;
	struct catalogue_state state; /* after the last payload written */
	uint64_t transaction_bytes;   /* stored in the volume's transaction */
	uint64_t pending_bytes;       /* stored since the last commit */
	uint64_t job_bytes;           /* raw, compressed since a caller last waited for a commit */
	int64_t *tickets;             /* message ids, of tickets first_ticket, ... */
	size_t tickets_count;
	size_t tickets_cap;
	int64_t first_ticket;

	char date[MIME_DATE_TEXT_MAX]; /* of the message being written to a journal checkpoint */
	struct archive_snapshot last;
	struct archive_writer_figures figures;
};

/*
 * Opens for writing, brings the catalogue up to date and starts the compressor. Rolls to a new
 * volume if the open one is under an earlier master key: nothing is ever added to such a volume.
 * ERR_BUSY: a reader is in the way of that.
 */
bool packer_open(struct packer *packer, const struct archive_ref *archive,
	uint64_t volume_bytes_max, const atomic_bool *view_peeks, struct err *err);
void packer_close(struct packer *packer);

/* --- messages (packer_message) --- */

void packer_message_begin(struct packer *packer, int64_t folder);
bool packer_message_data(struct packer *packer, const uint8_t *data, size_t len, struct err *err);
bool packer_message_end(struct packer *packer, const uint8_t sha256[SHA256_BYTES], struct err *err);
bool packer_message_abort(struct packer *packer, struct err *err);

/* --- splitting (packer_leaves) --- */

/* Split as much of the window as can be decided; with `final` all of it. */
bool packer_split(struct packer *packer, bool final, struct err *err);

/* Remove the frames the incoming message's new leaves were written to, and forget its leaves. */
bool packer_drop_leaves(struct packer *packer, struct err *err);

/* --- items and frames (packer_frames) --- */

/* The item block is full: submit it as the next piece of an item. */
bool packer_put_piece(struct packer *packer, struct pieces *pieces, struct err *err);

/* Add bytes to the item block, and submit it as a piece whenever it is full. */
bool packer_add_to_item(struct packer *packer, struct pieces *pieces, const uint8_t *data,
	size_t len, struct err *err);

/* End an item with what the item block holds: a small item goes into the folder's pack, a larger
 * one ends with this piece. Fills in the item's frame and offset. */
bool packer_put_item(
	struct packer *packer, struct pieces *pieces, struct record_item *item, struct err *err);

/* Submit the open pack, if it holds anything. */
bool packer_flush_pack(struct packer *packer, struct err *err);

/* An empty block. There is one unless COMPRESSOR_BLOCKS_MAX are at the compressor. */
struct block *packer_spare(struct packer *packer);

/* Submit a block to the compressor as frame_id. */
bool packer_submit(struct packer *packer, struct block *block, enum frame_kind kind,
	int64_t frame_id, struct err *err);

/* The same; *role becomes an empty block. */
bool packer_submit_role(struct packer *packer, struct block **role, enum frame_kind kind,
	int64_t frame_id, struct err *err);

/* Wait for the compressor and write every frame into the volume's transaction. */
bool packer_drain(struct packer *packer, struct err *err);

/* Remove frames that no journal frame names. */
bool packer_remove_frames(struct packer *packer, int64_t first, int64_t last, struct err *err);

/* --- records and commits (packer) --- */

/* A caller's record, encoded, into journal and catalogue if it changes anything. A placement's
 * message is a ticket. ERR_LOCAL: it is malformed. */
bool packer_change(struct packer *packer, const uint8_t *encoded, size_t len, struct err *err);
/* A record of the packer's own. */
bool packer_record(struct packer *packer, const struct record *record, struct err *err);
/* Write the payload in packer->journal as a frame and chain to it. */
bool packer_write_payload(
	struct packer *packer, enum frame_kind kind, int64_t *ret_frame_id, struct err *err);
bool packer_may_commit(struct packer *packer, struct err *err);
bool packer_commit(struct packer *packer, bool complete, int64_t *ret_generation, struct err *err);

/* --- journal checkpoints (journal_checkpoint_write) --- */

/*
 * Write the catalogue's rows into the open volume as a journal checkpoint and make both durable,
 * the volume first. The catalogue is in a transaction and the packer between commits; frames
 * written since the last commit are named by it. Remove volumes that it must not list from the
 * catalogue's table first.
 */
bool journal_checkpoint_write(struct packer *packer, struct err *err);

/* --- WAL checkpoints and new volumes (packer_roll) --- */

/* Checkpoint each WAL over PACKER_WAL_BYTES_MAX. */
bool packer_limit_wal(struct packer *packer, struct err *err);
/* Empty -wal files that would make the next opening slow. Between commits. */
bool packer_tidy_wal(struct packer *packer, struct err *err);
/* Empty both -wal files as far as readers allow. Between commits. */
bool packer_empty_wal(struct packer *packer, struct err *err);

/* Begin a new volume if the open one is full. Between commits. */
bool packer_roll(struct packer *packer, struct err *err);
bool packer_is_full(const struct packer *packer);
/* The same whether it is full or not, also within a catalogue transaction. *ret_rolled false: a
 * reader is in the way. */
bool packer_roll_now(struct packer *packer, bool *ret_rolled, struct err *err);
/* The same, waiting for readers. ERR_BUSY. */
bool packer_roll_surely(struct packer *packer, struct err *err);

#endif
