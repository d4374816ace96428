#include "archive/writer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "archive/create.h"
#include "archive/reader.h"
#include "archive/replay.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"

enum { DATA_BYTES = 64 * 1024 /* of one entry */ };

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
	code = pthread_create(&writer->thread, NULL, pump_run, writer);
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
	struct db *db = writer->view->catalogue;
	bool row;

	if (!db_step(db, CATALOGUE_IDS_LAST, &row, err))
		return false;
	assert(row);
	writer->next_folder = db_int(db, CATALOGUE_IDS_LAST, 2) + 1;
	db_reset(db, CATALOGUE_IDS_LAST);
	return true;
}

/* Nothing is written unless a crash left something to mend. */
static bool open_locked(struct archive_writer *writer, struct err *err)
{
	bool needed;

	return create_missing_catalogue(writer->path, err) &&
	       archive_open_view(writer->path, true, &writer->view, err) &&
	       replay_needed(writer->path, writer->view->catalogue, &needed, err) &&
	       (!needed || activate(writer, err)) && read_next_folder(writer, err);
}

static struct archive_writer *new_writer(const char *path)
{
	struct archive_writer *writer = xcalloc(1, sizeof(*writer));

	writer->path = xstrdup(path);
	writer->lock = -1;
	writer->next_ticket = 1;
	writer->volume_bytes_max = ARCHIVE_VOLUME_BYTES;
	buf_init(&writer->scratch, QUEUE_ENTRY_BYTES_MAX);
	(void)pthread_mutex_init(&writer->mutex, NULL);
	(void)pthread_cond_init(&writer->answered, NULL);
	return writer;
}

bool archive_writer_open(const char *path, const char *purpose, int timeout_ms,
	struct archive_writer **ret_writer, struct err *err)
{
	CLEANUP(archive_writer_freep) struct archive_writer *writer = NULL;
	CLEANUP(freep) char *lock = str_printf("%s/lock", path);

	if (!archive_exists(path))
		return err_set(err, ERR_NOT_FOUND, "%s: there is no archive", path);
	writer = new_writer(path);
	if (!fs_lock(lock, purpose, timeout_ms, &writer->lock, err) || !open_locked(writer, err))
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
		(void)pthread_join(old->thread, NULL);
		packer_close(&old->packer);
	}
	queue_freep(&old->queue);
	archive_freep(&old->view);
	(void)pthread_cond_destroy(&old->answered);
	(void)pthread_mutex_destroy(&old->mutex);
	buf_free(&old->scratch);
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

/* --- handing over --- */

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

static bool hand_over(struct archive_writer *writer, enum entry_kind kind, const void *data,
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
	if (!hand_over(writer, kind, NULL, 0, err))
		return false;
	(void)pthread_mutex_lock(&writer->mutex);
	while (writer->answers == before)
		(void)pthread_cond_wait(&writer->answered, &writer->mutex);
	*ret_generation = writer->generation;
	(void)pthread_mutex_unlock(&writer->mutex);
	return check_failure(writer, err);
}

/* While nothing is pending, the view tells whether the record is a change. */
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
		return err_set(err, ERR_LOCAL, "a change that cannot be recorded");
	return apply_is_change(writer->view->catalogue, &record, ret_change, err);
}

static bool hand_over_record(
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
	return !change ||
	       hand_over(writer, ENTRY_RECORD, writer->scratch.data, writer->scratch.len, err);
}

static bool check_text(const char *what, const char *text, struct err *err)
{
	return !text || strlen(text) <= RECORD_TEXT_BYTES_MAX ||
	       err_set(err, ERR_LOCAL, "%s is longer than %d bytes", what, RECORD_TEXT_BYTES_MAX);
}

/* --- folders and marks --- */

bool archive_put_folder(struct archive_writer *writer, const struct archive_folder *folder,
	int64_t *ret_id, struct err *err)
{
	int64_t id = folder->id ? folder->id : writer->next_folder;
	struct record record = {
		.kind = RECORD_FOLDER,
		.folder =
			{
				.id = id,
				.path = text_of(folder->path),
				.wire_name = text_of(folder->wire_name),
				.attributes = text_of(folder->attributes),
				.special_use = text_of(folder->special_use),
				.has_special_use = folder->special_use != NULL,
				.delimiter = (uint8_t)folder->delimiter,
				.subscribed = folder->subscribed,
				.selectable = folder->selectable,
			},
	};

	if (folder->id < 0 || folder->id >= writer->next_folder)
		return err_set(err, ERR_NOT_FOUND, "no folder %" PRId64, folder->id);
	if (!check_text("a folder's name", folder->path, err) ||
		!check_text("a folder's name", folder->wire_name, err) ||
		!check_text("a folder's attributes", folder->attributes, err) ||
		!check_text("a folder's special use", folder->special_use, err) ||
		!hand_over_record(writer, &record, err))
		return false;
	if (!folder->id)
		writer->next_folder++;
	*ret_id = id;
	return true;
}

bool archive_folder_gone(struct archive_writer *writer, int64_t folder_id, struct err *err)
{
	struct record record = {.kind = RECORD_FOLDER_GONE, .folder_gone = folder_id};

	return hand_over_record(writer, &record, err);
}

bool archive_set_uidvalidity(
	struct archive_writer *writer, int64_t folder_id, uint32_t uidvalidity, struct err *err)
{
	struct record record = {
		.kind = RECORD_UIDVALIDITY,
		.uidvalidity = {.folder = folder_id, .uidvalidity = uidvalidity},
	};

	return hand_over_record(writer, &record, err);
}

bool archive_set_mark(struct archive_writer *writer, int64_t folder_id,
	const struct archive_mark *mark, struct err *err)
{
	struct record record = {
		.kind = RECORD_MARK,
		.mark =
			{
				.folder = folder_id,
				.uidvalidity = mark->uidvalidity,
				.uidnext = mark->uidnext,
				.highestmodseq = mark->highestmodseq,
				.messages = mark->messages,
				.flags_compared_ms = mark->flags_compared_ms,
			},
	};

	return hand_over_record(writer, &record, err);
}

/* --- messages --- */

bool archive_message_begin(
	struct archive_writer *writer, int64_t folder_id, uint64_t size_hint, struct err *err)
{
	(void)size_hint; /* bytes stream into pieces in any case */
	assert(!writer->message_open);
	writer->message_open = hand_over(writer, ENTRY_BEGIN, &folder_id, sizeof(folder_id), err);
	return writer->message_open;
}

bool archive_message_data(
	struct archive_writer *writer, const uint8_t *data, size_t len, struct err *err)
{
	assert(writer->message_open);
	while (len > 0) {
		size_t part = len < DATA_BYTES ? len : DATA_BYTES;

		if (!hand_over(writer, ENTRY_DATA, data, part, err))
			return false;
		data += part;
		len -= part;
	}
	return true;
}

bool archive_message_end(struct archive_writer *writer, int64_t *ret_ticket, struct err *err)
{
	assert(writer->message_open);
	writer->message_open = false;
	if (!hand_over(writer, ENTRY_END, NULL, 0, err))
		return false;
	*ret_ticket = writer->next_ticket++;
	return true;
}

void archive_message_abort(struct archive_writer *writer)
{
	struct err ignored;

	if (writer->message_open)
		(void)hand_over(writer, ENTRY_ABORT, NULL, 0, &ignored);
	writer->message_open = false;
}

/* --- placements --- */

bool archive_place(
	struct archive_writer *writer, const struct archive_placement *placement, struct err *err)
{
	struct record record = {
		.kind = RECORD_PLACEMENT,
		.placement =
			{
				.folder = placement->folder_id,
				.uidvalidity = placement->uidvalidity,
				.uid = placement->uid,
				.message = placement->ticket,
				.known = KNOWN_FETCHED,
				.has_date = placement->has_date,
				.date_s = placement->date.unix_s,
				.date_offset_min = placement->date.offset_min,
				.has_date_text = placement->date_text != NULL,
				.date_text = text_of(placement->date_text),
				.flags = text_of(placement->flags),
			},
	};

	assert(placement->uid > 0 && placement->ticket > 0);
	return check_text("a date", placement->date_text, err) &&
	       check_text("flags", placement->flags, err) && hand_over_record(writer, &record, err);
}

bool archive_set_flags(struct archive_writer *writer, int64_t folder_id, uint32_t uidvalidity,
	uint32_t uid, const char *flags, struct err *err)
{
	struct record record = {
		.kind = RECORD_FLAGS,
		.flags =
			{
				.folder = folder_id,
				.uidvalidity = uidvalidity,
				.uid = uid,
				.flags = text_of(flags),
			},
	};

	assert(uid > 0);
	return check_text("flags", flags, err) && hand_over_record(writer, &record, err);
}

/* Uid 0 is none: a range that begins with it begins with 1. */
static void copy_ranges(const struct rangeset *uids, size_t from, size_t count, struct range *out)
{
	memcpy(out, uids->items + from, count * sizeof(*out));
	if (out[0].first == 0)
		out[0].first = 1;
}

bool archive_set_gone(struct archive_writer *writer, int64_t folder_id, uint32_t uidvalidity,
	const struct rangeset *uids, struct err *err)
{
	size_t most = uids->count < RECORD_RANGES_MAX ? uids->count : RECORD_RANGES_MAX;
	CLEANUP(freep) struct range *ranges = xcalloc(most + 1, sizeof(*ranges));
	size_t from = uids->count > 0 && uids->items[0].last == 0;

	while (from < uids->count) {
		size_t left = uids->count - from;
		struct record record = {
			.kind = RECORD_GONE,
			.gone =
				{
					.folder = folder_id,
					.uidvalidity = uidvalidity,
					.ranges = ranges,
					.count = left < most ? left : most,
				},
		};

		copy_ranges(uids, from, record.gone.count, ranges);
		if (!hand_over_record(writer, &record, err))
			return false;
		from += record.gone.count;
	}
	return true;
}

/* --- commits --- */

bool archive_may_commit(struct archive_writer *writer, struct err *err)
{
	assert(!writer->message_open);
	if (!writer->active)
		return check_failure(writer, err);
	return hand_over(writer, ENTRY_MAY_COMMIT, NULL, 0, err);
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

static bool wal_is_large(const struct archive_writer *writer)
{
	return db_wal_bytes(writer->view->catalogue) > PACKER_WAL_BYTES_TIDY;
}

bool archive_tidy(struct archive_writer *writer, struct err *err)
{
	int64_t unused;

	assert(!writer->message_open);
	if (!writer->active && !wal_is_large(writer))
		return check_failure(writer, err);
	return wait_answer(writer, ENTRY_TIDY, &unused, err);
}
