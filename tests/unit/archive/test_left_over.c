/* A writer was stopped, or its disk was full, within a journal checkpoint. Volumes with such a
 * fragment are completed, sealed and followed by others, and the fragment never counts as
 * committed. */
#include <stdlib.h>
#include <string.h>

#include "archive/catalogue/catalogue.h"
#include "archive/format/journal.h"
#include "archive/seal.h"
#include "archive/volume/volume.h"
#include "base/str.h"
#include "support/archive/pruned.h"
#include "support/archive/refs.h"
#include "support/check.h"

enum { WAIT_MS = 1000, LATE_UID = 900, LATE_BYTES = 3000 };

#define READER CLEANUP(archive_freep) struct archive *
#define PATH   CLEANUP(freep) char *

static void commit_more(const char *path)
{
	struct archive_writer *writer = fixture_writer(path);

	fixture_add(writer, 1, PRUNED_VALIDITY, LATE_UID, LATE_UID, LATE_BYTES, "");
	(void)fixture_commit(writer, true);
	archive_writer_freep(&writer);
}

/* Writes only the first of several payloads. */
static void begin_checkpoint(const char *path)
{
	CLEANUP(volume_list_free) struct volume_list list = {0};
	CLEANUP(volume_close) struct volume volume = {0};
	CLEANUP(db_freep) struct db *catalogue = NULL;
	CLEANUP(zstd_freep) struct zstd *zstd = zstd_new();
	CLEANUP(buf_free) struct buf payload = BUF_INIT(FRAME_RAW_BYTES_MAX);
	CLEANUP(buf_free) struct buf packed = BUF_INIT(FRAME_ENCRYPTED_BYTES_MAX);
	struct journal_header header = {.checkpoint = true};
	struct catalogue_state state;
	struct archive_snapshot last;
	struct frame frame;
	uint64_t bytes;
	int64_t id;
	struct err err = ERR_INIT;

	CHECK_OK(catalogue_open(ref_of(path), DB_WRITE, &catalogue, &err));
	CHECK_OK(catalogue_state(catalogue, &state, &err));
	CHECK_OK(catalogue_last_snapshot(catalogue, &last, &bytes, &err));
	header.seq = state.applied_seq + 1;
	header.generation = last.generation;
	memcpy(header.previous, state.head, SHA256_BYTES);
	CHECK_OK(volume_list(path, &list, &err));
	CHECK_OK(volume_open(ref_of(path), &list.items[list.count - 1], DB_WRITE, &volume, &err));
	CHECK_OK(volume_last_frame(&volume, &id, &err));
	journal_begin(&payload, &header);
	frame_pack(zstd, EFFORT_FLOW, volume_cipher(&volume), id + 1, FRAME_CHECKPOINT, &payload,
		&packed, &frame);
	CHECK_OK(db_begin(volume.db, &err));
	CHECK_OK(volume_put_frame(&volume, id + 1, &frame, &err));
	CHECK_OK(db_commit(volume.db, &err));
}

/* A reader that knows only the format would continue with what follows the head. */
static void check_nothing_follows_the_head(const char *path)
{
	CLEANUP(db_freep) struct db *catalogue = NULL;
	CLEANUP(catalogue_volumes_free) struct catalogue_volumes known = {0};
	size_t heads = 0;
	struct err err = ERR_INIT;

	CHECK_OK(catalogue_open(ref_of(path), DB_READ, &catalogue, &err));
	CHECK_OK(catalogue_volumes(catalogue, &known, &err));
	for (size_t i = 0; i < known.count; i++) {
		CLEANUP(volume_close) struct volume volume = {0};
		int64_t last;

		CHECK_OK(volume_open(ref_of(path), &known.items[i].id, DB_READ, &volume, &err));
		CHECK_OK(volume_last_journal(&volume, &last, &err));
		CHECK_INT(last, known.items[i].applied_frame);
		heads += last > 0;
	}
	CHECK(heads > 0);
}

static void a_left_over_checkpoint_is_not_sealed_as_the_head(void)
{
	PATH path = pruned_archive("head");
	PATH before = NULL;
	PATH after = NULL;
	const struct archive_seal wish = {.open_bytes_min = 1};
	struct archive_sealed sealed;
	struct archive_writer *writer;
	struct err err = ERR_INIT;

	commit_more(path);
	before = pruned_everything(path);
	begin_checkpoint(path);
	fixture_check(path);
	CHECK_OK(archive_seal(ref_of(path), &wish, WAIT_MS, &sealed, &err));
	writer = fixture_writer(path);
	archive_writer_freep(&writer);
	after = pruned_everything(path);
	CHECK_STR(after, before);
	fixture_check(path);
	check_nothing_follows_the_head(path);
}

static void a_left_over_checkpoint_is_not_part_of_the_chain(void)
{
	PATH path = pruned_archive("no-link");
	CLEANUP(cancel_close) struct cancel cancel = {-1};
	const struct archive_seal stopped = {.open_bytes_min = 1, .cancel = &cancel};
	struct archive_sealed sealed;
	struct err err = ERR_INIT;

	begin_checkpoint(path);
	CHECK_OK(cancel_init(&cancel, &err));
	cancel_now(&cancel);
	CHECK(!archive_seal(ref_of(path), &stopped, WAIT_MS, &sealed, &err));
	CHECK_INT(err.kind, ERR_CANCELLED);
	fixture_check(path);
	commit_more(path);
	fixture_check(path);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(a_left_over_checkpoint_is_not_sealed_as_the_head),
		PROMISE(a_left_over_checkpoint_is_not_part_of_the_chain),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
