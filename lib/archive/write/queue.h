/*
 * A bounded queue of entries from one thread to another: a ring of ARCHIVE_QUEUE_BYTES. Putting
 * waits while it is full, taking while it is empty; both sides are in one process, so neither wait
 * can outlast the other thread's work.
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
	QUEUE_WAKE_BYTES = 256 * 1024, /* a taker that waits is woken for so much, or by a flush */
};

struct queue *queue_new(size_t size_bytes);
void queue_freep(struct queue **queue);

/* Copies data. len is at most QUEUE_ENTRY_BYTES_MAX. It may lie there until a flush. */
void queue_put(struct queue *queue, uint32_t kind, const void *data, size_t len);

/* What was put is to be taken now, however little it is. */
void queue_flush(struct queue *queue);

/* The oldest entry; it stays where it is until queue_done(). */
struct queue_entry queue_take(struct queue *queue);
void queue_done(struct queue *queue, const struct queue_entry *entry);

#endif
