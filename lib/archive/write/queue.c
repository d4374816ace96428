#include "archive/write/queue.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { ALIGN = 8, KIND_SKIP = 0 };

struct head {
	uint32_t kind;
	uint32_t len;
};

/*
 * Entries are contiguous. An entry that does not fit before the end of the memory is put at its
 * start, after a skip entry. An empty queue starts over, so that little memory is touched while the
 * taker keeps up.
 */
struct queue {
	pthread_mutex_t mutex;
	pthread_cond_t not_full;
	pthread_cond_t not_empty;
	uint8_t *data;
	size_t size;
	size_t from; /* oldest entry */
	size_t to;   /* next entry */
	size_t used;
	bool putter_waits;
	bool taker_waits;
};

struct queue *queue_new(size_t size_bytes)
{
	struct queue *queue = xcalloc(1, sizeof(*queue));

	assert(size_bytes % ALIGN == 0 && size_bytes / 3 >= QUEUE_ENTRY_BYTES_MAX);
	(void)pthread_mutex_init(&queue->mutex, NULL);
	(void)pthread_cond_init(&queue->not_full, NULL);
	(void)pthread_cond_init(&queue->not_empty, NULL);
	queue->data = xmalloc(size_bytes);
	queue->size = size_bytes;
	return queue;
}

void queue_freep(struct queue **queue)
{
	struct queue *old = *queue;

	if (!old)
		return;
	(void)pthread_cond_destroy(&old->not_empty);
	(void)pthread_cond_destroy(&old->not_full);
	(void)pthread_mutex_destroy(&old->mutex);
	free(old->data);
	free(old);
	*queue = NULL;
}

static size_t space_of(size_t len)
{
	return (sizeof(struct head) + len + ALIGN - 1) / ALIGN * ALIGN;
}

static void put_head(struct queue *queue, uint32_t kind, size_t len)
{
	struct head head = {kind, (uint32_t)len};

	memcpy(queue->data + queue->to, &head, sizeof(head));
}

/* Make room for one entry at queue->to, after a skip entry if needed. */
static bool make_room(struct queue *queue, size_t space)
{
	size_t to_end = queue->size - queue->to;

	if (queue->used == 0) {
		queue->from = 0;
		queue->to = 0;
		return true;
	}
	if (queue->to <= queue->from)
		return queue->from - queue->to >= space;
	if (to_end >= space)
		return true;
	if (queue->from < space)
		return false;
	if (to_end > 0) {
		put_head(queue, KIND_SKIP, to_end - sizeof(struct head));
		queue->used += to_end;
	}
	queue->to = 0;
	return true;
}

void queue_put(struct queue *queue, uint32_t kind, const void *data, size_t len)
{
	size_t space = space_of(len);

	assert(kind != KIND_SKIP && len <= QUEUE_ENTRY_BYTES_MAX);
	(void)pthread_mutex_lock(&queue->mutex);
	while (!make_room(queue, space)) {
		queue->putter_waits = true;
		(void)pthread_cond_wait(&queue->not_full, &queue->mutex);
	}
	queue->putter_waits = false;
	put_head(queue, kind, len);
	if (len)
		memcpy(queue->data + queue->to + sizeof(struct head), data, len);
	queue->to += space;
	queue->used += space;
	if (queue->taker_waits && queue->used >= QUEUE_WAKE_BYTES)
		(void)pthread_cond_signal(&queue->not_empty);
	(void)pthread_mutex_unlock(&queue->mutex);
}

void queue_flush(struct queue *queue)
{
	(void)pthread_mutex_lock(&queue->mutex);
	(void)pthread_cond_signal(&queue->not_empty);
	(void)pthread_mutex_unlock(&queue->mutex);
}

static void drop(struct queue *queue, size_t space)
{
	assert(space <= queue->used);
	queue->used -= space;
	queue->from += space;
	if (queue->from == queue->size)
		queue->from = 0;
}

struct queue_entry queue_take(struct queue *queue)
{
	struct head head;

	(void)pthread_mutex_lock(&queue->mutex);
	while (queue->used == 0) {
		queue->taker_waits = true;
		(void)pthread_cond_wait(&queue->not_empty, &queue->mutex);
	}
	queue->taker_waits = false;
	if (queue->from == queue->size)
		queue->from = 0;
	memcpy(&head, queue->data + queue->from, sizeof(head));
	if (head.kind == KIND_SKIP) {
		drop(queue, space_of(head.len));
		memcpy(&head, queue->data + queue->from, sizeof(head));
	}
	(void)pthread_mutex_unlock(&queue->mutex);
	/* read without the mutex: the putter cannot reuse this space before queue_done() */
	return (struct queue_entry){
		head.kind, head.len, queue->data + queue->from + sizeof(struct head)};
}

void queue_done(struct queue *queue, const struct queue_entry *entry)
{
	(void)pthread_mutex_lock(&queue->mutex);
	drop(queue, space_of(entry->len));
	if (queue->putter_waits)
		(void)pthread_cond_signal(&queue->not_full);
	(void)pthread_mutex_unlock(&queue->mutex);
}
