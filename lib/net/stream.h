/*
 * A stream of bytes to a peer: TCP, TLS over TCP, a wire log over either. Layers stack; the upper
 * one owns the lower one.
 *
 * One thread at a time uses a stream, straight-line. Every call has a deadline and can be cancelled
 * (base/wait.h). Errors: ERR_RETRY (reset, timed out, closed early), ERR_SECURITY (TLS),
 * ERR_CANCELLED. After any error only stream_freep() may follow.
 *
 * A call that is cancelled before it begins fails even if it would not have to wait. A deadline
 * matters only to a call that has to wait, so a deadline of now takes what has arrived.
 */
#ifndef MAILSTOW_NET_STREAM_H
#define MAILSTOW_NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/wait.h"

struct stream {
	const struct stream_class *class;
	struct stream *lower; /* owned; NULL at the bottom */
};

struct stream_class {
	const char *name; /* "tcp", "tls", "wirelog" */
	bool (*read)(struct stream *stream, void *data, size_t max, size_t *ret_len,
		struct wait wait, struct err *err);
	bool (*write)(struct stream *stream, const void *data, size_t len, struct wait wait,
		struct err *err);
	void (*free)(struct stream *stream); /* not the lower stream */

	/* May be NULL: the layer keeps no bytes, has nothing to release, or asks the lower one. */
	size_t (*buffered)(const struct stream *stream);
	bool (*has_input)(struct stream *stream);
	void (*park)(struct stream *stream);
	int (*fd)(const struct stream *stream); /* the bottom layer only */

	bool secure; /* encrypts what is written */
};

/*
 * Waits for at least one byte, reads at most max (> 0). *ret_len 0 is the clean end of the stream.
 * A TLS peer that closes without close_notify is ERR_RETRY, as a truncation attack looks the same.
 */
bool stream_read(struct stream *stream, void *data, size_t max, size_t *ret_len, struct wait wait,
	struct err *err);

/* Writes all of it. */
bool stream_write(
	struct stream *stream, const void *data, size_t len, struct wait wait, struct err *err);

/*
 * Bytes held by this and lower layers (not by the kernel), which can be read without waiting. A
 * stream may wait in poll(2) only while this is 0.
 */
size_t stream_buffered(const struct stream *stream);

/*
 * Would stream_read() return at once, with bytes, the end or an error? Never waits. Consumes TLS
 * records without data (session tickets), for which poll(2) wakes up although a read would wait.
 */
bool stream_has_input(struct stream *stream);

/*
 * Releases buffers of a stream that will only wait for input on stream_fd() (TLS: reads were
 * drained until WANT_READ, SSL_MODE_RELEASE_BUFFERS is on).
 */
void stream_park(struct stream *stream);

/* The socket at the bottom, -1 when there is none. */
int stream_fd(const struct stream *stream);

/* Does any layer encrypt what is written? */
bool stream_is_secure(const struct stream *stream);

/* Closes without waiting. TLS sends close_notify if it can at once. NULL is allowed. */
void stream_freep(struct stream **stream);

#endif
