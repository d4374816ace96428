/*
 * Is a folder of the server, whatever its name, a given folder of the archive? Compares a sample of
 * the UIDs the archive holds by size, INTERNALDATE and the headers of the archive's summary. No
 * body is fetched.
 */
#ifndef MAILSTOW_MIRROR_FOLDER_FOLDER_IDENTITY_H
#define MAILSTOW_MIRROR_FOLDER_FOLDER_IDENTITY_H

#include "mirror/folder/pass_state.h"
#include "mirror/folder/rename.h"

/* At most this many messages are compared, evenly spread from the lowest UID to the highest. */
enum { IDENTITY_SAMPLE = 100 };

/*
 * folder_id and uidvalidity are the archive's. SAME: every message of the sample that exists on the
 * server is equal in everything. SIMILAR: the same, except for the size of some with a Message-ID,
 * which some servers report wrong. OTHER: one differs in its headers and in size or date. The
 * folder is left selected.
 */
bool folder_identify(struct pass *pass, int64_t folder_id, uint32_t uidvalidity,
	const struct imap_folder *server, enum rename_verdict *ret_verdict, struct err *err);

#endif
