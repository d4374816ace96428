/* The catalogue's rows against those of one made of the volumes anew. */
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
	struct db *there, struct db *anew, size_t query, uint64_t *ret_row, struct err *err)
{
	bool more_there = true, more_anew = true;

	*ret_row = 0;
	for (uint64_t row = 1; more_there || more_anew; row++) {
		if (!db_step(there, query, &more_there, err) ||
			!db_step(anew, query, &more_anew, err))
			return false;
		if (more_there == more_anew && (!more_there || db_same_row(there, anew, query)))
			continue;
		*ret_row = row;
		break;
	}
	db_reset(there, query);
	db_reset(anew, query);
	return true;
}

static bool compare_tables(
	struct checking *checking, struct db *there, struct db *anew, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		CLEANUP(freep) char *where = str_printf("catalogue.db: table %s", tables[i].name);
		struct err of = ERR_INIT;
		uint64_t row;

		if (!first_difference(there, anew, tables[i].query, &row, &of)) {
			if (!checking_blame(checking, where, &of, err))
				return false;
		} else if (row > 0) {
			CLEANUP(freep)
			char *what = str_printf("differs from the volumes at row %" PRIu64
						"; `mailstow rebuild` makes it anew",
				row);

			if (!checking_found(checking, where, what, err))
				return false;
		}
	}
	return true;
}

static bool compare_states(struct checking *checking, struct db *there,
	const struct catalogue_state *truth, bool *ret_behind, struct err *err)
{
	struct catalogue_state state;

	*ret_behind = false;
	if (!catalogue_state(there, &state, err))
		return false;
	if (memcmp(state.archive, truth->archive, ARCHIVE_UUID_BYTES) != 0)
		return err_set(err, ERR_CORRUPT, "is of another archive");
	/* stopped between two commits: the next writer brings it up, where one can be */
	if (state.applied_seq < truth->applied_seq &&
		!replay_needed(checking->archive, there, ret_behind, err))
		return false;
	if (*ret_behind && !checking->may_write)
		return err_set(err, ERR_CORRUPT,
			"is behind the volumes: what came last is not read; a copy where it can be "
			"written is brought up by itself");
	if (*ret_behind || (state.applied_seq == truth->applied_seq &&
				   memcmp(state.head, truth->head, SHA256_BYTES) == 0))
		return true;
	return err_set(err, ERR_CORRUPT, "its head is not that of the volumes");
}

static bool compare(struct checking *checking, struct db *there, struct db *anew, struct err *err)
{
	struct catalogue_state truth;
	struct err of = ERR_INIT;
	bool behind;

	if (!catalogue_state(anew, &truth, err))
		return false;
	if (!compare_states(checking, there, &truth, &behind, &of))
		return checking_blame(checking, "catalogue.db", &of, err);
	return behind || compare_tables(checking, there, anew, err);
}

/* A private place outside the archive, which may be read-only and is not to be changed. */
static char *make_place(struct err *err)
{
	const char *base = getenv("TMPDIR");
	char *place = str_printf("%s/mailstow-check-XXXXXX", base && *base ? base : "/tmp");

	if (mkdtemp(place))
		return place;
	(void)err_set(err, ERR_LOCAL, "%s: cannot be made", place);
	free(place);
	return NULL;
}

static void remove_place(const char *place, const char *db_path)
{
	struct err unimportant = ERR_INIT;

	(void)db_remove_wal(db_path, &unimportant);
	(void)fs_remove(db_path, &unimportant);
	(void)rmdir(place);
}

bool check_rows(struct checking *checking, struct db *catalogue, struct err *err)
{
	CLEANUP(freep) char *place = make_place(err);
	CLEANUP(freep) char *db_path = NULL;
	struct db *anew = NULL;
	struct err of = ERR_INIT;
	bool done;

	if (!place)
		return false;
	db_path = str_printf("%s/catalogue.db", place);
	if (rebuild_into(checking->archive, db_path, &anew, &of))
		done = compare(checking, catalogue, anew, err);
	else
		done = checking_blame(checking, "volumes", &of, err);
	db_freep(&anew);
	remove_place(place, db_path);
	return done;
}
