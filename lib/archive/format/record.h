/*
 * A record: one change of the archive's state, as stored in the journal (schema/README.md,
 * "Records"). The caller's thread passes the same struct to the packer.
 *
 * Decoding is strict and safe for hostile input: it accounts for every byte, checks every number's
 * range, and bounds every text, which has no NUL. apply.h checks references between records, for
 * example that a placement's message exists.
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

	/* in journal checkpoints only: rows of the catalogue with their history */
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
	ITEM_SKELETON = 2, /* a message without its leaves */
	ITEM_LEAF = 3,     /* bytes detached from messages */
};

/* How we know that a placement has this message. */
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
	struct reader encoded; /* decoded: the position of record_next_leaf() */
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
	int64_t message; /* between caller and packer: a ticket */
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
	const struct range *ranges; /* encoding: ascending, not adjacent */
	struct reader encoded;      /* decoded: the position of record_next_range() */
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

/* The place of a forgotten message, which is not fetched again. */
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
	int64_t to; /* 0: present */
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

/* Append kind, length and body. False: out is full, or the record exceeds RECORD_BYTES_MAX; out
 * is unchanged. */
bool record_encode(const struct record *record, struct buf *out) MUST_USE;

/*
 * Read the next record. False at a malformed one (reader->bad) and at the end (not bad). Texts
 * point into the reader's bytes. *ret_unknown is true for a kind that this version does not know.
 */
bool record_decode(struct reader *reader, struct record *ret_record, bool *ret_unknown);

/* The next leaf of a decoded skeleton, which record_decode() checked. False: no more. */
bool record_next_leaf(struct record_item *item, int64_t *ret_id);

/* The next range of a decoded `gone`, which record_decode() checked. False: no more. */
bool record_next_range(struct record_gone *gone, struct range *ret_range);

#endif
