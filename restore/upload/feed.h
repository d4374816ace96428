/*
 * Reads messages ahead of the network: a thread of its own decompresses them from the archive into
 * a bounded queue.
 *
 * A message of up to ARCHIVE_PIECE_BYTES is handed out only after its digest was checked. Of a
 * larger one at least the last piece is held back until its digest was checked, so a damaged
 * message never arrives complete on the target.
 */
#ifndef MAILSTOW_RESTORE_UPLOAD_FEED_H
#define MAILSTOW_RESTORE_UPLOAD_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/archive.h"
#include "base/err.h"

enum {
	FEED_BYTES_MAX = 8 * 1024 * 1024, /* in the queue; exceeded by one piece at most */
	FEED_PIECES_MAX = 2048,
	FEED_PIECE_BYTES = 64 * 1024,
};

struct feed;

struct feed_message {
	int64_t message_id;
	uint64_t size;
};

/* Starts reading these, in this order. The list is copied. */
bool feed_start(const struct archive_ref *ref, const struct feed_message *messages, size_t count,
	struct feed **ret_feed, struct err *err);

/* Stops reading, finished or not, and waits for the thread. NULL is allowed. */
void feed_freep(struct feed **feed);

/*
 * Moves to the next message, of which there must be one; drops the rest of the current one. False:
 * it cannot be read; the next call moves on to the one after.
 */
bool feed_next(struct feed *feed, struct err *err);

/*
 * The next bytes of the message, at least one; valid until the next call. Fits imap_append.read,
 * with the feed as context. False: the rest cannot be read.
 */
bool feed_read(void *feed, const uint8_t **ret_data, size_t *ret_len, struct err *err);

/* Whether the bytes read so far hold NUL or 8-bit bytes that servers may replace. */
bool feed_is_suspect(const struct feed *feed);

#endif
