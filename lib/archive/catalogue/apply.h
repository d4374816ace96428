/*
 * What a record does to the catalogue. The writer, replay and rebuild all go through here, so that
 * a catalogue made again of the volumes has equal rows.
 *
 * Everything between apply_begin() and the snapshot record is one generation and belongs into one
 * catalogue transaction, which is the caller's. A record that does not fit the state it meets is
 * ERR_CORRUPT: the catalogue is then rolled back.
 */
#ifndef MAILSTOW_ARCHIVE_CATALOGUE_APPLY_H
#define MAILSTOW_ARCHIVE_CATALOGUE_APPLY_H

#include "archive/format/record.h"
#include "archive/volume/directory.h"
#include "base/err.h"
#include "db/db.h"

enum { APPLY_FLAGS_BYTES_KEPT = 128 };

/* A row that was put last: the record that follows and names it need not look for it. */
struct apply_row {
	int64_t id;    /* 0: none */
	int64_t value; /* an item's kind, a message's size */
};

struct apply {
	struct db *catalogue;
	int64_t volume; /* sequence of the volume whose journal is applied */
	int64_t generation;
	const struct directory *directory; /* where its items lie; NULL: as their records say */
	bool ended;                        /* the snapshot record was applied */
	uint64_t added;
	uint64_t removed;
	uint64_t changed;
	uint64_t messages; /* present now */
	uint64_t bytes;
	struct apply_row item, message;
	int64_t folder;                     /* that was there last, 0: none */
	int64_t flag_set;                   /* that was found last, 0: none */
	char flags[APPLY_FLAGS_BYTES_KEPT]; /* of it; longer ones are not kept */
};

/* generation must be the one that follows the catalogue's last. */
bool apply_begin(struct apply *apply, struct db *catalogue, int64_t volume, int64_t generation,
	struct err *err);
bool apply_record(struct apply *apply, const struct record *record, struct err *err);

/*
 * Would the record change anything? The folder, placement, flags and so on are there already:
 * no. ERR_NOT_FOUND: it names a folder that is not there.
 */
bool apply_is_change(
	struct db *catalogue, const struct record *record, bool *ret_change, struct err *err);

/* The id of a canonical list of flags, which is made when there is none. */
bool apply_flag_set(struct db *catalogue, struct text flags, int64_t *ret_id, struct err *err);

/* Is any placement of the range present, or forgotten? */
bool apply_range_any(struct db *catalogue, int64_t folder, uint32_t uidvalidity, struct range range,
	bool *ret_any, struct err *err);

#endif
