/*
 * A message split as a caller of mime/split.h does, and reassembled at once.
 */
#ifndef MAILSTOW_TESTS_SUPPORT_ARCHIVE_APART_H
#define MAILSTOW_TESTS_SUPPORT_ARCHIVE_APART_H

#include "base/buf.h"
#include "mime/split.h"

struct apart {
	struct buf joined; /* what it says when put together */
	struct buf leaves; /* what would be kept of all leaves, one after the other */
	size_t base64_count;
	size_t text_count;
	bool sound; /* spans begin and end as they should, and have the sizes promised */
};

/* The message comes in portions of so many bytes. */
void apart_take(const uint8_t *data, size_t len, size_t portion, struct apart *ret_apart);
void apart_free(struct apart *apart); /* also for CLEANUP() */

#endif
