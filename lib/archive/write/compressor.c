#include "archive/write/compressor.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"

/* A ring of `count` blocks from `oldest` on, of which the first `done` are finished. */
struct compressor {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct block *blocks[COMPRESSOR_BLOCKS_MAX];
	size_t oldest;
	size_t count; /* only the giver writes it */
	size_t done;
	size_t bytes; /* only the giver uses it */
	bool stop;
	struct zstd *zstd;
};

static struct block *at(const struct compressor *compressor, size_t index)
{
	return compressor->blocks[(compressor->oldest + index) % COMPRESSOR_BLOCKS_MAX];
}

static void *run_compressor(void *context)
{
	struct compressor *compressor = context;

	(void)pthread_mutex_lock(&compressor->mutex);
	while (!compressor->stop || compressor->done < compressor->count) {
		struct block *block;

		if (compressor->done == compressor->count) {
			(void)pthread_cond_wait(&compressor->changed, &compressor->mutex);
			continue;
		}
		block = at(compressor, compressor->done);
		(void)pthread_mutex_unlock(&compressor->mutex);
		frame_pack(compressor->zstd, block->effort, block->cipher, block->frame_id,
			block->kind, &block->raw, &block->packed, &block->frame);
		(void)pthread_mutex_lock(&compressor->mutex);
		compressor->done++;
		(void)pthread_cond_broadcast(&compressor->changed);
	}
	(void)pthread_mutex_unlock(&compressor->mutex);
	return NULL;
}

static void free_compressor(struct compressor *compressor)
{
	(void)pthread_cond_destroy(&compressor->changed);
	(void)pthread_mutex_destroy(&compressor->mutex);
	zstd_freep(&compressor->zstd);
	free(compressor);
}

bool compressor_start(struct compressor **ret_compressor, struct err *err)
{
	struct compressor *compressor = xcalloc(1, sizeof(*compressor));
	int code;

	(void)pthread_mutex_init(&compressor->mutex, NULL);
	(void)pthread_cond_init(&compressor->changed, NULL);
	compressor->zstd = zstd_new();
	code = pthread_create(&compressor->thread, NULL, run_compressor, compressor);
	if (code != 0) {
		free_compressor(compressor);
		return err_errno(err, ERR_LOCAL, code, "start a thread");
	}
	*ret_compressor = compressor;
	return true;
}

void compressor_stopp(struct compressor **compressor)
{
	struct compressor *old = *compressor;

	if (!old)
		return;
	(void)pthread_mutex_lock(&old->mutex);
	old->stop = true;
	(void)pthread_cond_broadcast(&old->changed);
	(void)pthread_mutex_unlock(&old->mutex);
	(void)pthread_join(old->thread, NULL);
	free_compressor(old);
	*compressor = NULL;
}

void compressor_give(struct compressor *compressor, struct block *block)
{
	(void)pthread_mutex_lock(&compressor->mutex);
	assert(compressor->count < COMPRESSOR_BLOCKS_MAX && !compressor->stop);
	compressor->blocks[(compressor->oldest + compressor->count) % COMPRESSOR_BLOCKS_MAX] =
		block;
	compressor->count++;
	compressor->bytes += block->raw.len;
	(void)pthread_cond_broadcast(&compressor->changed);
	(void)pthread_mutex_unlock(&compressor->mutex);
}

size_t compressor_count(const struct compressor *compressor)
{
	return compressor->count;
}

size_t compressor_bytes(const struct compressor *compressor)
{
	return compressor->bytes;
}

struct block *compressor_take(struct compressor *compressor)
{
	struct block *block;

	(void)pthread_mutex_lock(&compressor->mutex);
	assert(compressor->count > 0);
	while (compressor->done == 0)
		(void)pthread_cond_wait(&compressor->changed, &compressor->mutex);
	block = at(compressor, 0);
	compressor->oldest = (compressor->oldest + 1) % COMPRESSOR_BLOCKS_MAX;
	compressor->count--;
	compressor->done--;
	compressor->bytes -= block->raw.len;
	(void)pthread_mutex_unlock(&compressor->mutex);
	return block;
}
