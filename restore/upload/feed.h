/*
 * Messages read ahead: a thread of its own unpacks them from the archive into a bounded queue
 * while the network takes what is in front.
 *
 * The bytes of a message are handed on only when they are proven, as far as the archive proves
 * them at once (archive/archive.h: up to ARCHIVE_PIECE_BYTES before the first byte); of a bigger
 * message at least the last piece is held back until its digest was right, so that a damaged
 * message never becomes a whole one on the target.
 */
#ifndef MAILSTOW_RESTORE_UPLOAD_FEED_H
#define MAILSTOW_RESTORE_UPLOAD_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	FEED_BYTES_MAX = 8 * 1024 * 1024, /* waiting in the queue, one piece more at most */
	FEED_PIECES_MAX = 2048,
	FEED_PIECE_BYTES = 64 * 1024,
};

struct feed;

struct feed_message {
	int64_t message_id;
	uint64_t size;
};

/* Begin to read these, in this order. The list is copied. */
bool feed_start(const char *archive_path, const struct feed_message *messages, size_t count,
	struct feed **ret_feed, struct err *err);

/* Stop early or late; waits for the thread. NULL is allowed. */
void feed_freep(struct feed **feed);

/*
 * Turn to the next message (what is left of the one before is dropped). False: this one cannot be
 * read; the next call goes on with the one after. There must be one.
 */
bool feed_next(struct feed *feed, struct err *err);

/*
 * The next bytes of the message, at least one; valid until the next call. For
 * imap_append.read with the feed as context. False: the rest cannot be read.
 */
bool feed_read(void *feed, const uint8_t **ret_data, size_t *ret_len, struct err *err);

/* Did what was read of this message hold NUL or 8-bit bytes that servers may replace? */
bool feed_is_suspect(const struct feed *feed);

#endif
