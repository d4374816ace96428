#include "archive/archive.h"

#include <string.h>
#include <sys/stat.h>

#include "archive/volume/volume.h"
#include "archive/write/writer.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "support/archive/archive_fixture.h"
#include "support/check.h"

enum { VALIDITY = 77 };

#define WRITER CLEANUP(archive_writer_freep) struct archive_writer *
#define READER CLEANUP(archive_freep) struct archive *
#define PATH   CLEANUP(freep) char *

static uint64_t stored_bytes(struct archive_writer *writer)
{
	return archive_writer_figures(writer).stored_bytes;
}

static void a_full_volume_is_followed_by_another(void)
{
	PATH path = fixture_archive("rolls");
	struct archive_writer *writer = fixture_writer(path);
	READER reader = fixture_reader(path);
	CLEANUP(volume_list_free) struct volume_list list = {0};
	PATH first = NULL;
	PATH wal = NULL;
	PATH leftover = NULL;
	struct err err = ERR_INIT;
	struct stat st;
	int64_t folder;

	leftover = str_printf("%s/volumes/x.vol.new-wal", path);
	CHECK_OK(fs_write_atomic(leftover, "x", 1, 0600, &err));
	writer->volume_bytes_max = 400000;
	folder = fixture_folder(writer, "INBOX", VALIDITY);
	for (uint32_t uid = 1; uid <= 10; uid++) {
		fixture_add(writer, folder, VALIDITY, uid, uid, 150000, "");
		(void)fixture_commit(writer, true);
	}
	archive_writer_freep(&writer);
	CHECK_OK(volume_list(path, &list, &err));
	CHECK(list.count > 2);
	first = layout_volume_path(path, &list.items[0]);
	wal = str_printf("%s-wal", first);
	CHECK(stat(first, &st) == 0 && (st.st_mode & 07777) == 0444);
	CHECK(!fs_exists(wal) && !fs_exists(leftover));
	for (uint32_t uid = 1; uid <= 10; uid++)
		fixture_check_message(
			reader, fixture_find(reader, 10, folder, VALIDITY, uid), uid, 150000);
	fixture_remove_catalogue(path);
	writer = fixture_writer(path);
	CHECK_INT(fixture_commit(writer, true), 10);
	fixture_check_message(archive_writer_view(writer),
		fixture_find(archive_writer_view(writer), 10, folder, VALIDITY, 3), 3, 150000);
	archive_writer_freep(&writer);
}

/* Changes that fill several journal payloads in one commit. */
static void a_commit_may_need_several_journal_frames(void)
{
	enum { MESSAGES = 30, ROUNDS = 400 };
	PATH path = fixture_archive("long_journal");
	PATH flags = xcalloc(1, 10001);
	struct archive_writer *writer = fixture_writer(path);
	struct err err = ERR_INIT;
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);

	for (uint32_t uid = 1; uid <= MESSAGES; uid++)
		fixture_add(writer, folder, VALIDITY, uid, uid, 100, "");
	memset(flags, 'k', 10000);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		flags[i] = 'l';
		CHECK_OK(
			archive_set_flags(writer, folder, VALIDITY, 1 + i % MESSAGES, flags, &err));
	}
	CHECK_INT(fixture_commit(writer, true), 1);
	archive_writer_freep(&writer);
	fixture_remove_catalogue(path);
	writer = fixture_writer(path);
	CHECK_INT(fixture_commit(writer, true), 1);
	CHECK_INT(strlen(fixture_list_at(archive_writer_view(writer), 1)),
		MESSAGES * 10000 + 9 * strlen("INBOX 77 1 100 []\n") +
			21 * strlen("INBOX 77 10 100 []\n"));
	archive_writer_freep(&writer);
}

static void the_packer_commits_on_its_own_only_when_allowed(void)
{
	PATH path = fixture_archive("may");
	WRITER writer = fixture_writer(path);
	struct err err = ERR_INIT;
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);

	for (uint32_t uid = 1; uid <= 8; uid++)
		fixture_add(writer, folder, VALIDITY, uid, uid, 3000000, "");
	CHECK_OK(archive_may_commit(writer, &err));
	fixture_add(writer, folder, VALIDITY, 9, 9, 100, "");
	CHECK_OK(archive_may_commit(writer, &err));
	CHECK_INT(fixture_commit(writer, false), 2);
	CHECK_INT(archive_writer_figures(writer).commits, 2);
	CHECK_INT(archive_writer_figures(writer).messages, 9);
	CHECK_INT(archive_writer_figures(writer).message_bytes, 24000100);
	CHECK(stored_bytes(writer) < 24000100);
}

static void a_mistaken_change_fails_the_writer(void)
{
	PATH path = fixture_archive("mistaken");
	WRITER writer = fixture_writer(path);
	struct archive_folder folder = {.id = 9, .path = "x", .wire_name = "x", .attributes = ""};
	struct err err = ERR_INIT;
	int64_t id;

	CHECK(!archive_put_folder(writer, &folder, &id, &err));
	CHECK_INT(err.kind, ERR_NOT_FOUND);
	CHECK(!archive_set_uidvalidity(writer, 9, 1, &err));
	CHECK_INT(err.kind, ERR_NOT_FOUND);
	id = fixture_folder(writer, "INBOX", VALIDITY);
	fixture_place(writer, id, VALIDITY, 1, 99, "");
	CHECK(!archive_commit(writer, true, &id, &err));
	CHECK_INT(err.kind, ERR_LOCAL);
	CHECK(!archive_may_commit(writer, &err));
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(a_full_volume_is_followed_by_another),
		PROMISE(a_commit_may_need_several_journal_frames),
		PROMISE(the_packer_commits_on_its_own_only_when_allowed),
		PROMISE(a_mistaken_change_fails_the_writer),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
