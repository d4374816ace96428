#include "support/archive/rekeyed.h"

#include <stdlib.h>

#include "archive/volume/volume.h"
#include "base/str.h"
#include "support/archive/pruned.h"
#include "support/archive/refs.h"
#include "support/check.h"

enum { WAIT_MS = REKEYED_WAIT_MS, LATE_BYTES = 3000 };

const struct archive_secret rekeyed_key = {
	ARCHIVE_KEY, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 64};
const struct archive_secret rekeyed_other_key = {
	ARCHIVE_KEY, "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff", 64};

/* Plain, with a history, whatever the other archives are. */
char *rekeyed_plain(const char *name)
{
	char *path = str_printf("%s/%s", check_temp_dir(), name);
	struct err err = ERR_INIT;

	CHECK_OK(archive_create(path, 0, &err));
	pruned_fill(path);
	return path;
}

char *rekeyed_everything(const char *path)
{
	CLEANUP(archive_freep) struct archive *reader = fixture_reader(path);
	struct archive_list list = {.generation = PRUNED_SNAPSHOTS, .deleted = true};
	CLEANUP(freep) char *snapshots = pruned_snapshots(reader);

	pruned_check_bytes(reader, PRUNED_SNAPSHOTS);
	return str_printf("%s%s", fixture_list(reader, &list), snapshots);
}

struct archive_rekeyed rekeyed_go_on(const char *path)
{
	const struct archive_rekey wish = {0};
	struct archive_rekeyed rekeyed = {0};
	struct err err = ERR_INIT;

	CHECK_OK(archive_rekey(ref_of(path), &wish, WAIT_MS, &rekeyed, &err));
	CHECK_INT(archive_rekey_state(path), ARCHIVE_REKEY_NONE);
	return rekeyed;
}

void rekeyed_begin_encrypt(const char *path)
{
	struct err err = ERR_INIT;

	CHECK_OK(archive_encrypt_begin(ref_of(path), &rekeyed_key, WAIT_MS, &err));
	CHECK_INT(archive_rekey_state(path), ARCHIVE_REKEY_ENCRYPTING);
}

void rekeyed_begin_rotate(const char *path, const struct archive_secret *secret)
{
	struct archive_carried carried = {.secret = *secret};
	struct err err = ERR_INIT;

	CHECK_OK(archive_find_key(path, secret, &carried.id, &err));
	CHECK_OK(archive_rotate_begin(ref_of(path), &carried, 1, WAIT_MS, &err));
	CHECK_INT(archive_rekey_state(path), ARCHIVE_REKEY_ROTATING);
}

char *rekeyed_encrypted(const char *name)
{
	char *path = rekeyed_plain(name);

	rekeyed_begin_encrypt(path);
	(void)rekeyed_go_on(path);
	return path;
}

/* All files are of this master key, and by their headers. */
void rekeyed_check(const char *path, uint32_t wanted)
{
	CLEANUP(volume_list_free) struct volume_list list = {0}, replaced = {0};
	struct err err = ERR_INIT;

	CHECK_OK(volume_list(path, &list, &err));
	CHECK_OK(volume_list_replaced(path, &replaced, &err));
	CHECK_INT(replaced.count, 0);
	for (size_t i = 0; i < list.count; i++) {
		uint32_t epoch;

		CHECK_OK(volume_peek_key_epoch(path, &list.items[i], &epoch, &err));
		CHECK_INT(epoch, wanted);
	}
}

void rekeyed_add(const char *path, uint32_t uid)
{
	struct archive_writer *writer = fixture_writer(path);

	fixture_add(writer, 1, PRUNED_VALIDITY, uid, uid, LATE_BYTES, "");
	(void)fixture_commit(writer, true);
	archive_writer_freep(&writer);
}

static bool stop(void *context, const uint8_t uuid[ARCHIVE_UUID_BYTES], struct err *err)
{
	(void)context;
	(void)uuid;
	return err_set(err, ERR_LOCAL, "stopped");
}

/* Volumes are of the new key, the catalogue is not, the keyring knows both. */
void rekeyed_stop_late(const char *path)
{
	const struct archive_rekey wish = {.beside = stop};
	struct archive_rekeyed rekeyed;
	struct err err = ERR_INIT;

	CHECK(!archive_rekey(ref_of(path), &wish, WAIT_MS, &rekeyed, &err));
	CHECK_STR(err.text, "stopped");
}

static void cancel_it(void *context, uint64_t bytes, uint64_t total)
{
	if (bytes > 0 && bytes * 2 > total)
		cancel_now(context);
}

void rekeyed_stop(const char *path)
{
	CLEANUP(cancel_close) struct cancel cancel;
	struct archive_rekey wish = {.cancel = &cancel, .progress = cancel_it, .context = &cancel};
	struct archive_rekeyed rekeyed;
	struct err err = ERR_INIT;

	CHECK_OK(cancel_init(&cancel, &err));
	CHECK(!archive_rekey(ref_of(path), &wish, WAIT_MS, &rekeyed, &err));
	CHECK_INT(err.kind, ERR_CANCELLED);
}
