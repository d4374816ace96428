#include "archive/archive.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "support/archive/archive_fixture.h"
#include "support/check.h"

enum { VALIDITY = 77 };

#define WRITER CLEANUP(archive_writer_freep) struct archive_writer *
#define READER CLEANUP(archive_freep) struct archive *
#define PATH   CLEANUP(freep) char *

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
		fixture_check_message(
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
		fixture_check_message(reader,
			fixture_find(reader, 1, folders[i / 300 % 2], VALIDITY, i), i,
			SIZE + i % 50);
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
		fixture_check_message(reader, id, i, sizes[i]);
	}
}

/* A message that was abandoned frees the room of its pieces for later ones. */
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
	fixture_check_message(reader, fixture_find(reader, 1, folder, VALIDITY, 1), 1, 1000);
	fixture_check_message(reader, fixture_find(reader, 1, folder, VALIDITY, 2), 3, 2000);
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
	fixture_check_message(reader, fixture_find(reader, 1, folder, VALIDITY, 1), 9, 500);
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

static void an_entry_has_date_digest_and_summary(void)
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

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(messages_of_every_size_come_back_exactly),
		PROMISE(many_small_messages_in_several_folders_come_back_exactly),
		PROMISE(identical_messages_are_stored_once),
		PROMISE(an_aborted_message_leaves_nothing),
		PROMISE(a_writer_closed_without_commit_changes_nothing),
		PROMISE(an_entry_has_date_digest_and_summary),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
