/* The items of a volume, put anew into the open one (internal to reclaim). */
#ifndef MAILSTOW_ARCHIVE_COMPACT_RECLAIM_COPY_H
#define MAILSTOW_ARCHIVE_COMPACT_RECLAIM_COPY_H

#include "archive/write/packer.h"

/* All of them, in the order they lie; the catalogue, in a transaction, says where they are now. */
bool reclaim_copy(struct packer *packer, struct volume *from, struct zstd *zstd, struct err *err);

#endif
