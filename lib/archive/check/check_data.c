/* The frames that messages lie in, and the messages themselves. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "archive/check/check_internal.h"
#include "base/alloc.h"
#include "base/str.h"

/* Where one of a message's items is. */
struct stored {
	int64_t message;
	int64_t volume, frame;
	uint64_t size;
	bool has_item;
};

static bool next_stored(
	struct db *catalogue, struct stored *ret_stored, bool *ret_row, struct err *err)
{
	size_t query = CATALOGUE_PLACES_USED;

	if (!db_step(catalogue, query, ret_row, err))
		return false;
	if (*ret_row)
		*ret_stored = (struct stored){
			.message = db_int(catalogue, query, 3),
			.volume = db_int(catalogue, query, 0),
			.frame = db_int(catalogue, query, 1),
			.size = (uint64_t)db_int(catalogue, query, 2),
			.has_item = !db_is_null(catalogue, query, 0),
		};
	return true;
}

/* --- frames --- */

struct frames {
	struct checking *checking;
	struct archive *archive;
	struct volume *volume; /* NULL: it could not be opened */
	bool begun;            /* `at` and `bad` are set */
	struct stored at;      /* the frame examined last */
	bool bad;
	struct err of; /* why */
};

static bool examine_frames(struct frames *frames, const struct stored *stored)
{
	uint64_t pieces = (stored->size + ARCHIVE_PIECE_BYTES - 1) / ARCHIVE_PIECE_BYTES;

	for (uint64_t i = 0; i < pieces; i++)
		if (!volume_check_frame(frames->volume, stored->frame + (int64_t)i, &frames->of))
			return false;
	return true;
}

/* A damaged frame is reported once all messages in it are known. */
static bool report_bad(struct frames *frames, struct err *err)
{
	CLEANUP(freep) char *where = str_printf("volume %" PRId64, frames->at.volume);

	if (!frames->bad)
		return true;
	frames->bad = false;
	return checking_blame(frames->checking, where, &frames->of, err);
}

static bool same_place(const struct frames *frames, const struct stored *stored)
{
	return frames->begun && frames->at.volume == stored->volume &&
	       (!frames->volume || frames->at.frame == stored->frame);
}

static bool check_stored(struct frames *frames, const struct stored *stored, struct err *err)
{
	struct db *catalogue = frames->archive->catalogue;

	if (!stored->has_item)
		return checking_lose(frames->checking, catalogue, stored->message, err) &&
		       checking_found(frames->checking, "catalogue.db",
			       "a message has no item that holds its bytes", err);
	if (!same_place(frames, stored)) {
		if (!report_bad(frames, err))
			return false;
		if (!frames->begun || frames->at.volume != stored->volume) {
			err_clear(&frames->of);
			if (!archive_use_volume(
				    frames->archive, stored->volume, &frames->volume, &frames->of))
				frames->volume = NULL;
		}
		frames->begun = true;
		frames->at = *stored;
		frames->bad = !frames->volume || !examine_frames(frames, stored);
	}
	return !frames->bad || checking_lose(frames->checking, catalogue, stored->message, err);
}

bool check_frames(struct checking *checking, struct archive *archive, struct err *err)
{
	struct frames frames = {.checking = checking, .archive = archive};
	struct db *catalogue = archive->catalogue;
	struct stored stored;
	bool row = true, done = true;

	err_clear(&frames.of);
	while (row && done) {
		done = next_stored(catalogue, &stored, &row, err);
		if (done && row)
			done = check_stored(&frames, &stored, err);
	}
	if (row)
		db_reset(catalogue, CATALOGUE_PLACES_USED);
	checking->frames_known = true;
	return done && report_bad(&frames, err);
}

/* --- messages --- */

enum { READ_AT_ONCE = 64 }; /* messages of one view of the archive; a writer may go on */

struct message_checks {
	struct checking *checking;
	struct archive *archive;
	int64_t *messages; /* in storage order */
	size_t count, cap;
	uint64_t bytes;
};

static bool count_bytes(void *context, const uint8_t *data, size_t len, struct err *err)
{
	struct message_checks *reading = context;

	(void)data;
	(void)err;
	reading->bytes += len;
	return true;
}

/* Each rotation reads another portion; those from 0 to 99 reach every message. */
static bool is_chosen(const struct archive_check *check, int64_t message)
{
	uint64_t place = ((uint64_t)message + check->rotation) % ARCHIVE_CHECK_ALL;

	return place < check->read_percent;
}

static bool is_lost(const struct checking *checking, int64_t message)
{
	return message > 0 && message <= UINT32_MAX &&
	       rangeset_has(&checking->lost_messages, (uint32_t)message);
}

static bool give_message(struct message_checks *reading, int64_t message, struct err *err)
{
	struct checking *checking = reading->checking;

	if (!archive_read_message(reading->archive, message, count_bytes, reading, err))
		return false;
	checking->result->messages++;
	if (checking->check->progress)
		checking->check->progress(
			checking->check->context, checking->result->messages, reading->bytes);
	return true;
}

/* Refreshes the view, and the leaf cache because ids may be reused. *ret_there: the message still
 * exists. */
static bool refresh(
	struct message_checks *reading, int64_t message, bool *ret_there, struct err *err)
{
	struct db *db;

	leaf_cache_freep(&reading->archive->leaf_cache);
	reading->archive->reopen = true;
	archive_leave(reading->archive);
	if (!archive_enter(reading->archive, err) ||
		!leaf_cache_new(reading->archive->catalogue, &reading->archive->leaf_cache, err))
		return false;
	db = reading->archive->catalogue;
	db_bind_int(db, CATALOGUE_MESSAGE_GET, "id", message);
	if (!db_step(db, CATALOGUE_MESSAGE_GET, ret_there, err))
		return false;
	db_reset(db, CATALOGUE_MESSAGE_GET);
	return true;
}

/* A message that cannot be read may have been moved or pruned meanwhile: it is tried twice. */
static bool read_one(struct message_checks *reading, int64_t message, struct err *err)
{
	struct checking *checking = reading->checking;
	struct err of = ERR_INIT;
	bool there;

	if (is_lost(checking, message) || give_message(reading, message, &of))
		return true;
	if (!refresh(reading, message, &there, err))
		return false;
	if (!there || give_message(reading, message, &of))
		return true;
	if (!checking->frames_known && !check_frames(checking, reading->archive, err))
		return false;
	if (is_lost(checking, message))
		return true;
	checking->result->messages++;
	return checking_lose(checking, reading->archive->catalogue, message, err) &&
	       checking_blame(checking, "messages", &of, err);
}

static bool list_chosen(struct message_checks *reading, struct err *err)
{
	struct db *db = reading->archive->catalogue;
	bool row = true;

	while (row) {
		int64_t message;

		if (!db_step(db, CATALOGUE_MESSAGES_STORED, &row, err))
			return false;
		message = row ? db_int(db, CATALOGUE_MESSAGES_STORED, 0) : 0;
		if (!row || !is_chosen(reading->checking->check, message))
			continue;
		ARRAY_GROW(reading->messages, reading->count, reading->cap);
		reading->messages[reading->count++] = message;
	}
	return true;
}

/* Within archive_enter(); leaves and enters again every READ_AT_ONCE messages. */
static bool read_all(struct message_checks *reading, struct err *err)
{
	for (size_t i = 0; i < reading->count; i++) {
		if (i % READ_AT_ONCE == READ_AT_ONCE - 1) {
			archive_leave(reading->archive);
			if (!archive_enter(reading->archive, err))
				return false;
		}
		if (!read_one(reading, reading->messages[i], err))
			return false;
	}
	return true;
}

bool check_messages(struct checking *checking, struct err *err)
{
	CLEANUP(archive_freep) struct archive *archive = NULL;
	struct message_checks reading = {.checking = checking};
	struct err of = ERR_INIT;
	bool done;

	if (!archive_open(checking->archive, &archive, &of))
		return checking_blame(checking, "catalogue.db", &of, err);
	if (!archive_enter(archive, err))
		return false;
	reading.archive = archive;
	done = leaf_cache_new(archive->catalogue, &archive->leaf_cache, err) &&
	       list_chosen(&reading, err) && read_all(&reading, err);
	free(reading.messages);
	if (archive->depth > 0)
		archive_leave(archive);
	return done;
}
