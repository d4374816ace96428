/*
 * Sends messages as pipelined APPENDs, read ahead from the archive (restore/upload/feed.h); takes
 * the answers in order.
 */
#ifndef MAILSTOW_RESTORE_UPLOAD_SEND_H
#define MAILSTOW_RESTORE_UPLOAD_SEND_H

#include "imap/session.h"
#include "restore/match/item.h"

struct sending {
	struct imap *imap;
	const struct archive_ref *ref;
	const char *wire_name;
	void *context;
	/* The flags to send with the message; the caller frees. */
	char *(*flags)(void *context, const struct item *item);
	/* The server answered the APPEND of this message. */
	bool (*answered)(void *context, struct item *item, const struct imap_append_result *result,
		struct err *err);
	/* The message was not sent: it cannot be read, or does not fit into a command. */
	bool (*unsent)(void *context, struct item *item, enum outcome outcome, const char *words,
		struct err *err);

	struct item *flight[IMAP_APPEND_IN_FLIGHT]; /* sent, not answered */
	size_t first, in_flight;
	struct item *now; /* being written to the connection */
};

/*
 * Sends these in order, at most `window` of them unanswered, and takes all answers. before_each
 * (may be NULL) is called with the index of a message before it is sent; it may itself call
 * sending_drain() and sending_run(). False: the session is over (call sending_lost()), or a
 * callback failed.
 */
bool sending_run(struct sending *sending, struct item **items, size_t count, size_t window,
	bool (*before_each)(void *context, size_t index, struct err *err), struct err *err);

/* Takes all answers still due. */
bool sending_drain(struct sending *sending, struct err *err);

/* The connection is gone: counts a loss for every message whose fate is unknown. */
void sending_lost(struct sending *sending);

#endif
