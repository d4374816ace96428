/*
 * An archive with damage anywhere in its volume or its catalogue, read and checked: it is refused
 * with an error that says so, or understood; a message that is given is as long as its entry says.
 *
 * The input damages a good archive, made again in each process: its first byte chooses the file and
 * whether the archive is checked or read, the next two how much is cut from the end (in pages),
 * then each four bytes are an offset and what is xored there.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "archive/archive.h"
#include "base/alloc.h"
#include "fuzz_archive.h"
#include "support/archive/refs.h"

enum { PAGE_BYTES = 4096, EDIT_BYTES = 4, IN_CATALOGUE = 1, CHECKED = 2 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void write_damaged(const struct fuzz_file *original, const uint8_t *data, size_t len)
{
	CLEANUP(freep) uint8_t *bytes = xmemdup(original->bytes.data, original->bytes.len);
	size_t size = original->bytes.len;
	size_t cut = len >= 2 ? ((size_t)data[0] << 8 | data[1]) * PAGE_BYTES : 0;

	for (size_t at = 2; at + EDIT_BYTES <= len; at += EDIT_BYTES) {
		size_t offset = (size_t)data[at] << 16 | (size_t)data[at + 1] << 8 | data[at + 2];

		bytes[offset % size] ^= data[at + 3];
	}
	fuzz_write_file(original->path, bytes, cut < size ? size - cut : size);
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
		FUZZ_FILE_BYTES_MAX);
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

/* How many messages could be read. */
static unsigned read_archive(const char *path)
{
	CLEANUP(archive_freep) struct archive *archive = NULL;
	struct archive_list list = {.deleted = true};
	struct archive_snapshot latest;
	struct archive_facts facts;
	struct reading reading = {0};
	struct err err = ERR_INIT;

	if (!archive_open(ref_of(path), &archive, &err))
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct fuzz_archive *archive = fuzz_archive();
	unsigned how = len ? data[0] : 0;
	bool whole;

	write_damaged(how & IN_CATALOGUE ? &archive->catalogue : &archive->volume, data + !!len,
		len - !!len);
	if (how & CHECKED)
		whole = fuzz_check_archive(archive->path);
	else
		whole = read_archive(archive->path) == FUZZ_MESSAGES;
	assert(whole || len > 1); /* what is not damaged is read */
	return 0;
}
