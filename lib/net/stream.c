#include "net/stream.h"

#include <assert.h>
#include <poll.h>

static bool check_cancelled(struct wait wait, struct err *err)
{
	if (wait.cancel && cancel_is(wait.cancel))
		return err_set(err, ERR_CANCELLED, "cancelled");
	return true;
}

bool stream_read(struct stream *stream, void *data, size_t max, size_t *ret_len, struct wait wait,
	struct err *err)
{
	assert(max > 0);
	if (!check_cancelled(wait, err))
		return false;
	if (!stream->class->read(stream, data, max, ret_len, wait, err))
		return false;
	assert(*ret_len <= max);
	return true;
}

bool stream_write(
	struct stream *stream, const void *data, size_t len, struct wait wait, struct err *err)
{
	if (!check_cancelled(wait, err))
		return false;
	return len == 0 || stream->class->write(stream, data, len, wait, err);
}

size_t stream_buffered(const struct stream *stream)
{
	size_t sum = 0;

	for (; stream; stream = stream->lower)
		if (stream->class->buffered)
			sum += stream->class->buffered(stream);
	return sum;
}

bool stream_has_input(struct stream *stream)
{
	struct pollfd poll_fd = {.fd = stream_fd(stream), .events = POLLIN};

	for (; stream; stream = stream->lower) {
		if (stream->class->has_input)
			return stream->class->has_input(stream);
		if (stream->class->buffered && stream->class->buffered(stream) > 0)
			return true;
	}
	return poll(&poll_fd, 1, 0) == 1;
}

void stream_park(struct stream *stream)
{
	for (; stream; stream = stream->lower)
		if (stream->class->park)
			stream->class->park(stream);
}

int stream_fd(const struct stream *stream)
{
	while (stream->lower)
		stream = stream->lower;
	return stream->class->fd ? stream->class->fd(stream) : -1;
}

bool stream_is_secure(const struct stream *stream)
{
	for (; stream; stream = stream->lower)
		if (stream->class->secure)
			return true;
	return false;
}

void stream_freep(struct stream **stream)
{
	while (*stream) {
		struct stream *lower = (*stream)->lower;

		(*stream)->class->free(*stream);
		*stream = lower;
	}
}
