/* The frames that messages lie in, and the messages themselves. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "archive/check_internal.h"
#include "archive/reader.h"
#include "archive/replay.h"
#include "base/str.h"

enum { PERCENT = 100 };

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
	struct db *catalogue;
	struct volume volume;
	bool looked;      /* at a first one: what follows means something */
	int64_t sequence; /* of the volume that is open, or could not be */
	bool volume_bad;
	struct stored at; /* the frame that was looked at last */
	bool bad;
	struct err of; /* why */
};

static void use_volume(struct frames *frames, int64_t sequence)
{
	struct catalogue_volume known;
	CLEANUP(freep) char *path = NULL;
	bool found = false;

	volume_close(&frames->volume);
	frames->sequence = sequence;
	err_clear(&frames->of);
	frames->volume_bad =
		!catalogue_volume(frames->catalogue, sequence, &found, &known, &frames->of);
	if (!frames->volume_bad && !found)
		frames->volume_bad = !err_set(&frames->of, ERR_CORRUPT, "is not catalogued");
	if (frames->volume_bad)
		return;
	path = volume_path(frames->checking->path, &known.id);
	frames->volume_bad = !volume_open(frames->checking->path, &known.id, replay_peek_mode(path),
		&frames->volume, &frames->of);
}

static bool look_at_frames(struct frames *frames, const struct stored *stored)
{
	uint64_t pieces = (stored->size + ARCHIVE_PIECE_BYTES - 1) / ARCHIVE_PIECE_BYTES;

	for (uint64_t i = 0; i < pieces; i++)
		if (!volume_check_frame(&frames->volume, stored->frame + (int64_t)i, &frames->of))
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
	       (frames->volume_bad || frames->at.frame == stored->frame);
}

static bool take(struct frames *frames, const struct stored *stored, struct err *err)
{
	if (!stored->has_item)
		return checking_lose(frames->checking, frames->catalogue, stored->message, err) &&
		       checking_found(frames->checking, "catalogue.db",
			       "a message without a place where its bytes are", err);
	if (!same_place(frames, stored)) {
		if (!tell(frames, err))
			return false;
		if (!frames->looked || frames->sequence != stored->volume)
			use_volume(frames, stored->volume);
		frames->looked = true;
		frames->at = *stored;
		frames->bad = frames->volume_bad || !look_at_frames(frames, stored);
	}
	return !frames->bad ||
	       checking_lose(frames->checking, frames->catalogue, stored->message, err);
}

bool check_frames(struct checking *checking, struct db *catalogue, struct err *err)
{
	struct frames frames = {.checking = checking, .catalogue = catalogue};
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
	done = done && tell(&frames, err);
	volume_close(&frames.volume);
	return done;
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
	uint64_t place = ((uint64_t)message + check->rotation) % PERCENT;

	return place < check->read_percent;
}

static bool read_one(
	struct reading *reading, struct archive *archive, int64_t message, struct err *err)
{
	struct checking *checking = reading->checking;
	struct err of = ERR_INIT;

	if (message <= UINT32_MAX && rangeset_has(&checking->lost_messages, (uint32_t)message))
		return true;
	checking->result->messages++;
	if (archive_read_message(archive, message, count_bytes, reading, &of)) {
		if (checking->check->progress)
			checking->check->progress(checking->check->context,
				checking->result->messages, reading->bytes);
		return true;
	}
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
	archive->cached_bytes_max = ARCHIVE_CACHED_BYTES_CHECK;
	if (!archive_enter(archive, err))
		return false;
	done = read_all(&reading, archive, err);
	archive_leave(archive);
	return done;
}
