/* Creating an archive, and recognising one. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "archive/catalogue/create.h"

#include "archive/catalogue/catalogue.h"
#include "archive/keys/keys.h"
#include "archive/volume/staged.h"
#include "archive/volume/volume.h"
#include "archive/volume/writer_lock.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"

bool archive_exists(const char *path)
{
	CLEANUP(freep) char *catalogue = layout_catalogue_path(path);
	CLEANUP(volume_list_free) struct volume_list volumes = {0};
	struct err of = ERR_INIT;

	if (fs_exists(catalogue) || staged_is_whole(path))
		return true;
	/* a folder of volumes that cannot be listed counts as an archive */
	return volume_list(path, &volumes, &of) ? volumes.count > 0 : of.kind != ERR_NOT_FOUND;
}

static bool check_empty(const char *path, struct err *err)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	bool empty = true;

	if (!dir && errno == ENOENT)
		return true;
	if (!dir)
		return err_errno(err, ERR_CREATE, errno, "%s", path);
	while (empty && (entry = readdir(dir)))
		empty = layout_is_leftover(entry->d_name);
	(void)closedir(dir);
	return empty ||
	       err_set(err, ERR_CREATE, "%s: is not empty; an archive needs an empty folder", path);
}

static bool check_none(const char *path, struct err *err)
{
	return !archive_exists(path) ||
	       err_set(err, ERR_CREATE, "%s: there is an archive already", path);
}

/* Checks again under the writer lock: another process may be creating a copy there. */
static bool prepare_folders(const char *path, int timeout_ms, int *ret_lock, struct err *err)
{
	CLEANUP(freep) char *volumes = layout_volumes_path(path);

	return check_none(path, err) && check_empty(path, err) &&
	       fs_make_dirs(path, LAYOUT_FOLDER_MODE, err) &&
	       fs_make_dirs(volumes, LAYOUT_FOLDER_MODE, err) &&
	       writer_lock_take(path, timeout_ms, ret_lock, err) && check_none(path, err) &&
	       layout_remove_leftovers(path, err) && layout_remove_leftovers(volumes, err);
}

/* The archive exists once it has a volume. A crash before the volume's rename leaves a leftover and
 * no archive; a crash before the catalogue's leaves a volume from which the next writer creates it.
 */
static bool create_files(
	const struct archive_ref *archive, const uint8_t uuid[ARCHIVE_UUID_BYTES], struct err *err)
{
	CLEANUP(freep) char *catalogue = layout_catalogue_path(archive->path);
	CLEANUP(db_freep) struct db *db = NULL;
	struct volume_id id;

	return volume_create(archive, uuid, 1, VOLUME_OWNER_EPOCH_FIRST, &id, err) &&
	       catalogue_create(archive, catalogue, uuid, &id, &db, err);
}

bool archive_create(const char *path, int timeout_ms, struct err *err)
{
	CLEANUP(fs_unlock) int lock = -1;
	const struct archive_ref archive = {.path = path};
	uint8_t uuid[ARCHIVE_UUID_BYTES];

	if (!prepare_folders(path, timeout_ms, &lock, err))
		return false;
	if (archive_is_encrypted(&archive))
		return err_set(
			err, ERR_AUTH, "%s: has a keyring: its passphrase or key is needed", path);
	volume_new_uuid(uuid);
	return create_files(&archive, uuid, err);
}

/* The keyring is durable before the first volume, whose frames nothing else could decrypt. After a
 * crash between the two it opens nothing yet and may be replaced. */
bool archive_create_encrypted(const struct archive_ref *archive,
	const struct archive_secret *secret, int timeout_ms, struct err *err)
{
	CLEANUP(fs_unlock) int lock = -1;
	uint8_t uuid[ARCHIVE_UUID_BYTES];

	if (!prepare_folders(archive->path, timeout_ms, &lock, err))
		return false;
	volume_new_uuid(uuid);
	return keys_create(archive, uuid, secret, 0, err) && create_files(archive, uuid, err);
}

bool create_catalogue(const struct archive_ref *archive, const char *db_path,
	struct db **ret_catalogue, struct err *err)
{
	CLEANUP(volume_list_free) struct volume_list list = {0};
	CLEANUP(volume_close) struct volume volume = {0};
	uint8_t uuid[ARCHIVE_UUID_BYTES];

	if (!volume_list(archive->path, &list, err))
		return false;
	if (list.count == 0)
		return err_set(err, ERR_NOT_FOUND, "%s: there is no archive", archive->path);
	return volume_open_peek(archive, &list.items[0], &volume, err) &&
	       volume_archive_uuid(&volume, uuid, err) &&
	       catalogue_create(archive, db_path, uuid, &list.items[0], ret_catalogue, err);
}

bool create_missing_catalogue(const struct archive_ref *archive, struct err *err)
{
	CLEANUP(freep) char *catalogue = layout_catalogue_path(archive->path);
	CLEANUP(db_freep) struct db *db = NULL;

	return fs_exists(catalogue) || create_catalogue(archive, catalogue, &db, err);
}
