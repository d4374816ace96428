#include "archive/write/writer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "archive/catalogue/create.h"
#include "archive/catalogue/replay.h"
#include "archive/keys/vault.h"
#include "archive/read/reader.h"
#include "archive/volume/staged.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"

/* --- opening --- */

static bool activate(struct archive_writer *writer, struct err *err)
{
	int code;

	if (writer->active)
		return true;
	if (!archive_stop_peeking(writer->view, err) ||
		!packer_open(&writer->packer, writer->path, writer->volume_bytes_max,
			&writer->view->peeks, err))
		return false;
	writer->queue = queue_new(ARCHIVE_QUEUE_BYTES);
	code = pthread_create(&writer->thread, NULL, packer_thread_run, writer);
	if (code != 0) {
		packer_close(&writer->packer);
		queue_freep(&writer->queue);
		return err_errno(err, ERR_LOCAL, code, "start a thread");
	}
	writer->active = true;
	return true;
}

static bool read_next_folder(struct archive_writer *writer, struct err *err)
{
	bool row;

	/* entering reopens a view that peeked before a replay: it may lack the newest folder */
	if (!archive_enter(writer->view, err))
		return false;
	if (!db_step(writer->view->catalogue, CATALOGUE_IDS_LAST, &row, err)) {
		archive_leave(writer->view);
		return false;
	}
	assert(row);
	writer->next_folder = db_int(writer->view->catalogue, CATALOGUE_IDS_LAST, 2) + 1;
	db_reset(writer->view->catalogue, CATALOGUE_IDS_LAST);
	archive_leave(writer->view);
	return true;
}

/* After an interrupted change of the master key, the newest volume may be under the previous key.
 * Then a new one has to be started now, while no view peeks. */
static bool must_roll(struct archive_writer *writer, bool *ret_must, struct err *err)
{
	CLEANUP(catalogue_volumes_free) struct catalogue_volumes volumes = {0};
	CLEANUP(vault_view_free) struct vault_view view = {0};
	uint32_t epoch;

	*ret_must = false;
	if (!vault_look(writer->path, &view, err))
		return false;
	if (!view.keyring.change.under_way)
		return true;
	if (!catalogue_volumes(writer->view->catalogue, &volumes, err))
		return false;
	if (volumes.count == 0)
		return true;
	if (!volume_peek_key_epoch(writer->path, &volumes.items[volumes.count - 1].id, &epoch, err))
		return false;
	*ret_must = epoch != view.keyring.epoch;
	return true;
}

/* Writes nothing unless a crash left something to complete. */
static bool open_locked(struct archive_writer *writer, struct err *err)
{
	bool needed, outdated = false;

	return create_missing_catalogue(writer->path, err) &&
	       archive_open_view(writer->path, true, &writer->view, err) &&
	       replay_needed(writer->path, writer->view->catalogue, &needed, err) &&
	       (needed || must_roll(writer, &outdated, err)) &&
	       (!(needed || outdated) || activate(writer, err)) && read_next_folder(writer, err);
}

static struct archive_writer *new_writer(const char *path)
{
	struct archive_writer *writer = xcalloc(1, sizeof(*writer));

	writer->path = xstrdup(path);
	writer->digest = sha256_new();
	writer->lock = -1;
	writer->next_ticket = 1;
	writer->volume_bytes_max = ARCHIVE_VOLUME_BYTES;
	buf_init(&writer->scratch, QUEUE_ENTRY_BYTES_MAX);
	(void)pthread_mutex_init(&writer->mutex, NULL);
	(void)pthread_cond_init(&writer->answered, NULL);
	return writer;
}

bool archive_writer_open(
	const char *path, int timeout_ms, struct archive_writer **ret_writer, struct err *err)
{
	CLEANUP(archive_writer_freep) struct archive_writer *writer = NULL;

	if (!archive_exists(path))
		return err_set(err, ERR_NOT_FOUND, "%s: there is no archive here", path);
	writer = new_writer(path);
	if (!staged_lock(path, timeout_ms, &writer->lock, err) || !open_locked(writer, err))
		return false;
	*ret_writer = TAKE(writer);
	return true;
}

void archive_writer_freep(struct archive_writer **writer)
{
	struct archive_writer *old = *writer;

	if (!old)
		return;
	if (old->active) {
		queue_put(old->queue, ENTRY_STOP, NULL, 0);
		queue_flush(old->queue);
		(void)pthread_join(old->thread, NULL);
		packer_close(&old->packer);
	}
	queue_freep(&old->queue);
	archive_freep(&old->view);
	(void)pthread_cond_destroy(&old->answered);
	(void)pthread_mutex_destroy(&old->mutex);
	buf_free(&old->scratch);
	sha256_freep(&old->digest);
	fs_unlock(&old->lock);
	free(old->path);
	free(old);
	*writer = NULL;
}

struct archive *archive_writer_view(struct archive_writer *writer)
{
	return writer->view;
}

struct archive_writer_figures archive_writer_figures(const struct archive_writer *writer)
{
	struct archive_writer *w = (struct archive_writer *)writer;
	struct archive_writer_figures figures;

	(void)pthread_mutex_lock(&w->mutex);
	figures = w->figures;
	(void)pthread_mutex_unlock(&w->mutex);
	return figures;
}

/* --- the queue --- */

static bool check_failure(struct archive_writer *writer, struct err *err)
{
	bool failed;

	(void)pthread_mutex_lock(&writer->mutex);
	failed = writer->failed;
	if (failed && err)
		*err = writer->failure;
	(void)pthread_mutex_unlock(&writer->mutex);
	return !failed;
}

bool writer_hand_over(struct archive_writer *writer, enum entry_kind kind, const void *data,
	size_t len, struct err *err)
{
	if (!check_failure(writer, err) || !activate(writer, err))
		return false;
	queue_put(writer->queue, kind, data, len);
	return true;
}

static bool wait_answer(struct archive_writer *writer, enum entry_kind kind,
	int64_t *ret_generation, struct err *err)
{
	uint64_t before;

	(void)pthread_mutex_lock(&writer->mutex);
	before = writer->answers;
	(void)pthread_mutex_unlock(&writer->mutex);
	if (!writer_hand_over(writer, kind, NULL, 0, err))
		return false;
	queue_flush(writer->queue);
	(void)pthread_mutex_lock(&writer->mutex);
	while (writer->answers == before)
		(void)pthread_cond_wait(&writer->answered, &writer->mutex);
	*ret_generation = writer->generation;
	(void)pthread_mutex_unlock(&writer->mutex);
	return check_failure(writer, err);
}

/* While nothing is pending, the view shows whether the record changes anything. */
static bool is_change(struct archive_writer *writer, bool *ret_change, struct err *err)
{
	struct reader reader = {
		.at = writer->scratch.data,
		.end = writer->scratch.data + writer->scratch.len,
	};
	struct record record;
	bool unknown;
	bool ok;

	*ret_change = true;
	if (writer->active)
		return true;
	ok = record_decode(&reader, &record, &unknown);
	if (!ok)
		return err_set(err, ERR_LOCAL, "cannot record a malformed change");
	return apply_is_change(writer->view->catalogue, &record, ret_change, err);
}

bool writer_hand_over_record(
	struct archive_writer *writer, const struct record *record, struct err *err)
{
	bool change;

	assert(!writer->message_open);
	buf_reset(&writer->scratch);
	if (!record_encode(record, &writer->scratch))
		return err_set(
			err, ERR_LOCAL, "a change is larger than %d bytes", RECORD_BYTES_MAX);
	if (!is_change(writer, &change, err))
		return false;
	return !change || writer_hand_over(writer, ENTRY_RECORD, writer->scratch.data,
				  writer->scratch.len, err);
}

/* --- commits --- */

bool archive_may_commit(struct archive_writer *writer, struct err *err)
{
	assert(!writer->message_open);
	if (!writer->active)
		return check_failure(writer, err);
	return writer_hand_over(writer, ENTRY_MAY_COMMIT, NULL, 0, err);
}

bool archive_commit(
	struct archive_writer *writer, bool complete, int64_t *ret_generation, struct err *err)
{
	assert(!writer->message_open);
	if (!writer->active) {
		struct archive_snapshot last;
		uint64_t bytes;

		if (!catalogue_last_snapshot(writer->view->catalogue, &last, &bytes, err))
			return false;
		if (!complete || last.complete) {
			*ret_generation = last.generation;
			return true;
		}
	}
	return wait_answer(
		writer, complete ? ENTRY_COMMIT_COMPLETE : ENTRY_COMMIT, ret_generation, err);
}

bool archive_tidy(struct archive_writer *writer, struct err *err)
{
	int64_t unused;

	assert(!writer->message_open);
	if (!writer->active)
		return check_failure(writer, err);
	return wait_answer(writer, ENTRY_TIDY, &unused, err);
}
