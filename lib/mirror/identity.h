/*
 * Is a folder of the server, whatever its name, that folder of the archive? What its messages say:
 * those of a sample of the UIDs that the archive holds are held against size, INTERNALDATE and the
 * headers of the archive's summary. No body is fetched.
 */
#ifndef MAILSTOW_MIRROR_IDENTITY_H
#define MAILSTOW_MIRROR_IDENTITY_H

#include "mirror/known.h"
#include "mirror/rename.h"

/* Messages compared at most: from the lowest UID to the highest at even steps, with both. */
enum { IDENTITY_SAMPLE = 100 };

/*
 * SAME: all of the sample that are there are equal in everything. LIKE: but for the size of some
 * with a Message-ID, which some servers tell wrong. OTHER: one differs in its headers and in size
 * or date. The folder is left selected.
 */
bool folder_identify(struct pass *pass, const struct known_folder *known,
	const struct imap_folder *server, enum rename_fingerprint *ret_fingerprint,
	struct err *err);

#endif
