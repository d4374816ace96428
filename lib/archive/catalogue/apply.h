/*
 * Applies journal records to the catalogue. The writer, replay and rebuild all use it, so that a
 * rebuilt catalogue has the same rows.
 *
 * All records between apply_begin() and the snapshot record are one generation and belong in one
 * catalogue transaction, which the caller begins and ends. A record that contradicts the catalogue
 * is ERR_CORRUPT; the caller then rolls back.
 */
#ifndef MAILSTOW_ARCHIVE_CATALOGUE_APPLY_H
#define MAILSTOW_ARCHIVE_CATALOGUE_APPLY_H

#include "archive/format/record.h"
#include "archive/volume/directory.h"
#include "base/err.h"
#include "db/db.h"

enum { APPLY_FLAGS_BYTES_KEPT = 128 };

/* The row inserted last: a record that names it next finds it here. */
struct apply_row {
	int64_t id;    /* 0: none */
	int64_t value; /* an item's kind, a message's size */
};

struct apply {
	struct db *catalogue;
	int64_t volume; /* sequence of the volume whose journal is applied */
	int64_t generation;
	const struct directory *directory; /* where its items are; NULL: as their records say */
	bool ended;                        /* the snapshot record was applied */
	uint64_t added;
	uint64_t removed;
	uint64_t changed;
	uint64_t messages; /* present now */
	uint64_t bytes;
	struct apply_row item, message;
	int64_t folder;                     /* found last, 0: none */
	int64_t flag_set;                   /* found last, 0: none */
	char flags[APPLY_FLAGS_BYTES_KEPT]; /* of that flag set; longer ones are not cached */
};

/* generation must follow the catalogue's last. ERR_CORRUPT. */
bool apply_begin(struct apply *apply, struct db *catalogue, int64_t volume, int64_t generation,
	struct err *err);
bool apply_record(struct apply *apply, const struct record *record, struct err *err);

/* Would the record change anything? No if the folder, placement, flags and so on are already as it
 * says. ERR_NOT_FOUND: it names a folder or snapshot that does not exist. */
bool apply_is_change(
	struct db *catalogue, const struct record *record, bool *ret_change, struct err *err);

/* The id of a canonical list of flags, inserted if it is new. */
bool apply_flag_set(struct db *catalogue, struct text flags, int64_t *ret_id, struct err *err);

/* Does the range hold any placement that is present, or a tombstone? */
bool apply_range_any(struct db *catalogue, int64_t folder, uint32_t uidvalidity, struct range range,
	bool *ret_any, struct err *err);

#endif
