/*
 * The file `copied` of a copy: the archive's heads that copying brought there (internal to this
 * room). It tells a copy that was left as it is from one that was written to, where the archive it
 * is of has done without the volume that would show it.
 */
#ifndef MAILSTOW_ARCHIVE_CATALOGUE_HEADS_H
#define MAILSTOW_ARCHIVE_CATALOGUE_HEADS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"

/* Before a head is brought. The one it takes the place of counts until then; NULL: there is none.
 */
bool ancestry_note_copied(const char *copy, const uint8_t brought[SHA256_BYTES],
	const uint8_t *replaced, struct err *err);

/* Was it brought? False also where the file cannot be read. */
bool ancestry_was_copied(const char *copy, const uint8_t head[SHA256_BYTES]);

#endif
