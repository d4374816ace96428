/*
 * Replacing a volume by the sealed one rewritten from it, in the catalogue. Whoever rewrote it does
 * so, or the next writer if that was interrupted.
 */
#ifndef MAILSTOW_ARCHIVE_CATALOGUE_REPLACE_H
#define MAILSTOW_ARCHIVE_CATALOGUE_REPLACE_H

#include "archive/catalogue/catalogue.h"
#include "archive/volume/directory.h"

/* In a transaction of its own. ERR_CORRUPT: the catalogued volume is not the one it replaces, or it
 * lacks items. */
bool replace_volume(const struct archive_ref *archive, struct db *catalogue,
	const struct volume_id *sealed, const struct directory *directory, struct err *err);

/* The journal or checkpoint frame with this payload. *ret_frame is undefined if there is none. */
bool replace_find_payload(struct volume *volume, const uint8_t wanted[SHA256_BYTES],
	int64_t *ret_frame, bool *ret_found, struct err *err);

/* Does the catalogue still have the predecessor of one of these? */
bool replace_is_due(const struct volume_list *present, const struct catalogue_volumes *known);

/* Replace all of them. */
bool replace_all(const struct archive_ref *archive, struct db *catalogue,
	const struct volume_list *present, const struct directories *directories, struct err *err);

#endif
