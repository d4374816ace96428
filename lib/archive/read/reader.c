#include "archive/read/reader.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/catalogue/replay.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/str.h"
#include "base/wait.h"

enum { CREATION_WAIT_MS = 2000, CREATION_POLL_MS = 20 };

static bool exists_with(const char *path, const char *suffix)
{
	CLEANUP(freep) char *name = str_printf("%s%s", path, suffix);

	return fs_exists(name);
}

/*
 * Without a -wal the file itself is all there is. With one, the -shm is shared with the writer; if
 * it is missing and cannot be created, there is no writer.
 */
enum db_mode archive_reading_mode(const char *archive_path, const char *db_path, bool may_peek)
{
	if (may_peek)
		return db_peek_mode(db_path);
	if (!exists_with(db_path, "-wal"))
		return DB_IMMUTABLE;
	if (!exists_with(db_path, "-shm") && access(archive_path, W_OK) != 0)
		return DB_PEEK;
	return DB_READ;
}

static ino_t inode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_ino : 0;
}

static void close_all(struct archive *archive)
{
	for (size_t i = 0; i < ARCHIVE_OPEN_VOLUMES; i++)
		volume_close(&archive->volumes[i]);
	db_freep(&archive->catalogue);
}

/* An archive that is being created has its first volume shortly before its catalogue. */
static bool wait_for_catalogue(const char *catalogue)
{
	int64_t deadline_ms = clock_mono_ms() + CREATION_WAIT_MS;

	while (!fs_exists(catalogue)) {
		if (clock_mono_ms() >= deadline_ms)
			return false;
		(void)wait_sleep(wait_for(CREATION_POLL_MS, NULL), NULL);
	}
	return true;
}

static bool open_catalogue(struct archive *archive, struct err *err)
{
	CLEANUP(freep) char *path = layout_catalogue_path(archive->ref.path);

	close_all(archive);
	if (!wait_for_catalogue(path))
		return err_set(err, ERR_CORRUPT, "%s: is missing; run `mailstow rebuild`", path);
	archive->mode = archive_reading_mode(archive->ref.path, path, archive->may_peek);
	archive->inode = inode_of(path);
	if (!catalogue_open(&archive->ref, archive->mode, &archive->catalogue, err))
		return false;
	archive->reopen = false;
	atomic_store(&archive->peeks, archive->may_peek);
	return true;
}

bool archive_open_view(
	const struct archive_ref *ref, bool may_peek, struct archive **ret_archive, struct err *err)
{
	CLEANUP(archive_freep) struct archive *archive = NULL;

	if (!archive_exists(ref->path))
		return err_set(err, ERR_NOT_FOUND, "%s: there is no archive", ref->path);
	archive = xcalloc(1, sizeof(*archive));
	archive->ref = (struct archive_ref){xstrdup(ref->path), ref->keys};
	archive->may_peek = may_peek;
	archive->zstd = zstd_new();
	for (size_t i = 0; i < ARCHIVE_CACHED_FRAMES; i++)
		buf_init(&archive->frames[i].raw, FRAME_RAW_BYTES_MAX);
	buf_init(&archive->skeleton, SKELETON_BYTES_MAX);
	buf_init(&archive->lines, MESSAGE_LINES_BYTES_MAX);
	buf_init(&archive->whole, ARCHIVE_PIECE_BYTES);
	if (!open_catalogue(archive, err))
		return false;
	*ret_archive = TAKE(archive);
	return true;
}

bool archive_open(const struct archive_ref *ref, struct archive **ret_archive, struct err *err)
{
	return archive_open_view(ref, false, ret_archive, err);
}

void archive_freep(struct archive **archive)
{
	struct archive *old = *archive;

	if (!old)
		return;
	close_all(old);
	zstd_freep(&old->zstd);
	for (size_t i = 0; i < ARCHIVE_CACHED_FRAMES; i++)
		buf_free(&old->frames[i].raw);
	leaf_cache_freep(&old->leaf_cache);
	buf_free(&old->skeleton);
	buf_free(&old->lines);
	buf_free(&old->whole);
	free((char *)old->ref.path);
	free(old);
	*archive = NULL;
}

bool archive_stop_peeking(struct archive *archive, struct err *err)
{
	archive->may_peek = false;
	archive->reopen = true;
	return archive->depth > 0 || open_catalogue(archive, err);
}

/* A writer may have started a -wal since, or a rebuild may have replaced the file. */
static bool must_reopen(const struct archive *archive)
{
	ino_t inode = inode_of(db_path(archive->catalogue));

	return archive->reopen || (inode != 0 && inode != archive->inode) ||
	       (archive->mode == DB_IMMUTABLE && !archive->may_peek &&
		       exists_with(db_path(archive->catalogue), "-wal"));
}

bool archive_enter(struct archive *archive, struct err *err)
{
	if (archive->depth == 0) {
		if (must_reopen(archive) && !open_catalogue(archive, err))
			return false;
		if (!db_begin_read(archive->catalogue, err))
			return false;
	}
	archive->depth++;
	return true;
}

void archive_leave(struct archive *archive)
{
	assert(archive->depth > 0);
	if (--archive->depth == 0)
		db_end_read(archive->catalogue);
}
