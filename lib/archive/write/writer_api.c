/* The writing half of archive.h: turns every change into an entry of the queue. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "archive/write/writer.h"
#include "base/alloc.h"

enum { DATA_BYTES = 64 * 1024 /* of one entry */ };

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
		!writer_hand_over_record(writer, &record, err))
		return false;
	if (!folder->id)
		writer->next_folder++;
	*ret_id = id;
	return true;
}

bool archive_folder_gone(struct archive_writer *writer, int64_t folder_id, struct err *err)
{
	struct record record = {.kind = RECORD_FOLDER_GONE, .folder_gone = folder_id};

	return writer_hand_over_record(writer, &record, err);
}

bool archive_set_uidvalidity(
	struct archive_writer *writer, int64_t folder_id, uint32_t uidvalidity, struct err *err)
{
	struct record record = {
		.kind = RECORD_UIDVALIDITY,
		.uidvalidity = {.folder = folder_id, .uidvalidity = uidvalidity},
	};

	return writer_hand_over_record(writer, &record, err);
}

bool archive_set_mark(struct archive_writer *writer, int64_t folder_id,
	const struct archive_mark *mark, struct err *err)
{
	/* invariant 2: the packer records it after everything handed over before it */
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

	return writer_hand_over_record(writer, &record, err);
}

bool archive_pin(struct archive_writer *writer, int64_t generation, bool pinned, struct err *err)
{
	struct record record = {.kind = pinned ? RECORD_PIN : RECORD_UNPIN, .pin = generation};

	return writer_hand_over_record(writer, &record, err);
}

/* --- messages --- */

bool archive_message_begin(
	struct archive_writer *writer, int64_t folder_id, uint64_t size_hint, struct err *err)
{
	(void)size_hint; /* the packer streams long messages, whatever was announced */
	assert(!writer->message_open);
	writer->message_open =
		writer_hand_over(writer, ENTRY_BEGIN, &folder_id, sizeof(folder_id), err);
	return writer->message_open;
}

bool archive_message_data(
	struct archive_writer *writer, const uint8_t *data, size_t len, struct err *err)
{
	assert(writer->message_open);
	sha256_add(writer->digest, data, len);
	while (len > 0) {
		size_t part = len < DATA_BYTES ? len : DATA_BYTES;

		if (!writer_hand_over(writer, ENTRY_DATA, data, part, err))
			return false;
		data += part;
		len -= part;
	}
	return true;
}

bool archive_message_end(struct archive_writer *writer, int64_t *ret_ticket, struct err *err)
{
	uint8_t sha256[SHA256_BYTES];

	assert(writer->message_open);
	writer->message_open = false;
	sha256_finish(writer->digest, sha256);
	if (!writer_hand_over(writer, ENTRY_END, sha256, sizeof(sha256), err))
		return false;
	*ret_ticket = writer->next_ticket++;
	return true;
}

void archive_message_abort(struct archive_writer *writer)
{
	uint8_t unused[SHA256_BYTES];
	struct err ignored;

	sha256_finish(writer->digest, unused);
	if (writer->message_open)
		(void)writer_hand_over(writer, ENTRY_ABORT, NULL, 0, &ignored);
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
	       check_text("flags", placement->flags, err) &&
	       writer_hand_over_record(writer, &record, err);
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
	return check_text("flags", flags, err) && writer_hand_over_record(writer, &record, err);
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

		memcpy(ranges, uids->items + from, record.gone.count * sizeof(*ranges));
		if (ranges[0].first == 0)
			ranges[0].first = 1; /* no message has uid 0, nor has a record */
		if (!writer_hand_over_record(writer, &record, err))
			return false;
		from += record.gone.count;
	}
	return true;
}
