/*
 * One change of the archive's state, as the journal keeps it (schema/README.md, "Records"). The
 * same struct is what the caller's thread hands to the packer.
 *
 * Decoding is safe for hostile input and strict: every byte is accounted for, every number in its
 * range, every text bounded and without NUL. What records say of each other (a placement's message
 * exists) is checked where they are applied.
 */
#ifndef MAILSTOW_ARCHIVE_FORMAT_RECORD_H
#define MAILSTOW_ARCHIVE_FORMAT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/archive.h"
#include "archive/format/varint.h"
#include "base/crypto.h"
#include "base/rangeset.h"

enum {
	RECORD_BYTES_MAX = 512 * 1024,
	RECORD_TEXT_BYTES_MAX = 64 * 1024, /* of a folder's or placement's text */
	RECORD_RANGES_MAX = 16 * 1024,
	RECORD_LEAVES_MAX = 1000, /* of a skeleton */
};

/* The numbers are the format's. */
enum record_kind {
	RECORD_ITEM = 1,
	RECORD_MESSAGE = 2,
	RECORD_FOLDER = 3,
	RECORD_FOLDER_GONE = 4,
	RECORD_UIDVALIDITY = 5,
	RECORD_PLACEMENT = 6,
	RECORD_FLAGS = 7,
	RECORD_GONE = 8,
	RECORD_MARK = 9,
	RECORD_SNAPSHOT = 10,
	RECORD_PIN = 11,
	RECORD_UNPIN = 12,

	/* in checkpoints only: rows of the catalogue, with their history (checkpoint.h) */
	RECORD_PRUNED = 14,
	RECORD_TOMBSTONE = 15,
	RECORD_VOLUME = 16,
	RECORD_ITEM_ROW = 17,
	RECORD_FOLDER_ROW = 18,
	RECORD_PLACEMENT_ROW = 19,
	RECORD_SNAPSHOT_ROW = 20,
};

/* Bits within a folder's and a placement's record. */
enum {
	FOLDER_SUBSCRIBED = 1,
	FOLDER_SELECTABLE = 2,
	FOLDER_SPECIAL_USE = 4,
	FOLDER_BITS = 7,

	SNAPSHOT_COMPLETE = 1,
	SNAPSHOT_PINNED = 2,
	SNAPSHOT_PRUNED = 4,
	SNAPSHOT_BITS = 7,

	PLACEMENT_DATE = 1,
	PLACEMENT_DATE_TEXT = 2,
	PLACEMENT_BITS = 3,
};

enum item_kind {
	ITEM_MESSAGE = 1,  /* the exact bytes of a message */
	ITEM_SKELETON = 2, /* a message but for its leaves */
	ITEM_LEAF = 3,     /* bytes taken out of messages */
};

/* How a placement's bytes are known to be its own. */
enum known { KNOWN_FETCHED = 0 };

struct record_item {
	int64_t id;
	int kind;
	int64_t frame; /* the first, in the volume that holds the record */
	uint64_t offset;
	uint64_t size;
	bool has_sha256; /* of the bytes stored, for ITEM_LEAF; the others' is the message's */
	uint8_t sha256[SHA256_BYTES];
	size_t leaves_count;   /* ITEM_SKELETON: its leaves in order */
	const int64_t *leaves; /* encoding: their ids */
	struct reader encoded; /* decoded: where record_next_leaf() stands */
};

struct record_message {
	int64_t id;
	uint8_t sha256[SHA256_BYTES];
	uint64_t size;
	uint64_t header_size;
	int64_t item;
	struct text from, subject, date, message_id;
};

struct record_folder {
	int64_t id;
	struct text path, wire_name, attributes, special_use;
	uint8_t delimiter;
	bool has_special_use;
	bool subscribed;
	bool selectable;
};

struct record_placement {
	int64_t folder;
	uint32_t uidvalidity;
	uint32_t uid;
	int64_t message; /* between caller and packer: the ticket */
	int known;
	bool has_date;
	int64_t date_s;
	int16_t date_offset_min;
	bool has_date_text;
	struct text date_text;
	struct text flags;
};

struct record_flags {
	int64_t folder;
	uint32_t uidvalidity;
	uint32_t uid;
	struct text flags;
};

struct record_gone {
	int64_t folder;
	uint32_t uidvalidity;
	size_t count;
	const struct range *ranges; /* encoding: ascending, apart */
	struct reader encoded;      /* decoded: where record_next_range() stands */
	uint32_t last;
};

struct record_mark {
	int64_t folder;
	uint32_t uidvalidity;
	uint32_t uidnext;
	uint64_t highestmodseq;
	uint32_t messages;
	int64_t flags_compared_ms;
};

struct record_snapshot {
	int64_t generation;
	int64_t unix_ms;
	bool complete;
};

/* A message that was forgotten and is not to be fetched again. */
struct record_tombstone {
	int64_t folder;
	uint32_t uidvalidity;
	uint32_t uid;
};

/* A volume that belongs to the archive. */
struct record_volume {
	int64_t sequence;
	uint8_t uuid[ARCHIVE_UUID_BYTES];
	bool doomed; /* to be emptied */
};

struct record_item_row {
	int64_t volume; /* sequence */
	struct record_item item;
};

/* From one generation until another. */
struct record_span {
	int64_t from;
	int64_t to; /* 0: still */
};

struct record_folder_row {
	struct record_span span;
	uint32_t uidvalidity;
	struct record_folder folder;
};

struct record_placement_row {
	struct record_span span;
	bool gone;
	int64_t added;
	struct record_placement placement;
};

struct record_snapshot_row {
	int64_t generation;
	int64_t unix_ms;
	bool complete, pinned, pruned;
	uint64_t messages, bytes, added, removed, changed;
};

struct record {
	enum record_kind kind;
	union {
		struct record_item item;
		struct record_message message;
		struct record_folder folder;
		int64_t folder_gone; /* id */
		int64_t pin;         /* generation, also of RECORD_UNPIN */
		struct {
			int64_t folder;
			uint32_t uidvalidity;
		} uidvalidity;
		struct record_placement placement;
		struct record_flags flags;
		struct record_gone gone;
		struct record_mark mark;
		struct record_snapshot snapshot;
		int64_t pruned_ms; /* milliseconds since 1970 */
		struct record_tombstone tombstone;
		struct record_volume volume;
		struct record_item_row item_row;
		struct record_folder_row folder_row;
		struct record_placement_row placement_row;
		struct record_snapshot_row snapshot_row;
	};
};

/* Append kind, length and body. False when out is full or the record larger than allowed: nothing
 * is added. */
bool record_encode(const struct record *record, struct buf *out) MUST_USE;

/*
 * Take the next record off the reader. False at a bad one (reader->bad) and at the end (not bad).
 * Texts lie in the reader's bytes. *ret_unknown is set for a kind this program does not know.
 */
bool record_decode(struct reader *reader, struct record *ret_record, bool *ret_unknown);

/* The leaves of a decoded skeleton, checked by record_decode() already. */
bool record_next_leaf(struct record_item *item, int64_t *ret_id);

/* The ranges of a decoded `gone`, checked by record_decode() already. */
bool record_next_range(struct record_gone *gone, struct range *ret_range);

#endif
