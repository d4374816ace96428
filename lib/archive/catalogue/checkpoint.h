/*
 * Checkpoints: the full logical state with its history, as rows, in frames of their own that stand
 * in the journal's chain (schema/README.md, "Checkpoints"). Reading the journal may begin at the
 * last one; volumes before it need no journal, and those it does not list are litter.
 */
#ifndef MAILSTOW_ARCHIVE_CATALOGUE_CHECKPOINT_H
#define MAILSTOW_ARCHIVE_CATALOGUE_CHECKPOINT_H

#include "archive/catalogue/catalogue.h"
#include "archive/format/journal.h"
#include "archive/format/zstd.h"
#include "archive/volume/directory.h"
#include "archive/volume/volume.h"

struct packer;

/* Where the last whole checkpoint stands. */
struct checkpoint {
	bool found;
	size_t volume; /* index into the list */
	int64_t first_frame;
	int64_t last_frame;
	uint64_t last_seq;              /* of its last payload */
	uint64_t seq;                   /* of the payload before its first */
	uint8_t previous[SHA256_BYTES]; /* SHA-256 of that */
};

/* Looks through the volumes from the newest on. ERR_CORRUPT: a payload is damaged. */
bool checkpoint_find(const struct archive_ref *archive, const struct volume_list *volumes,
	struct zstd *zstd, struct checkpoint *ret_checkpoint, struct err *err);

/*
 * Make the catalogue what the checkpoint says, whatever was in it, in a transaction of its own.
 * volume is the one it stands in. ERR_CORRUPT: it does not hold together, or lists a volume that is
 * not among those present; nothing is changed. Directories are those of the present.
 */
bool checkpoint_apply(struct volume *volume, const struct checkpoint *checkpoint,
	const struct volume_list *present, const struct directories *directories,
	struct db *catalogue, struct zstd *zstd, struct err *err);

/*
 * Write what the catalogue says now into the open volume and make both durable, the volume first.
 * The catalogue is in a transaction, and the packer between commits; its frames that are not named
 * yet become so. Volumes that are not to be listed are not in the catalogue's table.
 */
bool checkpoint_write(struct packer *packer, struct err *err);

#endif
