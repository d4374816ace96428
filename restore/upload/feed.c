#include "restore/upload/feed.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "archive/archive.h"
#include "base/alloc.h"

/* A part of a message, or the reason why there is no more of it. */
struct piece {
	struct piece *next;
	size_t message;
	bool last;   /* of its message */
	char *fault; /* instead of data: why it cannot be read */
	enum err_kind fault_kind;
	bool suspect;
	size_t len;
	uint8_t data[];
};

struct feed {
	struct archive *archive;
	struct feed_message *messages;
	size_t count;
	pthread_t thread;
	bool running;

	pthread_mutex_t lock;
	pthread_cond_t moved; /* a piece was pushed or popped, or stopping is set */
	struct piece *first, **end;
	size_t bytes, pieces;
	bool stopping;

	/* used by the caller's thread only */
	size_t next;           /* index of the message feed_next() moves to */
	struct piece *current; /* NULL: none yet */
	bool unread;           /* the current piece was not handed out yet */
	bool suspect;
};

/* --- the thread --- */

struct feed_reading {
	struct feed *feed;
	size_t message;
	uint64_t size;
	bool in_header; /* no empty line yet */
	uint8_t before; /* the last byte other than CR */
	struct piece
		*held; /* the newest piece, pushed when the next comes or the digest is right */
};

static struct piece *piece_new(size_t message, size_t len)
{
	struct piece *piece = xmalloc(sizeof(*piece) + len);

	*piece = (struct piece){.message = message, .len = len};
	return piece;
}

static void piece_free(struct piece *piece)
{
	if (piece)
		free(piece->fault);
	free(piece);
}

/*
 * False: the feed is being stopped; the piece was freed. A signal is enough to wake the other side:
 * one thread waits while the queue is full, the other while it is empty, never both.
 */
static bool push_piece(struct feed *feed, struct piece *piece)
{
	bool wanted;

	pthread_mutex_lock(&feed->lock);
	while (!feed->stopping &&
		(feed->bytes >= FEED_BYTES_MAX || feed->pieces >= FEED_PIECES_MAX))
		pthread_cond_wait(&feed->moved, &feed->lock);
	wanted = !feed->stopping;
	if (wanted) {
		*feed->end = piece;
		feed->end = &piece->next;
		feed->bytes += piece->len;
		feed->pieces++;
		pthread_cond_signal(&feed->moved);
	}
	pthread_mutex_unlock(&feed->lock);
	if (!wanted)
		piece_free(piece);
	return wanted;
}

/* Some servers replace NUL anywhere, and 8-bit bytes in the header, without changing the size. */
static bool has_suspect_bytes(struct feed_reading *reading, const uint8_t *data, size_t len)
{
	bool suspect = memchr(data, 0, len) != NULL;

	for (size_t i = 0; i < len && reading->in_header; i++) {
		suspect |= data[i] >= 0x80;
		if (data[i] == '\r')
			continue;
		reading->in_header = !(data[i] == '\n' && reading->before == '\n');
		reading->before = data[i];
	}
	return suspect;
}

static bool queue_bytes(void *context, const uint8_t *data, size_t len, struct err *err)
{
	struct feed_reading *reading = context;

	while (len > 0) {
		size_t part = len < FEED_PIECE_BYTES ? len : FEED_PIECE_BYTES;
		struct piece *piece = piece_new(reading->message, part);

		memcpy(piece->data, data, part);
		piece->suspect = has_suspect_bytes(reading, data, part);
		reading->size += part;
		data += part;
		len -= part;
		if (reading->held && !push_piece(reading->feed, TAKE(reading->held))) {
			piece_free(piece);
			return err_set(err, ERR_CANCELLED, "stopped");
		}
		reading->held = piece;
	}
	return true;
}

static bool push_fault(struct feed *feed, size_t message, const struct err *err)
{
	struct piece *piece = piece_new(message, 0);

	piece->last = true;
	piece->fault = xstrdup(err->text);
	piece->fault_kind = err->kind;
	return push_piece(feed, piece);
}

static bool queue_message(struct feed *feed, size_t i)
{
	const struct feed_message *message = &feed->messages[i];
	struct feed_reading reading = {.feed = feed, .message = i, .in_header = true};
	struct err err = ERR_INIT;
	bool fine = archive_read_message(
		feed->archive, message->message_id, queue_bytes, &reading, &err);

	if (fine && reading.size != message->size)
		fine = err_set(&err, ERR_CORRUPT, "the archive holds only %llu of %llu bytes",
			(unsigned long long)reading.size, (unsigned long long)message->size);
	/*
	 * The digest is wrong, or the message ends early. The piece held back is dropped: a reader
	 * that has sent all before it finds the fault instead and cannot complete the literal.
	 */
	if (!fine) {
		piece_free(reading.held);
		return err.kind != ERR_CANCELLED && push_fault(feed, i, &err);
	}
	if (!reading.held)
		reading.held = piece_new(i, 0);
	reading.held->last = true;
	return push_piece(feed, reading.held);
}

static void *queue_messages(void *context)
{
	struct feed *feed = context;

	for (size_t i = 0; i < feed->count && queue_message(feed, i); i++)
		;
	return NULL;
}

/* --- the caller's side --- */

bool feed_start(const struct archive_ref *ref, const struct feed_message *messages, size_t count,
	struct feed **ret_feed, struct err *err)
{
	CLEANUP(feed_freep) struct feed *feed = xcalloc(1, sizeof(*feed));
	int failed;

	feed->end = &feed->first;
	feed->messages = xmemdup(messages, count * sizeof(*messages));
	feed->count = count;
	pthread_mutex_init(&feed->lock, NULL);
	pthread_cond_init(&feed->moved, NULL);
	if (!archive_open(ref, &feed->archive, err))
		return false;
	failed = pthread_create(&feed->thread, NULL, queue_messages, feed);
	if (failed)
		return err_errno(err, ERR_LOCAL, failed, "cannot start a thread");
	feed->running = true;
	*ret_feed = TAKE(feed);
	return true;
}

void feed_freep(struct feed **feed)
{
	struct feed *old = TAKE(*feed);

	if (!old)
		return;
	pthread_mutex_lock(&old->lock);
	old->stopping = true;
	pthread_cond_broadcast(&old->moved);
	pthread_mutex_unlock(&old->lock);
	if (old->running)
		(void)pthread_join(old->thread, NULL);
	piece_free(old->current);
	while (old->first) {
		struct piece *piece = old->first;

		old->first = piece->next;
		piece_free(piece);
	}
	pthread_cond_destroy(&old->moved);
	pthread_mutex_destroy(&old->lock);
	archive_freep(&old->archive);
	free(old->messages);
	free(old);
}

static struct piece *pop_piece(struct feed *feed)
{
	struct piece *piece;

	pthread_mutex_lock(&feed->lock);
	while (!feed->first)
		pthread_cond_wait(&feed->moved, &feed->lock);
	piece = feed->first;
	feed->first = piece->next;
	if (!feed->first)
		feed->end = &feed->first;
	feed->bytes -= piece->len;
	feed->pieces--;
	pthread_cond_signal(&feed->moved);
	pthread_mutex_unlock(&feed->lock);
	return piece;
}

/* Replaces the current piece by the one that follows it in the queue. */
static void next_piece(struct feed *feed)
{
	piece_free(feed->current);
	feed->current = pop_piece(feed);
	feed->suspect |= feed->current->suspect;
}

static bool report_fault(const struct feed *feed, struct err *err)
{
	return err_set(err, feed->current->fault_kind, "%s", feed->current->fault);
}

bool feed_next(struct feed *feed, struct err *err)
{
	assert(feed->next < feed->count);
	/* the thread pushes a last piece for every message, if only a fault: this ends */
	while (feed->current && !feed->current->last)
		next_piece(feed);
	feed->suspect = false;
	next_piece(feed);
	assert(feed->current->message == feed->next);
	feed->next++;
	feed->unread = true;
	return !feed->current->fault || report_fault(feed, err);
}

bool feed_read(void *context, const uint8_t **ret_data, size_t *ret_len, struct err *err)
{
	struct feed *feed = context;

	if (!feed->unread) {
		assert(!feed->current->last);
		next_piece(feed);
	}
	feed->unread = false;
	if (feed->current->fault)
		return report_fault(feed, err);
	*ret_data = feed->current->data;
	*ret_len = feed->current->len;
	return true;
}

bool feed_is_suspect(const struct feed *feed)
{
	return feed->suspect;
}
