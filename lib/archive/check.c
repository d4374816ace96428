#include "archive/check.h"

#include <stdlib.h>

#include "archive/check/check_internal.h"
#include "archive/volume/staged.h"
#include "archive/volume/writer_lock.h"
#include "base/fs.h"

static bool check_catalogue(struct checking *checking, struct err *err)
{
	CLEANUP(freep) char *path = layout_catalogue_path(checking->archive->path);
	CLEANUP(archive_freep) struct archive *archive = NULL;
	struct err of = ERR_INIT;

	checking->no_catalogue = true;
	if (!fs_exists(path))
		return checking_found(
			checking, "catalogue.db", "is missing; run `mailstow rebuild`", err);
	if (!archive_open_view(checking->archive, true, &archive, &of))
		return checking_blame(checking, "catalogue.db", &of, err);
	checking->no_catalogue = false;
	if (!db_integrity_check(archive->catalogue, &of))
		return checking_blame(checking, "catalogue.db", &of, err);
	return check_rows(checking, archive->catalogue, err) &&
	       (checking->check->read_percent >= ARCHIVE_CHECK_ALL ||
		       check_frames(checking, archive, err));
}

static bool check_under_lock(struct checking *checking, int timeout_ms, struct err *err)
{
	const char *path = checking->archive->path;
	CLEANUP(fs_unlock) int lock = -1;

	if (!writer_lock_take_if_allowed(path, timeout_ms, &lock, err))
		return false;
	checking->may_write = lock >= 0;
	/* a copy with an update half renamed would look damaged */
	if (staged_is_whole(path))
		return err_set(err, ERR_BUSY,
			"%s: its last update was interrupted; run `mailstow copy` again or "
			"`mailstow rebuild` to complete it",
			path);
	return check_structure(checking, err) && check_catalogue(checking, err);
}

bool archive_check(const struct archive_ref *archive, const struct archive_check *check,
	int timeout_ms, struct archive_checked *ret_checked, struct err *err)
{
	struct archive_checked result = {0};
	struct checking checking = {.archive = archive, .check = check, .result = &result};
	bool done;

	if (!archive_exists(archive->path))
		return err_set(err, ERR_NOT_FOUND, "%s: there is no archive here", archive->path);
	done = check_under_lock(&checking, timeout_ms, err) &&
	       (check->read_percent == 0 || checking.no_catalogue ||
		       check_messages(&checking, err));
	free(checking.lost);
	rangeset_free(&checking.lost_messages);
	if (done)
		*ret_checked = result;
	return done;
}
