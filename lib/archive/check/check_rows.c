/* The catalogue's rows against those of a catalogue rebuilt from the volumes. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/catalogue/rebuild.h"
#include "archive/catalogue/replay.h"
#include "archive/check/check_internal.h"
#include "base/fs.h"
#include "base/str.h"

static const struct {
	size_t query;
	const char *name;
} tables[] = {
	{CATALOGUE_VOLUME_LIST, "volume"},
	{CATALOGUE_ALL_FOLDERS, "folder"},
	{CATALOGUE_ALL_PLACEMENTS, "placement"},
	{CATALOGUE_ALL_MESSAGES, "message"},
	{CATALOGUE_ALL_ITEMS, "item"},
	{CATALOGUE_ALL_PARTS, "part"},
	{CATALOGUE_ALL_MARKS, "mark"},
	{CATALOGUE_ALL_SNAPSHOTS, "snapshot"},
	{CATALOGUE_ALL_TOMBSTONES, "tombstone"},
};

/* *ret_row: number of the first row that differs, 0: none does. */
static bool first_difference(
	struct db *there, struct db *rebuilt, size_t query, uint64_t *ret_row, struct err *err)
{
	bool more_there = true, more_rebuilt = true;

	*ret_row = 0;
	for (uint64_t row = 1; more_there || more_rebuilt; row++) {
		if (!db_step(there, query, &more_there, err) ||
			!db_step(rebuilt, query, &more_rebuilt, err))
			return false;
		if (more_there == more_rebuilt &&
			(!more_there || db_same_row(there, rebuilt, query)))
			continue;
		*ret_row = row;
		break;
	}
	db_reset(there, query);
	db_reset(rebuilt, query);
	return true;
}

static bool compare_tables(
	struct checking *checking, struct db *there, struct db *rebuilt, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		CLEANUP(freep) char *where = str_printf("catalogue.db: table %s", tables[i].name);
		struct err of = ERR_INIT;
		uint64_t row;

		if (!first_difference(there, rebuilt, tables[i].query, &row, &of)) {
			if (!checking_blame(checking, where, &of, err))
				return false;
		} else if (row > 0) {
			CLEANUP(freep)
			char *what = str_printf("differs from the volumes at row %" PRIu64
						"; run `mailstow rebuild`",
				row);

			if (!checking_found(checking, where, what, err))
				return false;
		}
	}
	return true;
}

static bool compare_states(struct checking *checking, struct db *there,
	const struct catalogue_state *truth, bool *ret_out_of_date, struct err *err)
{
	struct catalogue_state state;

	*ret_out_of_date = false;
	if (!catalogue_state(there, &state, err))
		return false;
	if (memcmp(state.archive, truth->archive, ARCHIVE_UUID_BYTES) != 0)
		return err_set(err, ERR_CORRUPT, "belongs to another archive");
	/* a writer stopped between its two commits: the next one replays, if the archive is
	 * writable */
	if (state.applied_seq < truth->applied_seq &&
		!replay_needed(checking->archive, there, ret_out_of_date, err))
		return false;
	if (*ret_out_of_date && !checking->may_write)
		return err_set(err, ERR_CORRUPT,
			"is out of date: the last commits in the volumes cannot be read; a copy on "
			"writable media is brought up to date by itself");
	if (*ret_out_of_date || (state.applied_seq == truth->applied_seq &&
					memcmp(state.head, truth->head, SHA256_BYTES) == 0))
		return true;
	return err_set(err, ERR_CORRUPT, "its head differs from the volumes' head");
}

static bool compare(
	struct checking *checking, struct db *there, struct db *rebuilt, struct err *err)
{
	struct catalogue_state truth;
	struct err of = ERR_INIT;
	bool out_of_date;

	if (!catalogue_state(rebuilt, &truth, err))
		return false;
	if (!compare_states(checking, there, &truth, &out_of_date, &of))
		return checking_blame(checking, "catalogue.db", &of, err);
	return out_of_date || compare_tables(checking, there, rebuilt, err);
}

/* A private folder outside the archive, which may be read-only and must not be changed. */
static char *make_folder(struct err *err)
{
	const char *base = getenv("TMPDIR");
	char *folder = str_printf("%s/mailstow-check-XXXXXX", base && *base ? base : "/tmp");

	if (mkdtemp(folder))
		return folder;
	(void)err_set(err, ERR_LOCAL, "%s: cannot create it", folder);
	free(folder);
	return NULL;
}

bool check_rows(struct checking *checking, struct db *catalogue, struct err *err)
{
	CLEANUP(freep) char *folder = make_folder(err);
	CLEANUP(freep) char *db_path = NULL;
	struct db *rebuilt = NULL;
	struct err of = ERR_INIT, unimportant = ERR_INIT;
	bool done;

	if (!folder)
		return false;
	db_path = str_printf("%s/catalogue.db", folder);
	if (rebuild_into(checking->archive, db_path, &rebuilt, &of))
		done = compare(checking, catalogue, rebuilt, err);
	else
		done = checking_blame(checking, "volumes", &of, err);
	db_freep(&rebuilt);
	(void)db_remove_wal(db_path, &unimportant);
	(void)fs_remove(db_path, &unimportant);
	(void)rmdir(folder);
	return done;
}
