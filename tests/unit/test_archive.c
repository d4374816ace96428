#include "archive/archive.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/catalogue.h"
#include "archive/volume.h"
#include "archive/writer.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "support/archive_fixture.h"
#include "support/check.h"

enum { VALIDITY = 77 };

#define WRITER CLEANUP(archive_writer_freep) struct archive_writer *
#define READER CLEANUP(archive_freep) struct archive *
#define PATH   CLEANUP(freep) char *

/* --- bytes --- */

static void check_message(struct archive *reader, int64_t id, uint32_t seed, size_t size)
{
	CLEANUP(buf_free) struct buf wanted = BUF_INIT(FIXTURE_MESSAGE_MAX);
	CLEANUP(buf_free) struct buf got = BUF_INIT(FIXTURE_MESSAGE_MAX);

	CHECK(id != 0);
	fixture_message(&wanted, seed, size);
	fixture_read(reader, id, &got);
	CHECK_INT(got.len, size);
	CHECK(size == 0 || memcmp(got.data, wanted.data, size) == 0);
}

static void messages_of_every_size_come_back_exactly(void)
{
	static const size_t sizes[] = {0, 1, 100, 65535, 65536, 65537, 1048576, 4194303, 4194304,
		4194305, 20000000, 0, 5000};
	PATH path = fixture_archive("sizes");
	WRITER writer = fixture_writer(path);
	READER reader = NULL;
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);

	for (uint32_t i = 0; i < ARRAY_LEN(sizes); i++)
		fixture_add(writer, folder, VALIDITY, i + 1, i, sizes[i], "\\Seen");
	CHECK_INT(fixture_commit(writer, true), 1);
	reader = fixture_reader(path);
	for (uint32_t i = 0; i < ARRAY_LEN(sizes); i++)
		check_message(
			reader, fixture_find(reader, 1, folder, VALIDITY, i + 1), i, sizes[i]);
}

static void many_small_messages_in_several_folders_come_back_exactly(void)
{
	enum { MESSAGES = 1000, SIZE = 5000 };
	PATH path = fixture_archive("many");
	WRITER writer = fixture_writer(path);
	READER reader = NULL;
	int64_t folders[2];

	folders[0] = fixture_folder(writer, "a", VALIDITY);
	folders[1] = fixture_folder(writer, "b", VALIDITY);
	for (uint32_t i = 1; i <= MESSAGES; i++)
		fixture_add(writer, folders[i / 300 % 2], VALIDITY, i, i, SIZE + i % 50, "");
	(void)fixture_commit(writer, true);
	reader = fixture_reader(path);
	for (uint32_t i = 1; i <= MESSAGES; i += 7)
		check_message(reader, fixture_find(reader, 1, folders[i / 300 % 2], VALIDITY, i), i,
			SIZE + i % 50);
}

static uint64_t stored_bytes(struct archive_writer *writer)
{
	return archive_writer_figures(writer).stored_bytes;
}

static void identical_messages_are_stored_once(void)
{
	static const size_t sizes[] = {3000, 300000, 9000000};
	PATH path = fixture_archive("dedup");
	WRITER writer = fixture_writer(path);
	READER reader = NULL;
	int64_t a = fixture_folder(writer, "a", VALIDITY);
	int64_t b = fixture_folder(writer, "b", VALIDITY);

	for (uint32_t i = 0; i < ARRAY_LEN(sizes); i++) {
		fixture_add(writer, a, VALIDITY, i + 1, i, sizes[i], "");
		fixture_add(writer, a, VALIDITY, i + 11, i, sizes[i], ""); /* same commit */
	}
	(void)fixture_commit(writer, true);
	for (uint32_t i = 0; i < ARRAY_LEN(sizes); i++)
		fixture_add(writer, b, VALIDITY, i + 1, i, sizes[i], "\\Seen");
	(void)fixture_commit(writer, true);
	reader = fixture_reader(path);
	for (uint32_t i = 0; i < ARRAY_LEN(sizes); i++) {
		int64_t id = fixture_find(reader, 2, a, VALIDITY, i + 1);

		CHECK_INT(fixture_find(reader, 2, a, VALIDITY, i + 11), id);
		CHECK_INT(fixture_find(reader, 2, b, VALIDITY, i + 1), id);
		check_message(reader, id, i, sizes[i]);
	}
}

/* A message that came to nothing leaves its pieces' room for those that follow. */
static void an_aborted_message_leaves_nothing(void)
{
	PATH path = fixture_archive("abort");
	CLEANUP(buf_free) struct buf big = BUF_INIT(FIXTURE_MESSAGE_MAX);
	WRITER writer = fixture_writer(path);
	READER reader = NULL;
	struct err err = ERR_INIT;
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);

	fixture_add(writer, folder, VALIDITY, 1, 1, 1000, "");
	fixture_message(&big, 2, 30000000);
	CHECK_OK(archive_message_begin(writer, folder, big.len, &err));
	CHECK_OK(archive_message_data(writer, big.data, big.len - 1, &err));
	archive_message_abort(writer);
	fixture_add(writer, folder, VALIDITY, 2, 3, 2000, "");
	(void)fixture_commit(writer, true);
	reader = fixture_reader(path);
	CHECK_STR(fixture_list_at(reader, 1), "INBOX 77 1 1000 []\nINBOX 77 2 2000 []\n");
	check_message(reader, fixture_find(reader, 1, folder, VALIDITY, 1), 1, 1000);
	check_message(reader, fixture_find(reader, 1, folder, VALIDITY, 2), 3, 2000);
}

static void a_writer_closed_without_commit_changes_nothing(void)
{
	PATH path = fixture_archive("given_up");
	struct archive_writer *writer = fixture_writer(path);
	READER reader = NULL;
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);

	fixture_add(writer, folder, VALIDITY, 1, 1, 1000, "");
	fixture_add(writer, folder, VALIDITY, 2, 2, 20000000, "");
	archive_writer_freep(&writer);
	reader = fixture_reader(path);
	CHECK_STR(fixture_list_at(reader, 1), "");
	writer = fixture_writer(path);
	folder = fixture_folder(writer, "INBOX", VALIDITY);
	fixture_add(writer, folder, VALIDITY, 1, 9, 500, "");
	CHECK_INT(fixture_commit(writer, true), 1);
	check_message(reader, fixture_find(reader, 1, folder, VALIDITY, 1), 9, 500);
	archive_writer_freep(&writer);
}

static bool remember_entry(void *context, const struct archive_entry *entry, struct err *err)
{
	struct archive_entry *out = context;

	(void)err;
	*out = *entry;
	out->from = xstrdup(entry->from);
	out->subject = xstrdup(entry->subject);
	out->header_message_id = xstrdup(entry->header_message_id);
	return true;
}

static void an_entry_tells_date_digest_and_summary(void)
{
	PATH path = fixture_archive("entry");
	CLEANUP(buf_free) struct buf message = BUF_INIT(FIXTURE_MESSAGE_MAX);
	WRITER writer = fixture_writer(path);
	struct archive_list list = {.generation = 1};
	struct archive_entry entry = {0};
	struct err err = ERR_INIT;
	uint8_t sha256[SHA256_BYTES];
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);

	fixture_add(writer, folder, VALIDITY, 5, 8, 4000, "\\Flagged \\Seen");
	(void)fixture_commit(writer, true);
	CHECK_OK(archive_each_entry(
		archive_writer_view(writer), &list, remember_entry, &entry, &err));
	fixture_message(&message, 8, 4000);
	sha256_of(message.data, message.len, sha256);
	CHECK(memcmp(entry.sha256, sha256, sizeof(sha256)) == 0);
	CHECK_INT(entry.date.unix_s, 1000000005);
	CHECK_INT(entry.date.offset_min, 60);
	CHECK_INT(entry.uid, 5);
	CHECK(entry.has_date && entry.added_ms > 0 && entry.gone_ms == 0);
	CHECK_STR(entry.from, "a1@example.org");
	CHECK_STR(entry.subject, "message 8");
	CHECK_STR(entry.header_message_id, "<8@example.org>");
	free((char *)entry.from);
	free((char *)entry.subject);
	free((char *)entry.header_message_id);
}

/* --- history --- */

static void flags_have_a_history(void)
{
	PATH path = fixture_archive("flags");
	WRITER writer = fixture_writer(path);
	struct archive *view = archive_writer_view(writer);
	struct err err = ERR_INIT;
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);

	fixture_add(writer, folder, VALIDITY, 1, 1, 1000, "");
	CHECK_INT(fixture_commit(writer, true), 1);
	CHECK_OK(archive_set_flags(writer, folder, VALIDITY, 1, "\\Seen", &err));
	CHECK_OK(archive_set_flags(writer, folder, VALIDITY, 1, "\\Answered \\Seen", &err));
	CHECK_INT(fixture_commit(writer, true), 2);
	CHECK_OK(archive_set_flags(writer, folder, VALIDITY, 1, "", &err));
	CHECK_INT(fixture_commit(writer, true), 3);
	CHECK_STR(fixture_list_at(view, 1), "INBOX 77 1 1000 []\n");
	CHECK_STR(fixture_list_at(view, 2), "INBOX 77 1 1000 [\\Answered \\Seen]\n");
	CHECK_STR(fixture_list_at(view, 3), "INBOX 77 1 1000 []\n");
}

static void gone_mail_stays_in_the_past(void)
{
	PATH path = fixture_archive("gone");
	WRITER writer = fixture_writer(path);
	struct archive *view = archive_writer_view(writer);
	CLEANUP(rangeset_free) struct rangeset uids = {0};
	struct archive_list all = {.generation = 2, .deleted = true};
	struct archive_list only = {.generation = 2, .only_deleted = true};
	struct archive_list before = {.generation = 1, .deleted = true};
	struct err err = ERR_INIT;
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);

	for (uint32_t uid = 1; uid <= 4; uid++)
		fixture_add(writer, folder, VALIDITY, uid, uid, 100, "a");
	(void)fixture_commit(writer, true);
	CHECK_OK(archive_set_flags(writer, folder, VALIDITY, 3, "b", &err));
	rangeset_add(&uids, 2, 3);
	rangeset_add(&uids, 100, UINT32_MAX);
	CHECK_OK(archive_set_gone(writer, folder, VALIDITY, &uids, &err));
	CHECK_INT(fixture_commit(writer, true), 2);
	CHECK_STR(fixture_list_at(view, 2), "INBOX 77 1 100 [a]\nINBOX 77 4 100 [a]\n");
	CHECK_STR(fixture_list(view, &only), "INBOX 77 2 100 [a] gone\nINBOX 77 3 100 [b] gone\n");
	CHECK_STR(fixture_list(view, &all),
		"INBOX 77 1 100 [a]\nINBOX 77 2 100 [a] gone\nINBOX 77 3 100 [b] gone\n"
		"INBOX 77 4 100 [a]\n");
	/* Seen from before, it is there, and it is known that it went. */
	CHECK_STR(fixture_list(view, &before),
		"INBOX 77 1 100 [a]\nINBOX 77 2 100 [a] gone\nINBOX 77 3 100 [a] gone\n"
		"INBOX 77 4 100 [a]\n");
}

static void a_new_uidvalidity_closes_what_was_there(void)
{
	PATH path = fixture_archive("validity");
	WRITER writer = fixture_writer(path);
	struct archive *view = archive_writer_view(writer);
	struct archive_mark mark = {.uidvalidity = VALIDITY, .uidnext = 3};
	struct err err = ERR_INIT;
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);
	bool found;

	fixture_add(writer, folder, VALIDITY, 1, 1, 100, "");
	CHECK_OK(archive_set_mark(writer, folder, &mark, &err));
	(void)fixture_commit(writer, true);
	CHECK_OK(archive_set_uidvalidity(writer, folder, 78, &err));
	fixture_add(writer, folder, 78, 1, 2, 200, "");
	CHECK_INT(fixture_commit(writer, true), 2);
	CHECK_STR(fixture_list_at(view, 1), "INBOX 77 1 100 [] gone\n");
	CHECK_STR(fixture_list_at(view, 2), "INBOX 78 1 200 []\n");
	CHECK_OK(archive_mark_of(view, folder, &found, &mark, &err));
	CHECK(!found);
}

struct folder_text {
	struct buf text;
};

static bool add_folder(void *context, const struct archive_folder *folder, struct err *err)
{
	(void)err;
	return buf_printf(context, "%lld %s %s %u %llu/%llu%s\n", (long long)folder->id,
		folder->path, folder->attributes, folder->uidvalidity,
		(unsigned long long)folder->messages, (unsigned long long)folder->bytes,
		folder->subscribed ? " subscribed" : "");
}

static const char *folders_at(struct archive *archive, int64_t generation)
{
	static struct buf text = BUF_INIT(65536);
	struct err err = ERR_INIT;

	buf_reset(&text);
	CHECK_OK(archive_each_folder(archive, generation, add_folder, &text, &err));
	return text.len ? buf_str(&text) : "";
}

static void a_renamed_folder_keeps_its_id_and_mail(void)
{
	PATH path = fixture_archive("rename");
	WRITER writer = fixture_writer(path);
	struct archive *view = archive_writer_view(writer);
	struct archive_folder folder = {.path = "new",
		.wire_name = "new",
		.delimiter = '.',
		.attributes = "",
		.subscribed = true,
		.selectable = true};
	struct err err = ERR_INIT;
	int64_t id = fixture_folder(writer, "old", VALIDITY);

	fixture_add(writer, id, VALIDITY, 1, 1, 100, "");
	(void)fixture_commit(writer, true);
	folder.id = id;
	CHECK_OK(archive_put_folder(writer, &folder, &folder.id, &err));
	CHECK_INT(folder.id, id);
	CHECK_INT(fixture_commit(writer, true), 2);
	CHECK_STR(folders_at(view, 1), "1 old \\HasNoChildren 77 1/100\n");
	CHECK_STR(folders_at(view, 2), "1 new  77 1/100 subscribed\n");
	CHECK_STR(fixture_list_at(view, 1), "old 77 1 100 []\n");
	CHECK_STR(fixture_list_at(view, 2), "new 77 1 100 []\n");
}

static void a_folder_that_went_takes_its_mail_along(void)
{
	PATH path = fixture_archive("folder_gone");
	WRITER writer = fixture_writer(path);
	struct archive *view = archive_writer_view(writer);
	struct archive_list deleted = {.generation = 2, .only_deleted = true};
	struct archive_folder again = {.path = "a", .wire_name = "a", .attributes = ""};
	struct archive_mark mark = {.uidvalidity = VALIDITY, .uidnext = 9};
	struct err err = ERR_INIT;
	int64_t a = fixture_folder(writer, "a", VALIDITY);
	int64_t b = fixture_folder(writer, "b", VALIDITY);
	bool found;

	fixture_add(writer, a, VALIDITY, 1, 1, 100, "");
	fixture_add(writer, b, VALIDITY, 1, 2, 200, "");
	CHECK_OK(archive_set_mark(writer, a, &mark, &err));
	(void)fixture_commit(writer, true);
	CHECK_OK(archive_folder_gone(writer, a, &err));
	(void)fixture_commit(writer, true);
	CHECK_STR(folders_at(view, 2), "2 b \\HasNoChildren 77 1/200\n");
	CHECK_STR(fixture_list_at(view, 2), "b 77 1 200 []\n");
	CHECK_STR(fixture_list(view, &deleted), "a 77 1 100 [] gone\n");
	again.id = a;
	CHECK_OK(archive_put_folder(writer, &again, &again.id, &err));
	CHECK_INT(fixture_commit(writer, true), 3);
	CHECK_STR(folders_at(view, 3), "1 a  0 0/0\n2 b \\HasNoChildren 77 1/200\n");
	CHECK_OK(archive_mark_of(view, a, &found, &mark, &err));
	CHECK(!found);
}

static void what_comes_and_goes_in_one_commit_is_seen_at_no_time(void)
{
	PATH path = fixture_archive("blink");
	WRITER writer = fixture_writer(path);
	struct archive *view = archive_writer_view(writer);
	CLEANUP(rangeset_free) struct rangeset uids = {0};
	struct archive_snapshot snapshot;
	struct err err = ERR_INIT;
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);

	fixture_add(writer, folder, VALIDITY, 1, 1, 100, "");
	rangeset_add(&uids, 1, 1);
	CHECK_OK(archive_set_gone(writer, folder, VALIDITY, &uids, &err));
	fixture_add(writer, folder, VALIDITY, 2, 2, 100, "");
	CHECK_OK(archive_set_gone(writer, folder, VALIDITY, &uids, &err));
	(void)fixture_commit(writer, true);
	CHECK_STR(fixture_list_at(view, 1), "INBOX 77 2 100 []\n");
	CHECK_OK(archive_resolve(
		view, (struct archive_when){.kind = ARCHIVE_LATEST}, &snapshot, &err));
	CHECK_INT(snapshot.messages, 1);
}

/* --- snapshots --- */

static void a_time_chooses_the_last_complete_snapshot(void)
{
	PATH path = fixture_archive("times");
	WRITER writer = fixture_writer(path);
	struct archive *view = archive_writer_view(writer);
	struct archive_when when = {.kind = ARCHIVE_LATEST};
	struct archive_snapshot snapshot;
	struct err err = ERR_INIT;
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);
	int64_t second_ms;

	(void)fixture_commit(writer, false);
	fixture_add(writer, folder, VALIDITY, 1, 1, 100, "");
	CHECK_INT(fixture_commit(writer, true), 2);
	fixture_add(writer, folder, VALIDITY, 2, 2, 100, "");
	CHECK_INT(fixture_commit(writer, false), 3);
	CHECK_OK(archive_resolve(view, when, &snapshot, &err));
	CHECK_INT(snapshot.generation, 3);
	CHECK(!snapshot.complete);
	CHECK_INT(snapshot.messages, 2);
	CHECK_INT(snapshot.added, 1);
	when = (struct archive_when){.kind = ARCHIVE_TIME, .unix_ms = INT64_MAX};
	CHECK_OK(archive_resolve(view, when, &snapshot, &err));
	CHECK_INT(snapshot.generation, 2);
	second_ms = snapshot.unix_ms;
	when.unix_ms = 1;
	CHECK(!archive_resolve(view, when, &snapshot, &err));
	CHECK_INT(err.kind, ERR_NOT_FOUND);
	when.unix_ms = second_ms;
	CHECK_OK(archive_resolve(view, when, &snapshot, &err));
	CHECK_INT(snapshot.generation, 2);
	when = (struct archive_when){.kind = ARCHIVE_GENERATION, .generation = 4};
	CHECK(!archive_resolve(view, when, &snapshot, &err));
	CHECK_STR(err.text, "no snapshot 4: there are some up to 3");
}

static void an_empty_archive_is_at_generation_0(void)
{
	PATH path = fixture_archive("empty");
	READER reader = fixture_reader(path);
	struct archive_when when = {.kind = ARCHIVE_LATEST};
	struct archive_snapshot snapshot;
	struct archive_facts facts;
	struct err err = ERR_INIT;

	CHECK_OK(archive_resolve(reader, when, &snapshot, &err));
	CHECK_INT(snapshot.generation, 0);
	CHECK_STR(fixture_list_at(reader, 0), "");
	CHECK_OK(archive_facts(reader, &facts, &err));
	CHECK_STR(facts.head, "");
	CHECK(facts.archive_bytes > 0);
	when = (struct archive_when){.kind = ARCHIVE_TIME, .unix_ms = 1};
	CHECK(!archive_resolve(reader, when, &snapshot, &err));
	CHECK_INT(err.kind, ERR_NOT_FOUND);
}

static bool add_snapshot(void *context, const struct archive_snapshot *snapshot, struct err *err)
{
	(void)err;
	return buf_printf(context, "%lld %d %llu +%llu -%llu ~%llu\n",
		(long long)snapshot->generation, snapshot->complete,
		(unsigned long long)snapshot->messages, (unsigned long long)snapshot->added,
		(unsigned long long)snapshot->removed, (unsigned long long)snapshot->changed);
}

static void snapshots_count_what_changed(void)
{
	PATH path = fixture_archive("counts");
	WRITER writer = fixture_writer(path);
	CLEANUP(rangeset_free) struct rangeset uids = {0};
	CLEANUP(buf_free) struct buf text = BUF_INIT(4096);
	struct archive_facts facts;
	struct err err = ERR_INIT;
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);

	for (uint32_t uid = 1; uid <= 5; uid++)
		fixture_add(writer, folder, VALIDITY, uid, uid, 100, "");
	(void)fixture_commit(writer, true);
	rangeset_add(&uids, 1, 2);
	CHECK_OK(archive_set_gone(writer, folder, VALIDITY, &uids, &err));
	CHECK_OK(archive_set_flags(writer, folder, VALIDITY, 3, "x", &err));
	fixture_add(writer, folder, VALIDITY, 6, 6, 700, "");
	(void)fixture_commit(writer, true);
	CHECK_OK(archive_each_snapshot(archive_writer_view(writer), add_snapshot, &text, &err));
	CHECK_STR(buf_str(&text), "1 1 5 +5 -0 ~0\n2 1 4 +1 -2 ~1\n");
	CHECK_OK(archive_facts(archive_writer_view(writer), &facts, &err));
	CHECK_INT(facts.messages, 4);
	CHECK_INT(facts.bytes, 1000);
	CHECK_INT(facts.generation, 2);
	CHECK_INT(strlen(facts.head), 64);
}

/* --- marks and uids --- */

static bool add_uid(void *context, uint32_t uid, const char *flags, struct err *err)
{
	(void)err;
	return buf_printf(context, "%u[%s] ", uid, flags);
}

static void marks_and_uids_tell_how_far_a_folder_is(void)
{
	PATH path = fixture_archive("marks");
	WRITER writer = fixture_writer(path);
	struct archive *view = archive_writer_view(writer);
	CLEANUP(buf_free) struct buf text = BUF_INIT(4096);
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
	CHECK_OK(archive_each_uid(view, folder, VALIDITY, add_uid, &text, &err));
	CHECK_STR(buf_str(&text), "1[a] 3[b] ");
}

/* --- what others see --- */

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
		check_message(reader, fixture_find(reader, uid, folder, VALIDITY, uid), uid, 10000);
	}
}

static void a_second_writer_waits_and_is_then_refused(void)
{
	PATH path = fixture_archive("lock");
	struct archive_writer *writer = fixture_writer(path);
	struct archive_writer *second = NULL;
	struct err err = ERR_INIT;

	CHECK(!archive_writer_open(path, 10, &second, &err));
	CHECK_INT(err.kind, ERR_BUSY);
	CHECK(strstr(err.text, "locked by") != NULL);
	archive_writer_freep(&writer);
	CHECK_OK(archive_writer_open(path, 10, &second, &err));
	archive_writer_freep(&second);
}

static void nowhere_and_elsewhere_are_refused(void)
{
	PATH path = str_printf("%s/nowhere", check_temp_dir());
	PATH taken = fixture_archive("taken");
	struct archive *archive = NULL;
	struct archive_writer *writer = NULL;
	struct err err = ERR_INIT;

	CHECK(!archive_exists(path));
	CHECK(!archive_open(path, &archive, &err));
	CHECK_INT(err.kind, ERR_NOT_FOUND);
	CHECK(!archive_writer_open(path, 10, &writer, &err));
	CHECK_INT(err.kind, ERR_NOT_FOUND);
	CHECK(archive_exists(taken));
	CHECK(!archive_create(taken, &err));
	CHECK_INT(err.kind, ERR_CREATE);
	CHECK(!archive_create(check_temp_dir(), &err));
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
		archive_writer_view(writer), folder_id, VALIDITY, add_uid, &text, &err));
	CHECK_STR(buf_str(&text), "1[\\Seen] 2[\\Seen] ");
	check_message(archive_writer_view(writer),
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

static void a_commit_of_nothing_after_one_is_no_generation(void)
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
	CHECK_OK(archive_each_uid(archive_writer_view(writer), changer.folder, VALIDITY,
		change_flags, &changer, &err));
	CHECK_INT(fixture_commit(writer, true), 2);
	CHECK_OK(archive_resolve(archive_writer_view(writer),
		(struct archive_when){.kind = ARCHIVE_LATEST}, &snapshot, &err));
	CHECK_INT(snapshot.changed, MESSAGES);
	archive_writer_freep(&writer);
}

/* --- mending --- */

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

static void an_older_catalogue_is_brought_up_to_date(void)
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
	check_message(reader, fixture_find(reader, 3, 1, VALIDITY, 2), 6, 100000);
	fixture_add(writer, 1, VALIDITY, 3, 7, 100, "");
	CHECK_INT(fixture_commit(writer, true), 4);
	archive_writer_freep(&writer);
}

static void remove_catalogue(const char *path)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		PATH file = str_printf("%s/catalogue.db%s", path, suffixes[i]);

		CHECK_OK(fs_remove(file, &err));
	}
}

static void the_volumes_alone_make_the_catalogue_again(void)
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
	remove_catalogue(path);
	CHECK(!archive_open(path, &reader, &err));
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

static char *only_volume(const char *path)
{
	CLEANUP(volume_list_free) struct volume_list list = {0};
	struct err err = ERR_INIT;

	CHECK_OK(volume_list(path, &list, &err));
	CHECK_INT(list.count, 1);
	return volume_path(path, &list.items[0]);
}

static void a_missing_volume_is_named(void)
{
	PATH path = fixture_archive("lost_volume");
	struct archive_writer *writer = fixture_writer(path);
	READER reader = NULL;
	PATH volume = only_volume(path);
	struct err err = ERR_INIT;

	fill_three_commits(writer);
	archive_writer_freep(&writer);
	CHECK_OK(fs_remove(volume, &err));
	reader = fixture_reader(path);
	CHECK_STR(fixture_list_at(reader, 3), three_commits);
	CHECK(!archive_read_message(reader, 1, NULL, NULL, &err));
	CHECK_INT(err.kind, ERR_CORRUPT);
	CHECK(strstr(err.text, volume) != NULL);
	CHECK(!archive_writer_open(path, 10, &writer, &err));
	CHECK_INT(err.kind, ERR_CORRUPT);
	CHECK(strstr(err.text, "mailstow rebuild") != NULL);
}

/* The volume is put back to an earlier day under a newer catalogue. */
static void a_rolled_back_volume_is_refused(void)
{
	PATH path = fixture_archive("rolled_back");
	struct archive_writer *writer = fixture_writer(path);
	PATH volume = only_volume(path);
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
	CHECK(!archive_writer_open(path, 10, &writer, &err));
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
	CHECK_OK(volume_open(path, &list.items[0], DB_WRITE, &volume, &err));
	CHECK_OK(volume_get_frame(&volume, 1, false, zstd, &raw, &err));
	raw.data[500] ^= 1;
	frame.raw_len = raw.len;
	frame.data = raw.data;
	frame.len = raw.len;
	sha256_of(raw.data, raw.len, frame.sha256); /* a frame that is whole, but another */
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

/* --- copies --- */

static void copy_file(const char *from, const char *to)
{
	CLEANUP(buf_free) struct buf data = BUF_INIT(FIXTURE_MESSAGE_MAX);
	struct err err = ERR_INIT;

	CHECK_OK(fs_read(from, &data, &err));
	CHECK_OK(fs_write_atomic(to, data.data, data.len, 0600, &err));
}

/* What a tidied archive is when only the databases are copied. */
static char *copy_of_archive(const char *path)
{
	char *copy = str_printf("%s-copy", path);
	PATH volumes = str_printf("%s/volumes", copy);
	PATH volume_from = only_volume(path);
	PATH volume_to = str_printf("%s/volumes%s", copy, strrchr(volume_from, '/'));
	PATH catalogue_from = str_printf("%s/catalogue.db", path);
	PATH catalogue_to = str_printf("%s/catalogue.db", copy);
	struct err err = ERR_INIT;

	CHECK_OK(fs_make_dirs(volumes, 0700, &err));
	copy_file(volume_from, volume_to);
	copy_file(catalogue_from, catalogue_to);
	return copy;
}

/* With nobody else there the packer leaves empty WALs. */
static void writer_checkpoint_all(struct archive_writer *writer)
{
	struct err err = ERR_INIT;

	CHECK_OK(archive_tidy(writer, &err)); /* the packer's thread is idle from here on */
	CHECK_OK(db_checkpoint(writer->packer.volume.db, true, &err));
	CHECK_OK(db_checkpoint(writer->packer.catalogue, true, &err));
}

static void a_copy_without_a_wal_is_read_as_it_lies(void)
{
	PATH path = fixture_archive("original");
	struct archive_writer *writer = fixture_writer(path);
	READER reader = NULL;
	PATH copy = NULL;
	PATH before = NULL;
	PATH after = NULL;
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);

	fixture_add(writer, folder, VALIDITY, 1, 1, 5000000, ""); /* enough to be checkpointed */
	(void)fixture_commit(writer, true);
	writer_checkpoint_all(writer);
	archive_writer_freep(&writer);
	copy = copy_of_archive(path);
	before = all_files(copy);
	reader = fixture_reader(copy);
	CHECK_STR(fixture_list_at(reader, 1), "INBOX 77 1 5000000 []\n");
	check_message(reader, fixture_find(reader, 1, folder, VALIDITY, 1), 1, 5000000);
	after = all_files(copy);
	CHECK_STR(after, before);
	writer = fixture_writer(copy);
	fixture_add(writer, folder, VALIDITY, 2, 2, 100, "");
	CHECK_INT(fixture_commit(writer, true), 2);
	check_message(reader, fixture_find(reader, 2, folder, VALIDITY, 2), 2, 100);
	archive_writer_freep(&writer);
}

/* --- volumes --- */

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
	first = volume_path(path, &list.items[0]);
	wal = str_printf("%s-wal", first);
	CHECK(stat(first, &st) == 0 && (st.st_mode & 07777) == 0444);
	CHECK(!fs_exists(wal) && !fs_exists(leftover));
	for (uint32_t uid = 1; uid <= 10; uid++)
		check_message(reader, fixture_find(reader, 10, folder, VALIDITY, uid), uid, 150000);
	remove_catalogue(path);
	writer = fixture_writer(path);
	CHECK_INT(fixture_commit(writer, true), 10);
	check_message(archive_writer_view(writer),
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
	remove_catalogue(path);
	writer = fixture_writer(path);
	CHECK_INT(fixture_commit(writer, true), 1);
	CHECK_INT(strlen(fixture_list_at(archive_writer_view(writer), 1)),
		MESSAGES * 10000 + 9 * strlen("INBOX 77 1 100 []\n") +
			21 * strlen("INBOX 77 10 100 []\n"));
	archive_writer_freep(&writer);
}

static void the_packer_commits_by_itself_only_when_it_may(void)
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
		PROMISE(messages_of_every_size_come_back_exactly),
		PROMISE(many_small_messages_in_several_folders_come_back_exactly),
		PROMISE(identical_messages_are_stored_once),
		PROMISE(an_aborted_message_leaves_nothing),
		PROMISE(a_writer_closed_without_commit_changes_nothing),
		PROMISE(an_entry_tells_date_digest_and_summary),
		PROMISE(flags_have_a_history),
		PROMISE(gone_mail_stays_in_the_past),
		PROMISE(a_new_uidvalidity_closes_what_was_there),
		PROMISE(a_renamed_folder_keeps_its_id_and_mail),
		PROMISE(a_folder_that_went_takes_its_mail_along),
		PROMISE(what_comes_and_goes_in_one_commit_is_seen_at_no_time),
		PROMISE(a_time_chooses_the_last_complete_snapshot),
		PROMISE(an_empty_archive_is_at_generation_0),
		PROMISE(snapshots_count_what_changed),
		PROMISE(marks_and_uids_tell_how_far_a_folder_is),
		PROMISE(a_reader_sees_each_commit_while_a_writer_writes),
		PROMISE(a_second_writer_waits_and_is_then_refused),
		PROMISE(nowhere_and_elsewhere_are_refused),
		PROMISE(an_unchanged_pass_writes_not_a_byte),
		PROMISE(a_commit_of_nothing_after_one_is_no_generation),
		PROMISE(a_view_may_be_read_while_changes_begin),
		PROMISE(an_older_catalogue_is_brought_up_to_date),
		PROMISE(the_volumes_alone_make_the_catalogue_again),
		PROMISE(a_missing_volume_is_named),
		PROMISE(a_rolled_back_volume_is_refused),
		PROMISE(a_damaged_frame_is_found_and_named),
		PROMISE(a_copy_without_a_wal_is_read_as_it_lies),
		PROMISE(a_full_volume_is_followed_by_another),
		PROMISE(a_commit_may_need_several_journal_frames),
		PROMISE(the_packer_commits_by_itself_only_when_it_may),
		PROMISE(a_mistaken_change_fails_the_writer),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
