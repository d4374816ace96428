#include "archive/write/packer_thread.h"

#include <assert.h>
#include <string.h>

/* --- the thread --- */

static bool begin_message(struct packer *packer, const struct queue_entry *entry)
{
	int64_t folder;

	assert(entry->len == sizeof(folder));
	memcpy(&folder, entry->data, sizeof(folder));
	packer_message_begin(packer, folder);
	return true;
}

static bool do_entry(struct packer *packer, const struct queue_entry *entry,
	int64_t *ret_generation, struct err *err)
{
	switch ((enum entry_kind)entry->kind) {
	case ENTRY_RECORD:
		return packer_change(packer, entry->data, entry->len, err);
	case ENTRY_BEGIN:
		return begin_message(packer, entry);
	case ENTRY_DATA:
		return packer_message_data(packer, entry->data, entry->len, err);
	case ENTRY_END:
		assert(entry->len == SHA256_BYTES);
		return packer_message_end(packer, entry->data, err);
	case ENTRY_ABORT:
		return packer_message_abort(packer, err);
	case ENTRY_MAY_COMMIT:
		return packer_may_commit(packer, err);
	case ENTRY_COMMIT:
	case ENTRY_COMMIT_COMPLETE:
		return packer_commit(
			packer, entry->kind == ENTRY_COMMIT_COMPLETE, ret_generation, err);
	case ENTRY_TIDY:
		return packer_tidy_wal(packer, err);
	case ENTRY_STOP:
		return true;
	}
	assert(!"unknown entry kind");
	return false;
}

static bool wants_answer(uint32_t kind)
{
	return kind == ENTRY_COMMIT || kind == ENTRY_COMMIT_COMPLETE || kind == ENTRY_TIDY;
}

static void answer(
	struct packer_thread *thread, uint32_t kind, int64_t generation, const struct err *failure)
{
	(void)pthread_mutex_lock(&thread->mutex);
	if (failure && !thread->failed) {
		thread->failed = true;
		thread->failure = *failure;
	}
	thread->figures = thread->packer.figures;
	if (wants_answer(kind)) {
		thread->generation = generation;
		thread->answers++;
		(void)pthread_cond_signal(&thread->answered);
	}
	(void)pthread_mutex_unlock(&thread->mutex);
}

/* After a failure it discards entries, so that the caller never waits in vain. */
static void *run_packer(void *context)
{
	struct packer_thread *thread = context;
	struct err err = ERR_INIT;
	bool failed = false;
	uint32_t kind;

	do {
		struct queue_entry entry = queue_take(thread->queue);
		int64_t generation = 0;

		kind = entry.kind;
		if (!failed)
			failed = !do_entry(&thread->packer, &entry, &generation, &err);
		queue_done(thread->queue, &entry);
		answer(thread, kind, generation, failed ? &err : NULL);
	} while (kind != ENTRY_STOP);
	/* packer_close() rolls back a commit under way */
	if (!failed && !thread->packer.dirty)
		(void)packer_tidy_wal(&thread->packer, &err);
	return NULL;
}

/* --- the caller's side --- */

void packer_thread_init(struct packer_thread *thread)
{
	*thread = (struct packer_thread){0};
	(void)pthread_mutex_init(&thread->mutex, NULL);
	(void)pthread_cond_init(&thread->answered, NULL);
}

void packer_thread_free(struct packer_thread *thread)
{
	if (thread->running) {
		queue_put(thread->queue, ENTRY_STOP, NULL, 0);
		queue_flush(thread->queue);
		(void)pthread_join(thread->thread, NULL);
		packer_close(&thread->packer);
	}
	queue_freep(&thread->queue);
	(void)pthread_cond_destroy(&thread->answered);
	(void)pthread_mutex_destroy(&thread->mutex);
}

bool packer_thread_start(struct packer_thread *thread, const struct archive_ref *archive,
	uint64_t volume_bytes_max, const atomic_bool *view_peeks, struct err *err)
{
	int code;

	assert(!thread->running);
	if (!packer_open(&thread->packer, archive, volume_bytes_max, view_peeks, err))
		return false;
	thread->queue = queue_new(ARCHIVE_QUEUE_BYTES);
	code = pthread_create(&thread->thread, NULL, run_packer, thread);
	if (code != 0) {
		packer_close(&thread->packer);
		queue_freep(&thread->queue);
		return err_errno(err, ERR_LOCAL, code, "start a thread");
	}
	thread->running = true;
	return true;
}

bool packer_thread_works(struct packer_thread *thread, struct err *err)
{
	bool failed;

	(void)pthread_mutex_lock(&thread->mutex);
	failed = thread->failed;
	if (failed && err)
		*err = thread->failure;
	(void)pthread_mutex_unlock(&thread->mutex);
	return !failed;
}

bool packer_thread_put(struct packer_thread *thread, enum entry_kind kind, const void *data,
	size_t len, struct err *err)
{
	assert(thread->running);
	if (!packer_thread_works(thread, err))
		return false;
	queue_put(thread->queue, kind, data, len);
	return true;
}

bool packer_thread_ask(struct packer_thread *thread, enum entry_kind kind, int64_t *ret_generation,
	struct err *err)
{
	uint64_t before;

	(void)pthread_mutex_lock(&thread->mutex);
	before = thread->answers;
	(void)pthread_mutex_unlock(&thread->mutex);
	if (!packer_thread_put(thread, kind, NULL, 0, err))
		return false;
	queue_flush(thread->queue);
	(void)pthread_mutex_lock(&thread->mutex);
	while (thread->answers == before)
		(void)pthread_cond_wait(&thread->answered, &thread->mutex);
	*ret_generation = thread->generation;
	(void)pthread_mutex_unlock(&thread->mutex);
	return packer_thread_works(thread, err);
}

struct archive_writer_figures packer_thread_figures(struct packer_thread *thread)
{
	struct archive_writer_figures figures;

	(void)pthread_mutex_lock(&thread->mutex);
	figures = thread->figures;
	(void)pthread_mutex_unlock(&thread->mutex);
	return figures;
}
