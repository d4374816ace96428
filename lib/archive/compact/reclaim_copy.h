/* Copying the items of a volume into the open one (internal to reclaim). */
#ifndef MAILSTOW_ARCHIVE_COMPACT_RECLAIM_COPY_H
#define MAILSTOW_ARCHIVE_COMPACT_RECLAIM_COPY_H

#include "archive/write/packer.h"

/* Copies all of them in storage order, and updates their locations in the catalogue's transaction.
 */
bool reclaim_copy(struct packer *packer, struct volume *from, struct zstd *zstd, struct err *err);

#endif
