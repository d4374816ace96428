#include "archive/volume/writer_lock.h"

#include "archive/format/layout.h"
#include "base/fs.h"
#include "base/str.h"

bool writer_lock_take(const char *archive_path, int timeout_ms, int *ret_lock, struct err *err)
{
	CLEANUP(freep) char *path = layout_lock_path(archive_path);

	return fs_lock(path, timeout_ms, ret_lock, err);
}

bool writer_lock_take_if_allowed(
	const char *archive_path, int timeout_ms, int *ret_lock, struct err *err)
{
	if (writer_lock_take(archive_path, timeout_ms, ret_lock, err))
		return true;
	if (err->kind != ERR_AUTH)
		return false;
	err_clear(err);
	return true;
}

bool writer_lock_take_if_exists(
	const char *archive_path, int timeout_ms, int *ret_lock, struct err *err)
{
	CLEANUP(freep) char *path = layout_lock_path(archive_path);

	return !fs_exists(path) ||
	       writer_lock_take_if_allowed(archive_path, timeout_ms, ret_lock, err);
}

bool repack_lock_take(const char *archive_path, int timeout_ms, int *ret_lock, struct err *err)
{
	CLEANUP(freep) char *path = layout_sealing_path(archive_path);

	return fs_lock(path, timeout_ms, ret_lock, err);
}

bool repack_lock_is_held(const char *archive_path)
{
	CLEANUP(freep) char *path = layout_sealing_path(archive_path);

	return fs_is_locked(path);
}
