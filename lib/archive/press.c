#include "archive/press.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"

/* Blocks lie in a ring: from `oldest`, `count` of them, of which the first `done` are frames. */
struct press {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct block *blocks[PRESS_BLOCKS_MAX];
	size_t oldest;
	size_t count; /* written by the giver alone */
	size_t done;
	size_t bytes; /* the giver's */
	bool stop;
	struct zstd *zstd;
};

static struct block *at(const struct press *press, size_t index)
{
	return press->blocks[(press->oldest + index) % PRESS_BLOCKS_MAX];
}

static void *run(void *context)
{
	struct press *press = context;

	(void)pthread_mutex_lock(&press->mutex);
	while (!press->stop || press->done < press->count) {
		struct block *block;

		if (press->done == press->count) {
			(void)pthread_cond_wait(&press->changed, &press->mutex);
			continue;
		}
		block = at(press, press->done);
		(void)pthread_mutex_unlock(&press->mutex);
		frame_pack(press->zstd, block->effort, block->cipher, block->frame_id, block->kind,
			&block->raw, &block->packed, &block->frame);
		(void)pthread_mutex_lock(&press->mutex);
		press->done++;
		(void)pthread_cond_broadcast(&press->changed);
	}
	(void)pthread_mutex_unlock(&press->mutex);
	return NULL;
}

static void free_press(struct press *press)
{
	(void)pthread_cond_destroy(&press->changed);
	(void)pthread_mutex_destroy(&press->mutex);
	zstd_freep(&press->zstd);
	free(press);
}

bool press_start(struct press **ret_press, struct err *err)
{
	struct press *press = xcalloc(1, sizeof(*press));
	int code;

	(void)pthread_mutex_init(&press->mutex, NULL);
	(void)pthread_cond_init(&press->changed, NULL);
	press->zstd = zstd_new();
	code = pthread_create(&press->thread, NULL, run, press);
	if (code != 0) {
		free_press(press);
		return err_errno(err, ERR_LOCAL, code, "start a thread");
	}
	*ret_press = press;
	return true;
}

void press_stopp(struct press **press)
{
	struct press *old = *press;

	if (!old)
		return;
	(void)pthread_mutex_lock(&old->mutex);
	old->stop = true;
	(void)pthread_cond_broadcast(&old->changed);
	(void)pthread_mutex_unlock(&old->mutex);
	(void)pthread_join(old->thread, NULL);
	free_press(old);
	*press = NULL;
}

void press_give(struct press *press, struct block *block)
{
	(void)pthread_mutex_lock(&press->mutex);
	assert(press->count < PRESS_BLOCKS_MAX && !press->stop);
	press->blocks[(press->oldest + press->count) % PRESS_BLOCKS_MAX] = block;
	press->count++;
	press->bytes += block->raw.len;
	(void)pthread_cond_broadcast(&press->changed);
	(void)pthread_mutex_unlock(&press->mutex);
}

size_t press_count(const struct press *press)
{
	return press->count;
}

size_t press_bytes(const struct press *press)
{
	return press->bytes;
}

struct block *press_take(struct press *press)
{
	struct block *block;

	(void)pthread_mutex_lock(&press->mutex);
	assert(press->count > 0);
	while (press->done == 0)
		(void)pthread_cond_wait(&press->changed, &press->mutex);
	block = at(press, 0);
	press->oldest = (press->oldest + 1) % PRESS_BLOCKS_MAX;
	press->count--;
	press->done--;
	press->bytes -= block->raw.len;
	(void)pthread_mutex_unlock(&press->mutex);
	return block;
}
