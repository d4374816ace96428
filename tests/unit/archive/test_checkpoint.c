/* Inconsistent journal checkpoints are refused and change nothing. */
#include "archive/catalogue/journal_checkpoint.h"

#include <string.h>

#include "archive/archive.h"
#include "archive/write/writer.h"
#include "base/alloc.h"
#include "base/str.h"
#include "support/archive/archive_fixture.h"
#include "support/archive/refs.h"
#include "support/check.h"

enum { VALIDITY = 77, WAIT_MS = 1000, SIZE = FIXTURE_RECORD_BYTES, ROWS_MAX = 8 };

#define PATH CLEANUP(freep) char *

/* --- rows that hold together: one message in INBOX --- */

static struct record volume_row(int64_t sequence)
{
	return (struct record){.kind = RECORD_VOLUME, .volume = {.sequence = sequence}};
}

static struct record item_row(int64_t id, int64_t volume)
{
	return (struct record){.kind = RECORD_ITEM_ROW,
		.item_row = {.volume = volume,
			.item = {.id = id, .kind = ITEM_MESSAGE, .frame = 1, .size = SIZE}}};
}

static struct record folder_row(int64_t id)
{
	return (struct record){.kind = RECORD_FOLDER_ROW,
		.folder_row = {.span = {.from = 1},
			.uidvalidity = VALIDITY,
			.folder = {.id = id,
				.path = text_of("INBOX"),
				.wire_name = text_of("INBOX"),
				.attributes = text_of(""),
				.special_use = text_of("")}}};
}

static struct record placement_row(int64_t folder, int64_t message)
{
	return (struct record){.kind = RECORD_PLACEMENT_ROW,
		.placement_row = {.span = {.from = 1},
			.added = 1,
			.placement = {.folder = folder,
				.uidvalidity = VALIDITY,
				.uid = 1,
				.message = message,
				.flags = text_of("")}}};
}

static struct record snapshot_row(int64_t generation)
{
	return (struct record){.kind = RECORD_SNAPSHOT_ROW,
		.snapshot_row = {.generation = generation, .unix_ms = 1000, .messages = 1}};
}

/* --- an archive, and a checkpoint put into its volume --- */

static char *small_archive(const char *name)
{
	char *path = fixture_archive(name);
	struct archive_writer *writer = fixture_writer(path);

	fixture_add(writer, fixture_folder(writer, "INBOX", VALIDITY), VALIDITY, 1, 1, SIZE, "");
	CHECK_INT(fixture_commit(writer, true), 1);
	archive_writer_freep(&writer);
	return path;
}

static void open_newest(const char *path, struct volume *ret_volume)
{
	CLEANUP(volume_list_free) struct volume_list list = {0};
	struct err err = ERR_INIT;

	CHECK_OK(volume_list(path, &list, &err));
	CHECK_OK(
		volume_open(ref_of(path), &list.items[list.count - 1], DB_WRITE, ret_volume, &err));
}

static void put_payload(struct volume *volume, const struct buf *payload, enum frame_kind kind)
{
	CLEANUP(zstd_freep) struct zstd *zstd = zstd_new();
	CLEANUP(buf_free) struct buf packed = BUF_INIT(FRAME_ENCRYPTED_BYTES_MAX);
	struct frame frame;
	int64_t last;
	struct err err = ERR_INIT;

	CHECK_OK(volume_last_frame(volume, &last, &err));
	frame_pack(
		zstd, EFFORT_FLOW, volume_cipher(volume), last + 1, kind, payload, &packed, &frame);
	CHECK_OK(volume_put_frame(volume, last + 1, &frame, &err));
}

static void put_rows(const char *path, const struct record *rows, size_t count, bool final)
{
	CLEANUP(db_freep) struct db *catalogue = NULL;
	CLEANUP(volume_close) struct volume volume = {0};
	CLEANUP(buf_free) struct buf payload = BUF_INIT(FRAME_RAW_BYTES_MAX);
	struct journal_header header = {.checkpoint = true, .generation = 1};
	struct catalogue_state state;
	struct err err = ERR_INIT;

	CHECK_OK(catalogue_open(ref_of(path), DB_READ, &catalogue, &err));
	CHECK_OK(catalogue_state(catalogue, &state, &err));
	header.seq = state.applied_seq + 1;
	memcpy(header.previous, state.head, SHA256_BYTES);
	open_newest(path, &volume);
	journal_begin(&payload, &header);
	for (size_t i = 0; i < count; i++) {
		struct record row = rows[i];

		if (row.kind == RECORD_VOLUME && row.volume.sequence == 1)
			memcpy(row.volume.uuid, volume.id.uuid, ARCHIVE_UUID_BYTES);
		CHECK(record_encode(&row, &payload));
	}
	if (final)
		journal_set_final(&payload);
	put_payload(&volume, &payload, FRAME_CHECKPOINT);
}

static void check_as_before(const char *path)
{
	CLEANUP(archive_freep) struct archive *reader = fixture_reader(path);

	CHECK_STR(fixture_list_at(reader, 1), "INBOX 77 1 500 []\n");
	fixture_check_message(reader, fixture_find(reader, 1, 1, VALIDITY, 1), 1, SIZE);
}

static void refuse(const char *name, const struct record *rows, size_t count)
{
	PATH path = small_archive(name);
	struct archive_writer *writer = NULL;
	struct err err = ERR_INIT;

	put_rows(path, rows, count, true);
	if (archive_writer_open(ref_of(path), WAIT_MS, &writer, &err))
		check_fail(__FILE__, __LINE__, "%s was accepted", name);
	if (err.kind != ERR_CORRUPT)
		check_fail(__FILE__, __LINE__, "%s: %s", name, err.text);
	err_clear(&err);
	CHECK(!archive_rebuild(ref_of(path), WAIT_MS, &err));
	CHECK_INT(err.kind, ERR_CORRUPT);
	check_as_before(path);
}

/* --- promises --- */

static void a_consistent_checkpoint_is_accepted(void)
{
	PATH path = small_archive("good");
	const struct record rows[] = {volume_row(1), item_row(1, 1), fixture_record(1, 1),
		folder_row(1), snapshot_row(1), placement_row(1, 1)};
	struct archive_writer *writer = NULL;
	struct err err = ERR_INIT;

	put_rows(path, rows, ARRAY_LEN(rows), true);
	CHECK_OK(archive_writer_open(ref_of(path), WAIT_MS, &writer, &err));
	CHECK_STR(fixture_list_at(archive_writer_view(writer), 1), "INBOX 77 1 500 []\n");
	CHECK_INT(fixture_folder(writer, "Sent", VALIDITY), 2);
	CHECK_INT(fixture_commit(writer, true), 2);
	archive_writer_freep(&writer);
	CHECK_OK(archive_rebuild(ref_of(path), WAIT_MS, &err));
}

static void rows_with_dangling_references_are_refused(void)
{
	const struct record item = item_row(1, 1), message = fixture_record(1, 1),
			    own = volume_row(1), folder = folder_row(1), snapshot = snapshot_row(1),
			    placement = placement_row(1, 1);
	const struct {
		const char *name;
		struct record rows[ROWS_MAX];
		size_t count;
	} table[] = {
		{"nothing", {own}, 0},
		{"no_volumes", {snapshot}, 1},
		{"no_snapshot", {own}, 1},
		{"another_generation", {own, snapshot_row(2)}, 2},
		{"itself_not_listed", {volume_row(2), snapshot}, 2},
		{"an_item_elsewhere", {own, item_row(1, 2), snapshot}, 3},
		{"a_message_without_item", {own, message, snapshot}, 3},
		{"a_placement_without_message", {own, folder, snapshot, placement}, 4},
		{"a_placement_without_folder", {own, item, message, snapshot, placement}, 5},
		{"an_item_twice", {own, item, item, snapshot}, 4},
		{"a_placement_twice", {own, item, message, folder, snapshot, placement, placement},
			7},
		{"a_folder_twice", {own, folder, folder, snapshot}, 4},
		{"a_change_among_rows",
			{own, snapshot, {.kind = RECORD_FOLDER_GONE, .folder_gone = 1}}, 3},
		{"a_volume_that_is_missing", {own, volume_row(9), snapshot}, 3},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		refuse(table[i].name, table[i].rows, table[i].count);
}

static void an_unfinished_checkpoint_is_ignored_and_removed(void)
{
	PATH path = small_archive("unfinished");
	const struct record rows[] = {volume_row(1), snapshot_row(1)};
	struct archive_writer *writer = NULL;
	struct err err = ERR_INIT;

	put_rows(path, rows, ARRAY_LEN(rows), false);
	CHECK_OK(archive_writer_open(ref_of(path), WAIT_MS, &writer, &err));
	CHECK_STR(fixture_list_at(archive_writer_view(writer), 1), "INBOX 77 1 500 []\n");
	fixture_add(writer, 1, VALIDITY, 2, 2, SIZE, "");
	CHECK_INT(fixture_commit(writer, true), 2);
	archive_writer_freep(&writer);
	CHECK_OK(archive_rebuild(ref_of(path), WAIT_MS, &err));
	{
		CLEANUP(archive_freep) struct archive *reader = fixture_reader(path);

		CHECK_STR(fixture_list_at(reader, 2), "INBOX 77 1 500 []\nINBOX 77 2 500 []\n");
	}
}

static void a_row_in_a_journal_is_refused(void)
{
	PATH path = small_archive("row_in_journal");
	CLEANUP(db_freep) struct db *catalogue = NULL;
	CLEANUP(volume_close) struct volume volume = {0};
	CLEANUP(buf_free) struct buf payload = BUF_INIT(FRAME_RAW_BYTES_MAX);
	struct journal_header header = {.generation = 2};
	const struct record row = snapshot_row(2);
	struct archive_writer *writer = NULL;
	struct catalogue_state state;
	struct err err = ERR_INIT;

	CHECK_OK(catalogue_open(ref_of(path), DB_READ, &catalogue, &err));
	CHECK_OK(catalogue_state(catalogue, &state, &err));
	header.seq = state.applied_seq + 1;
	memcpy(header.previous, state.head, SHA256_BYTES);
	journal_begin(&payload, &header);
	CHECK(record_encode(&row, &payload));
	journal_set_final(&payload);
	open_newest(path, &volume);
	put_payload(&volume, &payload, FRAME_JOURNAL);
	volume_close(&volume);
	db_freep(&catalogue);
	CHECK(!archive_writer_open(ref_of(path), WAIT_MS, &writer, &err));
	CHECK_INT(err.kind, ERR_CORRUPT);
	check_as_before(path);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(a_consistent_checkpoint_is_accepted),
		PROMISE(rows_with_dangling_references_are_refused),
		PROMISE(an_unfinished_checkpoint_is_ignored_and_removed),
		PROMISE(a_row_in_a_journal_is_refused),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
