/*
 * Splits a message as a caller of mime/split.h does, and reassembles it at once.
 */
#ifndef MAILSTOW_TESTS_SUPPORT_ARCHIVE_APART_H
#define MAILSTOW_TESTS_SUPPORT_ARCHIVE_APART_H

#include "base/buf.h"
#include "mime/split.h"

struct apart {
	struct buf joined; /* the reassembled message */
	struct buf leaves; /* the stored bytes of all leaves, concatenated */
	size_t base64_count;
	size_t text_count;
	bool sound; /* spans begin and end in order and have the promised sizes */
};

/* Feeds the message in portions of this many bytes. */
void apart_take(const uint8_t *data, size_t len, size_t portion, struct apart *ret_apart);
void apart_free(struct apart *apart); /* also for CLEANUP() */

#endif
