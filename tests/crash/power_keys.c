#include "power_keys.h"

#include "archive/rekey.h"
#include "base/str.h"
#include "support/archive/archive_fixture.h"
#include "support/archive/inside.h"
#include "support/archive/refs.h"
#include "support/check.h"
#include "support/crash/power_archive.h"
#include "support/crash/power_log.h"

enum { WAIT_MS = 1000 };

static char *archive_in(const char *place)
{
	return str_printf("%s/archive", place);
}

/* --- keys --- */

static const struct archive_secret second = {
	ARCHIVE_KEY, "a00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 64};

static bool opens(const char *path, const struct archive_secret *secret)
{
	struct err err = ERR_INIT;

	ref_lock_out(path);
	return archive_unlock(ref_of(path), secret, &err);
}

/* The first key opens it after any cut. */
char *power_tell_keys(const char *place)
{
	CLEANUP(freep) char *path = archive_in(place);
	bool also = opens(path, &second);
	CLEANUP(freep) char *text = NULL;

	ref_lock_out(path);
	text = power_tell(path, true);
	return str_printf("%s%s", text, also ? "and the second key\n" : "");
}

bool power_key_add(const char *place, struct err *err)
{
	CLEANUP(freep) char *path = archive_in(place);
	uint32_t id;

	return opens(path, &second) ||
	       (fixture_unlock(path, err) && archive_add_key(ref_of(path), &second, &id, err));
}

static bool highest_key(void *context, const struct archive_key *key, struct err *err)
{
	(void)err;
	*(uint32_t *)context = key->id;
	return true;
}

bool power_key_remove(const char *place, struct err *err)
{
	CLEANUP(freep) char *path = archive_in(place);
	uint32_t id = 0;

	if (!opens(path, &second))
		return true;
	return archive_each_key(path, highest_key, &id, err) &&
	       archive_remove_key(ref_of(path), id, err);
}

/* --- another master key --- */

static const struct archive_secret first = {
	ARCHIVE_KEY, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 64};

static bool unlock(const char *path, struct err *err)
{
	ref_lock_out(path);
	return !archive_is_encrypted(ref_of(path)) || archive_unlock(ref_of(path), &first, err);
}

/* The beginning is promised, too: from then on nothing is added under the old key. */
char *power_tell_rekey(const char *place)
{
	static const char *const states[] = {
		[ARCHIVE_REKEY_NONE] = "no change",
		[ARCHIVE_REKEY_ENCRYPTING] = "being encrypted",
		[ARCHIVE_REKEY_ROTATING] = "being rotated",
	};
	CLEANUP(freep) char *path = archive_in(place);
	CLEANUP(freep) char *text = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(unlock(path, &err));
	text = power_tell(path, true);
	return str_printf("%sepoch %u, %s\n", text, inside_key_epoch(path),
		states[archive_rekey_state(path)]);
}

void power_check_rekey(const char *place)
{
	CLEANUP(freep) char *path = archive_in(place);
	struct err err = ERR_INIT;

	CHECK_OK(unlock(path, &err));
	fixture_check(path);
}

static bool go_on(const char *path, struct err *err)
{
	const struct archive_rekey wish = {0};
	struct archive_rekeyed rekeyed;

	power_log_acknowledge();
	return archive_rekey_state(path) == ARCHIVE_REKEY_NONE ||
	       archive_rekey(ref_of(path), &wish, WAIT_MS, &rekeyed, err);
}

bool power_encrypt(const char *place, struct err *err)
{
	CLEANUP(freep) char *path = archive_in(place);

	return unlock(path, err) &&
	       (archive_is_encrypted(ref_of(path)) ||
		       archive_encrypt_begin(ref_of(path), &first, WAIT_MS, err)) &&
	       go_on(path, err);
}

bool power_rotate(const char *place, struct err *err)
{
	const struct archive_carried carried = {.id = 1, .secret = first};
	CLEANUP(freep) char *path = archive_in(place);

	return unlock(path, err) &&
	       (inside_key_epoch(path) == 2 ||
		       archive_rotate_begin(ref_of(path), &carried, 1, WAIT_MS, err)) &&
	       go_on(path, err);
}
