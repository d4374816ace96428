/*
 * Journal checkpoints: the whole logical state with its history, as rows, in frames that are part
 * of the journal's chain (schema/README.md). Reading the journal may start at the last one. Volumes
 * before it need no journal; volumes it does not list are litter (litter.h).
 */
#ifndef MAILSTOW_ARCHIVE_CATALOGUE_JOURNAL_CHECKPOINT_H
#define MAILSTOW_ARCHIVE_CATALOGUE_JOURNAL_CHECKPOINT_H

#include "archive/catalogue/catalogue.h"
#include "archive/format/journal.h"
#include "archive/format/zstd.h"
#include "archive/volume/directory.h"
#include "archive/volume/volume.h"

/* Where the last complete one is. */
struct journal_checkpoint {
	bool found;
	size_t volume; /* index into the list */
	int64_t first_frame;
	int64_t last_frame;
	uint64_t last_seq;              /* of its last payload */
	uint64_t seq;                   /* of the payload before its first */
	uint8_t previous[SHA256_BYTES]; /* SHA-256 of that */
};

/* Searches the volumes from the newest on. ERR_CORRUPT: a payload is damaged. */
bool journal_checkpoint_find(const struct archive_ref *archive, const struct volume_list *volumes,
	struct zstd *zstd, struct journal_checkpoint *ret_checkpoint, struct err *err);

/*
 * Replace the catalogue's rows by those of the journal checkpoint in `volume`, in a transaction of
 * its own. `directories` are those of the volumes `present`. ERR_CORRUPT: it is inconsistent or
 * lists a volume that is not present; nothing is changed.
 */
bool journal_checkpoint_apply(struct volume *volume, const struct journal_checkpoint *checkpoint,
	const struct volume_list *present, const struct directories *directories,
	struct db *catalogue, struct zstd *zstd, struct err *err);

#endif
