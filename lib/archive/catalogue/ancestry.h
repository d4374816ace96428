/*
 * Ancestry: is a copy an earlier state of its archive? Not if somebody wrote to the copy, or if the
 * archive was put back to an older state: then the copy holds commits the archive lacks, and must
 * not be overwritten.
 */
#ifndef MAILSTOW_ARCHIVE_CATALOGUE_ANCESTRY_H
#define MAILSTOW_ARCHIVE_CATALOGUE_ANCESTRY_H

#include "archive/catalogue/catalogue.h"
#include "archive/volume/volume.h"

/* An archive and its copy; the caller holds both writer locks. */
struct ancestry {
	const struct archive_ref *from;
	const struct volume_list *ours;
	const struct catalogue_state *state; /* of its catalogue, which is up to date */
	const struct archive_ref *to;
	const struct volume_list *theirs;
};

/*
 * Checks that the copy's last commit is one of the archive's, or one that copying brought. Both are
 * unlocked if encrypted. *ret_any: the copy has a commit; *ret_head: its head. ERR_CREATE: the
 * commit is foreign, or the copy cannot be read.
 */
bool ancestry_check(const struct ancestry *places, bool *ret_any, uint8_t ret_head[SHA256_BYTES],
	struct err *err);

/*
 * The file `copied` of a copy names the heads that copying brought there. It tells a copy nobody
 * wrote to from one somebody wrote to, where the archive no longer has the volume that shows it.
 *
 * Call before a head is brought. Until then `replaced`, the head there, counts too; NULL: none.
 */
bool ancestry_note_copied(const char *copy, const uint8_t brought[SHA256_BYTES],
	const uint8_t *replaced, struct err *err);

/* Did copying bring this head? False also where the file cannot be read. */
bool ancestry_was_copied(const char *copy, const uint8_t head[SHA256_BYTES]);

#endif
