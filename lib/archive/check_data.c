/* The frames that messages lie in, and the messages themselves. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "archive/check_internal.h"
#include "base/str.h"

/* Where something of a message is. */
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
	bool looked;           /* at a first one: what follows means something */
	struct stored at;      /* the frame that was looked at last */
	bool bad;
	struct err of; /* why */
};

static void use_volume(struct frames *frames, int64_t sequence)
{
	err_clear(&frames->of);
	if (!archive_use_volume(frames->archive, sequence, &frames->volume, &frames->of))
		frames->volume = NULL;
}

static bool look_at_frames(struct frames *frames, const struct stored *stored)
{
	uint64_t pieces = (stored->size + ARCHIVE_PIECE_BYTES - 1) / ARCHIVE_PIECE_BYTES;

	for (uint64_t i = 0; i < pieces; i++)
		if (!volume_check_frame(frames->volume, stored->frame + (int64_t)i, &frames->of))
			return false;
	return true;
}

/* What was bad is told when all messages in it are known. */
static bool tell(struct frames *frames, struct err *err)
{
	CLEANUP(freep) char *where = str_printf("volume %" PRId64, frames->at.volume);

	if (!frames->bad)
		return true;
	frames->bad = false;
	return checking_blame(frames->checking, where, &frames->of, err);
}

static bool same_place(const struct frames *frames, const struct stored *stored)
{
	return frames->looked && frames->at.volume == stored->volume &&
	       (!frames->volume || frames->at.frame == stored->frame);
}

static bool take(struct frames *frames, const struct stored *stored, struct err *err)
{
	struct db *catalogue = frames->archive->catalogue;

	if (!stored->has_item)
		return checking_lose(frames->checking, catalogue, stored->message, err) &&
		       checking_found(frames->checking, "catalogue.db",
			       "a message without a place where its bytes are", err);
	if (!same_place(frames, stored)) {
		if (!tell(frames, err))
			return false;
		if (!frames->looked || frames->at.volume != stored->volume)
			use_volume(frames, stored->volume);
		frames->looked = true;
		frames->at = *stored;
		frames->bad = !frames->volume || !look_at_frames(frames, stored);
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
			done = take(&frames, &stored, err);
	}
	if (row)
		db_reset(catalogue, CATALOGUE_PLACES_USED);
	checking->frames_known = true;
	return done && tell(&frames, err);
}

/* --- messages --- */

struct reading {
	struct checking *checking;
	uint64_t bytes;
};

static bool count_bytes(void *context, const uint8_t *data, size_t len, struct err *err)
{
	struct reading *reading = context;

	(void)data;
	(void)err;
	reading->bytes += len;
	return true;
}

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

static bool read_one(
	struct reading *reading, struct archive *archive, int64_t message, struct err *err)
{
	struct checking *checking = reading->checking;
	struct err of = ERR_INIT;

	if (is_lost(checking, message))
		return true;
	if (archive_read_message(archive, message, count_bytes, reading, &of)) {
		checking->result->messages++;
		if (checking->check->progress)
			checking->check->progress(checking->check->context,
				checking->result->messages, reading->bytes);
		return true;
	}
	if (!checking->frames_known && !check_frames(checking, archive, err))
		return false;
	if (is_lost(checking, message))
		return true;
	checking->result->messages++;
	return checking_lose(checking, archive->catalogue, message, err) &&
	       checking_blame(checking, "messages", &of, err);
}

static bool read_all(struct reading *reading, struct archive *archive, struct err *err)
{
	struct db *db = archive->catalogue;
	bool row = true, done = true;

	while (row && done) {
		done = db_step(db, CATALOGUE_MESSAGES_STORED, &row, err);
		if (done && row) {
			int64_t message = db_int(db, CATALOGUE_MESSAGES_STORED, 0);

			if (is_chosen(reading->checking->check, message))
				done = read_one(reading, archive, message, err);
		}
	}
	if (row)
		db_reset(db, CATALOGUE_MESSAGES_STORED);
	return done;
}

bool check_messages(struct checking *checking, struct err *err)
{
	CLEANUP(archive_freep) struct archive *archive = NULL;
	struct reading reading = {.checking = checking};
	struct err of = ERR_INIT;
	bool done;

	if (!archive_open(checking->path, &archive, &of))
		return checking_blame(checking, "catalogue.db", &of, err);
	if (!archive_enter(archive, err))
		return false;
	done = shelf_new(archive->catalogue, &archive->shelf, err) &&
	       read_all(&reading, archive, err);
	archive_leave(archive);
	return done;
}
