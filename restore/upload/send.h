/*
 * Messages on their way: read ahead from the archive (restore/upload/feed.h) and sent as pipelined
 * APPENDs, results taken in order.
 */
#ifndef MAILSTOW_RESTORE_UPLOAD_SEND_H
#define MAILSTOW_RESTORE_UPLOAD_SEND_H

#include "imap/session.h"
#include "restore/match/item.h"

struct sending {
	struct imap *imap;
	const char *archive_path;
	const char *wire_name;
	void *context;
	/* The flags to send with it; the caller frees. */
	char *(*flags)(void *context, const struct item *item);
	/* The server's word on a message. */
	bool (*answered)(void *context, struct item *item, const struct imap_append_result *result,
		struct err *err);
	/* A message is not sent at all: it cannot be read, or not be put into a command. */
	bool (*unsent)(void *context, struct item *item, enum outcome outcome, const char *words,
		struct err *err);

	struct item *flight[IMAP_APPEND_IN_FLIGHT]; /* sent, not answered */
	size_t first, in_flight;
	struct item *now; /* being sent */
};

/*
 * Send these in order, at most `window` unanswered, and take all answers. before (may be NULL) is
 * called ahead of each with its index; it may call sending_drain() and sending_run() itself.
 * False: the session is over (sending_lost() then), or the caller's own error.
 */
bool sending_run(struct sending *sending, struct item **items, size_t count, size_t window,
	bool (*before)(void *context, size_t index, struct err *err), struct err *err);

/* Take all answers that are due. */
bool sending_drain(struct sending *sending, struct err *err);

/* The connection is gone: nobody knows what became of those in flight. Each is told so. */
void sending_lost(struct sending *sending);

#endif
