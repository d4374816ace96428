#include "support/archive/inside.h"

#include "archive/volume/keyring_copy.h"
#include "archive/volume/staged.h"
#include "archive/volume/volume.h"
#include "archive/write/writer.h"
#include "support/archive/refs.h"
#include "support/check.h"

void inside_limit_volumes(struct archive_writer *writer, uint64_t bytes_max)
{
	writer->volume_bytes_max = bytes_max;
}

size_t inside_volume_count(const char *path)
{
	CLEANUP(volume_list_free) struct volume_list list = {0};
	struct err err = ERR_INIT;

	CHECK_OK(volume_list(path, &list, &err));
	return list.count;
}

bool inside_all_sealed(const char *path)
{
	CLEANUP(volume_list_free) struct volume_list list = {0};
	struct err err = ERR_INIT;

	CHECK_OK(volume_list(path, &list, &err));
	for (size_t i = 0; i + 1 < list.count; i++) {
		uint8_t replaces[ARCHIVE_UUID_BYTES];
		bool is_sealed;

		CHECK_OK(volume_peek_seal(path, &list.items[i], &is_sealed, replaces, &err));
		if (!is_sealed)
			return false;
	}
	return true;
}

void inside_check_volumes(const char *path)
{
	CLEANUP(volume_list_free) struct volume_list list = {0};
	struct err err = ERR_INIT;

	CHECK_OK(volume_list(path, &list, &err));
	for (size_t i = 0; i < list.count; i++) {
		CLEANUP(volume_close) struct volume volume = {0};

		CHECK_OK(volume_open(ref_of(path), &list.items[i], DB_READ, &volume, &err));
		CHECK_OK(db_integrity_check(volume.db, &err));
	}
}

uint32_t inside_key_epoch(const char *path)
{
	struct keyring keyring;
	struct err err = ERR_INIT;

	return keyring_file_or_copy(path, &keyring, &err) ? keyring.key_epoch : 0;
}

bool inside_is_staged(const char *path)
{
	return staged_is_whole(path);
}
