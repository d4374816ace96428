/*
 * Is a copy only behind the archive it is of (internal to this room)? It may have gone on by
 * itself, or its archive have been put back to what it was once: then it holds what that one has
 * not, and is no copy to be brought up to date.
 */
#ifndef MAILSTOW_ARCHIVE_CATALOGUE_ANCESTRY_H
#define MAILSTOW_ARCHIVE_CATALOGUE_ANCESTRY_H

#include "archive/catalogue/catalogue.h"
#include "archive/volume/volume.h"

/* An archive and its copy, under both writers' locks. */
struct ancestry {
	const struct archive_ref *from;
	const struct volume_list *ours;
	const struct catalogue_state *state; /* of its catalogue, which is up to its volumes */
	const struct archive_ref *to;
	const struct volume_list *theirs;
};

/*
 * Is the copy's last commit one of the archive's, or one that copying brought? Encrypted ones are
 * unlocked, both. *ret_head: the SHA-256 of its payload, if *ret_any. ERR_CREATE: it is not, or
 * what the copy holds cannot be read.
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
