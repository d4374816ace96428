#include "archive/volume/keyring_copy.h"

#include "archive/format/layout.h"
#include "archive/keys/keyring_file.h"
#include "archive/volume/volume_header.h"
#include "archive/volume/volume_list.h"
#include "base/str.h"

bool keyring_copy_newest(const char *archive_path, struct buf *ret_bytes, struct err *err)
{
	CLEANUP(volume_list_free) struct volume_list list = {0};

	if (!volume_list(archive_path, &list, err))
		return false;
	for (size_t i = list.count; i > 0; i--) {
		if (!volume_peek_keyring(archive_path, &list.items[i - 1], ret_bytes, err))
			return false;
		if (ret_bytes->len > 0)
			return true;
	}
	return true;
}

bool keyring_file_or_copy(const char *archive_path, struct keyring *ret_keyring, struct err *err)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT(KEYRING_FILE_BYTES_MAX);
	CLEANUP(freep) char *path = layout_keyring_path(archive_path);

	if (keyring_file_exists(archive_path))
		return keyring_file_read(archive_path, ret_keyring, err);
	if (!keyring_copy_newest(archive_path, &bytes, err))
		return false;
	if (bytes.len == 0)
		return err_set(err, ERR_NOT_FOUND, "%s: is not encrypted", archive_path);
	return keyring_decode(bytes.data, bytes.len, ret_keyring, err) || err_wrap(err, "%s", path);
}
