#include "archive/volume/directory.h"

#include <assert.h>
#include <stdlib.h>

#include "archive/format/varint.h"
#include "base/alloc.h"

enum { ENTRY_BYTES_MAX = 3 * 10 };

static int by_item(const void *a, const void *b)
{
	const struct directory_entry *left = a;
	const struct directory_entry *right = b;

	return (left->item > right->item) - (left->item < right->item);
}

void directory_sort(struct directory *directory)
{
	if (directory->count > 0)
		qsort(directory->items, directory->count, sizeof(*directory->items), by_item);
}

const struct directory_entry *directory_find(const struct directory *directory, int64_t item)
{
	const struct directory_entry wanted = {.item = item};

	if (directory->count == 0)
		return NULL;
	return bsearch(&wanted, directory->items, directory->count, sizeof(wanted), by_item);
}

void directory_free(struct directory *directory)
{
	free(directory->items);
	*directory = (struct directory){0};
}

void directory_encode(
	const struct directory *directory, size_t from, struct buf *ret_body, size_t *ret_next)
{
	int64_t before = 0;
	size_t at = from;

	buf_reset(ret_body);
	for (; at < directory->count && ret_body->len + ENTRY_BYTES_MAX <= DIRECTORY_BYTES_MAX;
		at++) {
		const struct directory_entry *entry = &directory->items[at];
		bool fits = put_uint(ret_body, (uint64_t)(entry->item - before)) &&
			    put_uint(ret_body, (uint64_t)entry->frame) &&
			    put_uint(ret_body, entry->offset);

		assert(fits);
		before = entry->item;
	}
	*ret_next = at;
}

static bool decode(const struct buf *body, struct directory *directory, struct err *err)
{
	struct reader reader = {.at = body->data, .end = body->data + body->len};
	uint64_t item = 0;

	while (reader.at < reader.end) {
		struct directory_entry entry;
		size_t count = directory->count;
		int64_t before = count ? directory->items[count - 1].item : 0;

		item += get_uint_max(&reader, (uint64_t)INT64_MAX - item);
		entry.item = (int64_t)item;
		entry.frame = (int64_t)get_uint_max(&reader, INT64_MAX);
		entry.offset = get_uint_max(&reader, FRAME_RAW_BYTES_MAX);
		if (reader.bad || entry.item <= before || entry.frame == 0)
			return err_set(err, ERR_CORRUPT, "its directory is damaged");
		ARRAY_GROW(directory->items, directory->count, directory->cap);
		directory->items[directory->count++] = entry;
	}
	return true;
}

static bool read_frames(
	struct volume *volume, struct zstd *zstd, struct directory *directory, struct err *err)
{
	CLEANUP(buf_free) struct buf body = BUF_INIT(FRAME_RAW_BYTES_MAX);
	int64_t frame = 0;

	while (volume_next_directory(volume, frame, &frame, err)) {
		if (frame == 0)
			return true;
		if (!volume_get_frame(volume, frame, FRAMES_DIRECTORY, zstd, &body, err))
			return false;
		if (!decode(&body, directory, err))
			return err_wrap(err, "%s", db_path(volume->db));
	}
	return false;
}

bool directory_read(
	struct volume *volume, struct zstd *zstd, struct directory *ret_directory, struct err *err)
{
	CLEANUP(directory_free) struct directory directory = {.sequence = volume->id.sequence};

	if (!volume_replaces(volume, directory.replaces, err) ||
		!read_frames(volume, zstd, &directory, err))
		return false;
	*ret_directory = directory;
	directory = (struct directory){0};
	return true;
}

/* --- directories of all volumes --- */

void directories_free(struct directories *directories)
{
	for (size_t i = 0; i < directories->count; i++)
		directory_free(&directories->items[i]);
	free(directories->items);
	*directories = (struct directories){0};
}

static bool add_one(const struct archive_ref *archive, const struct volume_id *id,
	struct zstd *zstd, struct directories *directories, struct err *err)
{
	CLEANUP(volume_close) struct volume volume = {0};

	if (!volume_open_peek(archive, id, &volume, err))
		return false;
	if (!volume.sealed)
		return true;
	ARRAY_GROW(directories->items, directories->count, directories->cap);
	if (!directory_read(&volume, zstd, &directories->items[directories->count], err))
		return false;
	directories->count++;
	return true;
}

bool directories_read(const struct archive_ref *archive, const struct volume_list *volumes,
	struct zstd *zstd, struct directories *ret_directories, struct err *err)
{
	CLEANUP(directories_free) struct directories directories = {0};

	for (size_t i = 0; i < volumes->count; i++)
		if (!add_one(archive, &volumes->items[i], zstd, &directories, err))
			return false;
	*ret_directories = directories;
	directories = (struct directories){0};
	return true;
}

const struct directory *directories_of(const struct directories *directories, int64_t sequence)
{
	for (size_t i = 0; i < directories->count; i++)
		if (directories->items[i].sequence == sequence)
			return &directories->items[i];
	return NULL;
}
