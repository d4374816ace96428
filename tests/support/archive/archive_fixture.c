#include "support/archive/archive_fixture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/check.h"
#include "archive/volume/volume.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "support/archive/refs.h"
#include "support/check.h"

enum { WAIT_MS = 1000 };

static const struct archive_secret key = {
	ARCHIVE_KEY, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 64};

static bool wants_encryption(void)
{
	return getenv("MAILSTOW_TEST_ENCRYPTED") != NULL;
}

bool fixture_create(const char *path, struct err *err)
{
	return wants_encryption() ? archive_create_encrypted(ref_of(path), &key, 0, err)
				  : archive_create(path, 0, err);
}

bool fixture_unlock(const char *path, struct err *err)
{
	return !wants_encryption() || archive_unlock(ref_of(path), &key, err);
}

char *fixture_archive(const char *name)
{
	struct err err = ERR_INIT;
	char *path = str_printf("%s/%s", check_temp_dir(), name);

	CHECK_OK(fixture_create(path, &err));
	return path;
}

struct archive_writer *fixture_writer(const char *path)
{
	struct archive_writer *writer = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(fixture_unlock(path, &err));
	CHECK_OK(archive_writer_open(ref_of(path), 1000, &writer, &err));
	return writer;
}

struct archive *fixture_reader(const char *path)
{
	struct archive *archive = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(fixture_unlock(path, &err));
	CHECK_OK(archive_open(ref_of(path), &archive, &err));
	return archive;
}

/* Words in two of three blocks and noise in the third, so that only some compress. */
void fixture_message(struct buf *out, uint32_t seed, size_t size)
{
	uint64_t state = seed * 2654435761U + 1;
	char header[128];
	size_t len = (size_t)snprintf(header, sizeof(header),
		"From: a%" PRIu32 "@example.org\r\nSubject: message %" PRIu32 "\r\n"
		"Message-ID: <%" PRIu32 "@example.org>\r\n\r\n",
		seed % 7, seed, seed);
	uint8_t *bytes;

	buf_reset(out);
	CHECK(size <= out->max);
	bytes = buf_reserve(out, size);
	CHECK(bytes != NULL);
	for (size_t i = 0; i < size; i++) {
		state = state * 6364136223846793005U + 1442695040888963407U;
		bytes[i] = (uint8_t)(state >> 56);
		if (i / 4096 % 3 != 2)
			bytes[i] = (uint8_t)("etaoin shrdlu\r\n,"[bytes[i] % 16]);
	}
	memcpy(bytes, header, len < size ? len : size);
	out->len = size;
}

int64_t fixture_folder(struct archive_writer *writer, const char *path, uint32_t uidvalidity)
{
	struct archive_folder folder = {
		.path = path,
		.wire_name = path,
		.delimiter = '/',
		.attributes = "\\HasNoChildren",
		.selectable = true,
	};
	struct err err = ERR_INIT;
	int64_t id;

	CHECK_OK(archive_put_folder(writer, &folder, &id, &err));
	if (uidvalidity)
		CHECK_OK(archive_set_uidvalidity(writer, id, uidvalidity, &err));
	return id;
}

int64_t fixture_store(struct archive_writer *writer, int64_t folder, const void *data, size_t len)
{
	struct err err = ERR_INIT;
	int64_t ticket;

	CHECK_OK(archive_message_begin(writer, folder, len, &err));
	CHECK_OK(archive_message_data(writer, data, len, &err));
	CHECK_OK(archive_message_end(writer, &ticket, &err));
	return ticket;
}

void fixture_place(struct archive_writer *writer, int64_t folder, uint32_t uidvalidity,
	uint32_t uid, int64_t ticket, const char *flags)
{
	struct archive_placement placement = {
		.folder_id = folder,
		.uidvalidity = uidvalidity,
		.uid = uid,
		.ticket = ticket,
		.has_date = true,
		.date = {.unix_s = 1000000000 + uid, .offset_min = 60},
		.flags = flags,
	};
	struct err err = ERR_INIT;

	CHECK_OK(archive_place(writer, &placement, &err));
}

void fixture_add(struct archive_writer *writer, int64_t folder, uint32_t uidvalidity, uint32_t uid,
	uint32_t seed, size_t size, const char *flags)
{
	CLEANUP(buf_free) struct buf message = BUF_INIT(FIXTURE_MESSAGE_MAX);
	int64_t ticket;

	fixture_message(&message, seed, size);
	ticket = fixture_store(writer, folder, message.data, message.len);
	fixture_place(writer, folder, uidvalidity, uid, ticket, flags);
}

int64_t fixture_commit(struct archive_writer *writer, bool complete)
{
	struct err err = ERR_INIT;
	int64_t generation;

	CHECK_OK(archive_commit(writer, complete, &generation, &err));
	return generation;
}

static bool add_piece(void *context, const uint8_t *data, size_t len, struct err *err)
{
	(void)err;
	return buf_add(context, data, len);
}

void fixture_read(struct archive *archive, int64_t message_id, struct buf *out)
{
	struct err err = ERR_INIT;

	buf_reset(out);
	CHECK_OK(archive_read_message(archive, message_id, add_piece, out, &err));
}

struct wanted {
	uint32_t uidvalidity;
	uint32_t uid;
	int64_t message_id;
};

static bool match(void *context, const struct archive_entry *entry, struct err *err)
{
	struct wanted *wanted = context;

	(void)err;
	if (entry->uid == wanted->uid && entry->uidvalidity == wanted->uidvalidity)
		wanted->message_id = entry->message_id;
	return true;
}

int64_t fixture_find(struct archive *archive, int64_t generation, int64_t folder,
	uint32_t uidvalidity, uint32_t uid)
{
	struct archive_list list = {.generation = generation, .folder_id = folder};
	struct wanted wanted = {uidvalidity, uid, 0};
	struct err err = ERR_INIT;

	CHECK_OK(archive_each_entry(archive, &list, match, &wanted, &err));
	return wanted.message_id;
}

static bool add_line(void *context, const struct archive_entry *entry, struct err *err)
{
	(void)err;
	return buf_printf(context, "%s %" PRIu32 " %" PRIu32 " %" PRIu64 " [%s]%s\n",
		entry->folder_path, entry->uidvalidity, entry->uid, entry->size, entry->flags,
		entry->gone_ms ? " gone" : "");
}

const char *fixture_list(struct archive *archive, const struct archive_list *list)
{
	static struct buf text = BUF_INIT(16 * 1024 * 1024);
	struct err err = ERR_INIT;

	buf_reset(&text);
	CHECK_OK(archive_each_entry(archive, list, add_line, &text, &err));
	if (text.len == 0)
		return "";
	return buf_str(&text);
}

const char *fixture_list_at(struct archive *archive, int64_t generation)
{
	struct archive_list list = {.generation = generation};

	return fixture_list(archive, &list);
}

void fixture_check_message(struct archive *reader, int64_t id, uint32_t seed, size_t size)
{
	CLEANUP(buf_free) struct buf wanted = BUF_INIT(FIXTURE_MESSAGE_MAX);
	CLEANUP(buf_free) struct buf got = BUF_INIT(FIXTURE_MESSAGE_MAX);

	CHECK(id != 0);
	fixture_message(&wanted, seed, size);
	fixture_read(reader, id, &got);
	CHECK_INT(got.len, size);
	CHECK(size == 0 || memcmp(got.data, wanted.data, size) == 0);
}

char *fixture_only_volume(const char *path)
{
	CLEANUP(volume_list_free) struct volume_list list = {0};
	struct err err = ERR_INIT;

	CHECK_OK(volume_list(path, &list, &err));
	CHECK_INT(list.count, 1);
	return layout_volume_path(path, &list.items[0]);
}

void fixture_remove_catalogue(const char *path)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		CLEANUP(freep) char *file = str_printf("%s/catalogue.db%s", path, suffixes[i]);

		CHECK_OK(fs_remove(file, &err));
	}
}

static bool fail(void *context, const struct archive_finding *finding, struct err *err)
{
	(void)context;
	(void)err;
	check_fail(__FILE__, __LINE__, "%s: %s", finding->where, finding->what);
}

void fixture_check(const char *path)
{
	struct archive_check check = {.read_percent = 100, .finding = fail};
	struct archive_checked checked;
	struct err err = ERR_INIT;

	CHECK_OK(fixture_unlock(path, &err));
	CHECK_OK(archive_check(ref_of(path), &check, WAIT_MS, &checked, &err));
	CHECK_INT(checked.errors, 0);
}

struct record fixture_record(int64_t id, int64_t item)
{
	return (struct record){.kind = RECORD_MESSAGE,
		.message = {.id = id,
			.size = FIXTURE_RECORD_BYTES,
			.item = item,
			.from = text_of(""),
			.subject = text_of(""),
			.date = text_of(""),
			.message_id = text_of("")}};
}
