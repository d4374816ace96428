/* Another process creates the account's archive, or changes its keys, while this one waits for the
 * writer lock. */
#include "mirror/account_unlock.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "archive/copy.h"
#include "archive/rekey.h"
#include "base/fs.h"
#include "base/str.h"
#include "mirror/pass.h"
#include "support/archive/refs.h"
#include "support/check.h"

enum { WAIT_MS = 1000, HELD_MS = 300, KEY_DIGITS = 64 };

#define PATH CLEANUP(freep) char *

static const char key_text[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
static const struct archive_secret key = {ARCHIVE_KEY, key_text, KEY_DIGITS};

/* Pauses before a file is renamed to its final name, after reporting that through a pipe. */
struct pause {
	const char *ending; /* of the name */
	int said;
};

static int pause_at(void *context, const struct fs_change *change)
{
	struct pause *pause = context;
	size_t len = change->to ? strlen(change->to) : 0, end = strlen(pause->ending);

	if (pause->said < 0 || len < end || strcmp(change->to + len - end, pause->ending) != 0)
		return 0;
	(void)!write(pause->said, "x", 1);
	pause->said = -1;
	(void)wait_sleep(wait_for(HELD_MS, NULL), NULL);
	return 0;
}

/* Does the work in another process; returns once that pauses. */
static pid_t begin_elsewhere(
	bool (*work)(const char *path, struct err *err), const char *path, const char *pause_before)
{
	int said[2];
	char byte;
	pid_t child;

	CHECK_INT(pipe(said), 0);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		struct pause pause = {pause_before, said[1]};
		struct err err = ERR_INIT;

		fs_set_hook(pause_at, &pause);
		_exit(work(path, &err) ? 0 : 1);
	}
	(void)close(said[1]);
	CHECK_INT(read(said[0], &byte, 1), 1);
	(void)close(said[0]);
	return child;
}

static void check_ended(pid_t child)
{
	int status;

	CHECK(waitpid(child, &status, 0) == child);
	CHECK_INT(status, 0);
}

static bool copy_there(const char *path, struct err *err)
{
	PATH from = str_printf("%s/original", check_temp_dir());
	struct archive_copied copied;

	return archive_copy(ref_of(from), path, WAIT_MS, &copied, err);
}

/* A first copy becomes the account's archive. */
static void an_archive_created_meanwhile_is_used(void)
{
	PATH from = str_printf("%s/original", check_temp_dir());
	PATH path = str_printf("%s/account", check_temp_dir());
	const struct config_account account = {.name = (char *)"account", .archive_path = path};
	CLEANUP(archive_keys_freep) struct archive_keys *keys = archive_keys_new();
	CLEANUP(archive_writer_freep) struct archive_writer *writer = NULL;
	struct err err = ERR_INIT;
	pid_t child;

	CHECK_OK(archive_create(from, WAIT_MS, &err));
	child = begin_elsewhere(copy_there, path, "catalogue.db.copied.new");
	CHECK_OK(mirror_open_archive(&account, keys, NULL, &writer, &err));
	check_ended(child);
}

static bool rotate(const char *path, struct err *err)
{
	struct archive_carried carried = {.secret = key};

	return archive_unlock(ref_of(path), &key, err) &&
	       archive_find_key(path, &key, &carried.id, err) &&
	       archive_rotate_begin(ref_of(path), &carried, 1, WAIT_MS, err);
}

static void keys_changed_meanwhile_are_read_again(void)
{
	PATH path = str_printf("%s/locked", check_temp_dir());
	PATH file = str_printf("%s/key", check_temp_dir());
	const struct config_account account = {
		.name = (char *)"locked", .archive_path = path, .key_file = file};
	CLEANUP(archive_keys_freep) struct archive_keys *keys = archive_keys_new();
	CLEANUP(archive_writer_freep) struct archive_writer *writer = NULL;
	struct err err = ERR_INIT;
	pid_t child;

	CHECK_OK(fs_write_atomic(file, key_text, KEY_DIGITS, 0600, &err));
	CHECK_OK(mirror_make_or_unlock(&account, keys, NULL, &err));
	child = begin_elsewhere(rotate, path, "/keyring");
	CHECK_OK(mirror_open_archive(&account, keys, NULL, &writer, &err));
	check_ended(child);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(an_archive_created_meanwhile_is_used),
		PROMISE(keys_changed_meanwhile_are_read_again),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
