/* Snapshots, and facts for `status`. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/read/reader.h"
#include "base/clock.h"
#include "base/str.h"

static bool read_snapshot(
	struct db *db, size_t query, bool *ret_found, struct archive_snapshot *out, struct err *err)
{
	if (!db_step(db, query, ret_found, err))
		return false;
	if (*ret_found) {
		*out = catalogue_read_snapshot(db, query);
		db_reset(db, query);
	}
	return true;
}

static bool latest_snapshot(struct db *db, struct archive_snapshot *ret_snapshot, struct err *err)
{
	uint64_t bytes;

	return catalogue_last_snapshot(db, ret_snapshot, &bytes, err);
}

static bool at_generation(
	struct db *db, int64_t generation, struct archive_snapshot *ret_snapshot, struct err *err)
{
	struct archive_snapshot last;
	bool found;

	db_bind_int(db, CATALOGUE_SNAPSHOT_GET, "generation", generation);
	if (!read_snapshot(db, CATALOGUE_SNAPSHOT_GET, &found, ret_snapshot, err))
		return false;
	if (found)
		return true;
	if (!latest_snapshot(db, &last, err))
		return false;
	if (last.generation == 0)
		return err_set(err, ERR_NOT_FOUND, "no snapshot %" PRId64 ": the archive is empty",
			generation);
	return err_set(err, ERR_NOT_FOUND,
		"no snapshot %" PRId64 ": it was pruned or never existed; the last is %" PRId64,
		generation, last.generation);
}

static bool no_snapshot_at(struct db *db, int64_t unix_ms, struct err *err)
{
	struct archive_snapshot first;
	char wanted[ZONED_TIME_TEXT_MAX];
	char there[ZONED_TIME_TEXT_MAX];
	bool found;

	if (!read_snapshot(db, CATALOGUE_SNAPSHOT_FIRST_COMPLETE, &found, &first, err))
		return false;
	clock_format_ms(unix_ms, wanted);
	if (!found)
		return err_set(err, ERR_NOT_FOUND, "no complete snapshot at %s: there is none yet",
			wanted);
	clock_format_ms(first.unix_ms, there);
	return err_set(err, ERR_NOT_FOUND,
		"no complete snapshot at %s: the first one was taken at %s", wanted, there);
}

static bool at_time(
	struct db *db, int64_t unix_ms, struct archive_snapshot *ret_snapshot, struct err *err)
{
	bool found;

	db_bind_int(db, CATALOGUE_SNAPSHOT_AT_TIME, "unix_ms", unix_ms);
	if (!read_snapshot(db, CATALOGUE_SNAPSHOT_AT_TIME, &found, ret_snapshot, err))
		return false;
	return found || no_snapshot_at(db, unix_ms, err);
}

bool archive_resolve(struct archive *archive, struct archive_when when,
	struct archive_snapshot *ret_snapshot, struct err *err)
{
	struct db *db;
	bool ok = false;

	if (!archive_enter(archive, err))
		return false;
	db = archive->catalogue;
	switch (when.kind) {
	case ARCHIVE_LATEST:
		ok = latest_snapshot(db, ret_snapshot, err);
		break;
	case ARCHIVE_GENERATION:
		ok = at_generation(db, when.generation, ret_snapshot, err);
		break;
	case ARCHIVE_TIME:
		ok = at_time(db, when.unix_ms, ret_snapshot, err);
		break;
	}
	archive_leave(archive);
	return ok;
}

bool archive_each_snapshot(struct archive *archive,
	bool (*each)(void *context, const struct archive_snapshot *snapshot, struct err *err),
	void *context, struct err *err)
{
	bool row = true;
	bool ok = true;

	if (!archive_enter(archive, err))
		return false;
	while (ok) {
		struct archive_snapshot snapshot;

		ok = db_step(archive->catalogue, CATALOGUE_SNAPSHOT_LIST, &row, err);
		if (!ok || !row)
			break;
		snapshot = catalogue_read_snapshot(archive->catalogue, CATALOGUE_SNAPSHOT_LIST);
		ok = each(context, &snapshot, err);
	}
	db_reset(archive->catalogue, CATALOGUE_SNAPSHOT_LIST);
	archive_leave(archive);
	return ok;
}

/* --- facts --- */

static uint64_t folder_bytes(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	uint64_t sum = 0;

	while (dir && (entry = readdir(dir))) {
		struct stat st;

		if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISREG(st.st_mode))
			sum += (uint64_t)st.st_size;
	}
	if (dir)
		(void)closedir(dir);
	return sum;
}

static bool read_facts(struct archive *archive, struct archive_facts *facts, struct err *err)
{
	struct catalogue_state state;
	struct archive_snapshot last;

	if (!catalogue_state(archive->catalogue, &state, err) ||
		!catalogue_last_snapshot(archive->catalogue, &last, &facts->bytes, err))
		return false;
	memcpy(facts->uuid, state.archive, ARCHIVE_UUID_BYTES);
	facts->messages = last.messages;
	facts->generation = last.generation;
	facts->encrypted = archive_is_encrypted(&archive->ref);
	if (state.applied_seq > 0)
		sha256_hex(state.head, facts->head);
	return true;
}

bool archive_facts(struct archive *archive, struct archive_facts *ret_facts, struct err *err)
{
	CLEANUP(freep) char *volumes = layout_volumes_path(archive->ref.path);
	struct archive_facts facts = {0};
	bool ok;

	if (!archive_enter(archive, err))
		return false;
	ok = read_facts(archive, &facts, err);
	archive_leave(archive);
	if (!ok)
		return false;
	facts.archive_bytes = folder_bytes(archive->ref.path) + folder_bytes(volumes);
	*ret_facts = facts;
	return true;
}
