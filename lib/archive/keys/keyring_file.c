#include "archive/keys/keyring_file.h"

#include "archive/format/layout.h"
#include "base/fs.h"
#include "base/str.h"

enum { FILE_MODE = 0600 };

bool keyring_file_exists(const char *archive_path)
{
	CLEANUP(freep) char *path = layout_keyring_path(archive_path);

	return fs_exists(path);
}

bool keyring_file_read(const char *archive_path, struct keyring *ret_keyring, struct err *err)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT(KEYRING_FILE_BYTES_MAX);
	CLEANUP(freep) char *path = layout_keyring_path(archive_path);

	if (!fs_exists(path))
		return err_set(err, ERR_NOT_FOUND, "%s: is not encrypted", archive_path);
	if (!fs_is_file(path))
		return err_set(err, ERR_CORRUPT, "%s: is not a file", path);
	return fs_read(path, &bytes, err) &&
	       (keyring_decode(bytes.data, bytes.len, ret_keyring, err) ||
		       err_wrap(err, "%s", path));
}

bool keyring_file_write(const char *archive_path, struct keyring *keyring,
	const struct secret *master, struct err *err)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT(KEYRING_FILE_BYTES_MAX);

	keyring_encode(keyring, master, &bytes);
	return keyring_file_write_copy(archive_path, &bytes, err);
}

/* A crash leaves the previous file or the new one, never neither: fs_write_atomic() syncs the new
 * file before it takes the name. */
bool keyring_file_write_copy(const char *archive_path, const struct buf *bytes, struct err *err)
{
	CLEANUP(freep) char *path = layout_keyring_path(archive_path);

	return fs_write_atomic(path, bytes->data, bytes->len, FILE_MODE, err);
}
