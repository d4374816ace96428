#include "archive/press.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"

struct press {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct block *block; /* NULL: idle */
	bool stop;
	struct zstd *zstd;
};

static void *run(void *context)
{
	struct press *press = context;

	(void)pthread_mutex_lock(&press->mutex);
	while (!press->stop || press->block) {
		struct block *block = press->block;

		if (!block) {
			(void)pthread_cond_wait(&press->changed, &press->mutex);
			continue;
		}
		(void)pthread_mutex_unlock(&press->mutex);
		frame_pack(press->zstd, block->cipher, block->frame_id, block->kind, &block->raw,
			&block->packed, &block->frame);
		(void)pthread_mutex_lock(&press->mutex);
		press->block = NULL;
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
	assert(!press->block && !press->stop);
	press->block = block;
	(void)pthread_cond_broadcast(&press->changed);
	(void)pthread_mutex_unlock(&press->mutex);
}

void press_wait(struct press *press)
{
	(void)pthread_mutex_lock(&press->mutex);
	while (press->block)
		(void)pthread_cond_wait(&press->changed, &press->mutex);
	(void)pthread_mutex_unlock(&press->mutex);
}
