#include "fuzz_archive.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/catalogue/catalogue.h"
#include "archive/check.h"
#include "archive/volume/volume.h"
#include "archive/write/writer.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "support/archive/refs.h"

static char *folder;
static struct fuzz_archive archive = {
	.volume.bytes = BUF_INIT(FUZZ_FILE_BYTES_MAX),
	.catalogue.bytes = BUF_INIT(FUZZ_FILE_BYTES_MAX),
};

void fuzz_succeed(bool good, const struct err *err)
{
	if (!good) {
		(void)fprintf(stderr, "fuzz: %s\n", err->text);
		abort();
	}
}

void fuzz_message(uint32_t uid, char out[FUZZ_MESSAGE_BYTES])
{
	memset(out, 'a' + (int)(uid % 26), FUZZ_MESSAGE_BYTES);
	(void)snprintf(out, FUZZ_MESSAGE_BYTES, "Subject: %u\r\n\r\n", uid);
}

void fuzz_write_file(const char *path, const uint8_t *data, size_t len)
{
	FILE *file = fopen(path, "wb");
	bool written = file && fwrite(data, 1, len, file) == len && fclose(file) == 0;

	assert(written);
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
	char message[FUZZ_MESSAGE_BYTES];
	struct err err = ERR_INIT;

	fuzz_message(uid, message);
	fuzz_succeed(archive_message_begin(writer, folder_id, FUZZ_MESSAGE_BYTES, &err), &err);
	fuzz_succeed(
		archive_message_data(writer, (uint8_t *)message, FUZZ_MESSAGE_BYTES, &err), &err);
	fuzz_succeed(archive_message_end(writer, &placement.ticket, &err), &err);
	fuzz_succeed(archive_place(writer, &placement, &err), &err);
}

/* Two commits, so that there is history, and no WAL left. */
static void fill(void)
{
	CLEANUP(archive_writer_freep) struct archive_writer *writer = NULL;
	struct archive_folder inbox = {
		.path = "INBOX", .wire_name = "INBOX", .attributes = "", .selectable = true};
	struct err err = ERR_INIT;
	int64_t id, generation;

	fuzz_succeed(archive_create(archive.path, 0, &err), &err);
	fuzz_succeed(archive_writer_open(ref_of(archive.path), FUZZ_LOCK_MS, &writer, &err), &err);
	fuzz_succeed(archive_put_folder(writer, &inbox, &id, &err), &err);
	fuzz_succeed(archive_set_uidvalidity(writer, id, 1, &err), &err);
	for (uint32_t uid = 1; uid <= FUZZ_MESSAGES; uid++)
		add_message(writer, id, uid);
	fuzz_succeed(archive_commit(writer, true, &generation, &err), &err);
	fuzz_succeed(archive_set_flags(writer, id, 1, 1, "\\Flagged", &err), &err);
	fuzz_succeed(archive_commit(writer, true, &generation, &err), &err);
	fuzz_succeed(archive_tidy(writer, &err), &err);
	fuzz_succeed(db_wal_checkpoint(writer->thread.packer.volume.db, true, &err), &err);
	fuzz_succeed(db_wal_checkpoint(writer->thread.packer.catalogue, true, &err), &err);
}

static void remove_wals(void)
{
	struct err err = ERR_INIT;

	fuzz_succeed(db_remove_wal(archive.volume.path, &err), &err);
	fuzz_succeed(db_remove_wal(archive.catalogue.path, &err), &err);
}

static void free_file(struct fuzz_file *file)
{
	(void)unlink(file->path);
	free(file->path);
	buf_free(&file->bytes);
}

static void remove_all(void)
{
	CLEANUP(freep) char *volumes = layout_volumes_path(archive.path);
	CLEANUP(freep) char *lock = str_printf("%s/lock", archive.path);

	remove_wals();
	free_file(&archive.volume);
	free_file(&archive.catalogue);
	(void)unlink(lock);
	(void)rmdir(volumes);
	(void)rmdir(archive.path);
	(void)rmdir(folder);
	free(folder);
	free(archive.path);
}

static void make(void)
{
	CLEANUP(volume_list_free) struct volume_list list = {0};
	const char *place = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	struct err err = ERR_INIT;
	bool made;

	folder = str_printf("%s/fuzz-archive-XXXXXX", place); /* memory: much is synced */
	made = mkdtemp(folder) != NULL;
	assert(made);
	archive.path = str_printf("%s/a", folder);
	fill();
	fuzz_succeed(volume_list(archive.path, &list, &err), &err);
	archive.volume.path = layout_volume_path(archive.path, &list.items[0]);
	archive.catalogue.path = layout_catalogue_path(archive.path);
	fuzz_succeed(fs_read(archive.volume.path, &archive.volume.bytes, &err), &err);
	fuzz_succeed(fs_read(archive.catalogue.path, &archive.catalogue.bytes, &err), &err);
	(void)atexit(remove_all);
}

static void restore(const struct fuzz_file *file)
{
	fuzz_write_file(file->path, file->bytes.data, file->bytes.len);
}

const struct fuzz_archive *fuzz_archive(void)
{
	if (!archive.path)
		make();
	remove_wals();
	restore(&archive.volume);
	restore(&archive.catalogue);
	return &archive;
}

static bool see_finding(void *context, const struct archive_finding *finding, struct err *err)
{
	(void)context, (void)err;
	assert(finding->where && finding->what);
	return true;
}

bool fuzz_check_archive(const char *path)
{
	const struct archive_check check = {.read_percent = 100, .finding = see_finding};
	struct archive_checked checked;
	struct err err = ERR_INIT;

	return archive_check(ref_of(path), &check, FUZZ_LOCK_MS, &checked, &err) &&
	       checked.errors == 0;
}
