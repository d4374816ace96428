/*
 * A bounded queue of entries between two threads: a ring of ARCHIVE_QUEUE_BYTES. Putting waits
 * while it is full, taking while it is empty. Both threads are in one process, so neither waits
 * longer than the other works.
 */
#ifndef MAILSTOW_ARCHIVE_WRITE_QUEUE_H
#define MAILSTOW_ARCHIVE_WRITE_QUEUE_H

#include <stddef.h>
#include <stdint.h>

struct queue;

struct queue_entry {
	uint32_t kind; /* the user's, > 0 */
	uint32_t len;
	const uint8_t *data; /* within the queue */
};

enum {
	QUEUE_ENTRY_BYTES_MAX = 1024 * 1024,
	QUEUE_WAKE_BYTES =
		256 * 1024, /* wakes a waiting taker from this many bytes on, or at a flush */
};

struct queue *queue_new(size_t size_bytes);
void queue_freep(struct queue **queue);

/* Copies data. len is at most QUEUE_ENTRY_BYTES_MAX. The taker may not see it before a flush. */
void queue_put(struct queue *queue, uint32_t kind, const void *data, size_t len);

/* Wake the taker now, however little is queued. */
void queue_flush(struct queue *queue);

/* The oldest entry; its data is valid until queue_done(). */
struct queue_entry queue_take(struct queue *queue);
void queue_done(struct queue *queue, const struct queue_entry *entry);

#endif
