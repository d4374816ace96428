/* The packer thread: passes entries from the queue to the packer. */
#include <assert.h>
#include <string.h>

#include "archive/write/writer.h"

static bool take_record(struct packer *packer, const struct queue_entry *entry, struct err *err)
{
	struct reader reader = {.at = entry->data, .end = entry->data + entry->len};
	struct record record;
	bool unknown;
	bool ok = record_decode(&reader, &record, &unknown);

	if (!ok)
		return err_set(err, ERR_LOCAL, "cannot record a malformed change");
	return packer_change(packer, &record, err);
}

static bool begin_message(struct packer *packer, const struct queue_entry *entry)
{
	int64_t folder;

	assert(entry->len == sizeof(folder));
	memcpy(&folder, entry->data, sizeof(folder));
	packer_message_begin(packer, folder);
	return true;
}

static bool do_entry(struct archive_writer *writer, const struct queue_entry *entry,
	int64_t *ret_generation, struct err *err)
{
	struct packer *packer = &writer->packer;

	switch ((enum entry_kind)entry->kind) {
	case ENTRY_RECORD:
		return take_record(packer, entry, err);
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
		return packer_tidy(packer, err);
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
	struct archive_writer *writer, uint32_t kind, int64_t generation, const struct err *failure)
{
	(void)pthread_mutex_lock(&writer->mutex);
	if (failure && !writer->failed) {
		writer->failed = true;
		writer->failure = *failure;
	}
	writer->figures = writer->packer.figures;
	if (wants_answer(kind)) {
		writer->generation = generation;
		writer->answers++;
		(void)pthread_cond_signal(&writer->answered);
	}
	(void)pthread_mutex_unlock(&writer->mutex);
}

/* After a failure it discards entries, so that the caller never waits for room or an answer
 * forever. */
void *packer_thread_run(void *context)
{
	struct archive_writer *writer = context;
	struct err err = ERR_INIT;
	bool failed = false;
	uint32_t kind;

	do {
		struct queue_entry entry = queue_take(writer->queue);
		int64_t generation = 0;

		kind = entry.kind;
		if (!failed)
			failed = !do_entry(writer, &entry, &generation, &err);
		queue_done(writer->queue, &entry);
		answer(writer, kind, generation, failed ? &err : NULL);
	} while (kind != ENTRY_STOP);
	if (!failed && !writer->packer.dirty)
		(void)packer_tidy(&writer->packer, &err);
	return NULL;
}
