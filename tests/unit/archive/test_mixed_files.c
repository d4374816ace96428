/*
 * Archives that contain files of other archives or of an earlier state, or lack some of their
 * files. Check notices it and names what is lost, and every message that can be read is the right
 * one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/archive.h"
#include "archive/check.h"
#include "archive/seal.h"
#include "archive/volume/volume.h"
#include "archive/write/writer.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "support/archive/archive_fixture.h"
#include "support/archive/files.h"
#include "support/archive/refs.h"
#include "support/check.h"

enum {
	VALIDITY = 7,
	COMMITS = 4,
	COMMIT_MESSAGES = 5,
	MESSAGES = COMMITS * COMMIT_MESSAGES,
	PART_BYTES = 70 * 1000,
	VOLUME_BYTES = 60 * 1000,
	FILE_BYTES_MAX = 64 * 1024 * 1024,
	WAIT_MS = 1000,
	PLACES = 40, /* offsets at which each volume is damaged */
	FOREIGN_SEED = 5000,
};

#define PATH CLEANUP(freep) char *

/* --- archives --- */

static size_t size_of(uint32_t uid)
{
	return uid % COMMIT_MESSAGES == 2 ? PART_BYTES + uid : 300 + uid;
}

/* The message with a UID has the seed `seed` + UID. */
static void fill(const char *path, uint32_t seed, uint32_t first, uint32_t last)
{
	struct archive_writer *writer = fixture_writer(path);
	int64_t inbox;

	writer->volume_bytes_max = VOLUME_BYTES;
	inbox = fixture_folder(writer, "INBOX", VALIDITY);
	for (uint32_t uid = first; uid <= last; uid++) {
		fixture_add(writer, inbox, VALIDITY, uid, seed + uid, size_of(uid), "");
		if (uid % COMMIT_MESSAGES == 0)
			(void)fixture_commit(writer, true);
	}
	archive_writer_freep(&writer);
}

static char *filled(const char *name, uint32_t seed)
{
	char *path = fixture_archive(name);

	fill(path, seed, 1, MESSAGES);
	return path;
}

/* Under a path whose keys are still locked. */
static char *copy_of(const char *path)
{
	static unsigned count;
	char *copy = str_printf("%s-%u", path, ++count);

	files_copy(path, copy);
	return copy;
}

static void volumes_of(const char *path, struct volume_list *ret_list)
{
	struct err err = ERR_INIT;

	CHECK_OK(volume_list(path, ret_list, &err));
	CHECK(ret_list->count > 2);
}

/* The name of file number i, which every archive has; NULL: there are no more. */
static char *file_of(const char *path, size_t i)
{
	static const char *const others[] = {"catalogue.db", "catalogue.db-wal", "keyring"};
	CLEANUP(volume_list_free) struct volume_list list = {0};
	PATH volume = NULL;

	if (i < ARRAY_LEN(others))
		return str_printf("%s/%s", path, others[i]);
	i -= ARRAY_LEN(others);
	volumes_of(path, &list);
	if (i / 2 >= list.count)
		return NULL;
	volume = layout_volume_path(path, &list.items[i / 2]);
	return str_printf("%s%s", volume, i % 2 ? "-wal" : "");
}

static void remove_shm(const char *path)
{
	PATH catalogue = str_printf("%s/catalogue.db-shm", path);
	struct err err = ERR_INIT;

	CHECK_OK(fs_remove(catalogue, &err));
	for (size_t i = 0;; i++) {
		PATH file = file_of(path, i);
		PATH shm = file ? str_printf("%s-shm", file) : NULL;

		if (!file)
			return;
		CHECK_OK(fs_remove(shm, &err));
	}
}

/* False: no such file. */
static bool put_instead(const char *from, const char *to)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT(FILE_BYTES_MAX);
	struct err err = ERR_INIT;

	if (!fs_exists(from))
		return false;
	CHECK_OK(fs_read(from, &bytes, &err));
	CHECK_OK(fs_remove(to, &err));
	CHECK_OK(fs_write_atomic(to, bytes.data, bytes.len, 0600, &err));
	return true;
}

/* --- what is seen of one --- */

struct sight {
	bool readable[MESSAGES + 1]; /* by uid */
	bool foreign;                /* it gives mail of the other archive */
	bool lost[MESSAGES + 1];     /* as check names it */
	unsigned findings;
	bool refused; /* it cannot be unlocked, opened or listed */
};

static bool note(void *context, const struct archive_finding *finding, struct err *err)
{
	struct sight *sight = context;

	(void)err;
	sight->findings++;
	for (size_t i = 0; i < finding->lost_count; i++)
		if (finding->lost[i].uid <= MESSAGES)
			sight->lost[finding->lost[i].uid] = true;
	return true;
}

struct reading {
	struct archive *archive;
	struct sight *sight;
	struct buf got;
	struct buf wanted;
};

static bool add_piece(void *context, const uint8_t *data, size_t len, struct err *err)
{
	(void)err;
	return buf_add(context, data, len);
}

static bool is_message(struct reading *reading, uint32_t uid, uint32_t seed)
{
	fixture_message(&reading->wanted, seed + uid, size_of(uid));
	return reading->got.len == reading->wanted.len &&
	       memcmp(reading->got.data, reading->wanted.data, reading->got.len) == 0;
}

static bool read_entry(void *context, const struct archive_entry *entry, struct err *err)
{
	struct reading *reading = context;
	struct err own = ERR_INIT;

	(void)err;
	buf_reset(&reading->got);
	if (!archive_read_message(
		    reading->archive, entry->message_id, add_piece, &reading->got, &own)) {
		CHECK(own.kind != ERR_NONE && *own.text);
		return true;
	}
	CHECK(entry->uid >= 1 && entry->uid <= MESSAGES);
	if (is_message(reading, entry->uid, FOREIGN_SEED))
		reading->sight->foreign = true;
	else if (!is_message(reading, entry->uid, 0))
		check_fail(__FILE__, __LINE__, "uid %u is read as other mail", entry->uid);
	reading->sight->readable[entry->uid] = true;
	return true;
}

static bool read_all(const char *path, struct sight *sight)
{
	CLEANUP(archive_freep) struct archive *archive = NULL;
	struct reading reading = {
		.sight = sight,
		.got = BUF_INIT(FIXTURE_MESSAGE_MAX),
		.wanted = BUF_INIT(FIXTURE_MESSAGE_MAX),
	};
	struct archive_list list = {0};
	struct archive_snapshot now;
	struct err err = ERR_INIT;
	bool done;

	if (!archive_open(ref_of(path), &archive, &err) ||
		!archive_resolve(
			archive, (struct archive_when){.kind = ARCHIVE_LATEST}, &now, &err))
		return false;
	reading.archive = archive;
	list.generation = now.generation;
	done = archive_each_entry(archive, &list, read_entry, &reading, &err);
	buf_free(&reading.got);
	buf_free(&reading.wanted);
	return done;
}

static struct sight see(const char *path)
{
	struct sight sight = {0};
	const struct archive_check check = {
		.read_percent = 100, .finding = note, .context = &sight};
	struct archive_checked checked;
	struct err err = ERR_INIT;

	remove_shm(path);
	sight.refused = !fixture_unlock(path, &err) ||
			!archive_check(ref_of(path), &check, WAIT_MS, &checked, &err);
	sight.refused = !read_all(path, &sight) || sight.refused;
	return sight;
}

static bool is_noticed(const struct sight *sight)
{
	return sight->refused || sight->findings > 0;
}

static bool is_whole(const struct sight *sight)
{
	for (uint32_t uid = 1; uid <= MESSAGES; uid++)
		if (!sight->readable[uid] || sight->lost[uid])
			return false;
	return !is_noticed(sight) && !sight->foreign;
}

/* Check notices it; or the catalogue only lags behind the volumes, as after a power cut, and is
 * complete once the archive was written to. */
static void judge(const char *path, const char *file)
{
	struct sight sight = see(path);
	struct archive_writer *writer = NULL;
	struct err err = ERR_INIT;

	if (is_noticed(&sight) || is_whole(&sight))
		return;
	CHECK(!sight.foreign);
	if (!archive_writer_open(ref_of(path), WAIT_MS, &writer, &err))
		return;
	archive_writer_freep(&writer);
	sight = see(path);
	if (!is_whole(&sight))
		check_fail(__FILE__, __LINE__, "another %s: not noticed", file);
}

/* Check names exactly the messages that cannot be read. */
static void check_losses(const struct sight *sight, const char *how)
{
	for (uint32_t uid = 1; uid <= MESSAGES; uid++)
		if (sight->readable[uid] == sight->lost[uid])
			check_fail(__FILE__, __LINE__, "%s: uid %u is %s and %s", how, uid,
				sight->readable[uid] ? "readable" : "not readable",
				sight->lost[uid] ? "named lost" : "not named");
}

/* --- promises --- */

/* Every file in turn. */
static void mix(const char *mine, const char *theirs)
{
	unsigned mixed = 0;

	for (size_t i = 0;; i++) {
		PATH copy = copy_of(mine);
		PATH from = file_of(theirs, i);
		PATH to = file_of(copy, i);

		if (!from || !to)
			break;
		if (!put_instead(from, to))
			continue;
		mixed++;
		judge(copy, to);
	}
	CHECK(mixed > 4);
}

static void check_detects_a_file_of_another_archive(void)
{
	PATH mine = filled("mine", 0);
	PATH theirs = filled("theirs", FOREIGN_SEED);
	struct sight sight = see(mine);

	CHECK(is_whole(&sight));
	mix(mine, theirs);
}

/* Two archives with the same mail are still two archives. */
static void check_detects_a_file_of_another_archive_with_the_same_mail(void)
{
	PATH mine = filled("one", 0);
	PATH twin = filled("two", 0);

	mix(mine, twin);
}

static void check_detects_swapped_volumes(void)
{
	PATH path = filled("places", 0);
	CLEANUP(volume_list_free) struct volume_list list = {0};

	volumes_of(path, &list);
	for (size_t i = 0; i + 1 < list.count; i++) {
		PATH copy = copy_of(path);
		PATH first = layout_volume_path(copy, &list.items[i]);
		PATH second = layout_volume_path(copy, &list.items[i + 1]);
		PATH aside = str_printf("%s/aside", copy);
		struct sight sight;

		CHECK(rename(first, aside) == 0);
		CHECK(rename(second, first) == 0);
		CHECK(rename(aside, second) == 0);
		sight = see(copy);
		CHECK(is_noticed(&sight));
	}
}

static void check_detects_an_older_version_of_a_file(void)
{
	PATH path = fixture_archive("days");
	PATH yesterday = NULL;

	fill(path, 0, 1, MESSAGES / 2);
	yesterday = copy_of(path);
	fill(path, 0, MESSAGES / 2 + 1, MESSAGES);
	for (size_t i = 0;; i++) {
		PATH copy = copy_of(path);
		PATH from = file_of(yesterday, i);
		PATH to = file_of(copy, i);

		if (!from || !to)
			break;
		if (put_instead(from, to))
			judge(copy, to);
	}
}

static void check_names_all_mail_lost_to_a_missing_volume(void)
{
	PATH path = filled("missing", 0);
	CLEANUP(volume_list_free) struct volume_list list = {0};
	bool some_readable = false;

	volumes_of(path, &list);
	for (size_t i = 0; i < list.count; i++) {
		PATH copy = copy_of(path);
		PATH file = layout_volume_path(copy, &list.items[i]);
		PATH how = str_printf("without volume %zu", i + 1);
		struct sight sight;
		struct err err = ERR_INIT;

		CHECK_OK(fs_remove(file, &err));
		CHECK_OK(db_remove_wal(file, &err));
		sight = see(copy);
		CHECK(is_noticed(&sight));
		check_losses(&sight, how);
		for (uint32_t uid = 1; uid <= MESSAGES; uid++)
			some_readable = some_readable || sight.readable[uid];
		CHECK(!archive_rebuild(ref_of(copy), WAIT_MS, &err) || i + 1 == list.count);
	}
	CHECK(some_readable);
}

static void damage_places(const char *path, const struct volume_id *id)
{
	CLEANUP(buf_free) struct buf whole = BUF_INIT(FILE_BYTES_MAX);
	PATH original = layout_volume_path(path, id);
	PATH copy = copy_of(path);
	PATH file = layout_volume_path(copy, id);
	size_t step = (size_t)check_stride(1);
	struct err err = ERR_INIT;

	CHECK_OK(fs_read(original, &whole, &err));
	for (size_t i = 0; i < PLACES; i += step) {
		size_t at = whole.len / PLACES * i + i * 67 % 512;
		PATH how = str_printf("volume %d, byte %zu", (int)id->sequence, at);
		struct sight sight;

		whole.data[at] ^= 0x10;
		CHECK_OK(fs_write_atomic(file, whole.data, whole.len, 0600, &err));
		whole.data[at] ^= 0x10;
		sight = see(copy);
		check_losses(&sight, how);
		CHECK(is_noticed(&sight) || is_whole(&sight));
	}
}

static void damage_loses_only_the_mail_that_check_names(void)
{
	const struct archive_seal wish = {.open_bytes_min = 1};
	PATH path = filled("damaged", 0);
	struct archive_sealed sealed;
	struct err err = ERR_INIT;

	for (int i = 0; i < 2; i++) {
		CLEANUP(volume_list_free) struct volume_list list = {0};

		volumes_of(path, &list);
		damage_places(path, &list.items[0]);
		damage_places(path, &list.items[1]);
		CHECK_OK(archive_seal(ref_of(path), &wish, WAIT_MS, &sealed, &err));
	}
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(check_detects_a_file_of_another_archive),
		PROMISE(check_detects_a_file_of_another_archive_with_the_same_mail),
		PROMISE(check_detects_swapped_volumes),
		PROMISE(check_detects_an_older_version_of_a_file),
		PROMISE(check_names_all_mail_lost_to_a_missing_volume),
		PROMISE(damage_loses_only_the_mail_that_check_names),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
