#include "archive/volume/staged.h"

#include <string.h>

#include "archive/volume/writer_lock.h"
#include "base/fs.h"
#include "base/str.h"

static bool give_name(const char *path, struct err *err)
{
	CLEANUP(freep) char *staged = layout_staged_path(path);

	return fs_rename(staged, path, err);
}

bool staged_is_whole(const char *archive_path)
{
	CLEANUP(freep) char *catalogue = layout_catalogue_path(archive_path);
	CLEANUP(freep) char *staged = layout_staged_path(catalogue);

	return fs_is_file(staged);
}

bool staged_remove_others(
	const char *archive_path, const struct volume_list *wanted, struct err *err)
{
	CLEANUP(freep) char *folder = layout_volumes_path(archive_path);
	CLEANUP(str_list_free) struct str_list kept = {0};

	for (size_t i = 0; i < wanted->count; i++) {
		CLEANUP(freep) char *path = layout_volume_path(archive_path, &wanted->items[i]);

		str_list_take(&kept, layout_staged_path(strrchr(path, '/') + 1));
	}
	return layout_remove_leftovers_but(folder, &kept, err);
}

/*
 * The catalogue is renamed last. A crash before that leaves it staged, so that the next writer
 * calls this again and renames the rest.
 *
 * The newest volume is renamed first. An archive that lacks older volumes is refused, whereas one
 * that lacks the newest would be taken for complete.
 */
bool staged_publish(const char *archive_path, struct err *err)
{
	CLEANUP(freep) char *catalogue = layout_catalogue_path(archive_path);
	CLEANUP(volume_list_free) struct volume_list list = {0};

	if (!staged_is_whole(archive_path))
		return true;
	if (!volume_list_ending(archive_path, layout_staged_end, &list, err))
		return false;
	for (size_t i = list.count; i > 0; i--) {
		CLEANUP(freep) char *path = layout_volume_path(archive_path, &list.items[i - 1]);

		if (!give_name(path, err))
			return false;
	}
	return give_name(catalogue, err);
}

bool staged_volume_list(const char *archive_path, struct volume_list *ret_list, struct err *err)
{
	CLEANUP(volume_list_free) struct volume_list list = {0}, staged = {0};

	if (!volume_list(archive_path, &list, err))
		return false;
	if (staged_is_whole(archive_path)) {
		if (!volume_list_ending(archive_path, layout_staged_end, &staged, err))
			return false;
		volume_list_supersede(&list, &staged);
	}
	*ret_list = list;
	list = (struct volume_list){0};
	return true;
}

char *staged_volume_path(const char *archive_path, const struct volume_id *id)
{
	CLEANUP(freep) char *path = layout_volume_path(archive_path, id);
	CLEANUP(freep) char *staged = layout_staged_path(path);

	return staged_is_whole(archive_path) && fs_exists(staged) ? TAKE(staged) : TAKE(path);
}

bool staged_lock_and_publish(
	const char *archive_path, int timeout_ms, int *ret_lock, struct err *err)
{
	CLEANUP(fs_unlock) int lock = -1;

	if (!writer_lock_take(archive_path, timeout_ms, &lock, err) ||
		!staged_publish(archive_path, err))
		return false;
	*ret_lock = lock;
	lock = -1;
	return true;
}
