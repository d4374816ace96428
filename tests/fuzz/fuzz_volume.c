/*
 * An archive with damage anywhere in its volume or its catalogue, read and checked: it is refused
 * with an error that says so, or understood; a message that is given is as long as its entry says.
 *
 * The input damages a good archive, made anew in each process: its first byte chooses the file and
 * whether the archive is checked or read, the next two how much is cut from the end (in pages),
 * then each four bytes are an offset and what is xored there.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/catalogue.h"
#include "archive/check.h"
#include "archive/volume.h"
#include "archive/writer.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"

enum {
	FILE_BYTES_MAX = 4 * 1024 * 1024,
	PAGE_BYTES = 4096,
	MESSAGES = 12,
	MESSAGE_BYTES = 9000,
	EDIT_BYTES = 4,
	LOCK_MS = 1000,
	IN_CATALOGUE = 1,
	CHECKED = 2,
};

struct original {
	char *path;
	struct buf bytes;
};

static char *folder;
static char *archive_path;
static struct original originals[2] = {
	{.bytes = BUF_INIT(FILE_BYTES_MAX)}, {.bytes = BUF_INIT(FILE_BYTES_MAX)}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void succeed(bool good, const struct err *err)
{
	if (!good) {
		(void)fprintf(stderr, "fuzz_volume: %s\n", err->text);
		abort();
	}
}

static void make_message(uint32_t seed, char out[MESSAGE_BYTES])
{
	memset(out, 'a' + (int)(seed % 26), MESSAGE_BYTES);
	(void)snprintf(out, MESSAGE_BYTES, "Subject: %u\r\n\r\n", seed);
}

static void add_message(struct archive_writer *writer, int64_t folder_id, uint32_t uid)
{
	struct archive_placement placement = {
		.folder_id = folder_id,
		.uidvalidity = 1,
		.uid = uid,
		.has_date = true,
		.date = {.unix_s = 1000000000},
		.flags = "\\Seen",
	};
	char message[MESSAGE_BYTES];
	struct err err = ERR_INIT;

	make_message(uid, message);
	succeed(archive_message_begin(writer, folder_id, MESSAGE_BYTES, &err), &err);
	succeed(archive_message_data(writer, (uint8_t *)message, MESSAGE_BYTES, &err), &err);
	succeed(archive_message_end(writer, &placement.ticket, &err), &err);
	succeed(archive_place(writer, &placement, &err), &err);
}

/* Two commits, so that there is history, and no WAL left. */
static void fill_archive(void)
{
	CLEANUP(archive_writer_freep) struct archive_writer *writer = NULL;
	struct archive_folder inbox = {
		.path = "INBOX", .wire_name = "INBOX", .attributes = "", .selectable = true};
	struct err err = ERR_INIT;
	int64_t id, generation;

	succeed(archive_create(archive_path, &err), &err);
	succeed(archive_writer_open(archive_path, LOCK_MS, &writer, &err), &err);
	succeed(archive_put_folder(writer, &inbox, &id, &err), &err);
	succeed(archive_set_uidvalidity(writer, id, 1, &err), &err);
	for (uint32_t uid = 1; uid <= MESSAGES; uid++)
		add_message(writer, id, uid);
	succeed(archive_commit(writer, true, &generation, &err), &err);
	succeed(archive_set_flags(writer, id, 1, 1, "\\Flagged", &err), &err);
	succeed(archive_commit(writer, true, &generation, &err), &err);
	succeed(archive_tidy(writer, &err), &err);
	succeed(db_checkpoint(writer->packer.volume.db, true, &err), &err);
	succeed(db_checkpoint(writer->packer.catalogue, true, &err), &err);
}

static void remove_wals(void)
{
	for (size_t i = 0; i < ARRAY_LEN(originals); i++) {
		struct err err = ERR_INIT;

		succeed(db_remove_wal(originals[i].path, &err), &err);
	}
}

static void remove_all(void)
{
	CLEANUP(freep) char *volumes = volume_folder(archive_path);
	CLEANUP(freep) char *lock = str_printf("%s/lock", archive_path);

	remove_wals();
	for (size_t i = 0; i < ARRAY_LEN(originals); i++) {
		(void)unlink(originals[i].path);
		free(originals[i].path);
		buf_free(&originals[i].bytes);
	}
	(void)unlink(lock);
	(void)rmdir(volumes);
	(void)rmdir(archive_path);
	(void)rmdir(folder);
	free(folder);
	free(archive_path);
}

static void make_originals(void)
{
	CLEANUP(volume_list_free) struct volume_list list = {0};
	const char *place = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	struct err err = ERR_INIT;
	bool made;

	folder = str_printf("%s/fuzz-volume-XXXXXX", place); /* memory: much is synced */
	made = mkdtemp(folder) != NULL;
	assert(made);
	archive_path = str_printf("%s/a", folder);
	fill_archive();
	succeed(volume_list(archive_path, &list, &err), &err);
	originals[0].path = volume_path(archive_path, &list.items[0]);
	originals[1].path = catalogue_path(archive_path);
	for (size_t i = 0; i < ARRAY_LEN(originals); i++)
		succeed(fs_read(originals[i].path, &originals[i].bytes, &err), &err);
	remove_wals();
	(void)atexit(remove_all);
}

static void write_file(const char *path, const uint8_t *data, size_t len)
{
	FILE *file = fopen(path, "wb");
	bool written = file && fwrite(data, 1, len, file) == len && fclose(file) == 0;

	assert(written);
}

static void write_damaged(const struct original *original, const uint8_t *data, size_t len)
{
	CLEANUP(freep) uint8_t *bytes = xmemdup(original->bytes.data, original->bytes.len);
	size_t size = original->bytes.len;
	size_t cut = len >= 2 ? ((size_t)data[0] << 8 | data[1]) * PAGE_BYTES : 0;

	for (size_t at = 2; at + EDIT_BYTES <= len; at += EDIT_BYTES) {
		size_t offset = (size_t)data[at] << 16 | (size_t)data[at + 1] << 8 | data[at + 2];

		bytes[offset % size] ^= data[at + 3];
	}
	write_file(original->path, bytes, cut < size ? size - cut : size);
}

struct reading {
	struct archive *archive;
	uint64_t len;
	unsigned messages; /* read wholly */
};

static bool count_piece(void *context, const uint8_t *data, size_t len, struct err *err)
{
	struct reading *reading = context;

	(void)data, (void)err;
	reading->len += len;
	return true;
}

static bool read_entry(void *context, const struct archive_entry *entry, struct err *err)
{
	struct reading *reading = context;
	struct err own = ERR_INIT;

	(void)err;
	reading->len = 0;
	assert(strlen(entry->folder_path) + strlen(entry->flags) + strlen(entry->subject) +
			strlen(entry->from) <
		FILE_BYTES_MAX);
	if (archive_read_message(reading->archive, entry->message_id, count_piece, reading, &own)) {
		assert(reading->len == entry->size);
		reading->messages++;
	} else {
		assert(own.kind != ERR_NONE);
	}
	return true;
}

static bool see_snapshot(void *context, const struct archive_snapshot *snapshot, struct err *err)
{
	(void)context, (void)snapshot, (void)err;
	return true;
}

static bool see_folder(void *context, const struct archive_folder *seen, struct err *err)
{
	(void)context, (void)err;
	assert(seen->path && seen->wire_name && seen->attributes);
	return true;
}

static bool see_finding(void *context, const struct archive_finding *finding, struct err *err)
{
	(void)context, (void)err;
	assert(finding->where && finding->what);
	return true;
}

/* How many messages could be read. */
static unsigned read_archive(void)
{
	CLEANUP(archive_freep) struct archive *archive = NULL;
	struct archive_list list = {.deleted = true};
	struct archive_snapshot latest;
	struct archive_facts facts;
	struct reading reading = {0};
	struct err err = ERR_INIT;

	if (!archive_open(archive_path, &archive, &err))
		return 0;
	reading.archive = archive;
	(void)archive_facts(archive, &facts, &err);
	(void)archive_each_snapshot(archive, see_snapshot, NULL, &err);
	if (!archive_resolve(archive, (struct archive_when){.kind = ARCHIVE_LATEST}, &latest, &err))
		return 0;
	list.generation = latest.generation;
	(void)archive_each_folder(archive, latest.generation, see_folder, NULL, &err);
	(void)archive_each_entry(archive, &list, read_entry, &reading, &err);
	return reading.messages;
}

/* All could be looked at, and nothing was found. */
static bool check_archive(void)
{
	const struct archive_check check = {.read_percent = 100, .finding = see_finding};
	struct archive_checked checked;
	struct err err = ERR_INIT;

	return archive_check(archive_path, &check, LOCK_MS, &checked, &err) && checked.errors == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	unsigned how = len ? data[0] : 0;
	size_t damaged = how & IN_CATALOGUE;
	bool whole;

	if (!archive_path)
		make_originals();
	remove_wals();
	write_file(originals[!damaged].path, originals[!damaged].bytes.data,
		originals[!damaged].bytes.len);
	write_damaged(&originals[damaged], data + !!len, len - !!len);
	if (how & CHECKED)
		whole = check_archive();
	else
		whole = read_archive() == MESSAGES;
	assert(whole || len > 1); /* what is not damaged is read */
	return 0;
}
