/*
 * A stream of bytes to a peer: TCP, TLS over TCP, a wire log over either. Layers stack; the upper
 * one owns the lower one.
 *
 * Straight-line use by one thread at a time. Every call has a deadline and can be cancelled
 * (base/wait.h). Errors: ERR_RETRY (reset, timed out, closed early), ERR_SECURITY (TLS),
 * ERR_CANCELLED. After any error the stream is only good for stream_freep().
 *
 * A call that is cancelled before it begins fails even when it would not have to wait; a deadline
 * counts only when it has to, so that a deadline of now takes what is there.
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

	/* NULL: this layer keeps no bytes, has nothing to release, lets the lower one answer. */
	size_t (*buffered)(const struct stream *stream);
	bool (*has_input)(struct stream *stream);
	void (*park)(struct stream *stream);
	int (*fd)(const struct stream *stream); /* of the bottom */

	bool secure; /* what is written here leaves encrypted */
};

/*
 * Wait for at least one byte, read at most max (> 0). *ret_len 0 is the clean end of the stream;
 * a TLS peer that goes without close_notify is ERR_RETRY "closed without saying so", as that is
 * how a truncation attack looks.
 */
bool stream_read(struct stream *stream, void *data, size_t max, size_t *ret_len, struct wait wait,
	struct err *err);

/* Write all of it. */
bool stream_write(
	struct stream *stream, const void *data, size_t len, struct wait wait, struct err *err);

/*
 * Bytes that can be read without waiting, in this or any lower layer of ours (not the kernel's).
 * A stream may be parked in poll(2) only while this is 0.
 */
size_t stream_buffered(const struct stream *stream);

/*
 * Would stream_read() return at once, with bytes, the end or an error? Never waits. Takes in what
 * is no data (TLS session tickets): poll(2) may wake up for it, and a read would then wait.
 */
bool stream_has_input(struct stream *stream);

/*
 * The stream will only wait for a while: release buffers (TLS: reads were drained until WANT_READ,
 * SSL_MODE_RELEASE_BUFFERS is on). Wake up by polling stream_fd() for input.
 */
void stream_park(struct stream *stream);

/* The socket at the bottom, -1 when there is none. */
int stream_fd(const struct stream *stream);

/* Is what is written on top of this stream encrypted on the network? */
bool stream_is_secure(const struct stream *stream);

/* Close without waiting; a TLS layer says goodbye if that can be sent at once. NULL is allowed. */
void stream_freep(struct stream **stream);

#endif
