#include "support/crash/power_archive.h"
#include "support/archive/inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "support/archive/archive_fixture.h"
#include "support/archive/refs.h"
#include "support/check.h"
#include "support/crash/power_log.h"

enum {
	SMALL_BYTES = 700,
	PART_BYTES = 67 * 1000, /* a frame of its own */
	VOLUME_BYTES = 50 * 1000,
	WAIT_MS = 1000,
	TEXT_MAX = 1024 * 1024,
};

/* --- filling --- */

static size_t size_of(uint32_t uid)
{
	return uid % 8 == 5 ? PART_BYTES + uid : SMALL_BYTES + (size_t)uid * 13;
}

/* The 8th equals the 2nd. */
static void make(uint32_t uid, struct buf *out)
{
	uint32_t seed = uid == 8 ? 2 : uid;

	fixture_message(out, seed, size_of(seed));
}

void power_digest(uint32_t uid, uint8_t ret_digest[SHA256_BYTES])
{
	CLEANUP(buf_free) struct buf message = BUF_INIT(FIXTURE_MESSAGE_MAX);

	make(uid, &message);
	sha256_of(message.data, message.len, ret_digest);
}

static bool add(struct archive_writer *writer, int64_t folder, uint32_t uid, struct err *err)
{
	CLEANUP(buf_free) struct buf message = BUF_INIT(FIXTURE_MESSAGE_MAX);
	struct archive_placement placement = {
		.folder_id = folder,
		.uidvalidity = POWER_VALIDITY,
		.uid = uid,
		.has_date = true,
		.date = {.unix_s = 1000000000 + uid, .offset_min = 60},
		.flags = uid % 2 ? "\\Seen" : "",
	};

	make(uid, &message);
	return archive_message_begin(writer, folder, message.len, err) &&
	       archive_message_data(writer, message.data, message.len, err) &&
	       archive_message_end(writer, &placement.ticket, err) &&
	       archive_place(writer, &placement, err);
}

static bool find_folder(void *context, const struct archive_folder *folder, struct err *err)
{
	(void)err;
	*(int64_t *)context = folder->id;
	return true;
}

static bool open_folder(
	struct archive_writer *writer, int64_t batch, int64_t *ret_id, struct err *err)
{
	struct archive_folder folder = {.path = "INBOX", .wire_name = "INBOX", .attributes = ""};

	return archive_each_folder(
		       archive_writer_view(writer), batch - 1, find_folder, &folder.id, err) &&
	       archive_put_folder(writer, &folder, ret_id, err) &&
	       archive_set_uidvalidity(writer, *ret_id, POWER_VALIDITY, err);
}

static bool change_older(
	struct archive_writer *writer, int64_t folder, uint32_t first, struct err *err)
{
	CLEANUP(rangeset_free) struct rangeset uids = {0};

	if (first == 1)
		return true;
	rangeset_add(&uids, first - POWER_EACH, first - 2);
	return archive_set_gone(writer, folder, POWER_VALIDITY, &uids, err) &&
	       archive_set_flags(writer, folder, POWER_VALIDITY, first - 1, "$Work \\Flagged", err);
}

bool power_add_batch(struct archive_writer *writer, int64_t batch, struct err *err)
{
	uint32_t first = (uint32_t)(batch - 1) * POWER_EACH + 1;
	const struct archive_mark mark = {
		.uidvalidity = POWER_VALIDITY, .uidnext = first + POWER_EACH};
	int64_t folder, generation;

	inside_limit_volumes(writer, VOLUME_BYTES);
	if (!open_folder(writer, batch, &folder, err))
		return false;
	for (uint32_t uid = first; uid < first + POWER_EACH; uid++)
		if (!add(writer, folder, uid, err))
			return false;
	return change_older(writer, folder, first, err) &&
	       archive_set_mark(writer, folder, &mark, err) &&
	       archive_commit(writer, true, &generation, err);
}

static bool newest(struct archive *archive, int64_t *ret_generation, struct err *err)
{
	struct archive_snapshot snapshot;

	if (!archive_resolve(
		    archive, (struct archive_when){.kind = ARCHIVE_LATEST}, &snapshot, err))
		return false;
	*ret_generation = snapshot.generation;
	return true;
}

bool power_fill(const char *path, int64_t batches, struct err *err)
{
	CLEANUP(archive_writer_freep) struct archive_writer *writer = NULL;
	int64_t batch;

	if (!(archive_exists(path) ? fixture_unlock : fixture_create)(path, err) ||
		!archive_writer_open(ref_of(path), WAIT_MS, &writer, err) ||
		!newest(archive_writer_view(writer), &batch, err))
		return false;
	while (++batch <= batches) {
		if (!power_add_batch(writer, batch, err))
			return false;
		power_log_acknowledge();
	}
	return archive_tidy(writer, err);
}

/* --- telling --- */

struct telling {
	struct archive *archive;
	struct buf text;
};

static bool tell_entry(void *context, const struct archive_entry *entry, struct err *err)
{
	struct telling *telling = context;
	char hex[SHA256_HEX_MAX];

	(void)err;
	sha256_hex(entry->sha256, hex);
	return buf_printf(&telling->text, "%s %u %u %" PRIu64 " [%s] %lld %.16s%s\n",
		entry->folder_path, entry->uidvalidity, entry->uid, entry->size, entry->flags,
		(long long)entry->date.unix_s, hex, entry->gone_ms ? " gone" : "");
}

static bool tell_folder(void *context, const struct archive_folder *folder, struct err *err)
{
	struct telling *telling = context;
	struct archive_mark mark = {0};
	bool found;

	return archive_mark_of(telling->archive, folder->id, &found, &mark, err) &&
	       buf_printf(&telling->text, "%s %u, next %u\n", folder->path, folder->uidvalidity,
		       mark.uidnext);
}

static bool tell_snapshot(void *context, const struct archive_snapshot *snapshot, struct err *err)
{
	struct telling *telling = context;
	const struct archive_list list = {.generation = snapshot->generation};

	return buf_printf(&telling->text, "%" PRId64 "%s%s:\n", snapshot->generation,
		       snapshot->complete ? "" : " incomplete",
		       snapshot->pinned ? " pinned" : "") &&
	       archive_each_folder(
		       telling->archive, snapshot->generation, tell_folder, telling, err) &&
	       archive_each_entry(telling->archive, &list, tell_entry, telling, err);
}

static char *tell(struct archive *archive)
{
	struct telling telling = {.archive = archive, .text = BUF_INIT(TEXT_MAX)};
	struct archive_list list = {.deleted = true};
	struct err err = ERR_INIT;

	CHECK_OK(newest(archive, &list.generation, &err));
	CHECK_OK(archive_each_snapshot(archive, tell_snapshot, &telling, &err));
	CHECK_OK(archive_each_entry(archive, &list, tell_entry, &telling, &err));
	return buf_take_str(&telling.text);
}

char *power_tell(const char *path, bool writes)
{
	CLEANUP(archive_writer_freep) struct archive_writer *writer = NULL;
	CLEANUP(archive_freep) struct archive *reader = NULL;

	if (!archive_exists(path))
		return xstrdup("");
	if (writes)
		writer = fixture_writer(path);
	else
		reader = fixture_reader(path);
	return tell(writes ? archive_writer_view(writer) : reader);
}
