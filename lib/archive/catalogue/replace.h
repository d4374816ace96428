/*
 * A sealed volume takes the place of the one it was made of, in the catalogue: by the one who
 * sealed it, or by the next who opens for writing, if that one was stopped.
 */
#ifndef MAILSTOW_ARCHIVE_CATALOGUE_REPLACE_H
#define MAILSTOW_ARCHIVE_CATALOGUE_REPLACE_H

#include "archive/catalogue/catalogue.h"
#include "archive/volume/directory.h"

/* In a transaction of its own. ERR_CORRUPT: it was made of another volume, or lacks items. */
bool replace_volume(const struct archive_ref *archive, struct db *catalogue,
	const struct volume_id *sealed, const struct directory *directory, struct err *err);

/* The journal or checkpoint frame with this payload. *ret_frame is undefined if there is none. */
bool replace_find_payload(struct volume *volume, const uint8_t wanted[SHA256_BYTES],
	int64_t *ret_frame, bool *ret_found, struct err *err);

/* Does one of these stand in the catalogue as the volume it was made of? */
bool replace_is_due(const struct volume_list *present, const struct catalogue_volumes *known);

/* All such. */
bool replace_all(const struct archive_ref *archive, struct db *catalogue,
	const struct volume_list *present, const struct directories *directories, struct err *err);

#endif
