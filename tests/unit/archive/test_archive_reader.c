#include "archive/archive.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/volume/volume.h"
#include "archive/write/writer.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "base/wait.h"
#include "support/archive/archive_fixture.h"
#include "support/archive/refs.h"
#include "support/check.h"

enum { VALIDITY = 77, BRIEF_MS = 100 };

#define WRITER CLEANUP(archive_writer_freep) struct archive_writer *
#define READER CLEANUP(archive_freep) struct archive *
#define PATH   CLEANUP(freep) char *

/* --- marks and uids --- */

static bool add_uid(void *context, uint32_t uid, const char *flags, struct err *err)
{
	(void)err;
	return buf_printf(context, "%u[%s] ", uid, flags);
}

static bool add_number(void *context, uint32_t uid, const char *flags, struct err *err)
{
	(void)flags;
	(void)err;
	return buf_printf(context, "%u ", uid);
}

static void marks_and_uids_say_how_far_a_folder_is(void)
{
	PATH path = fixture_archive("marks");
	WRITER writer = fixture_writer(path);
	struct archive *view = archive_writer_view(writer);
	CLEANUP(buf_free) struct buf text = BUF_INIT(4096);
	CLEANUP(rangeset_free) struct rangeset among = {0};
	struct archive_mark mark = {VALIDITY, 4, 1234567890123, 2, 55};
	struct archive_mark got;
	struct err err = ERR_INIT;
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);
	bool found;

	fixture_add(writer, folder, VALIDITY, 3, 1, 100, "b");
	fixture_add(writer, folder, VALIDITY, 1, 2, 100, "a");
	CHECK_OK(archive_set_mark(writer, folder, &mark, &err));
	CHECK_OK(archive_mark_of(view, folder, &found, &got, &err));
	CHECK(!found);
	(void)fixture_commit(writer, true);
	CHECK_OK(archive_mark_of(view, folder, &found, &got, &err));
	CHECK(found && got.uidvalidity == VALIDITY && got.uidnext == 4 && got.messages == 2);
	CHECK(got.highestmodseq == 1234567890123 && got.flags_compared_ms == 55);
	CHECK_OK(archive_each_uid(view, folder, VALIDITY, NULL, add_uid, &text, &err));
	CHECK_STR(buf_str(&text), "1[a] 3[b] ");
	buf_reset(&text);
	rangeset_add(&among, 2, 3);
	rangeset_add(&among, 5, UINT32_MAX);
	CHECK_OK(archive_each_uid(view, folder, VALIDITY, &among, add_uid, &text, &err));
	CHECK_STR(buf_str(&text), "3[b] ");
}

static void uids_can_be_read_from_any_subset(void)
{
	static const struct {
		struct range ranges[3];
		size_t count;
		const char *text;
	} cases[] = {
		{{{0}}, 0, ""},
		{{{1, 2}}, 1, "2 "},
		{{{0, 2}, {4, 4}, {98, UINT32_MAX}}, 3, "2 4 98 100 "},
		{{{3, 3}, {5, 5}, {51, 51}}, 3, ""},
		{{{2, 2}, {34, 34}, {36, 38}}, 3, "2 34 36 38 "},
		{{{2, 2}, {36, 36}, {70, 70}}, 3, "2 36 70 "},
		{{{1, 3}, {39, 40}, {101, 200}}, 3, "2 40 "},
		{{{7, 7}, {99, 99}, {100, 100}}, 3, "100 "},
		{{{101, 101}, {200, UINT32_MAX}}, 2, ""},
	};
	PATH path = fixture_archive("sets");
	WRITER writer = fixture_writer(path);
	struct err err = ERR_INIT;
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);

	for (uint32_t uid = 2; uid <= 100; uid += 2)
		fixture_add(writer, folder, VALIDITY, uid, 1, 100, "");
	(void)fixture_commit(writer, true);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(buf_free) struct buf text = BUF_INIT(4096);
		struct range ranges[3];
		const struct rangeset among = {.items = ranges, .count = cases[i].count};

		memcpy(ranges, cases[i].ranges, sizeof(ranges));
		CHECK_OK(archive_each_uid(archive_writer_view(writer), folder, VALIDITY, &among,
			add_number, &text, &err));
		CHECK_STR(buf_str(&text), cases[i].text);
	}
}

/* --- what others see --- */

/* Releases the lock on the named file a little later. */
static void *bring_back(void *context)
{
	const char *file = context;
	CLEANUP(freep) char *away = str_printf("%s-away", file);

	(void)wait_sleep(wait_for(BRIEF_MS, NULL), NULL);
	(void)rename(away, file);
	return NULL;
}

static void opening_waits_for_an_archive_being_created(void)
{
	PATH path = fixture_archive("made");
	PATH file = str_printf("%s/catalogue.db", path);
	PATH away = str_printf("%s-away", file);
	struct archive *archive = NULL;
	struct err err = ERR_INIT;
	pthread_t thread;

	CHECK_INT(rename(file, away), 0);
	CHECK_INT(pthread_create(&thread, NULL, bring_back, file), 0);
	CHECK_OK(archive_open(ref_of(path), &archive, &err));
	CHECK_INT(pthread_join(thread, NULL), 0);
	archive_freep(&archive);
	CHECK_INT(rename(file, away), 0);
	CHECK(!archive_open(ref_of(path), &archive, &err));
	CHECK_INT(err.kind, ERR_CORRUPT);
}

static void a_reader_sees_each_commit_while_a_writer_writes(void)
{
	PATH path = fixture_archive("reader");
	READER reader = fixture_reader(path);
	WRITER writer = fixture_writer(path);
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);

	for (uint32_t uid = 1; uid <= 5; uid++) {
		fixture_add(writer, folder, VALIDITY, uid, uid, 10000, "");
		CHECK_INT(fixture_find(reader, uid, folder, VALIDITY, uid), 0);
		(void)fixture_commit(writer, false);
		fixture_check_message(
			reader, fixture_find(reader, uid, folder, VALIDITY, uid), uid, 10000);
	}
}

static void a_second_writer_waits_and_is_then_refused(void)
{
	PATH path = fixture_archive("lock");
	struct archive_writer *writer = fixture_writer(path);
	struct archive_writer *second = NULL;
	struct err err = ERR_INIT;

	CHECK(!archive_writer_open(ref_of(path), 10, &second, &err));
	CHECK_INT(err.kind, ERR_BUSY);
	CHECK(strstr(err.text, "locked by") != NULL);
	archive_writer_freep(&writer);
	CHECK_OK(archive_writer_open(ref_of(path), 10, &second, &err));
	archive_writer_freep(&second);
}

static void missing_and_foreign_paths_are_refused(void)
{
	PATH path = str_printf("%s/nowhere", check_temp_dir());
	PATH taken = fixture_archive("taken");
	struct archive *archive = NULL;
	struct archive_writer *writer = NULL;
	struct err err = ERR_INIT;

	CHECK(!archive_exists(path));
	CHECK(!archive_open(ref_of(path), &archive, &err));
	CHECK_INT(err.kind, ERR_NOT_FOUND);
	CHECK(!archive_writer_open(ref_of(path), 10, &writer, &err));
	CHECK_INT(err.kind, ERR_NOT_FOUND);
	CHECK(archive_exists(taken));
	CHECK(!archive_create(taken, 0, &err));
	CHECK_INT(err.kind, ERR_CREATE);
	CHECK(!archive_create(check_temp_dir(), 0, &err));
	CHECK_INT(err.kind, ERR_CREATE);
}

static void no_archive_exists_or_is_created_below_a_file(void)
{
	PATH file = str_printf("%s/letter", check_temp_dir());
	PATH path = str_printf("%s/account", file);
	CLEANUP(archive_freep) struct archive *archive = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(fs_write_atomic(file, "x", 1, 0600, &err));
	CHECK(!archive_exists(path));
	CHECK(!archive_open(ref_of(path), &archive, &err));
	CHECK_INT(err.kind, ERR_NOT_FOUND);
	CHECK(!archive_create(path, 0, &err));
	CHECK_INT(err.kind, ERR_CREATE);
}

/* --- unchanged --- */

/* Name, size and times of every file. */
static void add_files(struct buf *out, const char *folder)
{
	struct dirent **names;
	int count = scandir(folder, &names, NULL, alphasort);

	CHECK(count >= 0);
	for (int i = 0; i < count; i++) {
		PATH path = str_printf("%s/%s", folder, names[i]->d_name);
		struct stat st;

		CHECK(stat(path, &st) == 0);
		if (S_ISREG(st.st_mode))
			CHECK(buf_printf(out, "%s %lld %lld.%09ld\n", path, (long long)st.st_size,
				(long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec));
		free(names[i]);
	}
	free(names);
}

static char *all_files(const char *path)
{
	struct buf text = BUF_INIT(65536);
	PATH volumes = str_printf("%s/volumes", path);

	add_files(&text, path);
	add_files(&text, volumes);
	return buf_take_str(&text);
}

static void repeat_pass(const char *path, int64_t folder_id, int64_t generation)
{
	WRITER writer = fixture_writer(path);
	struct archive_folder folder = {.id = folder_id,
		.path = "INBOX",
		.wire_name = "INBOX",
		.delimiter = '/',
		.attributes = "\\HasNoChildren",
		.selectable = true};
	struct archive_mark mark = {.uidvalidity = VALIDITY, .uidnext = 3};
	CLEANUP(rangeset_free) struct rangeset uids = {0};
	CLEANUP(buf_free) struct buf text = BUF_INIT(4096);
	struct err err = ERR_INIT;

	rangeset_add(&uids, 3, UINT32_MAX);
	CHECK_OK(archive_put_folder(writer, &folder, &folder_id, &err));
	CHECK_OK(archive_set_uidvalidity(writer, folder_id, VALIDITY, &err));
	CHECK_OK(archive_set_flags(writer, folder_id, VALIDITY, 1, "\\Seen", &err));
	CHECK_OK(archive_set_gone(writer, folder_id, VALIDITY, &uids, &err));
	CHECK_OK(archive_set_mark(writer, folder_id, &mark, &err));
	CHECK_OK(archive_may_commit(writer, &err));
	CHECK_OK(archive_each_uid(
		archive_writer_view(writer), folder_id, VALIDITY, NULL, add_uid, &text, &err));
	CHECK_STR(buf_str(&text), "1[\\Seen] 2[\\Seen] ");
	fixture_check_message(archive_writer_view(writer),
		fixture_find(archive_writer_view(writer), generation, folder_id, VALIDITY, 1), 1,
		1000);
	CHECK_INT(fixture_commit(writer, true), generation);
	CHECK_OK(archive_tidy(writer, &err));
}

static void an_unchanged_pass_writes_not_a_byte(void)
{
	PATH path = fixture_archive("unchanged");
	struct archive_writer *writer = fixture_writer(path);
	struct archive_mark mark = {.uidvalidity = VALIDITY, .uidnext = 3};
	struct err err = ERR_INIT;
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);

	fixture_add(writer, folder, VALIDITY, 1, 1, 1000, "\\Seen");
	fixture_add(writer, folder, VALIDITY, 2, 2, 100000, "\\Seen");
	CHECK_OK(archive_set_mark(writer, folder, &mark, &err));
	CHECK_INT(fixture_commit(writer, true), 1);
	archive_writer_freep(&writer);
	for (int i = 0; i < 2; i++) {
		PATH before = all_files(path);
		PATH after = NULL;

		repeat_pass(path, folder, 1);
		after = all_files(path);
		CHECK_STR(after, before);
	}
}

static void an_empty_commit_makes_no_generation(void)
{
	PATH path = fixture_archive("nothing");
	WRITER writer = fixture_writer(path);
	struct err err = ERR_INIT;
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);

	fixture_add(writer, folder, VALIDITY, 1, 1, 1000, "");
	CHECK_INT(fixture_commit(writer, false), 1);
	CHECK_INT(fixture_commit(writer, false), 1);
	CHECK_OK(archive_set_flags(writer, folder, VALIDITY, 1, "", &err));
	CHECK_OK(archive_set_flags(writer, folder, VALIDITY, 9, "x", &err));
	fixture_add(writer, folder, VALIDITY, 1, 1, 1000, "other"); /* there already */
	CHECK_INT(fixture_commit(writer, false), 1);
	CHECK_INT(fixture_commit(writer, true), 2);
	CHECK_INT(fixture_commit(writer, true), 2);
	CHECK_STR(fixture_list_at(archive_writer_view(writer), 2), "INBOX 77 1 1000 []\n");
}

struct changer {
	struct archive_writer *writer;
	int64_t folder;
};

static bool change_flags(void *context, uint32_t uid, const char *flags, struct err *err)
{
	struct changer *changer = context;

	(void)flags;
	return archive_set_flags(changer->writer, changer->folder, VALIDITY, uid, "new", err) &&
	       archive_may_commit(changer->writer, err);
}

/* The first change comes while the view is being read. */
static void a_view_may_be_read_while_changes_begin(void)
{
	enum { MESSAGES = 2000 };
	PATH path = fixture_archive("view");
	struct archive_writer *writer = fixture_writer(path);
	struct changer changer = {.folder = fixture_folder(writer, "INBOX", VALIDITY)};
	struct err err = ERR_INIT;
	struct archive_snapshot snapshot;

	for (uint32_t uid = 1; uid <= MESSAGES; uid++)
		fixture_add(writer, changer.folder, VALIDITY, uid, uid % 10, 200, "old");
	(void)fixture_commit(writer, true);
	archive_writer_freep(&writer);
	writer = fixture_writer(path);
	changer.writer = writer;
	CHECK_OK(archive_each_uid(archive_writer_view(writer), changer.folder, VALIDITY, NULL,
		change_flags, &changer, &err));
	CHECK_INT(fixture_commit(writer, true), 2);
	CHECK_OK(archive_resolve(archive_writer_view(writer),
		(struct archive_when){.kind = ARCHIVE_LATEST}, &snapshot, &err));
	CHECK_INT(snapshot.changed, MESSAGES);
	archive_writer_freep(&writer);
}

/* --- copies --- */

static void copy_file(const char *from, const char *to)
{
	CLEANUP(buf_free) struct buf data = BUF_INIT(FIXTURE_MESSAGE_MAX);
	struct err err = ERR_INIT;

	CHECK_OK(fs_read(from, &data, &err));
	CHECK_OK(fs_write_atomic(to, data.data, data.len, 0600, &err));
}

/* A tidied archive of which only the databases were copied. */
static char *copy_of_archive(const char *path)
{
	char *copy = str_printf("%s-copy", path);
	PATH volumes = str_printf("%s/volumes", copy);
	PATH volume_from = fixture_only_volume(path);
	PATH volume_to = str_printf("%s/volumes%s", copy, strrchr(volume_from, '/'));
	PATH catalogue_from = str_printf("%s/catalogue.db", path);
	PATH catalogue_to = str_printf("%s/catalogue.db", copy);
	struct err err = ERR_INIT;

	CHECK_OK(fs_make_dirs(volumes, 0700, &err));
	copy_file(volume_from, volume_to);
	copy_file(catalogue_from, catalogue_to);
	return copy;
}

/* Without other connections the packer leaves empty WALs. */
static void writer_checkpoint_all(struct archive_writer *writer)
{
	struct err err = ERR_INIT;

	CHECK_OK(archive_tidy(writer, &err)); /* from here on the packer thread is idle */
	CHECK_OK(db_wal_checkpoint(writer->thread.packer.volume.db, true, &err));
	CHECK_OK(db_wal_checkpoint(writer->thread.packer.catalogue, true, &err));
}

static void a_copy_without_a_wal_is_read_without_writing(void)
{
	PATH path = fixture_archive("original");
	struct archive_writer *writer = fixture_writer(path);
	READER reader = NULL;
	PATH copy = NULL;
	PATH before = NULL;
	PATH after = NULL;
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);

	fixture_add(writer, folder, VALIDITY, 1, 1, 5000000, ""); /* enough for a WAL checkpoint */
	(void)fixture_commit(writer, true);
	writer_checkpoint_all(writer);
	archive_writer_freep(&writer);
	copy = copy_of_archive(path);
	before = all_files(copy);
	reader = fixture_reader(copy);
	CHECK_STR(fixture_list_at(reader, 1), "INBOX 77 1 5000000 []\n");
	fixture_check_message(reader, fixture_find(reader, 1, folder, VALIDITY, 1), 1, 5000000);
	after = all_files(copy);
	CHECK_STR(after, before);
	writer = fixture_writer(copy);
	fixture_add(writer, folder, VALIDITY, 2, 2, 100, "");
	CHECK_INT(fixture_commit(writer, true), 2);
	fixture_check_message(reader, fixture_find(reader, 2, folder, VALIDITY, 2), 2, 100);
	archive_writer_freep(&writer);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(marks_and_uids_say_how_far_a_folder_is),
		PROMISE(uids_can_be_read_from_any_subset),
		PROMISE(opening_waits_for_an_archive_being_created),
		PROMISE(a_reader_sees_each_commit_while_a_writer_writes),
		PROMISE(a_second_writer_waits_and_is_then_refused),
		PROMISE(missing_and_foreign_paths_are_refused),
		PROMISE(no_archive_exists_or_is_created_below_a_file),
		PROMISE(an_unchanged_pass_writes_not_a_byte),
		PROMISE(an_empty_commit_makes_no_generation),
		PROMISE(a_view_may_be_read_while_changes_begin),
		PROMISE(a_copy_without_a_wal_is_read_without_writing),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
