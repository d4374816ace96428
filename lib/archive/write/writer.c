#include "archive/write/writer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "archive/catalogue/create.h"
#include "archive/catalogue/replay.h"
#include "archive/keys/keys.h"
#include "archive/read/reader.h"
#include "archive/volume/staged.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"

/* --- opening --- */

static bool start_packer(struct archive_writer *writer, struct err *err)
{
	assert(writer->lock >= 0); /* taken in archive_writer_open(), held until the end */
	return writer->thread.running ||
	       (archive_stop_peeking(writer->view, err) &&
		       packer_thread_start(&writer->thread, &writer->archive,
			       writer->volume_bytes_max, &writer->view->peeks, err));
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
	CLEANUP(keys_view_free) struct keys_view view = {0};
	uint32_t key_epoch;

	*ret_must = false;
	if (!keys_look(&writer->archive, &view, err))
		return false;
	if (!view.keyring.change.under_way)
		return true;
	if (!catalogue_volumes(writer->view->catalogue, &volumes, err))
		return false;
	if (volumes.count == 0)
		return true;
	if (!volume_peek_key_epoch(
		    writer->archive.path, &volumes.items[volumes.count - 1].id, &key_epoch, err))
		return false;
	*ret_must = key_epoch != view.keyring.key_epoch;
	return true;
}

/* Writes nothing unless a crash left something to complete. */
static bool open_locked(struct archive_writer *writer, struct err *err)
{
	bool needed, outdated = false;

	return create_missing_catalogue(&writer->archive, err) &&
	       archive_open_view(&writer->archive, true, &writer->view, err) &&
	       replay_needed(&writer->archive, writer->view->catalogue, &needed, err) &&
	       (needed || must_roll(writer, &outdated, err)) &&
	       (!(needed || outdated) || start_packer(writer, err)) &&
	       read_next_folder(writer, err);
}

static struct archive_writer *new_writer(const struct archive_ref *archive)
{
	struct archive_writer *writer = xcalloc(1, sizeof(*writer));

	writer->archive = (struct archive_ref){xstrdup(archive->path), archive->keys};
	writer->digest = sha256_new();
	writer->lock = -1;
	writer->next_ticket = 1;
	writer->volume_bytes_max = ARCHIVE_VOLUME_BYTES;
	buf_init(&writer->scratch, QUEUE_ENTRY_BYTES_MAX);
	packer_thread_init(&writer->thread);
	return writer;
}

bool archive_writer_open(const struct archive_ref *archive, int timeout_ms,
	struct archive_writer **ret_writer, struct err *err)
{
	CLEANUP(archive_writer_freep) struct archive_writer *writer = NULL;

	if (!archive_exists(archive->path))
		return err_set(err, ERR_NOT_FOUND, "%s: there is no archive here", archive->path);
	writer = new_writer(archive);
	if (!staged_lock_and_publish(archive->path, timeout_ms, &writer->lock, err) ||
		!open_locked(writer, err))
		return false;
	*ret_writer = TAKE(writer);
	return true;
}

void archive_writer_freep(struct archive_writer **writer)
{
	struct archive_writer *old = *writer;

	if (!old)
		return;
	packer_thread_free(&old->thread);
	archive_freep(&old->view);
	buf_free(&old->scratch);
	sha256_freep(&old->digest);
	fs_unlock(&old->lock);
	free((char *)old->archive.path);
	free(old);
	*writer = NULL;
}

struct archive *archive_writer_view(struct archive_writer *writer)
{
	return writer->view;
}

struct archive_writer_figures archive_writer_figures(const struct archive_writer *writer)
{
	return packer_thread_figures((struct packer_thread *)&writer->thread);
}

/* --- the queue --- */

bool writer_hand_over(struct archive_writer *writer, enum entry_kind kind, const void *data,
	size_t len, struct err *err)
{
	return packer_thread_works(&writer->thread, err) && start_packer(writer, err) &&
	       packer_thread_put(&writer->thread, kind, data, len, err);
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
	if (writer->thread.running)
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
	if (!writer->thread.running)
		return packer_thread_works(&writer->thread, err);
	return writer_hand_over(writer, ENTRY_MAY_COMMIT, NULL, 0, err);
}

bool archive_commit(
	struct archive_writer *writer, bool complete, int64_t *ret_generation, struct err *err)
{
	assert(!writer->message_open);
	if (!writer->thread.running) {
		struct archive_snapshot last;
		uint64_t bytes;

		if (!catalogue_last_snapshot(writer->view->catalogue, &last, &bytes, err))
			return false;
		if (!complete || last.complete) {
			*ret_generation = last.generation;
			return true;
		}
	}
	return start_packer(writer, err) &&
	       packer_thread_ask(&writer->thread, complete ? ENTRY_COMMIT_COMPLETE : ENTRY_COMMIT,
		       ret_generation, err);
}

bool archive_tidy(struct archive_writer *writer, struct err *err)
{
	int64_t unused;

	assert(!writer->message_open);
	if (!writer->thread.running)
		return packer_thread_works(&writer->thread, err);
	return packer_thread_ask(&writer->thread, ENTRY_TIDY, &unused, err);
}
