#include "archive/archive.h"

#include <string.h>
#include <unistd.h>

#include "archive/seal.h"
#include "archive/volume/volume.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "support/archive/archive_fixture.h"
#include "support/archive/refs.h"
#include "support/check.h"

enum { VALIDITY = 77, WAIT_MS = 5000 };

#define READER CLEANUP(archive_freep) struct archive *
#define PATH   CLEANUP(freep) char *

static char *copy_of(const char *path, const char *suffix)
{
	PATH from = str_printf("%s/catalogue.db%s", path, suffix);
	char *to = str_printf("%s/old-catalogue%s", check_temp_dir(), suffix);
	CLEANUP(buf_free) struct buf data = BUF_INIT(FIXTURE_MESSAGE_MAX);
	struct err err = ERR_INIT;

	CHECK_OK(fs_read(from, &data, &err));
	CHECK_OK(fs_write_atomic(to, data.data, data.len, 0600, &err));
	return to;
}

static void put_back(const char *path, const char *suffix, const char *copy)
{
	PATH to = str_printf("%s/catalogue.db%s", path, suffix);
	struct err err = ERR_INIT;

	CHECK_OK(fs_rename(copy, to, &err));
}

static void fill_three_commits(struct archive_writer *writer)
{
	struct err err = ERR_INIT;
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);
	CLEANUP(rangeset_free) struct rangeset uids = {0};

	for (uint32_t uid = 1; uid <= 3; uid++)
		fixture_add(writer, folder, VALIDITY, uid, uid, 1000 * uid, "");
	(void)fixture_commit(writer, false);
	CHECK_OK(archive_set_flags(writer, folder, VALIDITY, 1, "x", &err));
	fixture_add(writer, folder, VALIDITY, 4, 4, 200000, "");
	(void)fixture_commit(writer, false);
	rangeset_add(&uids, 2, 2);
	CHECK_OK(archive_set_gone(writer, folder, VALIDITY, &uids, &err));
	(void)fixture_commit(writer, true);
}

static const char three_commits[] =
	"INBOX 77 1 1000 [x]\nINBOX 77 3 3000 []\nINBOX 77 4 200000 []\n";

static void an_older_catalogue_is_updated(void)
{
	PATH path = fixture_archive("older");
	struct archive_writer *writer = fixture_writer(path);
	READER reader = NULL;
	PATH old = NULL;
	PATH old_wal = NULL;
	struct err err = ERR_INIT;

	(void)fixture_folder(writer, "INBOX", VALIDITY);
	(void)fixture_commit(writer, false);
	archive_writer_freep(&writer);
	old = copy_of(path, "");
	old_wal = copy_of(path, "-wal");
	writer = fixture_writer(path);
	fixture_add(writer, 1, VALIDITY, 1, 5, 100, "");
	(void)fixture_commit(writer, false);
	fixture_add(writer, 1, VALIDITY, 2, 6, 100000, "");
	(void)fixture_commit(writer, true);
	archive_writer_freep(&writer);
	put_back(path, "", old);
	put_back(path, "-wal", old_wal);
	writer = fixture_writer(path);
	CHECK_OK(archive_tidy(writer, &err));
	reader = fixture_reader(path);
	CHECK_STR(fixture_list_at(reader, 3), "INBOX 77 1 100 []\nINBOX 77 2 100000 []\n");
	fixture_check_message(reader, fixture_find(reader, 3, 1, VALIDITY, 2), 6, 100000);
	fixture_add(writer, 1, VALIDITY, 3, 7, 100, "");
	CHECK_INT(fixture_commit(writer, true), 4);
	archive_writer_freep(&writer);
}

/* The writer has to read the next folder id after the replay, not before. */
static void a_folder_that_the_older_catalogue_lacks_can_be_changed(void)
{
	PATH path = fixture_archive("lacks_a_folder");
	struct archive_writer *writer = fixture_writer(path);
	struct archive_folder renamed = {
		.path = "Renamed", .wire_name = "Renamed", .attributes = "", .selectable = true};
	struct err err = ERR_INIT;
	PATH old = NULL;
	PATH wal = str_printf("%s/catalogue.db-wal", path);

	(void)fixture_folder(writer, "INBOX", VALIDITY);
	(void)fixture_commit(writer, true);
	archive_writer_freep(&writer);
	CHECK_OK(archive_checkpoint_wal(ref_of(path), WAIT_MS, &err));
	old = copy_of(path, "");
	writer = fixture_writer(path);
	renamed.id = fixture_folder(writer, "New", VALIDITY);
	(void)fixture_commit(writer, true);
	archive_writer_freep(&writer);
	put_back(path, "", old);
	CHECK_INT(unlink(wal), 0);
	writer = fixture_writer(path);
	CHECK_OK(archive_put_folder(writer, &renamed, &renamed.id, &err));
	CHECK_INT(fixture_folder(writer, "Newer", VALIDITY), renamed.id + 1);
	(void)fixture_commit(writer, true);
	archive_writer_freep(&writer);
}

static void the_volumes_alone_rebuild_the_catalogue(void)
{
	PATH path = fixture_archive("rebuilt");
	struct archive_writer *writer = fixture_writer(path);
	struct archive *reader = NULL;
	struct archive_facts before;
	struct archive_facts after;
	struct err err = ERR_INIT;

	fill_three_commits(writer);
	CHECK_OK(archive_facts(archive_writer_view(writer), &before, &err));
	archive_writer_freep(&writer);
	fixture_remove_catalogue(path);
	CHECK(!archive_open(ref_of(path), &reader, &err));
	CHECK_INT(err.kind, ERR_CORRUPT);
	CHECK(strstr(err.text, "mailstow rebuild") != NULL);
	writer = fixture_writer(path);
	CHECK_STR(fixture_list_at(archive_writer_view(writer), 3), three_commits);
	CHECK_OK(archive_facts(archive_writer_view(writer), &after, &err));
	CHECK_STR(after.head, before.head);
	CHECK_INT(after.messages, before.messages);
	CHECK_INT(after.bytes, before.bytes);
	archive_writer_freep(&writer);
}

static void a_missing_volume_is_named(void)
{
	PATH path = fixture_archive("lost_volume");
	struct archive_writer *writer = fixture_writer(path);
	READER reader = NULL;
	PATH volume = fixture_only_volume(path);
	struct err err = ERR_INIT;

	fill_three_commits(writer);
	archive_writer_freep(&writer);
	CHECK_OK(fs_remove(volume, &err));
	reader = fixture_reader(path);
	CHECK_STR(fixture_list_at(reader, 3), three_commits);
	CHECK(!archive_read_message(reader, 1, NULL, NULL, &err));
	CHECK_INT(err.kind, ERR_CORRUPT);
	CHECK(strstr(err.text, volume) != NULL);
	CHECK(!archive_writer_open(ref_of(path), 10, &writer, &err));
	CHECK_INT(err.kind, ERR_CORRUPT);
	CHECK(strstr(err.text, "mailstow rebuild") != NULL);
}

/* The volume is restored from an earlier backup; the catalogue is newer. */
static void a_rolled_back_volume_is_refused(void)
{
	PATH path = fixture_archive("rolled_back");
	struct archive_writer *writer = fixture_writer(path);
	PATH volume = fixture_only_volume(path);
	PATH wal = str_printf("%s-wal", volume);
	CLEANUP(buf_free) struct buf data = BUF_INIT(FIXTURE_MESSAGE_MAX);
	struct err err = ERR_INIT;

	(void)fixture_folder(writer, "INBOX", VALIDITY);
	(void)fixture_commit(writer, false);
	CHECK_OK(fs_read(wal, &data, &err));
	fixture_add(writer, 1, VALIDITY, 1, 5, 100, "");
	(void)fixture_commit(writer, false);
	archive_writer_freep(&writer);
	CHECK_OK(fs_write_atomic(wal, data.data, data.len, 0600, &err));
	CHECK(!archive_writer_open(ref_of(path), 10, &writer, &err));
	CHECK_INT(err.kind, ERR_CORRUPT);
	CHECK(strstr(err.text, "mailstow rebuild") != NULL);
}

static void a_damaged_frame_is_found_and_named(void)
{
	PATH path = fixture_archive("damaged");
	struct archive_writer *writer = fixture_writer(path);
	READER reader = NULL;
	CLEANUP(volume_list_free) struct volume_list list = {0};
	CLEANUP(volume_close) struct volume volume = {0};
	CLEANUP(zstd_freep) struct zstd *zstd = zstd_new();
	CLEANUP(buf_free) struct buf raw = BUF_INIT(FRAME_RAW_BYTES_MAX);
	struct frame frame = {.kind = FRAME_PART, .codec = CODEC_STORED};
	struct err err = ERR_INIT;

	fill_three_commits(writer);
	archive_writer_freep(&writer);
	CHECK_OK(volume_list(path, &list, &err));
	CHECK_OK(volume_open(ref_of(path), &list.items[0], DB_WRITE, &volume, &err));
	CHECK_OK(volume_get_frame(&volume, 1, FRAMES_DATA, zstd, &raw, &err));
	raw.data[500] ^= 1;
	frame.raw_len = raw.len;
	frame.data = raw.data;
	frame.len = raw.len;
	sha256_of(raw.data, raw.len, frame.sha256); /* a sound frame, but a different one */
	CHECK_OK(volume_remove_frames(&volume, 1, 1, &err));
	CHECK_OK(volume_put_frame(&volume, 1, &frame, &err));
	reader = fixture_reader(path);
	CHECK(!archive_read_message(reader, 1, NULL, NULL, &err));
	CHECK_INT(err.kind, ERR_CORRUPT);
	frame.sha256[0] ^= 1;
	CHECK_OK(volume_remove_frames(&volume, 1, 1, &err));
	CHECK_OK(volume_put_frame(&volume, 1, &frame, &err));
	archive_freep(&reader);
	reader = fixture_reader(path);
	CHECK(!archive_read_message(reader, 1, NULL, NULL, &err));
	CHECK_INT(err.kind, ERR_CORRUPT);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(an_older_catalogue_is_updated),
		PROMISE(a_folder_that_the_older_catalogue_lacks_can_be_changed),
		PROMISE(the_volumes_alone_rebuild_the_catalogue),
		PROMISE(a_missing_volume_is_named),
		PROMISE(a_rolled_back_volume_is_refused),
		PROMISE(a_damaged_frame_is_found_and_named),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
